"""``pipeline verify``: compare artifacts with their manifests, and move damaged ones aside."""

import glob
import itertools
import os
import re
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from pipeline.cli import output
from pipeline.cli.common import as_json, complete_run, open_store, with_paths
from pipeline.cli.rm import dangling_links, remove_dangling
from pipeline.errors import PipelineError
from pipeline.nightly import champions, ledger
from pipeline.store import manifests
from pipeline.store.files import explained, sha256_of
from pipeline.store.outputs import Artifact, Store, upstream_of

#: Folder of damaged artifacts below the outputs folder.
DAMAGED = ".damaged"
# Files that file managers leave in folders.
_STRAY_FILE = re.compile(
    r"\.ds_store|(eh)?thumbs\.db|desktop\.ini|\.directory|\._.*", re.IGNORECASE
)


def verify_artifacts(store: Store, folders: Iterable[Path] | None = None) -> dict[str, Any]:
    """Compare every file of artifacts with the manifest; default: all, and links in ``latest``.

    The result has numbers of ``artifacts``, ``files`` and ``bytes``, ``damaged`` (place and
    problems of each artifact) and ``dangling`` (links in ``latest`` without a target).
    """
    checked = list(store.folders() if folders is None else folders)
    damaged, n_files, n_bytes = [], 0, 0
    for folder in checked:
        artifact = store.artifact(folder)
        paths = [folder / name for name in artifact.manifest["files"]] if artifact else []
        n_files += len(paths)
        n_bytes += sum(path.stat().st_size for path in paths if path.exists())
        problems = _problems(folder, artifact)
        if problems:
            damaged.append({"place": str(folder), "problems": problems})
    return {
        "artifacts": len(checked),
        "files": n_files,
        "bytes": n_bytes,
        "damaged": damaged,
        "dangling": [str(link) for link in dangling_links(store)] if folders is None else [],
    }


def move_aside(store: Store, folder: Path) -> Path:
    """Move a damaged artifact to ``.damaged/<time>/<dataset>/<step>/<name>``; return that path.

    The next run rebuilds the artifact.
    """
    stamp = time.strftime("%Y%m%dT%H%M%S")
    names = itertools.chain([stamp], (f"{stamp}-{number}" for number in itertools.count(2)))
    parents = (store.outputs / DAMAGED / name for name in names)
    parent = next(path for path in parents if not path.exists())
    target = parent / store.short(folder)
    with explained(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(folder, target)
    return target


def moved_aside(store: Store, folder: Path) -> Path | None:
    """Return the path that the folder was last moved to, None if it never was."""
    paths = (store.outputs / DAMAGED).glob(f"*/{glob.escape(store.short(folder))}")
    return max(paths, default=None)


def original_paths(store: Store, parent: Path) -> list[Path]:
    """Return the paths that the artifacts in a folder of ``.damaged`` had before."""
    return [store.outputs / path.relative_to(parent) for path in parent.glob("*/*/*")]


def file_problem(path: Path, entry: dict[str, Any], name: str, compare: bool = True) -> str:
    """Compare a file with its entry in the manifest, also its content; empty if it is the same."""
    try:
        size = path.stat().st_size
        if size != entry["size"]:
            return f"{name} has {size:,} bytes instead of {entry['size']:,}"
        if compare and sha256_of(path) != entry["sha256"]:
            return f"{name} has other content than was written (sha256 differs)"
    except FileNotFoundError:
        return f"{name} is missing"
    except OSError as error:
        return f"{name} cannot be read: {error.strerror}"
    return ""


def _problems(folder: Path, artifact: Artifact | None) -> list[str]:
    """Describe how a folder differs from its manifest."""
    if artifact is None:
        return [manifests.why_unreadable(folder)]
    problems = []
    if not _has_digest_of_manifest(artifact):
        problems.append(f"{manifests.MANIFEST} has other content than the folder (digest differs)")
    files = artifact.manifest["files"]
    problems += filter(None, (file_problem(folder / name, files[name], name) for name in files))
    existing = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and not _STRAY_FILE.fullmatch(path.name)
    }
    unlisted = sorted(existing - {*files, manifests.MANIFEST})
    return problems + [f"{name} is not in the manifest" for name in unlisted]


def _has_digest_of_manifest(artifact: Artifact) -> bool:
    """Return whether the folder's name and the manifest's digest follow from the manifest."""
    manifest, name = artifact.manifest, artifact.path.name
    code = manifest.get("code") or {}
    expected = manifests.digest_of(
        manifest["task"],
        manifest["version"],
        manifest["settings"],
        manifest["outside"],
        [entry["digest"] for entry in upstream_of(manifest)],
        code.get("fingerprint") if code.get("in_digest") else None,
    )
    if champions.is_night(artifact.path):
        settings = manifest["settings"]
        has_name = ledger.night_name(str(settings.get("date")), settings.get("redo", 0)) == name
    else:
        has_name = name.rsplit("-", 1)[-1] == expected
    return has_name and expected == manifest["digest"]


def _select(store: Store, name: str) -> tuple[list[Path], list[dict[str, str]]]:
    """Return the folders to check for a name, and the missing folders of a run."""
    try:
        artifact = store.find(name)
    except PipelineError:
        # A folder without a readable manifest can be selected by its path only.
        by_real_path = {folder.resolve(): folder for folder in store.folders()}
        for path in (Path(name), store.outputs / name, store.outputs / "latest" / name):
            if path.resolve() in by_real_path:
                return [by_real_path[path.resolve()]], []
        raise
    if artifact.task != "Report":
        return [artifact.path], []
    folders = [item.path for item in store.lineage(artifact)]
    dataset_folders = store.folders(artifact.dataset)
    missing = []
    for path, item in store.missing_inputs(artifact).items():
        if path in dataset_folders:
            folders.append(path)
        else:
            missing.append({"place": str(path), "needed_by": str(item.path)})
        # It may have been made from any artifact of an earlier step.
        folders += [folder for folder in dataset_folders if folder.parent.name < path.parent.name]
    return list(dict.fromkeys(folders)), missing


@click.command()
@as_json
@with_paths
@click.option("--repair", is_flag=True, help="Move damaged artifacts aside.")
@click.argument("names", metavar="[PATH|RUN]...", nargs=-1, shell_complete=complete_run)
@click.pass_context
def verify(context: click.Context, as_json: bool, repair: bool, names: tuple[str, ...]) -> None:
    """Check every file against its sha256.

    A RUN is checked with everything that it was made from. The next run rebuilds only the
    artifacts that --repair moves aside. Without --repair the exit code is 1 if an artifact is
    damaged or if an artifact that RUN was made from is missing. Files of file managers (.DS_Store,
    ._*, Thumbs.db, ehthumbs.db, desktop.ini, .directory) are ignored.

    Example: pipeline verify vader/bilstm
    """
    store = open_store()
    folders, missing = None, []
    if names:
        selected = [_select(store, name) for name in names]
        folders = list(dict.fromkeys(folder for existing, _ in selected for folder in existing))
        missing_by_path = {entry["place"]: entry for _, gone in selected for entry in gone}
        missing = list(missing_by_path.values())
    result = {**verify_artifacts(store, folders), "gone": missing}
    if repair:
        for entry in result["damaged"]:
            entry["moved_to"] = str(move_aside(store, Path(entry["place"])))
        result["removed_links"] = [str(link) for link in remove_dangling(store)]
    if as_json:
        output.print_json(result)
    else:
        _print_result(result)
    if not repair and (result["damaged"] or result["dangling"] or missing):
        context.exit(1)


def _print_result(result: dict[str, Any]) -> None:
    """Print the numbers of checked files, and the damaged and missing artifacts."""
    for entry in result["damaged"]:
        output.print_line(entry["place"], style="bold red")
        for problem in entry["problems"]:
            output.print_line(f"  {problem}")
        if "moved_to" in entry:
            output.print_line(f"  moved to {entry['moved_to']}; the next run rebuilds it")
    for entry in result["gone"]:
        output.print_line(f"{entry['place']} is missing", style="bold red")
        output.print_line(f"  {entry['needed_by']} was made from it")
        output.print_line(
            "  the next run rebuilds it; all earlier steps of the dataset were checked"
        )
    for link in result["dangling"]:
        output.print_line(f"{link} is a link without a target", style="bold red")
    n_damaged, n_missing = len(result["damaged"]), len(result["gone"])
    output.print_line(
        f"Checked {result['artifacts']:,} artifacts, {result['files']:,} files, "
        f"{output.size(result['bytes'])}: "
        + (f"{n_damaged} damaged" if n_damaged else "no damage")
        + (f", {n_missing} missing." if n_missing else "."),
        style="bold",
    )
    if n_damaged and "removed_links" not in result:
        output.print_line("pipeline verify --repair moves them aside.")
