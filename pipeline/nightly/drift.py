"""Drift: how far tonight's rows are from what the champion was trained on."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from math import inf
from typing import Any

import numpy as np

from pipeline.errors import PipelineError
from pipeline.nightly.divergence import (
    BY_CHANCE,
    chance_index,
    jensen_shannon,
    population_stability_index,
)
from pipeline.nightly.frequent import frequent_counts, tokens_by_chance
from pipeline.text.tokens import Tokens

OK, WARNING, STOP = "ok", "warning", "stop"
LEVELS = (OK, WARNING, STOP)
_BINS = 10  # of lengths and scores, the custom for the population stability index


@dataclass(frozen=True)
class Limits:
    """Levels from which drift is noted, and from which it ends a night.

    Attributes
    ----------
    warning_psi, stop_psi : float
        Of the population stability index; 0.1 and 0.25 are the field's custom (Siddiqi 2006).
    warning_distance, stop_distance : float
        Of the Jensen-Shannon distance, base 2. Small shifts of a stability index s have a distance
        of about the root of s / (8 ln 2): 0.13 and 0.21 are what 0.1 and 0.25 come to.
    """

    warning_psi: float = 0.1
    stop_psi: float = 0.25
    warning_distance: float = 0.13
    stop_distance: float = 0.21

    def __post_init__(self) -> None:
        """Raise where a level cannot be meant."""
        for name, most in (("psi", inf), ("distance", 1.0)):
            warning, stop = getattr(self, f"warning_{name}"), getattr(self, f"stop_{name}")
            if not 0 < warning <= stop <= most:
                raise PipelineError(
                    f"drift's warning_{name} and stop_{name} must be above 0, the second not below "
                    f"the first{f' and at most {most:g}' if most < inf else ''}, got {warning:g} "
                    f"and {stop:g}."
                )


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
    about : str
        What is counted.
    bins : sequence of str
    reference, current : sequence of int
        Counts in each bin.
    psi, distance : float
        Population stability index, Jensen-Shannon distance (base 2, 0 to 1).
    chance : float
        Population stability index that chance alone exceeds in about 1 of 1,000 nights; below it
        no level is reached.
    level : {"ok", "warning", "stop"}
    sentence : str
    """

    name: str
    about: str
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
    limits : Limits
        That the levels follow from.
    """

    level: str
    sentence: str
    distributions: Sequence[Distribution]
    limits: Limits

    def as_json(self) -> dict[str, Any]:
        """Return what ``night.json`` holds under ``drift``."""
        return asdict(self)


def compare(
    reference: Sample, current: Sample, class_names: Sequence[str], limits: Limits
) -> Drift:
    """Compare classes, lengths, tokens and predicted scores.

    Lengths and scores are counted in bins that hold a tenth of the reference each; tokens are the
    200 most frequent of both sides, and the rest as one. What one side has nothing of is left out.

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
    found = [
        _classes(reference.labels, current.labels, class_names, limits),
        _lengths(reference.tokens.lengths, current.tokens.lengths, limits),
        _tokens(reference.tokens, current.tokens, limits),
        _scores(reference.scores, current.scores, class_names, limits),
    ]
    distributions = [one for one in found if one is not None]
    level = max((one.level for one in distributions), key=LEVELS.index, default=OK)
    telling = [one.sentence for one in distributions if one.level == level]
    sentence = "nothing drifted beyond the warning level" if level == OK else "; ".join(telling)
    return Drift(level, sentence, distributions, limits)


def _classes(
    before: np.ndarray, now: np.ndarray, class_names: Sequence[str], limits: Limits
) -> Distribution | None:
    """Compare how many rows each class has."""
    width = len(class_names)
    counts = (
        np.bincount(before[before >= 0], minlength=width),
        np.bincount(now[now >= 0], minlength=width),
    )
    return _compared("classes", "rows of each class", class_names, counts, limits)


def _lengths(before: np.ndarray, now: np.ndarray, limits: Limits) -> Distribution | None:
    """Compare tokens per text."""
    if not len(before):
        return None
    edges = _edges(before, np.floor)
    starts = [0, *(int(edge) + 1 for edge in edges)]
    ends = [int(edge) for edge in edges]
    bins = [
        f"{start}" if start == end else f"{start} to {end}"
        for start, end in zip(starts, ends, strict=False)
    ]
    bins.append(f"{starts[-1]} and more")
    counts = (_count(before, edges), _count(now, edges))
    return _compared("lengths", "tokens in a text", bins, counts, limits)


def _tokens(before: Tokens, now: Tokens, limits: Limits) -> Distribution | None:
    """Compare how often the most frequent tokens stand there."""
    bins, *counts = frequent_counts(before, now)
    if not all(side.sum() for side in counts):
        return None
    chance = tokens_by_chance(before, len(now), len(now.codes))
    return _compared("tokens", "share of all tokens", bins, (counts[0], counts[1]), limits, chance)


def _scores(
    before: np.ndarray | None,
    now: np.ndarray | None,
    class_names: Sequence[str],
    limits: Limits,
) -> Distribution | None:
    """Compare the champion's probabilities: of the second of two classes, or the worst of all."""
    if before is None or now is None or not len(before):
        return None
    found = []
    numbers = [1] if len(class_names) == 2 else range(len(class_names))
    for number in numbers:
        edges = _edges(before[:, number])
        bounds = ["0", *(f"{edge:.3f}" for edge in edges), "1"]
        bins = [f"{low} to {high}" for low, high in itertools.pairwise(bounds)]
        counts = (_count(before[:, number], edges), _count(now[:, number], edges))
        about = f"champion's probability of {class_names[number]}"
        # The worst of several classes is told: together they exceed it as rarely as one.
        chance = chance_index(len(bins), len(before), len(now), BY_CHANCE / len(numbers))
        found.append(_compared("scores", about, bins, counts, limits, chance))
    known = [one for one in found if one is not None]
    return max(known, key=lambda one: (LEVELS.index(one.level), one.psi), default=None)


def _edges(values: np.ndarray, rounding: Callable[[Any], Any] = np.asarray) -> np.ndarray:
    """Return the inner edges of bins with a tenth of the values each, equal ones once."""
    inner = np.linspace(0, 1, _BINS + 1)[1:-1]
    return np.unique(rounding(np.quantile(values, inner)))


def _count(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Count values in bins that hold their upper edge; the outer ones are open."""
    return np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1)


def _compared(
    name: str,
    about: str,
    bins: Sequence[str],
    counts: tuple[np.ndarray, np.ndarray],
    limits: Limits,
    chance: float | None = None,
) -> Distribution | None:
    """Put two sets of counts beside each other; nothing where one is empty."""
    before, now = counts
    if not before.sum() or not now.sum():
        return None
    psi, distance = population_stability_index(before, now), jensen_shannon(before, now)
    if chance is None:
        chance = chance_index(len(bins), int(before.sum()), int(now.sum()))
    level = _level(psi, distance, chance, limits)
    text = (
        f"{name} ({about}): population stability index {psi:.3f}, Jensen-Shannon distance "
        f"{distance:.3f}"
    )
    if level == OK and _level(psi, distance, 0.0, limits) != OK:
        text += f"; so few rows come to {chance:.3f} by chance"
    elif level != OK:
        least = (limits.stop_psi, limits.stop_distance)
        if level == WARNING:
            least = (limits.warning_psi, limits.warning_distance)
        text += f" ({level} from {least[0]:g} or {least[1]:g})"
    return Distribution(
        name, about, list(bins), before.tolist(), now.tolist(), psi, distance, chance, level, text
    )


def _level(psi: float, distance: float, chance: float, limits: Limits) -> str:
    """Return the highest level that either figure reaches, unless chance alone can do it."""
    if psi <= chance:
        return OK
    if psi >= limits.stop_psi or distance >= limits.stop_distance:
        return STOP
    if psi >= limits.warning_psi or distance >= limits.warning_distance:
        return WARNING
    return OK
