"""Paired tests: whether the difference of two models on the same rows is more than chance."""

from dataclasses import dataclass

import numpy as np


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


def _sign_flips(sizes: np.ndarray) -> tuple[np.ndarray, int]:
    """Return the probability of each sum of the sizes with random signs, and the place of 0."""
    from scipy.stats import binom

    chances, middle = np.ones(1), 0
    counts = np.bincount(sizes)
    for size in (np.flatnonzero(counts[1:]) + 1).tolist():
        count = int(counts[size])
        # The sum of `count` terms of +size or -size is size * (2 * heads - count).
        own = np.zeros(2 * count * size + 1)
        own[:: 2 * size] = binom.pmf(np.arange(count + 1), count, 0.5)
        chances = np.convolve(chances, own)
        middle += count * size
    return chances, middle
