"""Overview of an outputs folder: datasets with their best run, newest models, and runs."""

from collections.abc import Sequence
from typing import Any

from pipeline.store.outputs import Store
from pipeline.store.ranking import ScoredRun, comparable, ranking_metric, rankings, scored_runs
from pipeline.store.run import headline


def listing(store: Store, dataset: str = "*") -> dict[str, list[dict[str, Any]]]:
    """Describe the runs of a dataset, or of all datasets (``*``).

    Returns
    -------
    dict
        ``datasets`` (each with its best run by validation rows), ``models`` (the newest report of
        each model), ``runs``, newest first, and ``rankings`` (see
        `pipeline.store.ranking.rankings`); each a list of plain rows.
    """
    runs = scored_runs(store, dataset)
    rows = [run.row for run in runs]
    row_of_path = {row["place"]: row for row in rows}
    newest = []
    for name, path in store.latest.items():
        dataset_name, model = name.split("/", 1)
        if dataset in ("*", dataset_name):
            row = row_of_path.get(store.short(path))
            newest.append(row or {"dataset": dataset_name, "model": model, "place": None})
    names = [name for name in store.datasets() if dataset in ("*", name)]
    of_dataset = {name: [run for run in runs if run.artifact.dataset == name] for name in names}
    return {
        "datasets": [_dataset_row(store, name, of_dataset[name]) for name in names],
        "models": newest,
        "runs": rows,
        "rankings": [group for name in names for group in rankings(of_dataset[name])],
    }


def _dataset_row(store: Store, name: str, runs: Sequence[ScoredRun]) -> dict[str, Any]:
    """Describe a dataset by its newest cleaned rows and its best run."""
    cleaned = sorted(store.all(name, "2_*"), key=lambda item: item.finished)
    profile = cleaned[-1].summary("profile.json") if cleaned else {}
    best = _best_run(runs)
    row = best.row if best else {}
    validation = best.validation if best else headline({})
    return {
        "dataset": name,
        "rows": profile.get("kept"),
        "labels": profile.get("labels", {}),
        "runs": len(runs),
        "best_run": row.get("run"),
        "best_model": row.get("model"),
        "best_macro_f1": row.get("macro_f1"),
        "best_validation_macro_f1": validation["macro_f1"],
        "best_validation_accuracy": validation["accuracy"],
    }


def _best_run(newest_first: Sequence[ScoredRun]) -> ScoredRun | None:
    """Return the best run by validation rows, None without any; ties go to the newest.

    Only runs that are comparable with the newest run with validation metrics are ranked.
    """
    scored = [run for run in newest_first if set(run.validation.values()) != {None}]
    if not scored:
        return None
    same = next(group for group in comparable(newest_first) if scored[0] in group)
    metric = ranking_metric(same)

    def value(run: ScoredRun) -> float:
        number = run.validation[metric]
        return -1.0 if number is None else number

    return max(same, key=value)
