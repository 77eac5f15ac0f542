"""Checkpoints: interrupted training continues after its last saved epoch.

A checkpoint is one ``.npz`` file with all variables of the model (also the states of the dropout
generators, which a ``.keras`` file lacks) and of the optimizer, the best weights so far, and all
numbers as JSON. The rest of training is then bit-identical to training without interruption.
"""

import json
import logging
import os
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.store import files
from pipeline.training.validation import EarlyStopping

# An epoch is saved if the time since the last save is at least so many times the time that a save
# takes. This limits the cost of saving (to a twentieth) and the work that a kill can lose.
_LEAST_RATIO = 20
# All exceptions that reading a damaged file can raise.
_DAMAGED = (OSError, EOFError, ValueError, LookupError, TypeError, RuntimeError, zipfile.BadZipFile)

logger = logging.getLogger(__name__)


@dataclass
class State:
    """State of training after an epoch, without the variables of model and optimizer.

    ``history`` has the metrics of each epoch, ``finished`` its end in seconds since 1970.
    """

    stopping: EarlyStopping
    history: list[dict[str, float]] = field(default_factory=list)
    finished: list[float] = field(default_factory=list)


class Checkpoint:
    """The checkpoint file of one training; it ends in ``.npz``, and None saves nothing.

    The variables of model and optimizer always have the same order. ``identity`` has the JSON
    values on which training depends; the checkpoint of another identity is not restored.
    """

    def __init__(
        self, path: Path | None, variables: Sequence[Any], identity: Mapping[str, Any]
    ) -> None:
        self._path = path
        self._variables = list(variables)
        self._identity = files.digest(identity)
        self._started = self._saved_at = time.monotonic()
        self._cost = 0.0
        self.seconds_before = 0.0  # of interrupted attempts, up to the restored checkpoint

    def save(self, state: State) -> bool:
        """Save the state if the last save is long enough ago; return whether it was saved."""
        now = time.monotonic()
        if self._path is None or now - self._saved_at < _LEAST_RATIO * self._cost:
            return False
        temporary = self._path.with_name(f"writing-{self._path.name}")
        try:
            # Without fsync: a kill does not lose written data, and a power cut leaves a damaged
            # file that `restore` discards.
            np.savez(temporary, allow_pickle=False, **self._arrays(state))
            os.replace(temporary, self._path)
        except OSError as error:
            logger.warning(
                "Cannot save a checkpoint in %s (%s); training continues without checkpoints.",
                self._path.parent,
                error.strerror or error,
            )
            self._path = None
            temporary.unlink(missing_ok=True)
            return False
        self._saved_at = time.monotonic()
        self._cost = self._saved_at - now
        return True

    def restore(self, state: State) -> bool:
        """Restore variables and state from the file; return whether there was a usable one.

        A file that is damaged or belongs to another training is removed.
        """
        if self._path is None or not self._path.is_file():
            return False
        try:
            notes, values, best = self._read(self._path)
        except _DAMAGED as error:
            logger.warning(
                "The checkpoint %s is discarded and training starts again: %s",
                self._path,
                error or repr(error),
            )
            self._path.unlink(missing_ok=True)
            return False
        for variable, value in zip(self._variables, values, strict=True):
            variable.assign(value)
        state.history, state.finished = notes["history"], notes["finished"]
        for name in ("best", "best_epoch", "reduced_at"):
            setattr(state.stopping, name, notes[name])
        state.stopping.weights = best
        self.seconds_before = notes["seconds"]
        return True

    def _arrays(self, state: State) -> dict[str, np.ndarray]:
        """Return the arrays of the file: numbered arrays, and the notes as bytes of JSON."""
        notes = {
            "identity": self._identity,
            "history": state.history,
            "finished": state.finished,
            "best": state.stopping.best,
            "best_epoch": state.stopping.best_epoch,
            "reduced_at": state.stopping.reduced_at,
            "n_best": len(state.stopping.weights),
            "seconds": self.seconds_before + time.monotonic() - self._started,
        }
        return {
            "notes": np.frombuffer(json.dumps(notes).encode(), np.uint8),
            **{f"variable_{n}": variable.numpy() for n, variable in enumerate(self._variables)},
            **{f"best_{n}": weights for n, weights in enumerate(state.stopping.weights)},
        }

    def _read(self, path: Path) -> tuple[dict[str, Any], list[np.ndarray], list[np.ndarray]]:
        """Read and check notes, variables and best weights, without a change of the state."""
        with np.load(path, allow_pickle=False) as file:
            notes = json.loads(file["notes"].tobytes())
            n_variables = sum(name.startswith("variable_") for name in file.files)
            values = [file[f"variable_{n}"] for n in range(n_variables)]
            best = [file[f"best_{n}"] for n in range(notes["n_best"])]
        expected = [variable.numpy() for variable in self._variables]
        if notes["identity"] != self._identity or _shapes(values) != _shapes(expected):
            raise ValueError("it was saved by training with other settings, rows or layers.")
        return notes, values, best


def _shapes(arrays: list[np.ndarray]) -> list[tuple]:
    """Return shape and dtype of each array."""
    return [(array.shape, array.dtype) for array in arrays]
