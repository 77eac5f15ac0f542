"""``pipeline ls``: list datasets, newest models and runs with their headline metrics."""

from typing import Any

import click

from pipeline.cli import output
from pipeline.cli.common import as_json, data_folder, open_store, with_paths
from pipeline.data import catalogue
from pipeline.errors import UnknownNameError, nearest
from pipeline.store.outputs import Store
from pipeline.store.run import HEADLINES, listing

_SHOWN = 20  # runs


def print_runs(title: str, rows: list[dict[str, Any]]) -> None:
    """Print a table of runs.

    Parameters
    ----------
    title : str
    rows : list of dict
        As `pipeline.store.run.run_row` returns them; ``place`` is None for a run that is gone.
    """
    columns = [
        output.Column("run"),
        output.Column("dataset"),
        output.Column("model"),
        output.Column("accuracy", is_number=True, drop=1),
        output.Column("macro F1", is_number=True),
        output.Column("ROC AUC", is_number=True, drop=3),
        output.Column("log loss", is_number=True, drop=4),
        output.Column("test rows", is_number=True, drop=6),
        output.Column("training", is_number=True, drop=5),
        output.Column("finished", drop=2),
        output.Column("", drop=7),
    ]
    output.print_table(title, columns, map(_run_cells, rows))


def _run_cells(row: dict[str, Any]) -> tuple[Any, ...]:
    """Return the cells of one run."""
    if row["place"] is None:
        return ("gone", row["dataset"], row["model"], *[""] * 8)
    return (
        row["run"],
        row["dataset"],
        row["model"],
        *(output.metric(row[name]) for name in HEADLINES),
        output.count(row["test_rows"]),
        output.duration(row["training_seconds"]),
        row["finished"][:16].replace("T", " "),
        "newest" if row["is_latest"] else "",
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
    columns = [
        output.Column("dataset"),
        output.Column("rows", is_number=True, drop=3),
        output.Column("labels", drop=2, least=16),
        output.Column("runs", is_number=True),
        output.Column("best run (validation)", drop=1),
        output.Column("model"),
        output.Column("macro F1 (validation)", is_number=True),
    ]
    cells = [
        (
            row["dataset"],
            output.count(row["rows"]),
            ", ".join(f"{name} {output.count(count)}" for name, count in row["labels"].items()),
            row["runs"],
            row["best_run"] or "",
            row["best_model"] or "",
            output.metric(row["best_validation_macro_f1"]),
        )
        for row in rows["datasets"]
    ]
    output.print_table("Datasets", columns, cells)
    output.print_line()
    print_runs("Newest models (outputs/latest)", rows["models"])
    output.print_line()
    runs = rows["runs"] if show_all else rows["runs"][:_SHOWN]
    print_runs("Runs, newest first", runs)
    if len(runs) < len(rows["runs"]):
        output.print_line(f"{len(rows['runs']) - len(runs)} more with --all.")
