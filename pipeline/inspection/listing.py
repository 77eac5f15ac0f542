"""What there is: datasets, runs and the newest models, with their headline metrics."""

from collections.abc import Mapping
from typing import Any

from pipeline.inspection.manifests import is_count, is_number
from pipeline.inspection.store import Artifact, Store

#: Headline metrics: title, and the way to the figure in a part of ``metrics.json``.
HEADLINES = {
    "accuracy": ("accuracy",),
    "macro_f1": ("macro", "f1"),
    "roc_auc": ("roc_auc",),
    "log_loss": ("log_loss",),
}


def listing(store: Store, dataset: str = "*") -> dict[str, list[dict[str, Any]]]:
    """Describe what is in an outputs folder.

    Parameters
    ----------
    store : Store
    dataset : str
        One dataset, or ``*``.

    Returns
    -------
    dict
        ``datasets``, ``models`` (what ``latest`` leads to) and ``runs``, newest first; each a
        list of plain rows.
    """
    runs = [run_row(store, run) for run in store.runs(dataset)]
    by_place = {row["place"]: row for row in runs}
    newest = []
    for name, place in store.latest.items():
        of_dataset, model = name.split("/", 1)
        if dataset in ("*", of_dataset):
            row = by_place.get(store.short(place))
            newest.append(row or {"dataset": of_dataset, "model": model, "place": None})
    names = [name for name in store.datasets() if dataset in ("*", name)]
    return {
        "datasets": [_dataset_row(store, name, runs) for name in names],
        "models": newest,
        "runs": runs,
    }


def run_row(store: Store, run: Artifact) -> dict[str, Any]:
    """Describe a run in one row."""
    trained, evaluated = store.of(run, "TrainModel"), store.of(run, "Evaluate")
    settings = trained.manifest["settings"] if trained else {}
    test = _inside(evaluated.summary("metrics.json"), "test") if evaluated else {}
    place = store.short(run.place)
    return {
        "run": run.digest[:8],
        "dataset": run.place.parent.parent.name,
        "model": settings.get("model") or run.place.name.rsplit("-", 1)[0],
        **headline(test),
        "test_rows": _count(test.get("rows")),
        "training_seconds": trained.manifest["seconds"] if trained else None,
        "finished": run.finished,
        "is_latest": place in map(store.short, store.latest.values()),
        "is_complete": evaluated is not None and trained is not None,
        "place": place,
    }


def headline(metrics: Mapping[str, Any]) -> dict[str, float | None]:
    """Take the headline metrics out of the metrics of some rows."""
    return {title: figure(metrics, path) for title, path in HEADLINES.items()}


def figure(metrics: Any, path: tuple[str, ...]) -> float | None:
    """Follow a way into nested metrics to a number."""
    found = _follow(metrics, path)
    return float(found) if is_number(found) else None


def interval(metrics: Any, path: tuple[str, ...]) -> list[float] | None:
    """Follow the same way to the number's 95 % interval, None where it has none."""
    found = _follow(metrics, ("intervals", *path))
    is_interval = isinstance(found, list) and len(found) == 2
    return found if is_interval and all(map(is_number, found)) else None


def _inside(summary: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return a part of a summary, empty where it is not there or no part."""
    found = summary.get(key)
    return found if isinstance(found, Mapping) else {}


def _count(value: Any) -> int | None:
    """Take a whole number, None for anything else."""
    return value if is_count(value) else None


def _follow(metrics: Any, path: tuple[str, ...]) -> Any:
    for key in path:
        metrics = metrics.get(key) if isinstance(metrics, Mapping) else None
    return metrics


def _dataset_row(store: Store, name: str, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Describe a dataset by its newest cleaned rows and its best run."""
    cleaned = sorted(store.all(name, "2_*"), key=lambda item: item.finished)
    profile = cleaned[-1].summary("profile.json") if cleaned else {}
    labels = {label: _count(number) for label, number in _inside(profile, "labels").items()}
    mine = [row for row in runs if row["dataset"] == name]
    best = max(mine, key=lambda row: row["macro_f1"] or -1.0, default=None)
    return {
        "dataset": name,
        "rows": _count(profile.get("kept")),
        "labels": labels,
        "runs": len(mine),
        "best_run": best["run"] if best else None,
        "best_model": best["model"] if best else None,
        "best_macro_f1": best["macro_f1"] if best else None,
    }
