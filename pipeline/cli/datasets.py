"""``pipeline datasets``: list the datasets, which raw files exist, and how to get the rest."""

from pathlib import Path
from typing import Any

import click

from pipeline.cli import output
from pipeline.cli.common import as_json, data_folder, open_store, with_paths
from pipeline.data import catalogue, daily, raw_files
from pipeline.errors import PipelineError
from pipeline.store.outputs import Store


def dataset_rows(data: Path, store: Store) -> list[dict[str, Any]]:
    """Describe each dataset.

    Parameters
    ----------
    data : Path
        Folder of raw files.
    store : Store

    Returns
    -------
    list of dict
        ``dataset``, ``title``, ``labels``, ``licence``, ``homepage``, ``files`` (name, path or
        None, size in bytes or None, is_optional), ``state`` (ready, download, by hand, broken),
        ``get`` (how to get what is missing) and ``runs``; a broken one lacks some of these.
    """
    return [_dataset_row(name, data, store) for name in catalogue.names(data)]


def _dataset_row(name: str, data: Path, store: Store) -> dict[str, Any]:
    """Describe one dataset."""
    runs = len(store.runs(name))
    try:
        dataset = catalogue.load(name, data)
    except PipelineError as error:
        return {"dataset": name, "state": "broken", "get": str(error), "files": [], "runs": runs}
    folder = data / name
    day = None
    if daily.is_dated(dataset):
        # The newest day represents all days; without one, file names keep the placeholder.
        day = next(reversed(daily.days(dataset, folder)), "{date}")
    missing = [file for file, _ in daily.missing(dataset, folder, day)]
    by_hand = [file for file in missing if file.source.kind == "by_hand"]
    state, instructions = "ready", ""
    if by_hand:
        state, instructions = "by hand", raw_files.how_by_hand(by_hand[0], dataset, folder)
    elif missing:
        state = "download"
        instructions = f"the first run downloads it from {missing[0].source.address}"
    files = []
    for file, file_folder in daily.files_of(dataset, folder, day):
        path = raw_files.locate(file, file_folder)
        files.append(
            {
                "name": file.name,
                "path": str(path) if path else None,
                "size": path.stat().st_size if path else None,
                "is_optional": file.optional,
            }
        )
    return {
        "dataset": name,
        "title": dataset.title or name,
        "labels": [label.name for label in dataset.labels],
        "licence": dataset.licence,
        "homepage": dataset.homepage,
        "files": files,
        "state": state,
        "get": instructions,
        "runs": runs,
    }


@click.command()
@as_json
@with_paths
def datasets(as_json: bool) -> None:
    """List datasets: what is on disk, how to get the rest.

    Example: pipeline datasets
    """
    rows = dataset_rows(data_folder(), open_store())
    if as_json:
        output.print_json(rows)
        return
    columns = [
        output.Column("dataset"),
        output.Column("state"),
        output.Column("size", is_number=True, drop=2),
        output.Column("runs", is_number=True, drop=1),
        output.Column("labels", drop=4, least=12),
        output.Column("licence", drop=5, least=8),
        output.Column("title", drop=3, least=16),
    ]
    cells = [
        (
            row["dataset"],
            row["state"],
            output.size(sum(file["size"] or 0 for file in row["files"])),
            row["runs"],
            ", ".join(row.get("labels", ())),
            row.get("licence", ""),
            row.get("title", ""),
        )
        for row in rows
    ]
    output.print_table("", columns, cells)
    for row in rows:
        if row["get"]:
            output.print_line(f"{row['dataset']}: {row['get']}")
