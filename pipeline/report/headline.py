"""The headline metrics, the one that ranks runs, and how copies of training texts change them."""

from typing import TYPE_CHECKING

from pipeline.store.run import FinishedRun, metric_at

if TYPE_CHECKING:
    from pipeline.report.sources import Run

#: Keys of the metrics without test rows whose text is, exactly or nearly, that of a training row.
WITHOUT_COPIES = ("leaks", "without_exact_and_near")
_LARGEST = 0.005  # half a point: a metric that changes by more is shown twice

Path = tuple[str, ...]


def headlines(run: FinishedRun) -> dict[str, Path]:
    """Return the keys of each headline metric in the metrics of one part, by its name."""
    positive = run.metrics["positive_label"]
    class_f1 = {f"F1 of {positive}": ("by_class", positive, "f1")} if positive else {}
    return {"accuracy": ("accuracy",), "macro F1": ("macro", "f1"), **class_f1}


def headline(run: "Run") -> tuple[str, Path]:
    """Return name and keys of the metric that ranks runs."""
    return leading(run, run.positive_named)


def leading(run: FinishedRun, positive_named: bool) -> tuple[str, Path]:
    """Return name and keys of the metric that ranks runs.

    It is the F1 of the positive class if the user chose that class, else the accuracy.
    """
    name = f"F1 of {run.metrics['positive_label']}" if positive_named else "accuracy"
    return name, headlines(run)[name]


def without_copies(run: "Run", key: str) -> dict[str, tuple[float, float]]:
    """Return each headline metric of all test rows and without copies, by name.

    ``key`` is ``without_exact`` or ``without_exact_and_near``. The metric that ranks runs is first;
    metrics that are not defined on both sets of rows are absent.
    """
    test, without = run.metrics["test"], run.metrics["leaks"][key]
    pairs = {}
    for name, keys in dict([headline(run), *headlines(run).items()]).items():
        value, without_value = metric_at(test, keys), metric_at(without, keys)
        if value is not None and without_value is not None:
            pairs[name] = (value, without_value)
    return pairs


def changed_by_copies(run: "Run") -> dict[str, Path]:
    """Return names and keys of the metrics that change by over half a point without copies."""
    pairs = without_copies(run, WITHOUT_COPIES[1])
    changed = [name for name, (all_rows, rest) in pairs.items() if abs(all_rows - rest) > _LARGEST]
    return {name: headlines(run)[name] for name in changed}
