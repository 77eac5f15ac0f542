"""Overview of an outputs folder: datasets with their best run, newest models, and runs."""

from collections.abc import Sequence
from typing import Any

from pipeline.store.outputs import Artifact, Store
from pipeline.store.run import FinishedRun, headline, run_row, split_digest


def listing(store: Store, dataset: str = "*") -> dict[str, list[dict[str, Any]]]:
    """Describe the runs of a dataset, or of all datasets (``*``).

    Returns
    -------
    dict
        ``datasets`` (each with its best run by validation rows), ``models`` (the newest report of
        each model) and ``runs``, newest first; each a list of plain rows.
    """
    reports = store.runs(dataset)
    rows = [run_row(store, run) for run in reports]
    row_of_path = {row["place"]: row for row in rows}
    newest = []
    for name, path in store.latest.items():
        dataset_name, model = name.split("/", 1)
        if dataset in ("*", dataset_name):
            row = row_of_path.get(store.short(path))
            newest.append(row or {"dataset": dataset_name, "model": model, "place": None})
    names = [name for name in store.datasets() if dataset in ("*", name)]
    return {
        "datasets": [
            _dataset_row(store, name, [run for run in reports if run.dataset == name])
            for name in names
        ],
        "models": newest,
        "runs": rows,
    }


def _dataset_row(store: Store, name: str, reports: Sequence[Artifact]) -> dict[str, Any]:
    """Describe a dataset by its newest cleaned rows and its best run."""
    cleaned = sorted(store.all(name, "2_*"), key=lambda item: item.finished)
    profile = cleaned[-1].summary("profile.json") if cleaned else {}
    best, validation = _best_run(store, reports)
    row = run_row(store, best) if best else {}
    return {
        "dataset": name,
        "rows": profile.get("kept"),
        "labels": profile.get("labels", {}),
        "runs": len(reports),
        "best_run": row.get("run"),
        "best_model": row.get("model"),
        "best_macro_f1": row.get("macro_f1"),
        "best_validation_macro_f1": validation["macro_f1"],
        "best_validation_accuracy": validation["accuracy"],
    }


def _best_run(
    store: Store, newest_first: Sequence[Artifact]
) -> tuple[Artifact | None, dict[str, float | None]]:
    """Return the best run by validation rows, and its headline metrics on them.

    Ranking by test metrics would make the best run's test metric optimistic. Only comparable runs
    are ranked: same version of Evaluate and same split as the newest run with validation metrics.
    They are ranked by macro F1, or by accuracy where one has no macro F1; ties go to the newest.
    """
    scored = [(run, *_validation(store, run)) for run in newest_first]
    scored = [
        entry for entry in scored if (entry[1]["macro_f1"], entry[1]["accuracy"]) != (None, None)
    ]
    if not scored:
        return None, headline({})
    key = scored[0][2]
    # The split of the newest run may have been deleted: nothing is comparable with that run.
    same = [entry for entry in scored if entry[2] == key] if key[0] else scored[:1]
    has_macro_f1 = all(metrics["macro_f1"] is not None for _, metrics, _ in same)
    metric = "macro_f1" if has_macro_f1 else "accuracy"
    values = [-1.0 if (value := metrics[metric]) is None else value for _, metrics, _ in same]
    best, metrics, _ = same[values.index(max(values))]
    return best, metrics


def _validation(store: Store, run: Artifact) -> tuple[dict[str, float | None], tuple[Any, ...]]:
    """Return the headline metrics of validation rows, and what makes runs comparable.

    The metrics are None where the model was finally trained on the validation rows too.
    """
    steps = FinishedRun(run.path, store).steps
    trained, evaluated = steps.get("TrainModel"), steps.get("Evaluate")
    if trained is None or evaluated is None:
        return headline({}), ()
    is_learned = "refitted_on_validation" in trained.summary("training.json")
    metrics = {} if is_learned else evaluated.summary("metrics.json").get("validation")
    return headline(metrics), (split_digest(store, run), evaluated.manifest["version"])
