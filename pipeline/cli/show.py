"""``pipeline show``: print manifest, first rows and figures of an artifact or a run."""

import csv
from pathlib import Path
from typing import Any

import click

from pipeline.cli import output
from pipeline.cli.common import as_json, complete_run, open_store, with_paths
from pipeline.cli.ls import print_runs
from pipeline.cli.settings_diff import flatten, format_value
from pipeline.store import artifacts
from pipeline.store.outputs import Artifact, Store
from pipeline.store.run import run_row

_FIGURES = (".png", ".svg")
_MAX_SUMMARY = 100_000  # bytes


def describe(store: Store, artifact: Artifact, rows: int = 5) -> dict[str, Any]:
    """Describe an artifact.

    Parameters
    ----------
    store : Store
    artifact : Artifact
    rows : int
        Number of rows of each table to include.

    Returns
    -------
    dict
        ``place``, ``is_whole``, ``manifest``, ``head`` (columns and rows of each table),
        ``figures`` (paths), ``summaries`` (small JSON files) and, for a run, ``run`` with its
        headline metrics, ``report`` (path) and ``steps``.
    """
    files = artifact.manifest["files"]
    heads = [name for name in files if name == "head.csv" or name.endswith(".head.csv")]
    description: dict[str, Any] = {
        "place": str(artifact.place),
        "is_whole": artifacts.is_complete(artifact.place),
        "manifest": artifact.manifest,
        "head": {name: _read_head(artifact.place / name, rows) for name in heads},
        "figures": [str(artifact.place / name) for name in files if name.endswith(_FIGURES)],
        "summaries": {
            name: artifact.read_json(name)
            for name, entry in files.items()
            if name.endswith(".json") and entry["size"] < _MAX_SUMMARY
        },
    }
    if artifact.task == "Report":
        description["run"] = run_row(store, artifact)
        description["report"] = str(artifact.place / "report.html")
        keys = ("seconds", "rows_in", "rows_out", "settings")
        description["steps"] = [
            {
                "task": step.task,
                **{key: step.manifest[key] for key in keys},
                "place": store.short(step.place),
            }
            for step in reversed(list(store.chain(artifact)))
        ]
    return description


def _read_head(path: Path, rows: int) -> dict[str, Any]:
    """Read the first rows of a preview, every cell as text; empty where it cannot be read."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            lines = [line for line, _ in zip(csv.reader(file), range(rows + 1), strict=False)]
    except (OSError, csv.Error, UnicodeDecodeError):
        lines = []
    columns = lines[0] if lines else []
    return {"columns": columns, "rows": [line for line in lines[1:] if len(line) == len(columns)]}


@click.command()
@as_json
@with_paths
@click.option("--rows", default=5, show_default=True, help="Rows of each table to show.")
@click.argument("name", metavar="PATH|RUN", shell_complete=complete_run)
def show(as_json: bool, rows: int, name: str) -> None:
    """Show manifest, first rows and figures of an artifact or run.

    Example: pipeline show vader/bilstm
    """
    store = open_store()
    description = describe(store, store.find(name), rows)
    if as_json:
        output.print_json(description)
        return
    output.print_line(description["place"], style="bold")
    if not description["is_whole"]:
        output.print_line("This folder is incomplete: run pipeline verify.", style="bold red")
    _print_facts(description["manifest"])
    if "run" in description:
        output.print_line()
        print_runs("Test rows", [description["run"]])
        _print_steps(description["steps"])
        output.print_line(f"Report: {description['report']}")
    output.print_line()
    files = description["manifest"]["files"]
    output.print_table(
        "Files",
        [output.Column("file"), output.Column("size", is_number=True)],
        [(file, output.size(entry["size"])) for file, entry in files.items()],
    )
    for table_name, head in description["head"].items():
        output.print_line()
        columns = [output.Column(output.plain(title), least=8) for title in head["columns"]]
        output.print_table(table_name, columns, head["rows"])
    if description["figures"]:
        output.print_line()
        output.print_line("Figures", style="bold")
        for path in description["figures"]:
            output.print_line(path)


def _print_facts(manifest: dict[str, Any]) -> None:
    """Print the manifest and the settings as names and values."""
    memory = output.metric(manifest["peak_memory_mib"], 1)
    counts = f"{output.count(manifest['rows_in'])} in, {output.count(manifest['rows_out'])} out"
    facts = [
        ("task", f"{manifest['task']} (version {manifest['version']})"),
        ("finished", manifest["finished"]),
        ("took", f"{output.duration(manifest['seconds'])}, {memory} MiB"),
        ("rows", counts),
        ("commit", manifest.get("git_commit") or "unknown"),
        ("code", manifest.get("code", {}).get("fingerprint", "unknown")),
        ("libraries", ", ".join(f"{key} {value}" for key, value in manifest["libraries"].items())),
    ]
    facts += [(key, format_value(value)) for key, value in flatten(manifest["settings"]).items()]
    output.print_pairs(facts)


def _print_steps(steps: list[dict[str, Any]]) -> None:
    """Print the steps of a run."""
    columns = [
        output.Column("step"),
        output.Column("took", is_number=True, drop=1),
        output.Column("rows out", is_number=True, drop=2),
        output.Column("folder"),
    ]
    cells = [
        (
            step["task"],
            output.duration(step["seconds"]),
            output.count(step["rows_out"]),
            step["place"],
        )
        for step in steps
    ]
    output.print_line()
    output.print_table("Steps", columns, cells)
