"""What there is: datasets, runs and the newest models, with their headline metrics."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.store.manifests import is_count, is_number
from pipeline.store.outputs import Artifact, Store

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
        ``datasets`` (each with its best run by validation rows), ``models`` (what ``latest``
        leads to) and ``runs``, newest first; each a list of plain rows.
    """
    reports = store.runs(dataset)
    runs = [run_row(store, run) for run in reports]
    by_place = {row["place"]: row for row in runs}
    newest = []
    for name, place in store.latest.items():
        of_dataset, model = name.split("/", 1)
        if dataset in ("*", of_dataset):
            row = by_place.get(store.short(place))
            newest.append(row or {"dataset": of_dataset, "model": model, "place": None})
    names = [name for name in store.datasets() if dataset in ("*", name)]
    return {
        "datasets": [_dataset_row(store, name, reports) for name in names],
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


def split_digest(store: Store, item: Artifact) -> str | None:
    """Return the sha256 of the table that gives each row its part, None where it is gone."""
    split = store.of(item, "SplitStratified")
    files = split.manifest["files"] if split else {}
    return files.get("split.parquet", {}).get("sha256")


def _dataset_row(store: Store, name: str, reports: Sequence[Artifact]) -> dict[str, Any]:
    """Describe a dataset by its newest cleaned rows and its best run."""
    cleaned = sorted(store.all(name, "2_*"), key=lambda item: item.finished)
    profile = cleaned[-1].summary("profile.json") if cleaned else {}
    labels = {label: _count(number) for label, number in _inside(profile, "labels").items()}
    mine = [run for run in reports if run.place.parent.parent.name == name]
    best, validation = _best_run(store, mine)
    row = run_row(store, best) if best else {}
    return {
        "dataset": name,
        "rows": _count(profile.get("kept")),
        "labels": labels,
        "runs": len(mine),
        "best_run": row.get("run"),
        "best_model": row.get("model"),
        "best_macro_f1": row.get("macro_f1"),
        "best_validation_macro_f1": validation["macro_f1"],
        "best_validation_accuracy": validation["accuracy"],
    }


def _best_run(
    store: Store, newest_first: Sequence[Artifact]
) -> tuple[Artifact | None, dict[str, float | None]]:
    """Return the best run by validation rows, and its headline metrics of them.

    Test metrics rank nothing: whoever then used the best run would report an optimistic metric.
    Runs are ranked only where they are comparable: evaluated by the same version of Evaluate on the
    same split as the newest run that has validation metrics. Macro F1 ranks; accuracy does where
    one of them has no macro F1. Of equal runs, the newest is best.
    """
    found = [
        (run, scores, key)
        for run in newest_first
        for scores, key in [_validation(store, run)]
        if scores["macro_f1"] is not None or scores["accuracy"] is not None
    ]
    if not found:
        return None, headline({})
    key = found[0][2]
    # A run whose split is gone is comparable with itself alone.
    same = [entry for entry in found if entry[2] == key] if key[0] else found[:1]
    has_all = all(scores["macro_f1"] is not None for _, scores, _ in same)
    metric = "macro_f1" if has_all else "accuracy"
    values = [-1.0 if (value := scores[metric]) is None else value for _, scores, _ in same]
    best, scores, _ = same[values.index(max(values))]
    return best, scores


def _validation(store: Store, run: Artifact) -> tuple[dict[str, float | None], tuple[Any, ...]]:
    """Return the metrics of validation rows that did not train the model, and what ran on them."""
    trained, evaluated = store.of(run, "TrainModel"), store.of(run, "Evaluate")
    if trained is None or evaluated is None:
        return headline({}), ()
    is_learned = "refitted_on_validation" in trained.summary("training.json")
    scores = {} if is_learned else _inside(evaluated.summary("metrics.json"), "validation")
    return headline(scores), (split_digest(store, run), evaluated.manifest.get("version"))
