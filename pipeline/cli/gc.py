"""``pipeline gc``: find and delete artifacts that no kept run was made from."""

import contextlib
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from pipeline.cli import output
from pipeline.cli.common import as_json, open_store, with_paths
from pipeline.cli.output import Column
from pipeline.cli.rm import remove
from pipeline.cli.verify import DAMAGED, original_paths
from pipeline.nightly import champions
from pipeline.nightly.ledger import LEDGER
from pipeline.store import manifests
from pipeline.store.locks import is_locked
from pipeline.store.outputs import RESERVED, Artifact, Store

_DIGEST = re.compile(rb"\b[0-9a-f]{16}\b")
_MAX_BYTES = 4 << 20  # larger files are not searched for digests
_WRITING = 60.0  # seconds; a temporary file is written in less
_ABANDONED = 14 * 24 * 3600.0  # seconds
_COUNT = click.IntRange(min=0)


def unreferenced(
    store: Store, keep: int, seconds: float = 0.0, older_champions: int | None = None
) -> list[dict[str, Any]]:
    """List the folders that can be deleted: ``place``, ``reason`` and ``bytes`` of each.

    Kept are the ``keep`` newest runs of each dataset, artifacts younger than ``seconds``, artifacts
    that ``latest``, the registry and other reserved folders refer to (of a ledger, only the
    champion and ``older_champions`` earlier ones, all for None; of a history page, none), and
    everything that these were made from. Records of nights are kept too, but not what they refer
    to.
    """
    roots = list(_roots(store, keep, seconds, older_champions))
    kept = {item.path for root in roots for item in store.lineage(root)}
    # Nothing of a dataset is deleted while it is unclear what is needed: an artifact in the
    # lineage of a kept one is missing or moved aside, or a process is building one.
    waiting = _not_rebuilt(store)
    unclear = {_dataset_of(store, root.path) for root in roots if store.missing_inputs(root)}
    busy = filter(is_locked, store.outputs.glob("*/*/.tmp-*"))
    unclear |= {*waiting.values(), *(_dataset_of(store, path) for path in busy)}
    entries = []
    for folder in store.folders():
        if store.artifact(folder) is None or not manifests.is_complete(folder):
            if _age(folder) >= seconds:
                entries.append(_entry(folder, "incomplete"))
        elif champions.is_night(folder) or folder in kept:
            continue
        elif _dataset_of(store, folder) not in unclear:
            entries.append(_entry(folder, "no kept run was made from it"))
    entries += [_entry(path, "left by a process that ended") for path in _dead_temporaries(store)]
    entries += [_entry(path, reason) for path, reason in _idle_partials(store)]
    aside = [path for path in sorted((store.outputs / DAMAGED).glob("*")) if path not in waiting]
    return entries + [_entry(path, "damaged and moved aside") for path in aside]


def _dataset_of(store: Store, folder: Path) -> str:
    """Return the dataset that a folder belongs to."""
    return os.path.relpath(folder, store.outputs).split(os.sep)[0]


def _not_rebuilt(store: Store) -> dict[Path, str]:
    """Return the folders of ``.damaged`` whose artifacts are not rebuilt yet, with the dataset."""
    return {
        parent: _dataset_of(store, path)
        for parent in (store.outputs / DAMAGED).glob("*")
        for path in original_paths(store, parent)
        if path.parent.parent.is_dir() and not path.exists()
    }


def _roots(
    store: Store, keep: int, seconds: float, older_champions: int | None
) -> Iterator[Artifact]:
    """Yield the artifacts that are kept, without those that they were made from."""
    outputs = store.outputs.resolve()
    for path in store.latest.values():
        artifact = store.artifact(store.outputs / os.path.relpath(path, outputs))
        if artifact is not None:
            yield artifact
    for dataset in store.datasets():
        yield from store.runs(dataset)[:keep]
    referenced = _referenced_digests(store) | champions.digests(store, older_champions)
    for artifact in store.all():
        if champions.is_night(artifact.path):
            continue
        if artifact.digest in referenced or _age(artifact.path) < seconds:
            yield artifact


def _referenced_digests(store: Store) -> set[str]:
    """Collect the digests in names, links and files of the reserved folders.

    Ledgers are excluded: they name every night. `pipeline.nightly.champions` reads them.
    """
    digests: set[bytes] = set()
    for name in set(RESERVED) - {"history"}:
        for path in (store.outputs / name).rglob("*"):
            if path.name == LEDGER:
                continue
            if path.is_symlink():
                digests.update(_DIGEST.findall(os.fsencode(os.path.realpath(path))))
            elif path.is_file() and path.stat().st_size <= _MAX_BYTES:
                with contextlib.suppress(OSError):
                    digests.update(_DIGEST.findall(path.read_bytes()))
            digests.update(_DIGEST.findall(os.fsencode(path.name)))
    return {digest.decode() for digest in digests}


def _dead_temporaries(store: Store) -> Iterator[Path]:
    """Yield temporary files and folders whose process ended."""
    datasets = [store.outputs / name for name in store.datasets()]
    parents = [store.outputs, *datasets]
    for folder in (*datasets, store.outputs / "latest"):
        parents += folder.glob("*")
    for parent in parents:
        for path in sorted(parent.glob(".tmp-*")):
            # A file is not locked while it is written; its age decides.
            is_old = path.is_dir() or _age(path) > _WRITING
            if not path.is_symlink() and is_old and not is_locked(path):
                yield path


def _idle_partials(store: Store) -> Iterator[tuple[Path, str]]:
    """Yield resumable work that no process holds and no run will resume, with the reason."""
    published = {item.digest for item in store.all() if manifests.is_complete(item.path)}
    for path in sorted((store.outputs / ".partial").glob("*")):
        if any(is_locked(inner) for inner in (path, *path.rglob("*lock*"))):
            continue
        if path.name in published:
            yield path, "published since"
        elif min(map(_age, (path, *path.rglob("*")))) > _ABANDONED:
            yield path, "interrupted over two weeks ago and not resumed"


def _age(path: Path) -> float:
    """Return the seconds since the last modification, 0 for a path that does not exist."""
    with contextlib.suppress(OSError):
        return time.time() - path.stat().st_mtime
    return 0.0


def _entry(path: Path, reason: str) -> dict[str, Any]:
    """Describe a folder to delete."""
    files = path.rglob("*") if path.is_dir() else [path]
    size = sum(file.lstat().st_size for file in files if not file.is_dir())
    return {"place": str(path), "reason": reason, "bytes": size}


@click.command(context_settings={"show_default": True})
@as_json
@with_paths
@click.option("--delete", is_flag=True, help="Delete; without it, only list.")
@click.option("--keep", default=10, type=_COUNT, help="Newest runs of each dataset to keep.")
@click.option(
    "--champions",
    default=10,
    type=_COUNT,
    help="Earlier champions of each dataset to keep; the current one is always kept.",
)
@click.option(
    "--hours",
    default=1.0,
    type=click.FloatRange(min=0),
    help="Keep what is younger: a current run may need it.",
)
def gc(as_json: bool, delete: bool, keep: int, champions: int, hours: float) -> None:
    """List artifacts that no kept run was made from, or delete them.

    Kept are the newest runs, those in outputs/latest, champions, and everything that these were
    made from. Temporary folders are deleted when their process ended.

    Example: pipeline gc --keep 3 --delete
    """
    store = open_store()
    entries = unreferenced(store, keep, hours * 3600.0, champions)
    if delete:
        for entry in entries:
            remove(Path(entry["place"]))
    if as_json:
        output.print_json({"deleted": delete, "found": entries})
        return
    if not entries:
        output.print_line("Nothing to delete.", style="bold")
        return
    columns = (
        Column("folder", "place", lambda path: store.short(Path(path))),
        Column("size", "bytes", output.size, is_number=True),
        Column("why", "reason", drop=1),
    )
    output.print_table("", columns, entries)
    total = output.size(sum(entry["bytes"] for entry in entries))
    done = "deleted" if delete else "nothing was deleted; pipeline gc --delete deletes them"
    output.print_line(f"{len(entries)} folders, {total}: {done}.", style="bold")
