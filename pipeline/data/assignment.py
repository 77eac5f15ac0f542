"""Assign the rows of a CleanText artifact to parts, and record the split."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.data import split
from pipeline.data.groups import kept_apart


@dataclass(frozen=True)
class Assignment:
    """Rows with their classes and parts.

    Attributes
    ----------
    rows : pa.Table
        ``id``, ``group``, ``label``, ``partition`` and the columns that the split depends on.
    labels : ndarray of int64, shape (n_rows,)
        Class index, -1 without a label.
    parts : ndarray of int8, shape (n_rows,)
        Index into `pipeline.data.split.PARTS`.
    class_names : list of str
    """

    rows: pa.Table
    labels: np.ndarray
    parts: np.ndarray
    class_names: list[str]

    def check(self, group_duplicates: str, fitted_on: str) -> None:
        """Raise if similar rows are in two parts, or Vectorize fitted on other rows."""
        split.check(self.parts, kept_apart(self.rows, group_duplicates), fitted_on)

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
        """Return counts of classes and groups by part, for ``balance.json``."""
        groups = self.rows["group"].to_numpy()
        return split.balance(self.parts, self.labels, self.class_names, groups)


def assign_artifact(folder: Path, settings: Mapping[str, Any]) -> Assignment:
    """Assign the rows of a CleanText artifact.

    Parameters
    ----------
    folder : Path
        Folder of the artifact.
    settings : mapping
        The split settings of Vectorize, as for `pipeline.data.split.assign_rows`.

    Returns
    -------
    Assignment
    """
    columns = ["id", "group", *split.SPLIT_COLUMNS, "label", "partition"]
    rows = pq.read_table(folder / "rows.parquet", columns=columns)
    profile = json.loads((folder / "profile.json").read_text(encoding="utf-8"))
    class_names = profile["class_names"]
    return Assignment(rows, *split.assign_rows(rows, class_names, settings), class_names)
