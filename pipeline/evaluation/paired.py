"""Paired tests: whether the difference of two models on the same rows is more than chance.

If two models are equally good, it does not matter which of them a duplicate group's predictions
came from: they can be swapped (Yeh 2000), which changes the sign of the group's contribution to the
difference. The distribution of the difference under all such changes of sign is computed exactly
(Fisher 1935, "The Design of Experiments", section 21), so the tests are valid with few discordant
rows as well. Models that are equal only on balance, such as one of more recall and one of more
precision, are not interchangeable: with few rows of a class, the level of such a test is not exact.
Areas under curves have no such contributions: they are tested by bootstrap.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.evaluation import bootstrap
from pipeline.evaluation.metrics import number
from pipeline.evaluation.scorer import Scorer, of_matrix

SIGNIFICANT = 0.05
#: Metrics that are means of a loss of each row; lower is better.
LOSSES = ("log_loss", "brier")
#: Areas under curves, which need bootstrap samples.
AREAS = ("roc_auc", "roc_auc_pairs", "average_precision")
_STEPS = 64  # of the largest contribution: contributions are rounded to a grid
_MOST_STEPS = 2**17  # of the sum of all contributions, which bounds time and memory
_RESOLVED = 5  # bootstrap samples that a share must rest on
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Paired:
    """An exact test of whether two classifiers are right equally often.

    Attributes
    ----------
    only_first, only_second : int
        Rows that only the first, or only the second, classifies correctly (discordant rows).
    two_sided : float
        Probability of a difference at least this large, in either direction, if both were equal.
    first_better : float
        Probability of a difference at least this large in favour of the first, if both were equal.
    """

    only_first: int
    only_second: int
    two_sided: float
    first_better: float


def exact_test(
    first_right: np.ndarray, second_right: np.ndarray, groups: np.ndarray | None = None
) -> Paired:
    """Test whether two classifiers are right equally often on the same rows.

    Where no duplicate group has more than one discordant row, this is the exact McNemar test
    (McNemar 1947; Fay 2010).

    Parameters
    ----------
    first_right, second_right : ndarray of bool, shape (n_rows,)
    groups : ndarray of int, shape (n_rows,), optional
        Duplicate group of each row; every row is its own group when left out.

    Returns
    -------
    Paired

    Examples
    --------
    >>> first = np.array([True] * 4 + [False])
    >>> round(exact_test(first, np.zeros(5, dtype=bool)).two_sided, 6)
    0.125
    """
    difference = first_right.astype(np.int64) - second_right.astype(np.int64)
    totals = _by_group(difference, groups).round().astype(np.int64)
    observed = int(totals.sum())
    chances, most = _sums_of_random_signs(np.abs(totals))
    return Paired(
        int(np.count_nonzero(difference > 0)),
        int(np.count_nonzero(difference < 0)),
        min(2 * _tail(chances, most, abs(observed)), 1.0),
        _tail(chances, most, observed),
    )


def p_value(first: Scorer, second: Scorer, metric: str, samples: np.ndarray | None = None) -> float:
    """Test whether the first model is better in a metric, one-sided.

    Parameters
    ----------
    first, second : Scorer
        Of the same rows in the same order; the duplicate groups are those of the first.
    metric : str
        A metric that a `Scorer` gives one number for.
    samples : ndarray of float64, shape (n_samples,), optional
        First minus second in paired bootstrap samples; needed for areas under curves alone.

    Returns
    -------
    float
        Probability of a gain at least this large if both were equally good; nan where the rows do
        not define the metric, and for areas without samples.
    """
    if metric == "accuracy":
        return exact_test(first.is_right, second.is_right, first.groups).first_better
    if metric in AREAS:
        gain = float(first.score()[metric][0] - second.score()[metric][0])
        differs = np.abs(first.probabilities - second.probabilities).max(axis=1) > _ROUNDING
        groups = np.arange(first.n_rows) if first.groups is None else first.groups
        return bootstrap_test(gain, np.zeros(0) if samples is None else samples, groups[differs])
    return sign_flip_test(contributions(first, second, metric), first.groups)


def differences(
    first: Scorer,
    second: Scorer,
    replicates: Mapping[str, np.ndarray],
    other: Mapping[str, np.ndarray],
    names: Iterable[str],
) -> dict[str, dict[str, Any]]:
    """Compare metrics of two models on the same rows, first minus second.

    Parameters
    ----------
    first, second : Scorer
        Of the same rows in the same order; the duplicate groups are those of the first.
    replicates, other : mapping of str to ndarray
        Metrics of both on the same bootstrap samples; empty where none were drawn.
    names : iterable of str
        Metrics that a `Scorer` gives one number for.

    Returns
    -------
    dict
        For each metric ``value``, ``interval`` (95 %, where samples were drawn) and ``p_value``
        (two-sided; None where `p_value` is nan).
    """
    point, other_point = first.score(), second.score()
    found: dict[str, dict[str, Any]] = {}
    for name in names:
        value = float(point[name][0] - other_point[name][0])
        entry: dict[str, Any] = {"value": number(value)}
        samples = replicates[name] - other[name] if replicates and other else np.zeros(0)
        if len(samples):
            entry["interval"] = number(bootstrap.interval(samples))
        is_first_better = (value < 0) if name in LOSSES else (value > 0)
        one_sided = (
            p_value(first, second, name, samples)
            if is_first_better
            else p_value(second, first, name, -samples)
        )
        chance = 1.0 if abs(value) <= _ROUNDING else min(2 * one_sided, 1.0)
        entry["p_value"] = None if np.isnan(one_sided + value) else float(f"{chance:.6g}")
        found[name] = entry
    return found


def contributions(first: Scorer, second: Scorer, metric: str) -> np.ndarray:
    """Return what each row contributes to the gain of the first model.

    A loss is a mean over rows. Other metrics are a function F of the confusion matrix. Let M be the
    mean of both models' matrices. A row contributes F(M + D/2) - F(M - D/2), where D is what
    changes in the matrix if the row has the first model's class and not the second's.
    Contributions add up to the difference of the metric but for terms of third order, and M stays
    the same whichever rows are swapped.

    Parameters
    ----------
    first, second : Scorer
        Of the same rows in the same order.
    metric : str
        One of `LOSSES`, or a metric of the confusion matrix.

    Returns
    -------
    ndarray of float64, shape (n_rows,)
    """
    if metric in LOSSES:
        at = LOSSES.index(metric)
        return (second.losses[at] - first.losses[at]) / first.n_rows
    width = first.n_classes
    middle = (first.score()["matrix"][0] + second.score()["matrix"][0]) / 2
    codes = (first.labels * width + first.predicted) * width + second.predicted
    kinds, kind_of_row = np.unique(codes, return_inverse=True)
    truth, mine, other = kinds // width**2, kinds // width % width, kinds % width
    half = np.zeros((len(kinds), width, width))
    places = np.arange(len(kinds))
    np.add.at(half, (places, truth, mine), 0.5)
    np.add.at(half, (places, truth, other), -0.5)
    with np.errstate(invalid="ignore", divide="ignore"):
        above = of_matrix(middle + half)[metric]
        below = of_matrix(middle - half)[metric]
    return np.where(mine == other, 0.0, above - below)[kind_of_row]


def sign_flip_test(gains: np.ndarray, groups: np.ndarray | None = None) -> float:
    """Test whether the sum of gains is above zero.

    With d groups that have a gain, no p-value is below 1 / 2 ** d: few discordant rows never
    suffice.

    Parameters
    ----------
    gains : ndarray of float64, shape (n_rows,)
    groups : ndarray of int, shape (n_rows,), optional
        Duplicate group of each row; every row is its own group when left out.

    Returns
    -------
    float
        Probability of a sum at least this large if signs of groups were random.

    Examples
    --------
    >>> round(sign_flip_test(np.array([0.5, 0.5, 0.5, 0.5, -0.5])), 6)
    0.1875
    """
    gains = _by_group(gains, groups)
    sizes = np.abs(gains)
    if np.isnan(gains).any():
        return float("nan")
    if not sizes.any():
        return 1.0
    steps = np.rint(gains / max(sizes.max() / _STEPS, sizes.sum() / _MOST_STEPS)).astype(np.int64)
    chances, most = _sums_of_random_signs(np.abs(steps))
    return _tail(chances, most, int(steps.sum()))


def bootstrap_test(gain: float, samples: np.ndarray, discordant: np.ndarray) -> float:
    """Test a gain by its paired bootstrap samples, one-sided.

    Parameters
    ----------
    gain : float
    samples : ndarray of float64, shape (n_samples,)
        The gain in bootstrap samples; nan where a sample does not define the metric.
    discordant : ndarray of int
        Duplicate groups of the rows for which the models' probabilities differ.

    Returns
    -------
    float
        The largest of: the share of samples in which the first is worse, ties counted half, where
        it rests on at least 5 samples; the normal tail with the bootstrap's standard error, which
        goes on where samples end; and 1 / 2 ** d for d discordant groups. nan without samples.
    """
    from scipy.special import ndtr

    samples = samples[~np.isnan(samples)]
    if not len(samples) or np.isnan(gain):
        return float("nan")
    if not len(discordant):
        return 1.0
    ties = np.mean(np.abs(samples) <= _ROUNDING) / 2
    share = float(np.mean(samples < -_ROUNDING) + ties)
    share = share if share * len(samples) >= _RESOLVED else 0.0
    spread = float(np.std(samples))
    tail = float(ndtr(-gain / spread)) if spread > 0 else 0.0
    return max(share, tail, 0.5 ** len(np.unique(discordant)))


def _by_group(values: np.ndarray, groups: np.ndarray | None) -> np.ndarray:
    """Sum values within duplicate groups."""
    if groups is None:
        return values.astype(np.float64)
    return np.bincount(np.unique(groups, return_inverse=True)[1], weights=values)


def _sums_of_random_signs(sizes: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the probability of each sum of whole sizes with random signs.

    Returns
    -------
    chances : ndarray of float64, shape (most + 1,)
        Of the sums -most, -most + 2, ..., most: from the characteristic function, a product of
        cosines.
    most : int
        Sum of the sizes.
    """
    from scipy.fft import irfft, next_fast_len

    counts = np.bincount(sizes, minlength=1)
    most = int(counts @ np.arange(len(counts)))
    length = next_fast_len(most + 1, real=True)
    angles = np.pi * np.arange(length // 2 + 1) / length
    transform = np.exp(-1j * angles * most)
    for size in (np.flatnonzero(counts[1:]) + 1).tolist():
        transform *= np.cos(angles * size) ** counts[size]
    return irfft(transform, length)[: most + 1], most


def _tail(chances: np.ndarray, most: int, total: int) -> float:
    """Return the probability of a sum of at least the total."""
    return float(np.clip(chances[(total + most) // 2 :].sum(), 0.0, 1.0))
