"""Locks between processes that end with the process, however that ends."""

import contextlib
import fcntl
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.store import artifacts

logger = logging.getLogger("luigi-interface")


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold a lock, waiting for whoever has it.

    Parameters
    ----------
    path : Path
        A file; it is made with its folder where it is not there, and stays.

    Raises
    ------
    PipelineError
        If it cannot be made.
    """
    with artifacts.explained(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            logger.info("Waiting for another process that changes %s.", path.parent)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        # Not by closing alone: a process forked meanwhile has the file open too.
        fcntl.flock(lock, fcntl.LOCK_UN)
        os.close(lock)
