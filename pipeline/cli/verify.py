"""Whether artifacts are what their manifests say, and what to do when they are not."""

import glob
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipeline.nightly import champions, ledger
from pipeline.store import artifacts, manifests
from pipeline.store.outputs import Artifact, Store

#: Below the outputs folder: damaged artifacts that were moved aside.
ASIDE = ".damaged"


#: Files that file managers leave in folders that are looked at, in lower case; besides these,
#: what macOS puts beside a file on foreign disks, which begins with ``._``.
STRAYS = frozenset({".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini", ".directory"})


def made_from(store: Store, run: Artifact) -> tuple[list[Path], list[dict[str, str]]]:
    """List what a run was made from, its own folder first, and what of it is gone.

    What a folder that is gone was made from cannot be told, nor what one without a readable
    manifest was: the places then have all that the dataset has of the steps before it.

    Returns
    -------
    places : list of Path
    gone : list of dict
        ``place`` of each folder that is not there, and ``needed_by``, the place that names it.
    """
    places = [item.place for item in store.lineage(run)]
    gone = []
    for hole, item in store.holes(run).items():
        if os.path.isdir(hole):  # Path.is_dir raises on a name that is too long
            places.append(hole)
        else:
            gone.append({"place": str(hole), "needed_by": str(item.place)})
        step, dataset = hole.parent.name, hole.parent.parent.name
        places += [place for place in store.places(dataset) if place.parent.name < step]
    return list(dict.fromkeys(places)), gone


def verify(store: Store, places: Iterable[Path] | None = None) -> dict[str, Any]:
    """Read every file of artifacts and compare it with the manifest.

    Parameters
    ----------
    store : Store
    places : iterable of Path, optional
        Which artifacts; all when left out.

    Returns
    -------
    dict
        ``artifacts`` and ``files`` (how many were checked), ``bytes``, ``damaged`` (place and
        problems of each) and ``dangling`` (links below ``latest`` that lead nowhere).
    """
    checked = list(store.places() if places is None else places)
    damaged, files, size = [], 0, 0
    for place in checked:
        manifest = artifacts.read_manifest(place)
        problems = damage(place, manifest)
        listed = (manifest or {}).get("files")
        if isinstance(listed, dict):
            files += len(listed)
            size += sum(map(_size, map(place.joinpath, listed)))
        if problems:
            damaged.append({"place": str(place), "problems": problems})
    dangling = [] if places is not None else _dangling(store)
    return {
        "artifacts": len(checked),
        "files": files,
        "bytes": size,
        "damaged": damaged,
        "dangling": dangling,
    }


def _size(path: Path) -> int:
    """Return the bytes of a file, 0 where it is not there."""
    try:
        return path.stat().st_size
    except (OSError, ValueError):  # a name that no file can have is a ValueError
        return 0


def damage(place: Path, manifest: dict[str, Any] | None) -> list[str]:
    """Say in words how a folder differs from its manifest; empty when it does not."""
    if manifest is None:
        return [f"{artifacts.MANIFEST} is missing or cannot be read"]
    odd = manifests.problems(manifest)
    if odd:
        # The rest rests on it: what cannot be compared is not.
        return [f"{artifacts.MANIFEST} {problem}" for problem in odd]
    problems = _contradictions(place, manifest)
    listed = manifest["files"]
    for name, entry in listed.items():
        path = place / name
        try:
            size = path.stat().st_size
            if size != entry["size"]:
                problems.append(f"{name} has {size:,} bytes, {entry['size']:,} were written")
            elif artifacts.sha256_of(path) != entry["sha256"]:
                problems.append(f"{name} has other bytes than were written (sha256 differs)")
        except FileNotFoundError:
            problems.append(f"{name} is missing")
        except OSError as error:
            problems.append(f"{name} cannot be read: {error.strerror}")
    there = {path.relative_to(place).as_posix() for path in place.rglob("*") if path.is_file()}
    strangers = sorted(
        name for name in there - {*listed, artifacts.MANIFEST} if not _is_stray(name)
    )
    problems += [f"{name} is there and not in the manifest" for name in strangers]
    return problems


def _is_stray(name: str) -> bool:
    """Say whether a file is one that nobody put there: it is no damage."""
    base = name.rsplit("/", 1)[-1].lower()
    return base in STRAYS or base.startswith("._")


def _contradictions(place: Path, manifest: dict[str, Any]) -> list[str]:
    """Say whether the manifest names what the folder's name was derived from."""
    above = manifest.get("upstream") or {}
    beside = [entry["digest"] for entry in manifest.get("beside", [])]
    code = manifest.get("code") or {}
    identity = {
        "task": manifest.get("task"),
        "version": manifest.get("version"),
        "settings": manifest.get("settings"),
        "outside": manifest.get("outside"),
        "upstream": above.get("digest"),
        **({"beside": beside} if beside else {}),
        **({"code": code.get("fingerprint")} if code.get("in_digest") else {}),
    }
    digest = artifacts.digest(identity)
    named = digest == place.name.rsplit("-", 1)[-1]
    if champions.is_night(place):
        settings = manifest.get("settings") or {}
        named = ledger.night_name(str(settings.get("date")), settings.get("redo", 0)) == place.name
    if named and digest == manifest.get("digest"):
        return []
    return [f"{artifacts.MANIFEST} does not belong to the folder's name (digest differs)"]


def move_aside(store: Store, place: Path) -> Path:
    """Move a damaged artifact to `ASIDE`, so that the next run builds it again.

    Returns
    -------
    Path
        Its new path, ``.damaged/<time>/<dataset>/<step>/<name>`` below the outputs folder. The
        dataset stays a folder of its own: names joined by a hyphen could not be told apart.
    """
    stamp = time.strftime("%Y%m%dT%H%M%S")
    folder = first = store.outputs / ASIDE / stamp
    number = 1
    while folder.exists():
        number += 1
        folder = first.with_name(f"{stamp}-{number}")
    target = folder / store.short(place)
    with artifacts.explained(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(place, target)
    return target


def moved_aside(store: Store, place: Path) -> Path | None:
    """Return where the folder of a place was moved to last, None where it never was."""
    found = (store.outputs / ASIDE).glob(f"*/{glob.escape(store.short(place))}")
    return max(found, default=None)


def originals(store: Store, folder: Path) -> list[Path]:
    """Return the paths that the artifacts in a folder of `ASIDE` had before they were moved."""
    return [store.outputs / path.relative_to(folder) for path in folder.glob("*/*/*")]


def _dangling(store: Store) -> list[str]:
    """List the links to newest reports that lead nowhere."""
    links = sorted((store.outputs / "latest").glob("*/*"))
    return [str(link) for link in links if link.is_symlink() and not link.exists()]
