"""Remove artifacts: those named, and those that nothing refers to any more."""

import contextlib
import fcntl
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pipeline.cli.verify import ASIDE, originals
from pipeline.data.catalogue import RESERVED
from pipeline.nightly import champions
from pipeline.nightly.ledger import LEDGER
from pipeline.store import artifacts
from pipeline.store.outputs import Artifact, Store

_DIGEST = re.compile(rb"\b[0-9a-f]{16}\b")
_MOST_BYTES = 4 << 20  # of a file that is searched for digests
_MOMENT = 60.0  # seconds
PARTIAL, HISTORY = ".partial", "history"
_FORGOTTEN = 14 * 24 * 3600.0  # seconds


def needed_alone(store: Store, run: Artifact) -> list[Artifact]:
    """List what was made for one run only, so that removing it takes nothing from another.

    What a champion is made of is not for one run only.
    """
    rest = [
        other
        for other in store.all(_dataset(store, run.place))
        if other != run
        and not champions.is_gate(other.place)
        and run not in store.lineage(other)
        and other not in store.lineage(run)
    ]
    if any(store.has_hole(other) for other in rest):
        # What is above the hole cannot be told any more: it may be another run's.
        return [run]
    others = {item.place for other in rest for item in store.lineage(other)}
    others |= champions.needs(store).keys()
    return [item for item in store.lineage(run) if item.place not in others]


def unreferenced(
    store: Store, keep: int, seconds: float = 0.0, older_champions: int | None = None
) -> list[dict[str, Any]]:
    """List what can be deleted without anything missing it, with the reason.

    Kept are what ``latest``, the registry and the other folders beside the datasets refer to, the
    newest runs, what is younger than ``seconds``, and all that these were made from; of the
    ledger's lines, those of champions. Records of nights stay, and need nothing that they name;
    nor does a history page, which links to what is there.

    Parameters
    ----------
    store : Store
    keep : int
        How many of the newest runs of each dataset to keep.
    seconds : float
        Keep what was finished less than this long ago: a run that is under way may need it.
    older_champions : int or None
        How many champions of each dataset to keep besides the one in place; all when left out.

    Returns
    -------
    list of dict
        ``place``, ``reason`` and ``bytes`` of each folder.
    """
    roots = list(_roots(store, keep, seconds, older_champions))
    kept = {item.place for root in roots for item in store.lineage(root)}
    # Of a dataset with a hole in what is kept, with work under way, or with something moved aside
    # that the next run builds again, nothing is deleted: what is needed cannot be told.
    unclear = {_dataset(store, root.place) for root in roots if store.has_hole(root)}
    unclear |= {name for name in store.datasets() if _is_busy(store, name)}
    waiting = _moved_aside(store)
    unclear |= set(waiting.values())
    found = []
    for place in store.places():
        artifact = store.artifact(place)
        if artifact is None or not artifacts.is_complete(place):
            if _age(place) >= seconds:
                found.append(_entry(place, "is not whole"))
        elif champions.is_night(place):
            continue
        elif place not in kept and _dataset(store, place) not in unclear:
            found.append(_entry(place, "no kept run was made from it"))
    found += [_entry(path, "left by a process that is gone") for path in _dead_temporaries(store)]
    found += [_entry(path, reason) for path, reason in _idle_partials(store)]
    aside = [path for path in sorted((store.outputs / ASIDE).glob("*")) if path not in waiting]
    return found + [_entry(path, "was found damaged and moved aside") for path in aside]


def _dataset(store: Store, place: Path) -> str:
    """Return the dataset that a folder belongs to."""
    return os.path.relpath(place, store.outputs).split(os.sep)[0]


def _is_busy(store: Store, dataset: str) -> bool:
    """Say whether a living process is building something of a dataset."""
    return any(_is_locked(path) for path in (store.outputs / dataset).glob("*/.tmp-*"))


def _moved_aside(store: Store) -> dict[Path, str]:
    """Return what was moved aside and is not built again yet, with its dataset."""
    return {
        folder: _dataset(store, place)
        for folder in (store.outputs / ASIDE).glob("*")
        for place in originals(store, folder)
        if place.parent.parent.is_dir() and not place.exists()
    }


def remove(place: Path) -> None:
    """Delete a folder so that nobody ever sees half of it at its place."""
    with artifacts.explained(place):
        doomed = place
        if not place.name.startswith(".tmp-"):
            doomed = place.with_name(f".tmp-{uuid.uuid4().hex}")
            os.replace(place, doomed)
        if doomed.is_dir() and not doomed.is_symlink():
            shutil.rmtree(doomed)
        else:
            doomed.unlink(missing_ok=True)


def remove_dangling(store: Store) -> list[Path]:
    """Remove the links below ``latest`` that lead nowhere, and return them."""
    links = sorted((store.outputs / "latest").glob("*/*"))
    dangling = [link for link in links if link.is_symlink() and not link.exists()]
    for link in dangling:
        link.unlink(missing_ok=True)
    return dangling


def _roots(
    store: Store, keep: int, seconds: float, older_champions: int | None
) -> Iterator[Artifact]:
    """Yield the artifacts that are kept for their own sake."""
    for place in store.latest.values():
        with contextlib.suppress(ValueError):
            found = store.artifact(store.outputs / os.path.relpath(place, store.outputs.resolve()))
            if found is not None:
                yield found
    for dataset in store.datasets():
        yield from store.runs(dataset)[:keep]
    named = _named_digests(store) | champions.digests(store, older_champions)
    for item in store.all():
        if champions.is_night(item.place):
            continue
        if item.digest in named or _age(item.place) < seconds:
            yield item


def _named_digests(store: Store) -> set[str]:
    """Collect the digests that anything beside the datasets' folders names or links to.

    A ledger names every night's; `pipeline.nightly.champions` says which of them matter.
    """
    found: set[bytes] = set()
    for name in RESERVED:
        for path in (store.outputs / name).rglob("*"):
            if name == HISTORY or path.name == LEDGER:
                continue
            if path.is_symlink():
                found.update(_DIGEST.findall(os.fsencode(os.path.realpath(path))))
            elif path.is_file() and path.stat().st_size <= _MOST_BYTES:
                with contextlib.suppress(OSError):
                    found.update(_DIGEST.findall(path.read_bytes()))
            found.update(_DIGEST.findall(os.fsencode(path.name)))
    return {digest.decode() for digest in found}


def _dead_temporaries(store: Store) -> Iterator[Path]:
    """Yield temporary folders whose process is gone."""
    parents: Iterable[Path] = [
        store.outputs,
        *(store.outputs / name for name in store.datasets()),
        *(path for name in store.datasets() for path in (store.outputs / name).glob("*")),
        *(store.outputs / "latest").glob("*"),
    ]
    for parent in parents:
        for path in sorted(parent.glob(".tmp-*")):
            # Single files are not locked: they are there for a moment while they are written.
            is_old = path.is_dir() or _age(path) > _MOMENT
            if not path.is_symlink() and is_old and not _is_locked(path):
                yield path


def _idle_partials(store: Store) -> Iterator[tuple[Path, str]]:
    """Yield resumable work that no process holds and nobody will take up, with the reason."""
    published = {item.digest for item in store.all() if artifacts.is_complete(item.place)}
    for path in sorted((store.outputs / PARTIAL).glob("*")):
        if any(_is_locked(inner) for inner in (path, *path.rglob("*lock*"))):
            continue
        if path.name in published:
            yield path, "was published since"
        elif min(map(_age, (path, *path.rglob("*")))) > _FORGOTTEN:
            yield path, "was interrupted long ago and not taken up"


def _is_locked(path: Path) -> bool:
    """Say whether a living process holds a lock on a file or folder."""
    try:
        lock = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(lock)
    return False


def _age(place: Path) -> float:
    """Return the seconds since a folder was published."""
    with contextlib.suppress(OSError):
        return time.time() - place.stat().st_mtime
    return 0.0


def _entry(place: Path, reason: str) -> dict[str, Any]:
    """Describe what can be deleted."""
    inside = place.rglob("*") if place.is_dir() else [place]
    size = sum(path.lstat().st_size for path in inside if not path.is_dir())
    return {"place": str(place), "reason": reason, "bytes": size}
