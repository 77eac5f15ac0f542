"""Manifests: their schema, and whether a folder is a complete artifact."""

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from pipeline.store.files import read_json

MANIFEST = "manifest.json"
#: A text that can be printed and can be a path: no NUL and no half of a surrogate pair.
_TEXT = r"^[^\x00\ud800-\udfff]*$"
#: Relative path to a folder of the same step, or of another step of the same dataset.
_FOLDER = r"^\.\./(\.\./[^/.][^/]*/)?[^/.][^/]*$"

Text = Annotated[str, Meta(pattern=_TEXT)]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Cost = Annotated[float, Meta(ge=0, le=sys.float_info.max)]


class _Reference(Struct):
    task: Text
    digest: Text
    place: Annotated[str, Meta(pattern=_FOLDER)]


class _File(Struct):
    size: Count
    sha256: Text


class _Code(Struct):
    fingerprint: Text
    parts: dict[str, str]


class _Manifest(Struct):
    """What every artifact's manifest holds; the four keys without a default identify it."""

    task: Text
    digest: Text
    upstream: _Reference | None
    files: dict[Text, _File]
    beside: list[_Reference] | UnsetType = UNSET
    code: _Code | UnsetType = UNSET
    version: Count | None = None
    settings: dict[str, Any] = {}
    outside: dict[str, Any] = {}
    libraries: dict[str, Any] = {}
    git_commit: Text | None = None
    rows_in: Count | None = None
    rows_out: Count | None = None
    seconds: Cost | None = None
    peak_memory_mib: Cost | None = None
    finished: Text = ""


class _Files(Struct):
    files: dict[str, _File]


_files_decoder = msgspec.json.Decoder(_Files)


def is_count(value: Any) -> bool:
    """Return whether a value is a number of bytes or rows."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def is_number(value: Any) -> bool:
    """Return whether a value is a finite number that a float can hold."""
    is_numeric = isinstance(value, int | float) and not isinstance(value, bool)
    return is_numeric and -sys.float_info.max <= value <= sys.float_info.max


def is_text(value: Any) -> bool:
    """Return whether a value is a text that can be printed and can be a path."""
    return isinstance(value, str) and re.match(_TEXT, value) is not None


def is_complete(path: Path) -> bool:
    """Return whether a folder has a manifest and every file that it lists, with its size."""
    try:
        files = _files_decoder.decode((path / MANIFEST).read_bytes()).files
        return all(os.stat(path / name).st_size == file.size for name, file in files.items())
    # ValueError: a name that no file can have, such as one with NUL.
    except (OSError, ValueError, RecursionError, msgspec.DecodeError):
        return False


def read_manifest(path: Path) -> dict[str, Any] | None:
    """Return a folder's manifest as it was written, None where it is missing or no JSON object."""
    manifest = read_json(path / MANIFEST)
    return manifest if isinstance(manifest, dict) else None


def read(path: Path) -> dict[str, Any] | None:
    """Return a folder's manifest, None where it does not fit the schema.

    Keys that only describe the artifact, such as ``seconds``, have a default where they are
    missing.
    """
    manifest = read_manifest(path)
    if manifest is None:
        return None
    try:
        return {**msgspec.to_builtins(msgspec.convert(manifest, _Manifest)), **manifest}
    except msgspec.ValidationError:
        return None


def problems(manifest: Mapping[str, Any]) -> list[str]:
    """Return why a manifest does not fit the schema, empty where it does.

    Examples
    --------
    >>> problems({"task": "Report", "digest": 7, "upstream": None, "files": {}})
    ['is not valid: Expected `str`, got `int` - at `$.digest`']
    """
    try:
        msgspec.convert(manifest, _Manifest)
    except msgspec.ValidationError as error:
        return [f"is not valid: {error}"]
    return []


def why_unreadable(path: Path) -> str:
    """Return why `read` finds no manifest in a folder, empty where it does."""
    if not (path / MANIFEST).exists():
        return f"{MANIFEST} is missing"
    manifest = read_manifest(path)
    if manifest is None:
        return f"{MANIFEST} cannot be read: it holds no JSON object"
    return "; ".join(f"{MANIFEST} {problem}" for problem in problems(manifest))
