"""The headline metrics, and how much near copies of training texts change them."""

from collections.abc import Mapping
from typing import Any

from pipeline.report.sources import Run

#: A metric that moves by more without the copies is shown twice: half a point.
MOST_CHANGE = 0.005
WITHOUT_COPIES = ("leaks", "without_exact_and_near")

Path = tuple[str, ...]


def headlines(run: Run) -> dict[str, Path]:
    """Return the path of each headline metric inside the metrics of some rows, by its name."""
    positive = run.metrics["positive_label"]
    of_class = {f"F1 of {positive}": ("by_class", positive, "f1")} if positive else {}
    return {"accuracy": ("accuracy",), "macro F1": ("macro", "f1"), **of_class}


def headline(run: Run) -> tuple[str, Path]:
    """Return the metric by which runs are compared: F1 of the class that the user named, if any."""
    name = f"F1 of {run.metrics['positive_label']}" if run.positive_named else "accuracy"
    return name, headlines(run)[name]


def value_at(metrics: Any, path: Path) -> float | None:
    """Return the number at a path, None where there is none."""
    for key in path:
        metrics = metrics.get(key) if isinstance(metrics, Mapping) else None
    return metrics if isinstance(metrics, int | float) else None


def changed_by_copies(run: Run) -> dict[str, Path]:
    """Return the headline metrics that move by more than half a point without the copies.

    The metric by which runs are compared is the first.
    Copies are the test rows whose text is, exactly or nearly, that of a training row.
    """
    test, without = run.metrics["test"], run.metrics["leaks"][WITHOUT_COPIES[1]]
    changed = {}
    first = headline(run)
    for name, path in {first[0]: first[1], **headlines(run)}.items():
        before, after = value_at(test, path), value_at(without, path)
        if before is not None and after is not None and abs(before - after) > MOST_CHANGE:
            changed[name] = path
    return changed
