"""Folder artifacts: derived places, manifests, and publishing that is all or nothing.

An artifact is a folder that holds files and, written last, ``manifest.json``. It is *whole* when
the manifest is there and lists only files that are there with their sizes. A folder is built under
a temporary name beside its place and renamed, so that nobody ever sees half of one.
"""

import contextlib
import fcntl
import hashlib
import json
import logging
import math
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError

MANIFEST = "manifest.json"
_MADE_BY = "made_by.json"
_TEMPORARY = ".tmp-"
_KNOWN_HERE: dict[tuple, str] = {}  # what this process has read of remembered checksums
_DEEPEST = 50  # objects and lists within each other; nothing writes ten
_RECENT = 2.0  # seconds: a file changed this lately could change again within the clock's tick

logger = logging.getLogger("luigi-interface")


def canonical(value: Any) -> str:
    """Write a value as JSON that is the same for equal values, whatever the order of keys."""
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def strict(value: Any) -> Any:
    """Return a value as strict JSON has it: numbers that are none (nan, infinity) become None.

    Python writes them as ``NaN`` and ``Infinity``, which other programs refuse to read.
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: strict(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [strict(inner) for inner in value]
    return value


def digest(value: Any) -> str:
    """Return the first 16 hexadecimal digits of the sha256 of a value's canonical JSON."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:16]


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file's content, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remembered_sha256(path: Path, memory: Path) -> str:
    """Return a file's sha256, computed once and remembered by path, size, mtime and inode.

    Parameters
    ----------
    path : Path
        The file.
    memory : Path
        Folder of the remembered values, one small file for each path. If it cannot be written,
        nothing is remembered.
    """
    place = Path(os.path.realpath(path))
    state = place.stat()
    seen = [str(place), state.st_size, state.st_mtime_ns, state.st_ino]
    known_here = _KNOWN_HERE.get(tuple(seen))
    if known_here:
        return known_here
    note = memory / f"{digest(str(place))}.json"
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        known = json.loads(note.read_text(encoding="utf-8"))
        if known["file"] == seen:
            _KNOWN_HERE[tuple(seen)] = known["sha256"]
            return known["sha256"]
    value = sha256_of(place)
    if time.time() - state.st_mtime > _RECENT:
        with contextlib.suppress(OSError):
            memory.mkdir(parents=True, exist_ok=True)
            write_atomically(note, canonical({"file": seen, "sha256": value}))
    return value


def write_atomically(path: Path, text: str, *, durable: bool = False) -> None:
    """Write a small text file so that readers see the old content or the new, never a part.

    Parameters
    ----------
    path : Path
    text : str
    durable : bool
        Whether to wait until it is on the disk, so that a power cut leaves the old or the new.
    """
    temporary = path.with_name(f"{_TEMPORARY}{uuid.uuid4().hex}")
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
    """Bring a file or a folder's list of names to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def point(link: Path, target: Path) -> None:
    """Make ``link`` a relative symbolic link to ``target``, replacing an older one atomically."""
    with explained(link):
        link.parent.mkdir(parents=True, exist_ok=True)
        temporary = link.with_name(f"{_TEMPORARY}{uuid.uuid4().hex}")
        try:
            temporary.symlink_to(os.path.relpath(target, link.parent))
            os.replace(temporary, link)
        finally:
            temporary.unlink(missing_ok=True)


def read_manifest(place: Path) -> dict[str, Any] | None:
    """Return an artifact's manifest, or None where there is none that can be read."""
    manifest = read_json(place / MANIFEST)
    return manifest if isinstance(manifest, dict) else None


def read_json(path: Path) -> Any:
    """Return what a JSON file holds, or None where there is none that can be read.

    One that is nested deeper than anything writes it cannot be read: who walks it would get lost.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return None if _is_deep(value) else value


def _is_deep(value: Any) -> bool:
    """Say whether objects and lists stand within each other more often than anybody nests them."""
    level = [value]
    for _ in range(_DEEPEST):
        outer = [one for one in level if isinstance(one, dict | list)]
        if not outer:
            return False
        level = [
            inner for one in outer for inner in (one.values() if isinstance(one, dict) else one)
        ]
    return True


def is_complete(place: Path) -> bool:
    """Say whether the folder has a manifest and every file in it, at its size."""
    manifest = read_manifest(place)
    files = manifest.get("files") if manifest else None
    if not isinstance(files, dict):
        return False
    try:
        return all(os.stat(place / name).st_size == entry["size"] for name, entry in files.items())
    except (OSError, KeyError, TypeError, ValueError):  # a name that no file can have: ValueError
        return False


class Workspace:
    """The folder that a step fills before it is published.

    Attributes
    ----------
    folder : Path
        Where the files go, under its temporary name.
    rows_in, rows_out : int or None
        Rows that the step received and passed on, for the manifest.
    facts : dict
        Anything else worth noting in the manifest, such as thread settings.
    partial : Path or None
        Folder of work that a later run can take up, where the step has such work.
    seconds_before : float
        What earlier, interrupted runs put into work that was taken up.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows_in: int | None = None
        self.rows_out: int | None = None
        self.facts: dict[str, Any] = {}
        self.partial: Path | None = None
        self.seconds_before = 0.0

    def path(self, name: str) -> Path:
        """Return the path at which to write the file ``name``, its folder made."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def write_json(self, name: str, value: Any) -> None:
        """Write a small summary, keys in the order given; what is not defined becomes null."""
        text = json.dumps(strict(value), indent=2, ensure_ascii=False, allow_nan=False)
        self.path(name).write_text(text + "\n", encoding="utf-8")

    def write_table(self, name: str, table: Any, dictionary_columns: Sequence[str] = ()) -> None:
        """Write a table of Arrow as Parquet.

        Parameters
        ----------
        name : str
        table : pa.Table
        dictionary_columns : sequence of str
            Columns that hold few different values, of which a dictionary is worth its time.
        """
        import pyarrow.parquet as pq

        # LZ4 takes a third of Snappy's time for files of the same size; least and greatest values
        # help nobody who reads whole columns.
        pq.write_table(
            table,
            self.path(name),
            compression="lz4",
            use_dictionary=list(dictionary_columns),
            write_statistics=False,
        )

    @contextlib.contextmanager
    def write_in_background(
        self, name: str, table: Any, dictionary_columns: Sequence[str] = ()
    ) -> Iterator[None]:
        """Write a table in a thread while the block goes on; it is written when the block ends.

        Parameters
        ----------
        name, table, dictionary_columns
            As for `write_table`.
        """
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(1) as thread:
            written = thread.submit(self.write_table, name, table, dictionary_columns)
            yield
            written.result()

    def counts(self, rows_in: int, rows_out: int) -> None:
        """Note the rows that came in and went out."""
        self.rows_in, self.rows_out = rows_in, rows_out


@contextlib.contextmanager
def publish(place: Path, description: Callable[[], Mapping[str, Any]]) -> Iterator[Workspace]:
    """Build a folder artifact under a temporary name and rename it to its place.

    The temporary folder is locked while this process lives; temporaries of dead processes in the
    same parent are swept first. A folder at the place that is not whole is moved aside and
    removed. Who loses a race to a whole folder accepts it and discards its own.

    Parameters
    ----------
    place : Path
        Where the artifact goes.
    description : callable
        Called when the files are written; returns what the manifest says besides files, rows
        and costs.

    Yields
    ------
    Workspace
        To write the files in.

    Raises
    ------
    PipelineError
        If the place cannot be written.
    """
    started = time.monotonic()
    _reset_peak_memory()
    with temporary_folder(place.parent) as folder:
        workspace = Workspace(folder)
        yield workspace
        with explained(place):
            manifest = {
                **description(),
                "rows_in": workspace.rows_in,
                "rows_out": workspace.rows_out,
                "facts": workspace.facts,
                "files": _inventory(folder),
                "seconds": round(workspace.seconds_before + time.monotonic() - started, 3),
                "peak_memory_mib": _peak_memory_mib(),
                "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
            }
            workspace.write_json(MANIFEST, manifest)
            _flush(folder)
            _rename(folder, place)


@contextlib.contextmanager
def temporary_folder(parent: Path, option: str = "--paths-outputs") -> Iterator[Path]:
    """Make a folder below ``parent`` that is removed in the end, or swept after a violent one.

    Parameters
    ----------
    parent : Path
    option : str
        What chooses another place where this one cannot be written, for the error.
    """
    with explained(parent, option):
        parent.mkdir(parents=True, exist_ok=True)
        sweep(parent)
        folder, lock = _locked_temporary(parent)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


@contextlib.contextmanager
def partial_folder(
    outputs: Path, name: str, made_by: Mapping[str, Any] | None = None
) -> Iterator[Path]:
    """Open the folder of a piece of work that can be taken up again after an interruption.

    It is locked while this process lives; another that does the same work waits. It is removed
    when the block ends, and stays when the block is left by an exception.

    Parameters
    ----------
    outputs : Path
        Folder of artifacts.
    name : str
        Digest of the artifact that the work is for.
    made_by : mapping, optional
        What the work depends on besides its name, such as the code, by kind. What was left when
        any of it was other is removed.
    """
    folder = outputs / ".partial" / name
    lock = _locked_partial(folder)
    try:
        with explained(folder):
            _remove_foreign(folder, made_by or {})
        yield folder
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)


def sweep(parent: Path) -> None:
    """Remove the temporary folders below ``parent`` whose process is dead."""
    for folder in parent.glob(f"{_TEMPORARY}*"):
        try:
            lock = os.open(folder, os.O_RDONLY)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not _is_at(lock, folder):
                continue
            if folder.is_dir():
                shutil.rmtree(folder, ignore_errors=True)
            else:
                folder.unlink(missing_ok=True)
            logger.info("Removed %s, left behind by a process that is gone.", folder)
        except OSError:  # locked: its process lives
            continue
        finally:
            os.close(lock)


def _locked_temporary(parent: Path) -> tuple[Path, int]:
    """Make a temporary folder and lock it; the lock ends with the process, however it ends."""
    while True:
        # Not tempfile: names must not come from a random state that a training run may seed.
        folder = parent / f"{_TEMPORARY}{uuid.uuid4().hex}"
        folder.mkdir()
        try:
            lock = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:
            continue
        try:
            # Without waiting: who holds the lock is a sweeper that is about to remove the folder.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(lock, folder):
                return folder, lock
        except BlockingIOError:
            pass
        os.close(lock)


def _locked_partial(folder: Path) -> int:
    """Make a folder where it is missing, and lock it when no other process holds it any more."""
    while True:
        with explained(folder):
            folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            logger.info("%s is in use by another run of the same work; waiting for it.", folder)
            fcntl.flock(lock, fcntl.LOCK_EX)
        if _is_at(lock, folder):  # else who held the lock removed the folder meanwhile
            return lock
        os.close(lock)


def _remove_foreign(folder: Path, made_by: Mapping[str, Any]) -> None:
    """Empty a folder of partial work, unless what left it there was made by the same."""
    note = folder / _MADE_BY
    wanted = json.loads(canonical(made_by))
    left = [path for path in folder.iterdir() if path != note]
    try:
        known = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = {}
    if left and known == wanted:
        return
    if left:
        other = [
            kind
            for kind in wanted
            if not isinstance(known, dict) or known.get(kind) != wanted[kind]
        ]
        logger.warning(
            "What an interrupted run left in %s was made by other %s; it is thrown away and the "
            "work begins anew.",
            folder,
            ", ".join(other) or "work",
        )
        for path in left:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    write_atomically(note, canonical(wanted))


def _is_at(lock: int, path: Path) -> bool:
    """Say whether the open folder is still the one at the path."""
    try:
        there = os.stat(path)
    except OSError:
        return False
    mine = os.fstat(lock)
    return (there.st_ino, there.st_dev) == (mine.st_ino, mine.st_dev)


def _rename(folder: Path, place: Path) -> None:
    """Rename the finished folder to its place, unless a whole one came first."""
    while True:
        try:
            os.replace(folder, place)
            return
        except OSError:
            if is_complete(place):
                logger.info("%s was built by another run meanwhile; keeping that one.", place)
                return
            if not place.exists() and not place.is_symlink():
                raise
        aside = place.with_name(f"{_TEMPORARY}{uuid.uuid4().hex}")
        # Gone already when another run moved it aside in the same moment.
        with contextlib.suppress(FileNotFoundError):
            os.replace(place, aside)
            logger.warning("%s was not whole; it is built again.", place)
        if aside.is_dir() and not aside.is_symlink():
            shutil.rmtree(aside, ignore_errors=True)
        else:
            aside.unlink(missing_ok=True)


def _inventory(folder: Path) -> dict[str, dict[str, Any]]:
    """List the files below a folder with size in bytes and sha256."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): {
            "size": path.stat().st_size,
            "sha256": sha256_of(path),
        }
        for path in paths
    }


def _flush(folder: Path) -> None:
    """Bring the files to the disk, so that a power cut after the rename loses nothing."""
    for path in [*folder.rglob("*"), folder]:
        flush(path)


@contextlib.contextmanager
def explained(place: Path, option: str = "--paths-outputs") -> Iterator[None]:
    """Turn a refusal of the file system into an error that names folder and option."""
    try:
        yield
    except OSError as error:
        raise PipelineError(
            f"cannot write {place}: {error.strerror or error}; make its folder writable or choose "
            f"another with {option} DIR."
        ) from error


def _reset_peak_memory() -> None:
    """Start counting the process' peak memory anew, where the kernel can."""
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def _peak_memory_mib() -> float | None:
    """Return the peak resident memory since the reset, in MiB, or None off Linux."""
    with contextlib.suppress(OSError), open("/proc/self/status") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) / 1024, 1)
    return None
