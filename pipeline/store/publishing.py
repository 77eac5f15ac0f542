"""Publish artifacts: folders that are complete or not there at all.

An artifact is a folder with files and, written last, ``manifest.json``. It is built under a
temporary name in the same parent folder and then renamed, so that nobody sees a part of it.
"""

import contextlib
import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import errors
from pipeline.store import locks
from pipeline.store.files import (
    TEMPORARY,
    canonical,
    explained,
    flush,
    read_json,
    sha256_of,
    strict,
    temporary_sibling,
    write_atomically,
)
from pipeline.store.manifests import MANIFEST, is_complete

if TYPE_CHECKING:
    import pyarrow as pa

_PROVENANCE = "made_by.json"

logger = logging.getLogger(__name__)


class Workspace:
    """The temporary folder that a step fills before it is published."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows_in: int | None = None
        self.rows_out: int | None = None
        #: Further entries of the manifest, such as thread settings.
        self.facts: dict[str, Any] = {}
        #: Folder of work that a later run can resume.
        self.partial: Path | None = None
        #: Seconds that earlier, interrupted runs spent on the resumed work.
        self.seconds_before = 0.0

    def path(self, name: str) -> Path:
        """Return the path of a file to write; create its folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def write_json(self, name: str, value: Any) -> None:
        """Write a JSON file; NaN and infinity become null."""
        text = json.dumps(strict(value), indent=2, ensure_ascii=False, allow_nan=False)
        self.path(name).write_text(text + "\n", encoding="utf-8")

    def write_table(
        self, name: str, table: "pa.Table", dictionary_columns: Sequence[str] = ()
    ) -> None:
        """Write a Parquet file; ``dictionary_columns`` are those with few different values."""
        import pyarrow.parquet as pq

        # LZ4 takes a third of Snappy's time for files of the same size. Readers of complete columns
        # do not need statistics.
        pq.write_table(
            table,
            self.path(name),
            compression="lz4",
            use_dictionary=list(dictionary_columns),
            write_statistics=False,
        )

    @contextlib.contextmanager
    def write_in_background(
        self, name: str, table: "pa.Table", dictionary_columns: Sequence[str] = ()
    ) -> Iterator[None]:
        """Write a table as `write_table` does, in a thread that ends with the block."""
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(1) as thread:
            written = thread.submit(self.write_table, name, table, dictionary_columns)
            yield
            written.result()

    def counts(self, rows_in: int, rows_out: int) -> None:
        """Set the rows that the step received and passed on."""
        self.rows_in, self.rows_out = rows_in, rows_out


@contextlib.contextmanager
def publish(path: Path, description: Callable[[], Mapping[str, Any]]) -> Iterator[Workspace]:
    """Build an artifact in a temporary folder and rename that folder at the end of the block.

    An incomplete folder at the path is removed. If another process published a complete folder in
    the meantime, that folder stays and the new one is removed.

    Parameters
    ----------
    path : Path
        Folder of the artifact.
    description : callable
        Called after the block; returns the entries of the manifest besides files, rows and costs.

    Yields
    ------
    Workspace
    """
    started = time.monotonic()
    _reset_peak_memory()
    with temporary_folder(path.parent) as folder:
        workspace = Workspace(folder)
        yield workspace
        with explained(path):
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
            # A power failure after the rename must not lose content.
            for written in [*folder.rglob("*"), folder]:
                flush(written)
            _rename(folder, path)


@contextlib.contextmanager
def temporary_folder(parent: Path, option: str = "--paths-outputs") -> Iterator[Path]:
    """Create a locked temporary folder for the duration of the block, after `sweep`.

    ``option`` is the command-line option that changes ``parent``, for the error message.
    """
    lock = None
    with explained(parent, option):
        parent.mkdir(parents=True, exist_ok=True)
        sweep(parent)
        while lock is None:  # a sweeping process may remove the folder before it is locked
            folder = temporary_sibling(parent / MANIFEST)
            folder.mkdir()
            lock = locks.acquire(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


@contextlib.contextmanager
def partial_folder(
    outputs: Path, name: str, made_by: Mapping[str, Any] | None = None
) -> Iterator[Path]:
    """Open the folder of work that can be resumed after an interruption.

    The folder is locked during the block; another process that does the same work waits. It is
    removed at the end of the block, and stays where the block ends with an exception.

    Parameters
    ----------
    outputs : Path
        Folder of artifacts.
    name : str
        Digest of the artifact.
    made_by : mapping, optional
        Other dependencies of the work by kind, such as the code. Work with others is removed.
    """
    folder = outputs / ".partial" / name
    lock = None
    with explained(folder):
        while lock is None:  # the process before may have removed the folder
            folder.mkdir(parents=True, exist_ok=True)
            lock = locks.acquire(folder, f"{folder} is in use by another run; waiting for it.")
    try:
        with explained(folder):
            _remove_outdated(folder, made_by or {})
        yield folder
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)


def saved_folder(outputs: Path, name: str, made_by: Mapping[str, Any]) -> Path | None:
    """Return the folder of interrupted work that `partial_folder` would keep, None without any."""
    folder = outputs / ".partial" / name
    note = folder / _PROVENANCE
    is_same = note.is_file() and read_json(note) == json.loads(canonical(made_by))
    return folder if is_same and any(path != note for path in folder.iterdir()) else None


def sweep(parent: Path) -> None:
    """Remove the temporary folders in ``parent`` whose process has ended."""
    for folder in parent.glob(f"{TEMPORARY}*"):
        with contextlib.suppress(OSError):  # such as a folder of another user
            lock = locks.acquire(folder)
            if lock is None:
                continue
            try:
                _remove(folder)
                logger.info("Removed %s, which a killed process left behind.", folder)
            finally:
                os.close(lock)


def _remove(path: Path) -> None:
    """Remove a folder, a file or a link, if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _remove_outdated(folder: Path, made_by: Mapping[str, Any]) -> None:
    """Empty a folder of partial work, unless the work there has the same provenance."""
    note = folder / _PROVENANCE
    work = [path for path in folder.iterdir() if path != note]
    provenance = json.loads(canonical(made_by))
    earlier = read_json(note)
    if work and earlier == provenance:
        return
    if work:
        before = earlier if isinstance(earlier, dict) else {}
        changed = [kind for kind in provenance if before.get(kind) != provenance[kind]]
        logger.warning(
            "%s: the interrupted work in %s was done with other %s; it is removed and the work "
            "starts again.",
            errors.INTERRUPTED_WORK_REMOVED,
            folder,
            ", ".join(changed) or "work",
        )
        for path in work:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    write_atomically(note, canonical(provenance))


def _rename(folder: Path, path: Path) -> None:
    """Rename the finished folder, unless a complete one is at the path."""
    while True:
        try:
            os.replace(folder, path)
            return
        except OSError:
            if is_complete(path):
                logger.info("%s was built by another run in the meantime; it is kept.", path)
                return
            if not path.exists() and not path.is_symlink():
                raise
        aside = temporary_sibling(path)
        # Another run may have moved it aside at the same moment.
        with contextlib.suppress(FileNotFoundError):
            os.replace(path, aside)
            logger.warning(
                "%s: %s was incomplete; it is replaced.", errors.INCOMPLETE_ARTIFACT, path
            )
        _remove(aside)


def _inventory(folder: Path) -> dict[str, dict[str, Any]]:
    """Return size in bytes and sha256 of each file in a folder and its subfolders."""
    return {
        path.relative_to(folder).as_posix(): {
            "size": path.stat().st_size,
            "sha256": sha256_of(path),
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _reset_peak_memory() -> None:
    """Reset the peak memory of the process, where the kernel supports it."""
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def _peak_memory_mib() -> float | None:
    """Return the peak resident memory since the reset, in MiB, None except on Linux."""
    with contextlib.suppress(OSError), open("/proc/self/status") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) / 1024, 1)
    return None
