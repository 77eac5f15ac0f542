"""Assign the rows of a CleanText artifact to parts, and record the split."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.data import split
from pipeline.data.columns import is_group_start
from pipeline.data.groups import kept_apart
from pipeline.errors import SplitError
from pipeline.store.files import read_json


@dataclass(frozen=True)
class Assignment:
    """Rows with their classes and parts."""

    rows: pa.Table  # ``id``, ``group``, ``label``, ``partition`` and `split.SPLIT_COLUMNS`
    labels: np.ndarray  # class index, -1 without a label; int64, shape (n_rows,)
    parts: np.ndarray  # index into `split.PARTS`; int8, shape (n_rows,)
    class_names: list[str]

    def fingerprint(self) -> str:
        """Return the sha256 of the parts."""
        return hashlib.sha256(np.ascontiguousarray(self.parts, np.int8).tobytes()).hexdigest()

    def check(self, group_duplicates: str, fitted_on: str) -> None:
        """Raise if rows of a group are on two sides, or vectors were fitted on another split.

        ``fitted_on`` is the `fingerprint` of the split on which they were fitted.
        """
        if self.fingerprint() != fitted_on:
            raise SplitError(
                "the vectors were fitted on another split than the recorded one; please report "
                "this as a bug, and delete the Vectorize folder to go on."
            )
        groupings = kept_apart(self.rows, group_duplicates)
        if any(on_two_sides(self.parts, groups) for groups in groupings):
            raise SplitError(
                "rows of one group are on two sides of the split; please report this bug."
            )

    def table(self) -> pa.Table:
        """Return ``id``, ``label`` (class index) and ``part`` (name) of each row."""
        names = pa.array(split.PARTS, pa.string())
        return pa.table(
            {
                "id": self.rows["id"],
                "label": pa.array(self.labels, pa.int32()),
                "part": names.take(pa.array(self.parts)),
            }
        )

    def balance(self) -> dict[str, Any]:
        """Return ``balance.json``: rows by part and class, and clean texts on two sides."""
        rows = {name: int((self.parts == part).sum()) for part, name in enumerate(split.PARTS)}
        classes = {
            split.PARTS[part]: {
                name: int(np.count_nonzero((self.parts == part) & (self.labels == number)))
                for number, name in enumerate(self.class_names)
            }
            for part in (split.TRAIN, split.VALIDATION, split.TEST, split.EXCLUDED)
        }
        shared = on_two_sides(self.parts, self.rows["group"].to_numpy())
        return {"rows": rows, "classes": classes, "texts_on_two_sides": shared}


def assign_artifact(folder: Path, settings: Mapping[str, Any]) -> Assignment:
    """Assign the rows of the CleanText artifact in a folder, by the split settings of Vectorize."""
    columns = ["id", "group", *split.SPLIT_COLUMNS, "label", "partition"]
    rows = pq.read_table(folder / "rows.parquet", columns=columns)
    class_names = read_json(folder / "profile.json")["class_names"]
    return Assignment(rows, *split.assign_rows(rows, class_names, settings), class_names)


def on_two_sides(parts: np.ndarray, groups: np.ndarray) -> int:
    """Count the groups with rows in more than one of train, validation and test."""
    used = np.flatnonzero(parts <= split.TEST)
    if not len(used):
        return 0
    order = used[np.argsort(groups[used], kind="stable")]
    starts = np.flatnonzero(is_group_start(groups[order]))
    sides = parts[order]
    lowest, highest = np.minimum.reduceat(sides, starts), np.maximum.reduceat(sides, starts)
    return int(np.count_nonzero(lowest != highest))
