"""``pipeline why``: print everything that an artifact or a run was made from."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli import output
from pipeline.cli.common import as_json, complete_run, open_store, with_paths
from pipeline.cli.settings_diff import flatten, format_value
from pipeline.store import files, manifests
from pipeline.store.outputs import Artifact, Store, upstream_of

if TYPE_CHECKING:  # rich is imported only where text is printed
    from rich.tree import Tree

_FACTS = ("rows_in", "rows_out", "seconds", "finished")


def _lineage(store: Store, artifact: Artifact) -> dict[str, Any]:
    """Describe an artifact and, in ``made_from``, everything that it was made from."""
    manifest = artifact.manifest
    made_from = []
    for entry in upstream_of(manifest):
        required = store.artifact(artifact.path / entry["place"])
        if required is not None:
            made_from.append(_lineage(store, required))
        else:
            path = store.short(artifact.path / entry["place"])
            made_from.append({**entry, "place": path, "state": "gone", "made_from": []})
    return {
        "task": artifact.task,
        "digest": artifact.digest,
        "place": store.short(artifact.path),
        "state": "whole" if manifests.is_complete(artifact.path) else "not whole",
        "settings": manifest["settings"],
        "outside": manifest["outside"],
        "raw_files": _raw_files(store, artifact),
        **{key: manifest[key] for key in _FACTS},
        "code": manifest.get("code", {}).get("fingerprint"),
        "git_commit": manifest.get("git_commit"),
        "libraries": manifest.get("libraries", {}),
        "made_from": made_from,
    }


def _raw_files(store: Store, artifact: Artifact) -> list[dict[str, Any]]:
    """Return the record of each raw file, with its state today."""
    if artifact.task != "DownloadData":
        return []
    memory = store.outputs / ".sha256"
    return [
        {**file, "state": _state(Path(file["path"]), file["sha256"], memory)}
        for file in artifact.summary("source.json").get("files", [])
    ]


def _state(path: Path, sha256: str, memory: Path) -> str:
    """Compare a raw file with its recorded checksum."""
    if not path.is_file():
        return "gone"
    try:
        checksum = files.remembered_sha256(path, memory)
    except OSError:
        return "unreadable"
    return "unchanged" if checksum == sha256 else "changed"


@click.command()
@as_json
@with_paths
@click.argument("name", metavar="PATH|RUN", shell_complete=complete_run)
def why(as_json: bool, name: str) -> None:
    """Show everything that an artifact or run was made from.

    Example: pipeline why vader/bilstm
    """
    store = open_store()
    step = _lineage(store, store.find(name))
    if as_json:
        output.print_json(step)
        return
    from rich.tree import Tree

    tree = Tree("")
    _add_step(tree, step, set())
    output.console().print(tree.children[0])


def _add_step(tree: "Tree", step: dict[str, Any], shown: set[str]) -> None:
    """Add a step and what it was made from to a tree; repeat no step that is in ``shown``."""
    from rich.text import Text

    title = Text(output.plain(f"{step['task']}  "), style="bold")
    title.append(output.plain(step["place"]), style="not bold cyan")
    if step["state"] != "whole":
        title.append(f"  ({step['state']})", style="bold red")
    branch = tree.add(title)
    if step["state"] == "gone":
        return
    if step["place"] in shown:
        branch.add(Text("as above", style="dim"))
        return
    shown.add(step["place"])
    settings = flatten(step["settings"])
    if settings and step["task"] != "DownloadData":  # its settings are the row of the catalogue
        pairs = (f"{name} {format_value(value)}" for name, value in settings.items())
        branch.add(Text(output.plain(", ".join(pairs))))
    provenance = (
        f"{step['finished']}, {output.duration(step['seconds'])}, "
        f"code {step['code'] or 'unknown'}, commit {(step['git_commit'] or 'unknown')[:12]}"
    )
    branch.add(Text(output.plain(provenance), style="dim"))
    for file in step["raw_files"]:
        text = f"{file['path']}, {output.size(file['size'])}, sha256 {file['sha256']}, "
        raw_file = Text(output.plain(text))
        is_same = file["state"] == "unchanged"
        raw_file.append(file["state"], style="green" if is_same else "bold red")
        branch.add(raw_file)
    for other in step["made_from"]:
        _add_step(branch, other, shown)
