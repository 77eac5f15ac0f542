"""Manifests as the commands read them: whatever a file holds, each key has its kind."""

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pipeline.store import artifacts

#: No file has more bytes and no table more rows; what is beyond does not become a float.
_MOST = 2**63 - 1
#: Neither can stand in a path, and half of a pair of surrogates cannot be printed either.
_UNFIT = re.compile("[\x00\ud800-\udfff]")
#: Of another step of the same dataset, or of the same step; nowhere else is anything made from.
_BESIDE = re.compile(r"\.\./(\.\./[^/.][^/]*/)?[^/.][^/]*")


def is_count(value: Any) -> bool:
    """Say whether a value is a number of bytes or rows."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST


def is_number(value: Any) -> bool:
    """Say whether a value is a finite number that fits a float, whole or not."""
    is_kind = isinstance(value, int | float) and not isinstance(value, bool)
    # Nothing compares with a number that is not one (nan).
    return is_kind and -sys.float_info.max <= value <= sys.float_info.max


def is_text(value: Any) -> bool:
    """Say whether a value is a text that can be printed and can be a path."""
    return isinstance(value, str) and not _UNFIT.search(value)


def _is_cost(value: Any) -> bool:
    return is_number(value) and value >= 0


def _is_reference(value: Any) -> bool:
    keys = ("task", "digest", "place")
    is_kind = isinstance(value, dict) and all(is_text(value.get(key)) for key in keys)
    return is_kind and _BESIDE.fullmatch(value["place"]) is not None


def _is_inventory(value: Any) -> bool:
    return isinstance(value, dict) and all(
        is_text(name)
        and isinstance(entry, dict)
        and is_count(entry.get("size"))
        and is_text(entry.get("sha256"))
        for name, entry in value.items()
    )


def _is_mapping(value: Any) -> bool:
    return isinstance(value, dict)


def _is_code(value: Any) -> bool:
    parts = value.get("parts") if isinstance(value, dict) else None
    return isinstance(parts, dict) and is_text(value.get("fingerprint"))


def _or_none(check: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or check(value)


#: What tells artifacts apart and leads from one to the next: no default can stand for it, as a
#: folder whose ancestors are not known would let `pipeline gc` delete them.
_NEEDED: dict[str, Callable[[Any], bool]] = {
    "task": is_text,
    "digest": is_text,
    "upstream": _or_none(_is_reference),
    "files": _is_inventory,
}
_BESIDES: dict[str, tuple[Callable[[Any], bool], Any]] = {
    "version": (_or_none(is_count), None),
    "settings": (_is_mapping, {}),
    "outside": (_is_mapping, {}),
    "libraries": (_is_mapping, {}),
    "git_commit": (_or_none(is_text), None),
    "rows_in": (_or_none(is_count), None),
    "rows_out": (_or_none(is_count), None),
    "seconds": (_or_none(_is_cost), None),
    "peak_memory_mib": (_or_none(_is_cost), None),
    "finished": (is_text, ""),
}
_OF_THE_DIGEST = ("version", "settings", "outside")
#: Not in every manifest.
_OPTIONAL: dict[str, Callable[[Any], bool]] = {
    "beside": lambda value: isinstance(value, list) and all(map(_is_reference, value)),
    "code": _is_code,
}


def problems(manifest: Mapping[str, Any]) -> list[str]:
    """Say which keys a manifest lacks that its digest rests on, and which are of another kind.

    Returns
    -------
    list of str
        ``lacks 'digest'`` or ``has a 'files' that no step writes``; empty when all is well.
    """
    return [*_lacking(manifest, [*_NEEDED, *_OF_THE_DIGEST]), *_odd(manifest)]


def read(place: Path) -> dict[str, Any] | None:
    """Read a folder's manifest, every key in its kind.

    What only describes the artifact, such as its seconds, is unknown where it is missing or of
    another kind.

    Returns
    -------
    dict or None
        None where there is no manifest, or one that lacks what tells artifacts apart.
    """
    manifest = artifacts.read_manifest(place)
    if manifest is None or _lacking(manifest, _NEEDED) or _odd(manifest, [*_NEEDED, "beside"]):
        return None
    for name, (is_right, instead) in _BESIDES.items():
        if name not in manifest or not is_right(manifest[name]):
            manifest[name] = instead
    if "code" in manifest and not _is_code(manifest["code"]):
        del manifest["code"]
    return manifest


def why_unreadable(place: Path) -> str:
    """Say in words why `read` finds nothing at a place; empty when it does."""
    if not (place / artifacts.MANIFEST).exists():
        return f"{artifacts.MANIFEST} is missing"
    manifest = artifacts.read_manifest(place)
    if manifest is None:
        return f"{artifacts.MANIFEST} cannot be read: it holds no JSON object"
    found = [*_lacking(manifest, _NEEDED), *_odd(manifest, [*_NEEDED, "beside"])]
    return f"{artifacts.MANIFEST} {' and '.join(found)}" if found else ""


def _lacking(manifest: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    return [f"lacks {name!r}" for name in names if name not in manifest]


def _odd(manifest: Mapping[str, Any], names: Iterable[str] | None = None) -> list[str]:
    """Name the keys that are there in another kind."""
    kinds = {**_NEEDED, **{name: check for name, (check, _) in _BESIDES.items()}, **_OPTIONAL}
    return [
        f"has a {name!r} that no step writes"
        for name in (kinds if names is None else names)
        if name in manifest and not kinds[name](manifest[name])
    ]
