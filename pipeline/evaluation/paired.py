"""Paired tests: whether the difference of two models on the same rows is more than chance.

Accuracy: exact test over duplicate groups. Other metrics of the confusion matrix, and the mean
losses: permutation test that swaps the predictions of the two models within random groups, valid
with few discordant rows as well. Areas under curves: bootstrap, ties counted half, since scores of
two models are on different scales and cannot be swapped.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.evaluation import bootstrap
from pipeline.evaluation.metrics import number
from pipeline.evaluation.scorer import Scorer, of_matrix

SIGNIFICANT = 0.05
_DRAWS = 4999  # random swaps; with the observed assignment 5000
_LEAST_DRAWS = 999
_MOST_CHOICES = 50_000_000  # draws times groups, to bound the time
_LOSSES = ("log_loss", "brier")
_MOST_SWAPS = 4_000_000  # at once, to bound memory
_ROUNDING = 1e-9


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

    If both are equally good, the sign of the difference within a duplicate group is as likely
    positive as negative, and groups are independent. The distribution of the summed difference
    under all sign changes is computed exactly. Where no group has more than one discordant row,
    this is the exact McNemar test (McNemar 1947; Fay 2010).

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
    >>> exact_test(first, np.zeros(5, dtype=bool)).two_sided
    0.125
    """
    difference = first_right.astype(np.int64) - second_right.astype(np.int64)
    totals = difference
    if groups is not None:
        members = np.unique(groups, return_inverse=True)[1]
        totals = np.bincount(members, weights=difference).round().astype(np.int64)
    observed = int(totals.sum())
    chances, middle = _sign_flips(np.abs(totals))
    return Paired(
        int(np.count_nonzero(difference > 0)),
        int(np.count_nonzero(difference < 0)),
        min(2 * float(chances[middle + abs(observed) :].sum()), 1.0) if observed else 1.0,
        min(float(chances[middle + observed :].sum()), 1.0),
    )


def differences(
    first: Scorer,
    second: Scorer,
    replicates: Mapping[str, np.ndarray],
    other: Mapping[str, np.ndarray],
    names: Iterable[str],
    seed: int = 0,
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
    seed : int
        Of the swaps of the permutation test.

    Returns
    -------
    dict
        For each metric ``value``, ``interval`` (95 %, where samples were drawn) and ``p_value``
        (two-sided; None where the rows do not define the metric, and for areas under curves where
        no samples were drawn).
    """
    names = tuple(names)
    point, other_point = first.score(), second.score()
    by_swapping = swap_test(first, second, [name for name in names if _swappable(name)], seed)
    found: dict[str, dict[str, Any]] = {}
    for name in names:
        value = float(point[name][0] - other_point[name][0])
        entry: dict[str, Any] = {"value": number(value)}
        samples = replicates[name] - other[name] if replicates and other else np.zeros(0)
        if len(samples):
            entry["interval"] = number(bootstrap.interval(samples))
        if name == "accuracy":
            p_value = exact_test(first.is_right, second.is_right, first.groups).two_sided
        elif name in by_swapping:
            p_value = by_swapping[name]
        else:
            p_value = bootstrap_test(samples)
        entry["p_value"] = None if np.isnan(p_value + value) else float(f"{p_value:.6g}")
        found[name] = entry
    return found


def _swappable(name: str) -> bool:
    """Return whether a metric follows from confusion matrix or mean losses."""
    return name != "accuracy" and "roc_auc" not in name and name != "average_precision"


def swap_test(
    first: Scorer, second: Scorer, names: Iterable[str], seed: int = 0
) -> dict[str, float]:
    """Test differences by swapping the predictions of two models within random groups.

    If both models are equally good, it does not matter which of them a group's predictions came
    from (Yeh 2000). So they are swapped with probability one half in each duplicate group, and the
    p-value is the share of swaps whose difference is at least as large as the observed one.

    Parameters
    ----------
    first, second : Scorer
        Of the same rows in the same order.
    names : iterable of str
        Metrics of the confusion matrix, ``log_loss`` or ``brier``.
    seed : int

    Returns
    -------
    dict of str to float
        Two-sided p-value of each metric; nan where the rows do not define it.
    """
    names = tuple(names)
    if not names:
        return {}
    groups = np.arange(first.n_rows) if first.groups is None else first.groups
    members = np.unique(groups, return_inverse=True)[1]
    width = first.n_classes
    # What each group adds to the confusion matrices and to the sums of losses of both models.
    added = [_by_group(one, members) for one in (first, second)]
    total, gap = added[0].sum(axis=0), added[0] - added[1]
    other_total = added[1].sum(axis=0)
    gap = gap[np.abs(gap).max(axis=1) > 0]

    def score(sums: np.ndarray) -> dict[str, np.ndarray]:
        matrix = sums[:, : width * width].reshape(-1, width, width)
        with np.errstate(invalid="ignore", divide="ignore"):
            found = of_matrix(matrix)
        means = sums[:, width * width :] / first.n_rows
        return {**found, **{name: means[:, at] for at, name in enumerate(_LOSSES)}}

    def difference(moved: np.ndarray) -> dict[str, np.ndarray]:
        ours, theirs = score(total - moved), score(other_total + moved)
        return {name: np.abs(ours[name] - theirs[name]) for name in names}

    observed = difference(np.zeros((1, len(total))))
    as_large: dict[str, int] = dict.fromkeys(names, 0)
    draws = int(np.clip(_MOST_CHOICES // max(len(gap), 1), _LEAST_DRAWS, _DRAWS))
    for swapped in _swaps(len(gap), draws, seed):
        for name, values in difference(swapped @ gap).items():
            as_large[name] += int(np.count_nonzero(values >= observed[name] - _ROUNDING))
    return {
        name: float("nan") if np.isnan(observed[name][0]) else (count + 1) / (draws + 1)
        for name, count in as_large.items()
    }


def bootstrap_test(samples: np.ndarray) -> float:
    """Return the two-sided p-value of a bootstrapped difference; ties with 0 count half.

    Parameters
    ----------
    samples : ndarray, shape (n_samples,)
        Differences of bootstrap samples; nan where a sample does not define them.

    Returns
    -------
    float
        nan without samples. The smallest value is 2 / (n_samples + 1).
    """
    samples = samples[~np.isnan(samples)]
    if not len(samples):
        return float("nan")
    ties = np.count_nonzero(np.abs(samples) <= _ROUNDING) / 2
    below = np.count_nonzero(samples < -_ROUNDING) + ties
    smaller = min(below, len(samples) - below)
    return min(2 * (smaller + 1) / (len(samples) + 1), 1.0)


def _by_group(scorer: Scorer, members: np.ndarray) -> np.ndarray:
    """Return each group's confusion matrix and sums of losses, shape (n_groups, k * k + 2)."""
    width = scorer.n_classes**2
    n_groups = int(members.max(initial=-1)) + 1
    cells = scorer.labels * scorer.n_classes + scorer.predicted
    counts = np.bincount(members * width + cells, minlength=n_groups * width)
    losses = [np.bincount(members, weights=column, minlength=n_groups) for column in scorer.losses]
    return np.column_stack([counts.reshape(n_groups, width), *losses])


def _swaps(n_groups: int, draws: int, seed: int) -> Iterator[np.ndarray]:
    """Yield random choices of groups, float64, shape (n_in_block, n_groups)."""
    rng = np.random.default_rng(seed)
    block = max(_MOST_SWAPS // max(n_groups, 1), 1)
    for start in range(0, draws, block):
        size = (min(block, draws - start), n_groups)
        yield rng.integers(0, 2, size, dtype=np.int8).astype(np.float64)


def _sign_flips(sizes: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the probability of each sum of the sizes with random signs, and the place of 0."""
    chances, middle = np.ones(1), 0
    counts = np.bincount(sizes)
    for size in (np.flatnonzero(counts[1:]) + 1).tolist():
        count = int(counts[size])
        # The sum of `count` terms of +size or -size is size * (2 * heads - count).
        own = np.zeros(2 * count * size + 1)
        own[:: 2 * size] = _heads(count)
        chances = np.convolve(chances, own)
        middle += count * int(size)
    return chances, middle


def _heads(count: int) -> np.ndarray:
    """Return the probability of each number of heads of a fair coin, shape (count + 1,)."""
    from scipy.special import gammaln  # scipy.stats takes half a second to import

    heads = np.arange(count + 1)
    ways = gammaln(count + 1) - gammaln(heads + 1) - gammaln(count - heads + 1)
    return np.exp(ways - count * np.log(2))
