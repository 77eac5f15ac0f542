"""Locks between processes on files and folders; a lock ends when its process ends."""

import contextlib
import fcntl
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.store.files import explained

logger = logging.getLogger(__name__)


def acquire(path: Path, waiting: str = "") -> int | None:
    """Lock a file or folder; close the returned descriptor to end the lock.

    Where another process holds the lock, log the message ``waiting`` and wait; without a message
    return None. Also return None where the path was removed or replaced in the meantime.
    """
    try:
        lock = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if not waiting:
            os.close(lock)
            return None
        logger.info(waiting)
        fcntl.flock(lock, fcntl.LOCK_EX)
    with contextlib.suppress(FileNotFoundError):
        if os.path.samestat(os.fstat(lock), os.stat(path)):
            return lock
    os.close(lock)
    return None


def is_locked(path: Path) -> bool:
    """Return whether a process holds a lock on a file or folder."""
    try:
        lock = acquire(path)
    except OSError:  # such as a file of another user
        return False
    if lock is None:
        return path.exists()
    os.close(lock)
    return False


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a lock during the block; wait while another process holds it.

    The lock file is created with its folder and stays.
    """
    with explained(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(exist_ok=True)
    lock = acquire(path, waiting=f"Waiting for another process that changes {path.parent}.")
    assert lock is not None  # nobody removes lock files
    try:
        yield
    finally:
        # Closing is not enough: a process forked during the block has the file open too.
        fcntl.flock(lock, fcntl.LOCK_UN)
        os.close(lock)
