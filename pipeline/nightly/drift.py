"""Drift: how far tonight's rows are from what the champion was trained on."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pipeline.text.tokens import Tokens

OK, WARNING, STOP = "ok", "warning", "stop"
LEVELS = (OK, WARNING, STOP)


@dataclass(frozen=True)
class Limits:
    """Levels from which drift is noted, and from which it ends a night.

    Attributes
    ----------
    warning_psi, stop_psi : float
        Of the population stability index; 0.1 and 0.25 are the field's custom (Siddiqi 2006).
    warning_distance, stop_distance : float
        Of the Jensen-Shannon distance, base 2.
    """

    warning_psi: float = 0.1
    stop_psi: float = 0.25
    warning_distance: float = 0.13
    stop_distance: float = 0.21


@dataclass(frozen=True)
class Sample:
    """What is compared of a set of rows.

    Attributes
    ----------
    labels : ndarray of int, shape (n_rows,)
        Class index, -1 without a label.
    tokens : Tokens
        Of the rows' texts; the lengths compared are theirs.
    scores : ndarray of float64, shape (n_scored, n_classes), or None
        The champion's probabilities; of the reference, for rows that it was **not** trained on
        (validation rows), as a model is more certain of rows it has seen. None: not compared.
    """

    labels: np.ndarray
    tokens: Tokens
    scores: np.ndarray | None = None


@dataclass(frozen=True)
class Distribution:
    """One distribution, before and now.

    Attributes
    ----------
    name : {"classes", "lengths", "tokens", "scores"}
    bins : sequence of str
    reference, current : sequence of int
        Counts in each bin.
    psi, distance : float
        Population stability index, Jensen-Shannon distance (base 2, 0 to 1).
    chance : float
        Population stability index that chance alone exceeds in 1 of 1,000 nights; below it no
        level is reached.
    level : {"ok", "warning", "stop"}
    sentence : str
    """

    name: str
    bins: Sequence[str]
    reference: Sequence[int]
    current: Sequence[int]
    psi: float
    distance: float
    chance: float
    level: str
    sentence: str


@dataclass(frozen=True)
class Drift:
    """All distributions, and the highest level among them.

    Attributes
    ----------
    level : {"ok", "warning", "stop"}
    sentence : str
    distributions : sequence of Distribution
    """

    level: str
    sentence: str
    distributions: Sequence[Distribution]

    def as_json(self) -> dict[str, Any]:
        """Return what ``night.json`` holds under ``drift``."""
        return asdict(self)


def population_stability_index(reference: np.ndarray, current: np.ndarray) -> float:
    """Return the population stability index of two sets of counts over the same bins."""
    raise NotImplementedError


def jensen_shannon(reference: np.ndarray, current: np.ndarray) -> float:
    """Return the Jensen-Shannon distance, base 2, of two sets of counts over the same bins."""
    raise NotImplementedError


def compare(
    reference: Sample, current: Sample, class_names: Sequence[str], limits: Limits
) -> Drift:
    """Compare classes, lengths, tokens and predicted scores.

    Parameters
    ----------
    reference : Sample
        What the champion was trained on.
    current : Sample
        Tonight's rows.
    class_names : sequence of str
    limits : Limits

    Returns
    -------
    Drift
    """
    raise NotImplementedError
