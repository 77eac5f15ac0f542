"""``pipeline show``: print manifest, first rows and figures of an artifact or a run."""

import csv
from pathlib import Path
from typing import Any

import click

from pipeline.cli import output
from pipeline.cli.common import as_json, complete_run, open_store, with_paths
from pipeline.cli.ls import RUN_COLUMNS
from pipeline.cli.output import Column, count, duration, print_line, print_table
from pipeline.cli.settings_diff import flatten, format_value
from pipeline.store import manifests
from pipeline.store.outputs import Artifact, Store
from pipeline.store.run import run_row

_FIGURES = (".png", ".svg")
_MAX_SUMMARY = 100_000  # bytes
_FILE_COLUMNS = (Column("file"), Column("size", form=output.size, is_number=True))
_STEP_COLUMNS = (
    Column("step", "task"),
    Column("took", "seconds", duration, is_number=True, drop=1),
    Column("rows out", "rows_out", count, is_number=True, drop=2),
    Column("folder", "place"),
)


def _describe(store: Store, artifact: Artifact, rows: int) -> dict[str, Any]:
    """Return manifest, summaries, figures and first rows; for a run also metrics and steps."""
    files = artifact.manifest["files"]
    heads = [name for name in files if name == "head.csv" or name.endswith(".head.csv")]
    description: dict[str, Any] = {
        "place": str(artifact.path),
        "is_whole": manifests.is_complete(artifact.path),
        "manifest": artifact.manifest,
        "head": {name: _read_head(artifact.path / name, rows) for name in heads},
        "figures": [str(artifact.path / name) for name in files if name.endswith(_FIGURES)],
        "summaries": {
            name: artifact.read_json(name)
            for name, entry in files.items()
            if name.endswith(".json") and entry["size"] < _MAX_SUMMARY
        },
    }
    if artifact.task == "Report":
        description["run"] = run_row(store, artifact)
        description["report"] = str(artifact.path / "report.html")
        keys = ("seconds", "rows_in", "rows_out", "settings")
        description["steps"] = [
            {
                "task": step.task,
                **{key: step.manifest[key] for key in keys},
                "place": store.short(step.path),
            }
            for step in reversed(list(store.chain(artifact)))
        ]
    return description


def _read_head(path: Path, rows: int) -> dict[str, Any]:
    """Read the first rows of a preview, every cell as text; empty if it cannot be read."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            lines = [line for line, _ in zip(csv.reader(file), range(rows + 1), strict=False)]
    except (OSError, csv.Error, UnicodeDecodeError):
        lines = []
    return {"columns": lines[0] if lines else [], "rows": lines[1:]}


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
    description = _describe(store, store.find(name), rows)
    if as_json:
        output.print_json(description)
        return
    manifest = description["manifest"]
    print_line(description["place"], style="bold")
    if not description["is_whole"]:
        print_line("This folder is incomplete: run pipeline verify.", style="bold red")
    output.print_pairs(_facts(manifest))
    if "run" in description:
        print_line()
        print_table("Test rows", RUN_COLUMNS, [description["run"]])
        print_line()
        print_table("Steps", _STEP_COLUMNS, description["steps"])
        print_line(f"Report: {description['report']}")
    print_line()
    files = [{"file": file, **entry} for file, entry in manifest["files"].items()]
    print_table("Files", _FILE_COLUMNS, files)
    for table_name, head in description["head"].items():
        print_line()
        titles = [output.plain(title) for title in head["columns"]]
        rows_of_head = [dict(zip(titles, row, strict=False)) for row in head["rows"]]
        print_table(table_name, [Column(title, least=8) for title in titles], rows_of_head)
    if description["figures"]:
        print_line()
        print_line("Figures", style="bold")
        for path in description["figures"]:
            print_line(path)


def _facts(manifest: dict[str, Any]) -> list[tuple[str, str]]:
    """Return names and values of the manifest and of the settings."""
    memory = output.metric(manifest["peak_memory_mib"], 1)
    libraries = manifest["libraries"].items()
    facts = [
        ("task", f"{manifest['task']} (version {manifest['version']})"),
        ("finished", manifest["finished"]),
        ("took", f"{duration(manifest['seconds'])}, {memory} MiB"),
        ("rows", f"{count(manifest['rows_in'])} in, {count(manifest['rows_out'])} out"),
        ("commit", manifest.get("git_commit") or "unknown"),
        ("code", manifest.get("code", {}).get("fingerprint", "unknown")),
        ("libraries", ", ".join(f"{name} {version}" for name, version in libraries)),
    ]
    settings = flatten(manifest["settings"])
    return facts + [(name, format_value(value)) for name, value in settings.items()]
