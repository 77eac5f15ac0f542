"""How long a step is expected to take, from what it took before."""

import math
from typing import Any

from pipeline.settings.compare import distance
from pipeline.store.outputs import Artifact, Store
from pipeline.tasks.graph import above


def seconds(task: Any, store: Store) -> float | None:
    """Return the seconds that a step is expected to take.

    Of its earlier artifacts, of any dataset and with the same model, that one counts whose rows
    and settings are nearest; its seconds are scaled by the rows.

    Parameters
    ----------
    task : Step
    store : Store

    Returns
    -------
    float or None
        None where nothing like it was run before.
    """
    model = _model(task)
    earlier = [
        item
        for item in store.all(step=task.folder)
        if item.task == task.task_family
        and item.manifest["seconds"] is not None
        and (model is None or _model_of(item, store) == model)
    ]
    if not earlier:
        return None
    rows, settings = _rows(task, store), task.settings()

    def apart(item: Artifact) -> tuple[float, int]:
        of_rows = _apart(rows, item.manifest["rows_in"])
        return of_rows, distance(item.manifest["settings"], settings)

    newest_first = sorted(earlier, key=lambda item: item.finished, reverse=True)
    nearest = min(newest_first, key=apart)
    known = nearest.manifest["rows_in"]
    factor = rows / known if rows and known else 1.0
    return round(nearest.manifest["seconds"] * factor, 2)


def _apart(rows: int | None, others: int | None) -> float:
    """Return how far two numbers of rows are apart, as a ratio in bits; 0 where one is unknown."""
    return abs(math.log2(rows / others)) if rows and others else 0.0


def _model(task: Any) -> str | None:
    """Return the model of a step, None where it has none or comes before the model."""
    while task is not None:
        name = task.settings().get("model")
        if name:
            return name
        task = next((other for other in above(task) if hasattr(other, "settings")), None)
    return None


def _model_of(item: Artifact, store: Store) -> str | None:
    """Return the model of an artifact."""
    for known in store.lineage(item):
        name = known.manifest["settings"].get("model")
        if name:
            return name
    return None


def _rows(task: Any, store: Store) -> int | None:
    """Return the rows that a step of this dataset is to expect, as far as that is known."""
    same = store.all(task.dataset, task.folder)
    counts = [item.manifest["rows_in"] for item in same if item.manifest["rows_in"]]
    if counts:
        return counts[-1]
    for other in above(task):
        for item in store.all(task.dataset, getattr(other, "folder", "-")):
            if item.manifest["rows_out"]:
                return item.manifest["rows_out"]
    return None
