"""Checkpoints: training that is interrupted goes on from the last epoch that was kept.

A checkpoint is one ``.npz`` file. It holds every variable of the model (the states of dropout's
random generators among them, which a ``.keras`` file leaves out) and of the optimizer, the best
weights so far, and as JSON what is a number. With it the rest of training is the same bit for bit.
"""

import json
import logging
import os
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.store import artifacts
from pipeline.training.early_stopping import Stopper

# An epoch is kept when at least so many times as long as keeping takes went by since the last one:
# this bounds both what keeping costs (a twentieth) and what a kill loses.
_WORTH = 20
# What reading a file that is damaged somewhere can raise.
_DAMAGED = (OSError, EOFError, ValueError, LookupError, TypeError, RuntimeError, zipfile.BadZipFile)

logger = logging.getLogger("luigi-interface")


@dataclass
class State:
    """What training knows after an epoch, besides the variables of model and optimizer.

    Attributes
    ----------
    stopper : Stopper
    history : list of dict
        One entry an epoch.
    finished : list of float
        When each epoch was finished, in seconds since 1970.
    """

    stopper: Stopper
    history: list[dict[str, float]] = field(default_factory=list)
    finished: list[float] = field(default_factory=list)

    def add(self, found: dict[str, float], finished: float) -> None:
        """Note an epoch's figures and when it was finished."""
        self.history.append(found)
        self.finished.append(finished)


class Checkpoint:
    """The file in which one training is kept.

    Parameters
    ----------
    path : Path or None
        Ends in ``.npz``; None keeps nothing. No other process may write it.
    variables : sequence
        Keras' or TensorFlow's variables, of the model and of the optimizer, always in one order.
    identity : mapping
        What JSON can hold of what the training depends on: settings, number of rows. A checkpoint
        of another one is not restored.
    clock : callable
        Returns seconds.

    Attributes
    ----------
    before : float
        Seconds that training had taken when what was restored was kept.
    """

    def __init__(
        self,
        path: Path | None,
        variables: Sequence[Any],
        identity: Mapping[str, Any],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._variables = list(variables)
        self._identity = artifacts.digest(identity)
        self._clock = clock
        self._begun = self._kept_at = clock()
        self._cost = 0.0
        self.before = 0.0

    def keep(self, state: State) -> bool:
        """Write the state after an epoch, if enough time went by since the last; say whether."""
        started = self._clock()
        if self._path is None or started - self._kept_at < _WORTH * self._cost:
            return False
        temporary = self._path.with_name(f"writing-{self._path.name}")
        try:
            # Not brought to the disk: a kill leaves what is written, and after a power cut a half
            # file is found damaged.
            np.savez(temporary, allow_pickle=False, **self._arrays(state))
            os.replace(temporary, self._path)
        except OSError as error:
            logger.warning(
                "Cannot keep a checkpoint in %s (%s); training goes on without.",
                self._path.parent,
                error.strerror or error,
            )
            self._path = None
            temporary.unlink(missing_ok=True)
            return False
        self._kept_at = self._clock()
        self._cost = self._kept_at - started
        return True

    def restore(self, state: State) -> bool:
        """Fill the variables and the state with what was kept; say whether there was anything.

        What cannot be read or belongs to something else is removed.
        """
        if self._path is None or not self._path.is_file():
            return False
        try:
            notes, values, best = self._read(self._path)
        except _DAMAGED as error:
            logger.warning(
                "%s is thrown away, training begins anew: %s", self._path, error or repr(error)
            )
            self._path.unlink(missing_ok=True)
            return False
        for variable, value in zip(self._variables, values, strict=True):
            variable.assign(value)
        state.history, state.finished = notes["history"], notes["finished"]
        state.stopper.best = notes["best"]
        state.stopper.best_epoch = notes["best_epoch"]
        state.stopper.reduced_at = notes["reduced_at"]
        state.stopper.weights = best
        self.before = notes["seconds"]
        return True

    def _arrays(self, state: State) -> dict[str, np.ndarray]:
        """Lay out the file: numbered arrays, and the notes as bytes of JSON."""
        notes = {
            "identity": self._identity,
            "history": state.history,
            "finished": state.finished,
            "best": state.stopper.best,
            "best_epoch": state.stopper.best_epoch,
            "reduced_at": state.stopper.reduced_at,
            "n_best": len(state.stopper.weights),
            "seconds": self.before + self._clock() - self._begun,
        }
        return {
            "notes": np.frombuffer(json.dumps(notes).encode(), np.uint8),
            **{f"variable_{at}": each.numpy() for at, each in enumerate(self._variables)},
            **{f"best_{at}": each for at, each in enumerate(state.stopper.weights)},
        }

    def _read(self, path: Path) -> tuple[dict[str, Any], list[np.ndarray], list[np.ndarray]]:
        """Read notes, variables and best weights, and check them before anything is changed."""
        with np.load(path, allow_pickle=False) as file:
            notes = json.loads(file["notes"].tobytes())
            if notes["identity"] != self._identity:
                raise ValueError("it was kept of training with other settings or rows.")
            names = [name for name in file.files if name.startswith("variable_")]
            if len(names) != len(self._variables):
                raise ValueError(f"it has {len(names)} variables, not {len(self._variables)}.")
            values = [file[f"variable_{at}"] for at in range(len(names))]
            best = [file[f"best_{at}"] for at in range(notes["n_best"])]
        for at, (variable, value) in enumerate(zip(self._variables, values, strict=True)):
            wanted = variable.numpy()
            if (value.shape, value.dtype) != (wanted.shape, wanted.dtype):
                raise ValueError(
                    f"its variable {at} is {value.dtype} {value.shape}, not {wanted.dtype} "
                    f"{wanted.shape}."
                )
        return notes, values, best
