"""Read how far an interrupted training is, without NumPy."""

import contextlib
import json
import zipfile
from pathlib import Path

#: Phases of training, in their order: the checkpoint of each is ``<phase>.npz``.
PHASES = TRAINING, REFIT = "training", "refit"
_BEFORE_LENGTH = 8  # bytes of an .npy file of version 1, before the length of its header


def saved_epoch(folder: Path) -> tuple[str, int] | None:
    """Return phase and number of the last epoch in a folder of checkpoints, None without one."""
    for phase in reversed(PHASES):
        with contextlib.suppress(OSError, ValueError, LookupError, zipfile.BadZipFile):
            return phase, len(_notes(folder / f"{phase}.npz")["history"])
    return None


def _notes(path: Path) -> dict[str, list[object]]:
    """Return the notes of `pipeline.training.checkpoint`: the bytes of JSON in ``notes.npy``."""
    with zipfile.ZipFile(path) as archive:
        content = archive.read("notes.npy")
    start = _BEFORE_LENGTH + 2
    start += int.from_bytes(content[_BEFORE_LENGTH:start], "little")
    notes: dict[str, list[object]] = json.loads(content[start:])
    return notes
