"""``pipeline ls``: list datasets, newest models and runs with their headline metrics."""

import click

from pipeline.cli import output
from pipeline.cli.common import as_json, open_store, with_paths
from pipeline.cli.output import Column, count, metric
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
@click.option("--all", "show_all", is_flag=True, help=f"All runs, not only the newest {_SHOWN}.")
def ls(as_json: bool, dataset: str, show_all: bool) -> None:
    """List datasets, newest models and runs with headline metrics.

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
    output.print_table("Newest models (outputs/latest)", RUN_COLUMNS, rows["models"])
    output.print_line()
    runs = rows["runs"] if show_all else rows["runs"][:_SHOWN]
    output.print_table("Runs, newest first", RUN_COLUMNS, runs)
    if len(runs) < len(rows["runs"]):
        output.print_line(f"{len(rows['runs']) - len(runs)} more with --all.")
