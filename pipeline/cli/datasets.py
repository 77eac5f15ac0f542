"""``pipeline datasets``: list the datasets, which raw files exist, and how to get the rest."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from pipeline.cli import output
from pipeline.cli.common import as_json, open_store, with_paths
from pipeline.cli.output import Column
from pipeline.data import catalogue, daily, dataset_file, raw_files
from pipeline.errors import PipelineError
from pipeline.tasks.config import data_folder


def _total_size(files: list[dict[str, Any]]) -> str:
    """Format the size of the files that exist."""
    return output.size(sum(file["size"] or 0 for file in files))


_COLUMNS = (
    Column("dataset"),
    Column("state"),
    Column("size", "files", _total_size, is_number=True, drop=2),
    Column("runs", is_number=True, drop=1),
    Column("labels", form=", ".join, drop=4, least=12),
    Column("licence", drop=5, least=8),
    Column("title", drop=3, least=16),
)


def _dataset_row(name: str, data: Path) -> dict[str, Any]:
    """Describe a dataset: its state (ready, download, by hand, broken), files and labels."""
    try:
        dataset = catalogue.load(name, data)
    except PipelineError as error:
        return {"dataset": name, "state": "broken", "get": str(error), "files": []}
    folder = data / name
    day = None
    if daily.is_daily(dataset):
        # The newest day represents all days; without one, file names keep the placeholder.
        day = next(reversed(daily.days(dataset, folder)), "{date}")
    missing = [file for file, _ in daily.missing(dataset, folder, day)]
    by_hand = [file for file in missing if file.source.kind == "by_hand"]
    state, instructions = "ready", ""
    if by_hand:
        state, instructions = "by hand", raw_files.manual_instructions(by_hand[0], dataset, folder)
    elif missing:
        state = "download"
        instructions = f"the first run downloads it from {missing[0].source.address}"
    paths = [
        (file, raw_files.locate(file, file_folder))
        for file, file_folder in daily.expected_files(dataset, folder, day)
    ]
    return {
        "dataset": name,
        "title": dataset.title or name,
        "labels": [label.name for label in dataset.labels],
        "licence": dataset.licence,
        "homepage": dataset.homepage,
        "files": [
            {
                "name": file.name,
                "path": str(path) if path else None,
                "size": path.stat().st_size if path else None,
                "is_optional": file.optional,
            }
            for file, path in paths
        ],
        "state": state,
        "get": instructions,
    }


def _undescribed(names: Sequence[str], data: Path) -> list[dict[str, Any]]:
    """Describe the folders of the data folder that have files and no ``dataset.toml``."""
    rows = []
    for folder in sorted(data.glob("[!.]*/")):
        found = sorted(path for path in folder.glob("[!.]*") if path.is_file())
        if folder.name in names or not folder.is_dir() or not found:
            continue
        known = [path for path in found if dataset_file.format_of(path.name)]
        command = f"pipeline init {shlex.quote(str((known or found)[0]))}"
        rows.append(
            {
                "dataset": folder.name,
                "state": "no dataset.toml",
                "get": f"this folder has no dataset.toml; to make one, run: {command}",
                "files": [
                    {"name": path.name, "path": str(path), "size": path.stat().st_size}
                    for path in found
                ],
                "labels": [],
                "licence": "",
                "title": "",
                "runs": 0,
            }
        )
    return rows


@click.command()
@as_json
@with_paths
def datasets(as_json: bool) -> None:
    """List datasets: what is on disk, how to get the rest.

    Example: pipeline datasets
    """
    store, data = open_store(), data_folder()
    names = catalogue.names(data)
    rows = [{**_dataset_row(name, data), "runs": len(store.runs(name))} for name in names]
    rows += _undescribed(names, data)
    if as_json:
        output.print_json(rows)
        return
    output.print_table("", _COLUMNS, rows)
    for row in rows:
        if row["get"]:
            output.print_line(f"{row['dataset']}: {row['get']}")
