"""Paired tests: whether two models differ on the same rows by more than chance.

If two models are equally good, their predictions for a duplicate group can be swapped (Yeh 2000),
which changes the sign of the group's contribution to the difference. The tests compute the
distribution of the difference over all changes of sign exactly (Fisher 1935, "The Design of
Experiments", section 21), so they are valid with few discordant rows. Two models that are equal on
balance only, for example one with more recall and one with more precision, cannot be swapped: with
few rows of a class, the level of the test is then not exact. Areas under curves are not sums over
rows: they are tested by bootstrap.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from pipeline.evaluation import bootstrap
from pipeline.evaluation.groups import group_indices
from pipeline.evaluation.metrics import number
from pipeline.evaluation.scorer import Scorer, matrix_metrics

SIGNIFICANT = 0.05
#: Metrics that are the mean of a loss per row; lower is better.
LOSSES = ("log_loss", "brier")
#: Areas under curves, which need bootstrap samples.
AREAS = ("roc_auc", "roc_auc_micro", "average_precision")
_STEPS = 64  # grid steps of the largest contribution
_MAX_STEPS = 2**17  # grid steps of the sum of all contributions: bounds time and memory
_MIN_SAMPLES = 5  # bootstrap samples below which a share is not used
_ROUNDING = 1e-12


class Paired(NamedTuple):
    """Probabilities of a difference in accuracy at least as large if both models were equal.

    ``two_sided``: in either direction; ``first_better``: in favour of the first model.
    """

    two_sided: float
    first_better: float


def exact_test(
    first_right: np.ndarray, second_right: np.ndarray, groups: np.ndarray | None = None
) -> Paired:
    """Test whether two classifiers have the same accuracy on the same rows.

    Without duplicate groups this is the exact McNemar test (McNemar 1947; Fay 2010), which
    ``scipy.stats.binomtest`` computes as well; that test has no groups.

    Parameters
    ----------
    first_right, second_right : ndarray of bool, shape (n_rows,)
        Whether each prediction is right.

    Examples
    --------
    >>> first = np.array([True] * 4 + [False])
    >>> round(exact_test(first, np.zeros(5, dtype=bool)).two_sided, 6)
    0.125
    """
    difference = first_right.astype(np.int64) - second_right.astype(np.int64)
    totals = _by_group(difference, groups).astype(np.int64)
    observed = int(totals.sum())
    chances, largest = _sums_of_random_signs(np.abs(totals))
    two_sided = min(2 * _tail(chances, largest, abs(observed)), 1.0)
    return Paired(two_sided, _tail(chances, largest, observed))


def p_value(first: Scorer, second: Scorer, metric: str, samples: np.ndarray | None = None) -> float:
    """Test whether the first model is better by a metric, one-sided.

    Parameters
    ----------
    first, second : Scorer
        Of the same rows in the same order; the duplicate groups are those of the first.
    metric : str
        A metric of shape (n_sets,) of `Scorer.score`.
    samples : ndarray of float64, shape (n_samples,), optional
        First minus second in paired bootstrap samples; only areas under curves need them.

    Returns
    -------
    float
        Probability of a gain at least as large if both were equally good; nan where the rows do
        not define the metric, and for areas without samples.
    """
    if metric == "accuracy":
        return exact_test(first.is_right, second.is_right, first.groups).first_better
    if metric in AREAS:
        gain = float(first.score()[metric][0] - second.score()[metric][0])
        differs = np.abs(first.probabilities - second.probabilities).max(axis=1) > _ROUNDING
        discordant = group_indices(first.groups, first.n_rows)[differs]
        return bootstrap_test(gain, np.zeros(0) if samples is None else samples, discordant)
    return sign_flip_test(contributions(first, second, metric), first.groups)


def differences(
    first: Scorer,
    second: Scorer,
    first_replicates: Mapping[str, np.ndarray],
    second_replicates: Mapping[str, np.ndarray],
    names: Iterable[str],
) -> dict[str, dict[str, Any]]:
    """Compare metrics of two models on the same rows, first minus second.

    The replicates are metrics on the same bootstrap samples; they are empty without samples.

    Returns
    -------
    dict
        For each metric ``value``, ``interval`` (95 %; only with samples) and ``p_value``
        (two-sided; None if `p_value` is nan).
    """
    result: dict[str, dict[str, Any]] = {}
    for name in names:
        value = float(first.score()[name][0] - second.score()[name][0])
        result[name] = {"value": number(value)}
        samples = np.zeros(0)
        if first_replicates and second_replicates:
            samples = first_replicates[name] - second_replicates[name]
            result[name]["interval"] = number(bootstrap.interval(samples))
        is_first_better = (value < 0) if name in LOSSES else (value > 0)
        one_sided = (
            p_value(first, second, name, samples)
            if is_first_better
            else p_value(second, first, name, -samples)
        )
        two_sided = 1.0 if abs(value) <= _ROUNDING else min(2 * one_sided, 1.0)
        is_defined = not np.isnan(one_sided + value)
        result[name]["p_value"] = float(f"{two_sided:.6g}") if is_defined else None
    return result


def contributions(first: Scorer, second: Scorer, metric: str) -> np.ndarray:
    """Return the contribution of each row to the gain of the first model, shape (n_rows,).

    A loss is a mean over rows. Other metrics are a function F of the confusion matrix. Let M be the
    mean of both models' matrices. A row contributes F(M + D/2) - F(M - D/2), where D is the change
    of the matrix if the row has the first model's class instead of the second's. Contributions add
    up to the difference of the metric except for terms of third order. M does not depend on which
    rows are swapped.
    """
    if metric in LOSSES:
        index = LOSSES.index(metric)
        return (second.losses[index] - first.losses[index]) / first.n_rows
    width = first.n_classes
    middle = (first.score()["matrix"][0] + second.score()["matrix"][0]) / 2
    codes = (first.labels * width + first.predicted) * width + second.predicted
    # Rows with the same three classes contribute the same: compute each kind once.
    kinds, kind_of_row = np.unique(codes, return_inverse=True)
    true, first_class, second_class = kinds // width**2, kinds // width % width, kinds % width
    half = np.zeros((len(kinds), width, width))
    indices = np.arange(len(kinds))
    np.add.at(half, (indices, true, first_class), 0.5)
    np.add.at(half, (indices, true, second_class), -0.5)
    gain = matrix_metrics(middle + half)[metric] - matrix_metrics(middle - half)[metric]
    return np.where(first_class == second_class, 0.0, gain)[kind_of_row]


def sign_flip_test(gains: np.ndarray, groups: np.ndarray | None = None) -> float:
    """Return the probability of a sum of gains at least as large if signs of groups were random.

    With d groups that have a gain, no p-value is below 1 / 2 ** d.
    """
    gains = _by_group(gains, groups)
    sizes = np.abs(gains)
    if np.isnan(gains).any():
        return float("nan")
    if not sizes.any():
        return 1.0
    step = max(sizes.max() / _STEPS, sizes.sum() / _MAX_STEPS)
    steps = np.rint(gains / step).astype(np.int64)
    chances, largest = _sums_of_random_signs(np.abs(steps))
    return _tail(chances, largest, int(steps.sum()))


def bootstrap_test(gain: float, samples: np.ndarray, discordant: np.ndarray) -> float:
    """Return the one-sided p-value of a gain by its paired bootstrap samples; nan without samples.

    It is the largest of: the share of samples in which the first model is worse, ties counted half,
    if at least 5 samples support it; the normal tail with the bootstrap's standard error, for gains
    beyond all samples; and 1 / 2 ** d for the d groups of rows with discordant probabilities.
    """
    from scipy.special import ndtr

    samples = samples[~np.isnan(samples)]
    if not len(samples) or np.isnan(gain):
        return float("nan")
    if not len(discordant):
        return 1.0
    ties = np.mean(np.abs(samples) <= _ROUNDING) / 2
    share = float(np.mean(samples < -_ROUNDING) + ties)
    share = share if share * len(samples) >= _MIN_SAMPLES else 0.0
    spread = float(np.std(samples))
    tail = float(ndtr(-gain / spread)) if spread > 0 else 0.0
    return max(share, tail, 0.5 ** len(np.unique(discordant)))


def _by_group(values: np.ndarray, groups: np.ndarray | None) -> np.ndarray:
    """Sum values within duplicate groups."""
    return np.bincount(group_indices(groups, len(values)), weights=values)


def _sums_of_random_signs(sizes: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the probability of each sum of integers with random signs, and the largest sum.

    The sums are -largest, -largest + 2, ..., largest. Their probabilities follow from the
    characteristic function, a product of cosines.
    """
    from scipy.fft import irfft, next_fast_len

    counts = np.bincount(sizes, minlength=1)
    largest = int(counts @ np.arange(len(counts)))
    length = next_fast_len(largest + 1, real=True)
    angles = np.pi * np.arange(length // 2 + 1) / length
    transform = np.exp(-1j * angles * largest)
    for size in (np.flatnonzero(counts[1:]) + 1).tolist():
        transform *= np.cos(angles * size) ** counts[size]
    return irfft(transform, length)[: largest + 1], largest


def _tail(chances: np.ndarray, largest: int, total: int) -> float:
    """Return the probability of a sum of at least the total."""
    return float(np.clip(chances[(total + largest) // 2 :].sum(), 0.0, 1.0))
