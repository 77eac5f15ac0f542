"""Manifests: their schema, and whether a folder is a complete artifact."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from pipeline.store.files import digest, read_json

MANIFEST = "manifest.json"
# A text that can be printed and can be a path: no NUL and no half of a surrogate pair.
Text = Annotated[str, Meta(pattern=r"^[^\x00\ud800-\udfff]*$")]
# Relative path to a folder of the same step, or of another step of the same dataset.
Folder = Annotated[str, Meta(pattern=r"^\.\./(\.\./[^/.][^/]*/)?[^/.][^/]*$")]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Cost = Annotated[float, Meta(ge=0, le=sys.float_info.max)]


class _Reference(Struct):
    task: Text
    digest: Text
    place: Folder


class _File(Struct):
    size: Count
    sha256: Text


class _Code(Struct):
    fingerprint: Text
    parts: dict[str, str]


class _Manifest(Struct):
    """The manifest of an artifact; the four keys without a default identify it."""

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


def digest_of(
    task: str,
    version: int,
    settings: Mapping[str, Any],
    outside: Mapping[str, Any],
    required: Sequence[str] = (),
    code: str | None = None,
) -> str:
    """Return the digest that identifies an artifact.

    Parameters
    ----------
    outside : mapping
        Checksums of external inputs.
    required : sequence of str
        Digests of the artifacts that it was made from, the one above it in the chain first.
    code : str, optional
        Hash of the code, where that is part of the digest.

    Examples
    --------
    >>> digest_of("Report", 2, {}, {}, ["fbe47f6d82b435a8"]) == digest_of("Report", 2, {}, {})
    False
    """
    identity = {
        "task": task,
        "version": version,
        "settings": dict(settings),
        "outside": outside,
        "upstream": required[0] if required else None,
    }
    if required[1:]:
        identity["beside"] = list(required[1:])
    if code is not None:
        identity["code"] = code
    return digest(identity)


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
    """Return a folder's manifest with defaults, None where it does not fit the schema."""
    manifest = read_manifest(path)
    if manifest is None:
        return None
    try:
        return {**msgspec.to_builtins(msgspec.convert(manifest, _Manifest)), **manifest}
    except msgspec.ValidationError:
        return None


def why_unreadable(path: Path) -> str:
    """Return why `read` returns None for a folder, empty where it returns a manifest."""
    if not (path / MANIFEST).exists():
        return f"{MANIFEST} is missing"
    manifest = read_manifest(path)
    if manifest is None:
        return f"{MANIFEST} cannot be read: it is no JSON object"
    try:
        msgspec.convert(manifest, _Manifest)
    except msgspec.ValidationError as error:
        return f"{MANIFEST} is not valid: {error}"
    return ""
