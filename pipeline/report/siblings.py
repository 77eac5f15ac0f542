"""Other runs on the same split: what a model is compared with, and how far seeds spread."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.inspection.listing import split_digest
from pipeline.inspection.seeds import identity
from pipeline.inspection.store import Artifact, Store

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
    """

    model: str
    settings: dict[str, Any]
    metrics: dict[str, Any]
    chose_on_validation: bool = True
    differs_by_seed: bool = False


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
        is_other = item.place != mine.place and item.task == mine.task
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
    )


def _digest(store: Store, item: Artifact, task: str) -> str | None:
    step = store.of(item, task)
    return step.digest if step else None
