"""Whether artifacts are what their manifests say, and what to do when they are not."""

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipeline import artifacts
from pipeline.inspection import champions
from pipeline.inspection.store import Store

#: Below the outputs folder: damaged artifacts that were moved aside.
ASIDE = ".damaged"


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
            size += sum(
                path.stat().st_size for path in map(place.joinpath, listed) if path.exists()
            )
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


def damage(place: Path, manifest: dict[str, Any] | None) -> list[str]:
    """Say in words how a folder differs from its manifest; empty when it does not."""
    if manifest is None or not isinstance(manifest.get("files"), dict):
        return [f"{artifacts.MANIFEST} is missing or cannot be read"]
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
    strangers = sorted(there - {*listed, artifacts.MANIFEST})
    problems += [f"{name} is there and not in the manifest" for name in strangers]
    return problems


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
    if champions.is_night(place):  # its folder's name is its date
        named = manifest.get("settings", {}).get("date") == place.name
    if named and digest == manifest.get("digest"):
        return []
    return [f"{artifacts.MANIFEST} does not belong to the folder's name (digest differs)"]


def move_aside(store: Store, place: Path) -> Path:
    """Move a damaged artifact out of the way, so that the next run builds it again.

    Returns
    -------
    Path
        Where it is now.
    """
    stamp = time.strftime("%Y%m%dT%H%M%S")
    target = store.outputs / ASIDE / f"{stamp}-{store.short(place).replace('/', '-')}"
    number = 1
    while target.exists():
        number += 1
        target = target.with_name(f"{target.name}-{number}")
    with artifacts.explained(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(place, target)
    return target


def _dangling(store: Store) -> list[str]:
    """List the links to newest reports that lead nowhere."""
    links = sorted((store.outputs / "latest").glob("*/*"))
    return [str(link) for link in links if link.is_symlink() and not link.exists()]
