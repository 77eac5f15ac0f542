"""Other runs on the same split: what a model is compared with, and how far seeds spread."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.store.outputs import Artifact, Store
from pipeline.store.run import split_digest
from pipeline.store.seeds import identity

_STEPS = ("CleanText", "Tokenize", "Vectorize", "TrainModel")
# A baseline may be trained on fewer rows to bound its cost; a run of its own is not.
_BOUND = "max_train_rows"


@dataclass(frozen=True)
class Sibling:
    """Another evaluated run with the same training, validation and test rows.

    Attributes
    ----------
    model : str
    settings : dict
        Of its steps up to training, by name.
    metrics : dict
        Its ``metrics.json``.
    chose_on_validation : bool
        Whether it left validation rows out of its final training, so that they score it.
    differs_by_seed : bool
        Whether only the seed of training tells it from this run.
    place : Path or None
        Folder of its Evaluate artifact.
    """

    model: str
    settings: dict[str, Any]
    metrics: dict[str, Any]
    chose_on_validation: bool = True
    differs_by_seed: bool = False
    place: Path | None = None

    @cached_property
    def right(self) -> pd.Series | None:
        """Whether each validation row's decided class is right; None where it cannot be read."""
        return None if self.place is None else right_on_validation(self.place)


def right_on_validation(evaluated: Path) -> pd.Series | None:
    """Read whether the decided class of each validation row is right.

    Parameters
    ----------
    evaluated : Path
        Folder of an Evaluate artifact.

    Returns
    -------
    Series of bool or None
        By id; None where ``predictions.parquet`` cannot be read.
    """
    columns, of_part = ["id", "label", "decided"], [("part", "==", "validation")]
    try:
        table = pq.read_table(
            evaluated / "predictions.parquet", columns=columns, filters=of_part
        ).to_pandas()
    except (OSError, pa.ArrowException):
        return None
    return pd.Series((table["decided"] == table["label"]).to_numpy(bool), index=table["id"])


def find_siblings(places: Mapping[str, Path]) -> list[Sibling]:
    """Find the other evaluated runs whose split gives every row the same part.

    The digest of SplitStratified depends on the representation, so splits are compared by the
    content of ``split.parquet``.

    Parameters
    ----------
    places : mapping
        Folder of each step's artifact of this run, by task.

    Returns
    -------
    list of Sibling
        In the order of their folders, those of another version of Evaluate left out.
    """
    evaluated = places["Evaluate"]
    store = Store(evaluated.parents[2])
    mine = store.artifact(evaluated)
    if mine is None:
        return []
    split = split_digest(store, mine)
    found = []
    for item in store.all(evaluated.parents[1].name, evaluated.parent.name):
        is_other = item.path != mine.path and item.task == mine.task
        same_model = _digest(store, item, "TrainModel") == _digest(store, mine, "TrainModel")
        if not is_other or same_model or item.manifest["version"] != mine.manifest["version"]:
            continue
        if split is not None and split_digest(store, item) == split:
            found.append(_sibling(store, item, mine))
    return [sibling for sibling in found if sibling is not None]


def _sibling(store: Store, item: Artifact, mine: Artifact) -> Sibling | None:
    """Read a run; None where its model is gone."""
    steps = {step.task: step for step in store.chain(item)}
    if not steps.keys() >= set(_STEPS):
        return None
    settings: dict[str, Any] = {}
    for task in _STEPS:
        settings |= steps[task].manifest["settings"]
    settings.pop(_BOUND, None)
    trained, shared = steps["TrainModel"], identity(store, mine)
    return Sibling(
        settings["model"],
        settings,
        item.summary("metrics.json"),
        "refitted_on_validation" not in trained.summary("training.json"),
        shared is not None and identity(store, item) == shared,
        item.path,
    )


def _digest(store: Store, item: Artifact, task: str) -> str | None:
    step = store.of(item, task)
    return step.digest if step else None
