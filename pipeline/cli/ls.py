"""``pipeline ls``: list datasets, newest models and runs with their headline metrics."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from pipeline.cli import output
from pipeline.cli.common import as_json, open_store, with_paths
from pipeline.cli.output import Column, count, metric
from pipeline.cli.settings_diff import format_value
from pipeline.data import catalogue
from pipeline.errors import UnknownNameError, nearest
from pipeline.store.outputs import Store
from pipeline.store.overview import listing
from pipeline.tasks.config import data_folder

_SHOWN = 20  # runs


def _label_counts(labels: dict[str, int | None]) -> str:
    """Format the number of rows of each label."""
    return ", ".join(f"{name} {count(number)}" for name, number in labels.items())


_DATASET_COLUMNS = (
    Column("dataset"),
    Column("rows", form=count, is_number=True, drop=3),
    Column("labels", form=_label_counts, drop=2, least=16),
    Column("runs", is_number=True),
    Column("best run (validation)", "best_run", drop=1),
    Column("model", "best_model"),
    Column("macro F1 (validation)", "best_validation_macro_f1", metric, is_number=True),
)
#: Columns of runs; a row is that of `pipeline.store.run.run_row`.
RUN_COLUMNS = (
    Column("run", lambda row: row.get("run", "gone")),
    Column("dataset"),
    Column("model"),
    Column("accuracy", form=metric, is_number=True, drop=1),
    Column("macro F1", "macro_f1", metric, is_number=True),
    Column("ROC AUC", "roc_auc", metric, is_number=True, drop=3),
    Column("log loss", "log_loss", metric, is_number=True, drop=4),
    Column("test rows", "test_rows", count, is_number=True, drop=6),
    Column("training", "training_seconds", output.duration, is_number=True, drop=5),
    Column("finished", form=lambda time: time[:16].replace("T", " "), drop=2),
    Column("", lambda row: "newest" if row.get("is_latest") else "", drop=7),
)


def _settings(row: Mapping[str, Any]) -> str:
    """Format the settings of a candidate that differ from other candidates, or a seed."""
    return " ".join(f"{name}={format_value(value)}" for name, value in row["settings"].items())


def _spread(value: Mapping[str, float | None]) -> str:
    """Format the mean over seeds, and the largest distance from it."""
    mean, least, most = value["mean"], value["least"], value["most"]
    if mean is None or least is None or most is None or least == most:
        return metric(mean)
    return f"{metric(mean)} ± {metric(max(most - mean, mean - least))}"


_RANKING_COLUMNS = (
    Column("run"),
    Column("model"),
    Column("settings", _settings, least=18, wraps=True),
    Column("validation", form=_spread, is_number=True),
    Column("test", form=_spread, is_number=True),
    Column("finished", form=lambda time: time[:16].replace("T", " "), drop=2),
    Column("training", "training_seconds", output.duration, is_number=True, drop=3),
)


def _rows_of_candidate(candidate: Mapping[str, Any], metric_name: str) -> list[dict[str, Any]]:
    """Return the row of a candidate; with several seeds also a row for each of them."""
    runs = candidate["runs"]
    if len(runs) == 1:
        return [{**runs[0], **candidate}]
    rows: list[dict[str, Any]] = [{**candidate, "run": f"{len(runs)} seeds"}]
    for run in runs:
        validation, test = run[f"validation_{metric_name}"], run[metric_name]
        rows.append(
            {
                **run,
                "model": "",
                "settings": {"seed": run["seed"]},
                "validation": {"mean": validation, "least": validation, "most": validation},
                "test": {"mean": test, "least": test, "most": test},
            }
        )
    return rows


def _print_ranking(ranking: Mapping[str, Any], title: str, show_all: bool) -> None:
    """Print the candidates of one split."""
    candidates = ranking["candidates"]
    shown = candidates if show_all else candidates[:_SHOWN]
    rows = [row for item in shown for row in _rows_of_candidate(item, ranking["metric"])]
    output.print_line()
    output.print_table(title, _RANKING_COLUMNS, rows)
    if len(shown) < len(candidates):
        output.print_line(f"{len(candidates) - len(shown)} more with --all.")


def _title(ranking: Mapping[str, Any], rankings: Sequence[Mapping[str, Any]]) -> str:
    """Return the heading of a split: dataset, what differs from other splits, and the metric."""
    name = ranking["dataset"]
    same = [other for other in rankings if other["dataset"] == name]
    if len(same) > 1:
        parts = [f"{key}={format_value(value)}" for key, value in ranking["split"].items()]
        if not parts or sum(other["split"] == ranking["split"] for other in same) > 1:
            parts.append(f"rows {ranking['rows']}" if ranking["rows"] else "split deleted")
        name += f", {' '.join(parts)}"
    metric_name = ranking["metric"].replace("_", " ").replace("f1", "F1")
    return f"Runs of {name}, best validation {metric_name} first"


def _check_dataset(name: str, store: Store) -> None:
    """Raise where neither the catalogue, the data folder nor the outputs have a dataset."""
    if name == "*" or name in store.datasets():
        return
    names = {*store.datasets(), *catalogue.names(data_folder())}
    if name not in names:
        raise UnknownNameError(
            f"unknown dataset {name!r}; {nearest(name, names)}; `pipeline datasets` describes them."
        )


@click.command()
@as_json
@with_paths
@click.option("--dataset", default="*", help="Only this dataset.")
@click.option(
    "--all", "show_all", is_flag=True, help=f"All runs, not only the best {_SHOWN} of a split."
)
def ls(as_json: bool, dataset: str, show_all: bool) -> None:
    """List datasets, newest models, and runs ranked by validation rows.

    Example: pipeline ls --dataset vader
    """
    store = open_store()
    _check_dataset(dataset, store)
    rows = listing(store, dataset)
    if as_json:
        output.print_json(rows)
        return
    if not rows["datasets"]:
        of, option = ("", "") if dataset == "*" else (f" of {dataset}", f" --dataset {dataset}")
        output.print_line(f"No runs{of} yet. Try: luigi --module pipeline RunAll{option}")
        return
    output.print_table("Datasets", _DATASET_COLUMNS, rows["datasets"])
    output.print_line()
    output.print_table("Newest models, metrics of test rows", RUN_COLUMNS, rows["models"])
    for ranking in rows["rankings"]:
        _print_ranking(ranking, _title(ranking, rows["rankings"]), show_all)
    if len(rows["rankings"]) > len(rows["datasets"]):
        output.print_line()
        output.print_line("Runs below different headings have other validation and test rows.")
