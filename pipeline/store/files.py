"""Small files: JSON, digests and checksums, atomic writes, and errors of the file system."""

import contextlib
import hashlib
import json
import math
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import StorageError

TEMPORARY = ".tmp-"  # prefix of temporary names
_RECENT = 2.0  # seconds: a file may change again within the resolution of its mtime
_checksums: dict[tuple[Any, ...], str] = {}  # of files that this process has read
_PATIENCE = 2.0  # seconds
_temporaries: dict[Path, int] = {}  # the process of each temporary path


def canonical(value: Any) -> str:
    """Return the JSON of a value with sorted keys, equal for equal values.

    Examples
    --------
    >>> canonical({"b": 1, "a": [True, None]})
    '{"a":[true,null],"b":1}'
    """
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def strict(value: Any) -> Any:
    """Replace NaN and infinity, which JSON lacks, by None; tuples become lists.

    Examples
    --------
    >>> strict({"a": (1, float("nan"))})
    {'a': [1, None]}
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: strict(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [strict(inner) for inner in value]
    return value


def read_json(path: Path) -> Any:
    """Return the content of a JSON file, None where it is missing or is not JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None


def digest(value: Any) -> str:
    """Return the first 16 hexadecimal digits of the sha256 of a value's canonical JSON.

    Examples
    --------
    >>> digest({"seed": 1})
    'fbe47f6d82b435a8'
    """
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:16]


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file's content, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remembered_sha256(path: Path, memory: Path) -> str:
    """Return a file's sha256, cached in the folder ``memory`` by path, size, mtime and inode."""
    path = Path(os.path.realpath(path))
    stat = path.stat()
    state = [str(path), stat.st_size, stat.st_mtime_ns, stat.st_ino]
    if tuple(state) in _checksums:
        return _checksums[tuple(state)]
    entry_path = memory / f"{digest(str(path))}.json"
    entry = read_json(entry_path)
    if isinstance(entry, dict) and entry.get("file") == state:
        return _checksums.setdefault(tuple(state), entry["sha256"])
    checksum = sha256_of(path)
    if time.time() - stat.st_mtime > _RECENT:
        with contextlib.suppress(OSError):
            memory.mkdir(parents=True, exist_ok=True)
            write_atomically(entry_path, canonical({"file": state, "sha256": checksum}))
    return checksum


def temporary_sibling(path: Path) -> Path:
    """Return an unused temporary path in the same folder, independent of seeds of `random`."""
    temporary = path.with_name(f"{TEMPORARY}{uuid.uuid4().hex}")
    _temporaries[temporary] = os.getpid()
    return temporary


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """Create a folder among the temporary files of the system for the duration of the block."""
    folder = temporary_sibling(Path(tempfile.gettempdir(), "folder"))
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_temporaries() -> None:
    """Remove the temporary files and folders of this process, which a signal ends."""
    process = os.getpid()
    for path in [path for path, owner in list(_temporaries.items()) if owner == process]:
        deadline = time.monotonic() + _PATIENCE  # a thread may still write to the folder
        while True:
            shutil.rmtree(path, ignore_errors=True)
            with contextlib.suppress(OSError):
                path.unlink()
            if not os.path.lexists(path) or time.monotonic() > deadline:
                break
            time.sleep(0.01)


def write_atomically(path: Path, text: str, *, durable: bool = False) -> None:
    """Write a small text file; readers see the old content or the new, never a part of it.

    A ``durable`` write returns when the text is on the disk, so that it survives a power failure.
    """
    temporary = temporary_sibling(path)
    try:
        temporary.write_text(text, encoding="utf-8")
        if durable:
            flush(temporary)
        os.replace(temporary, path)
        if durable:
            flush(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def flush(path: Path) -> None:
    """Write a file, or a folder's list of names, from the system's cache to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def point(link: Path, target: Path) -> None:
    """Make ``link`` a relative symbolic link to ``target``, replacing an older one atomically."""
    with explained(link):
        link.parent.mkdir(parents=True, exist_ok=True)
        temporary = temporary_sibling(link)
        try:
            temporary.symlink_to(os.path.relpath(target, link.parent))
            os.replace(temporary, link)
        finally:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def explained(path: Path, option: str = "--paths-outputs") -> Iterator[None]:
    """Turn an OSError into a StorageError that names the path and the option to change it."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error.strerror or error}; make its folder writable or choose "
            f"another with {option} DIR."
        ) from error
