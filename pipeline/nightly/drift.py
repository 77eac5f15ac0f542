"""Drift of a night's rows from the rows that the champion was trained on."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.errors import SettingError
from pipeline.nightly import divergence
from pipeline.text.tokens import Tokens

OK, WARNING, STOP = "ok", "warning", "stop"
LEVELS = (OK, WARNING, STOP)
_BINS = 10  # of lengths and scores, usual for the population stability index


@dataclass(frozen=True)
class Limits:
    """Levels at which drift is a warning and at which it stops a night.

    Levels of the population stability index (psi) are customary (Siddiqi 2006). Those of the
    Jensen-Shannon distance, base 2, correspond to them: a small shift with index s has a distance
    of about sqrt(s / (8 ln 2)).
    """

    warning_psi: float = 0.1
    stop_psi: float = 0.25
    warning_distance: float = 0.13
    stop_distance: float = 0.21

    def __post_init__(self) -> None:
        for name in ("psi", "distance"):
            warning, stop = getattr(self, f"warning_{name}"), getattr(self, f"stop_{name}")
            if warning > stop:
                raise SettingError(
                    f"stop_{name} of [drift] must be at least warning_{name}, got {stop:g} and "
                    f"{warning:g}; change luigi.cfg."
                )


@dataclass(frozen=True)
class Sample:
    """Properties of a set of rows that are compared."""

    labels: np.ndarray  # int, shape (n_rows,): class index, -1 without a label
    tokens: Tokens
    # float64, shape (n_scored, n_classes), or None: the champion's probabilities of rows that it
    # was not trained on, because a model is more certain of its training rows.
    scores: np.ndarray | None = None


@dataclass(frozen=True)
class Distribution:
    """Comparison of the classes, lengths, tokens or scores of two samples."""

    name: str  # "classes", "lengths", "tokens" or "scores"
    about: str  # what is counted
    bins: Sequence[str]
    reference: Sequence[int]  # counts in each bin
    current: Sequence[int]
    psi: float  # population stability index
    distance: float  # Jensen-Shannon distance, base 2, 0 to 1
    chance: float  # index that chance alone exceeds in 1 of 1,000 nights; up to it the level is ok
    level: str  # one of `LEVELS`
    sentence: str


@dataclass(frozen=True)
class Drift:
    """The key ``drift`` of ``night.json``; ``level`` is the highest of all distributions."""

    level: str
    sentence: str
    distributions: Sequence[Distribution]
    limits: Limits


def compare(
    reference: Sample, current: Sample, class_names: Sequence[str], limits: Limits
) -> Drift:
    """Compare classes, lengths, tokens and scores of the night with the champion's training rows.

    Lengths and scores are counted in bins with a tenth of the reference each, tokens in bins of the
    200 most frequent tokens of both sides and a bin of all others. A distribution that is empty on
    one side is omitted.
    """
    comparisons = (
        _classes(reference.labels, current.labels, class_names, limits),
        _lengths(reference.tokens.lengths, current.tokens.lengths, limits),
        _tokens(reference.tokens, current.tokens, limits),
        _scores(reference.scores, current.scores, class_names, limits),
    )
    distributions = [one for one in comparisons if one is not None]
    level = max((one.level for one in distributions), key=LEVELS.index, default=OK)
    sentence = "; ".join(one.sentence for one in distributions if one.level == level)
    if level == OK:
        sentence = "nothing drifted beyond the warning level"
    return Drift(level, sentence, distributions, limits)


def _classes(
    before: np.ndarray, now: np.ndarray, class_names: Sequence[str], limits: Limits
) -> Distribution | None:
    """Compare the number of rows of each class."""
    width = len(class_names)
    before, now = before[before >= 0], now[now >= 0]
    if not len(before) or not len(now):
        return None
    counts = np.bincount(before, minlength=width), np.bincount(now, minlength=width)
    return _compare_counts("classes", "rows of each class", class_names, counts, limits)


def _lengths(before: np.ndarray, now: np.ndarray, limits: Limits) -> Distribution | None:
    """Compare the number of tokens of each text."""
    if not len(before) or not len(now):
        return None
    edges = np.unique(np.floor(_edges(before))).astype(int)
    starts = [0, *(edges + 1).tolist()]
    bins = [
        f"{end}" if start == end else f"{start} to {end}"
        for start, end in zip(starts, edges.tolist(), strict=False)
    ]
    bins.append(f"{starts[-1]} and more")
    counts = _histogram(before, edges), _histogram(now, edges)
    return _compare_counts("lengths", "tokens in a text", bins, counts, limits)


def _tokens(before: Tokens, now: Tokens, limits: Limits) -> Distribution | None:
    """Compare the frequencies of the most frequent tokens."""
    if not len(before.codes) or not len(now.codes):
        return None
    bins, counts = divergence.frequent_tokens(before, now)
    chance = divergence.token_chance_index(before, len(now), len(now.codes))
    return _compare_counts("tokens", "share of all tokens", bins, counts, limits, chance)


def _scores(
    before: Any, now: Any, class_names: Sequence[str], limits: Limits
) -> Distribution | None:
    """Compare the champion's probability of the second of two classes, or the worst of all."""
    if before is None or now is None or not len(before) or not len(now):
        return None
    classes = [1] if len(class_names) == 2 else range(len(class_names))
    comparisons = []
    for index in classes:
        edges = _edges(before[:, index])
        bounds = ["0", *(f"{edge:.3f}" for edge in edges), "1"]
        bins = [f"{low} to {high}" for low, high in itertools.pairwise(bounds)]
        counts = _histogram(before[:, index], edges), _histogram(now[:, index], edges)
        # Bonferroni: the worst of several classes exceeds it as rarely as a single one would.
        share = divergence.BY_CHANCE / len(classes)
        chance = divergence.chance_index(len(bins), len(before), len(now), share)
        about = f"champion's probability of {class_names[index]}"
        comparisons.append(_compare_counts("scores", about, bins, counts, limits, chance))
    return max(comparisons, key=lambda one: (LEVELS.index(one.level), one.psi))


def _edges(values: np.ndarray) -> np.ndarray:
    """Return the distinct inner edges of bins with a tenth of the values each."""
    return np.unique(np.quantile(values, np.linspace(0, 1, _BINS + 1)[1:-1]))


def _histogram(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Count values in bins that include their upper edge; the outer bins are open."""
    return np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1)


def _compare_counts(
    name: str,
    about: str,
    bins: Sequence[str],
    counts: tuple[np.ndarray, np.ndarray],
    limits: Limits,
    chance: float | None = None,
) -> Distribution:
    """Compare two sets of counts, neither of them all zero.

    The Jensen-Shannon distance is the square root of the divergence (Lin 1991), which is a metric
    (Endres and Schindelin 2003).
    """
    from scipy.spatial.distance import jensenshannon

    before, now = counts
    psi = divergence.population_stability_index(before, now)
    distance = float(jensenshannon(before, now, base=2))
    if chance is None:
        chance = divergence.chance_index(len(bins), int(before.sum()), int(now.sum()))
    level = _level(psi, distance, limits)
    values = f"population stability index {psi:.3f}, Jensen-Shannon distance {distance:.3f}"
    sentence = f"{name} ({about}): {values}"
    if level != OK and psi <= chance:
        level = OK
        sentence += f"; with so few rows chance alone reaches {chance:.3f}"
    elif level != OK:
        least = getattr(limits, f"{level}_psi"), getattr(limits, f"{level}_distance")
        sentence += f" ({level} from {least[0]:g} or {least[1]:g})"
    both = before.tolist(), now.tolist()
    return Distribution(name, about, list(bins), *both, psi, distance, chance, level, sentence)


def _level(psi: float, distance: float, limits: Limits) -> str:
    """Return the highest level that the index or the distance reaches."""
    if psi >= limits.stop_psi or distance >= limits.stop_distance:
        return STOP
    return WARNING if psi >= limits.warning_psi or distance >= limits.warning_distance else OK
