"""How far apart two distributions are, from counts over the same bins."""

import numpy as np

_SMOOTHING = 0.5  # rows added to each bin
#: Share of nights without drift in which a distribution may exceed what chance explains.
BY_CHANCE = 0.001


def population_stability_index(reference: np.ndarray, current: np.ndarray) -> float:
    """Return the population stability index of two sets of counts over the same bins.

    It is the sum over bins of (q - p) ln(q / p) for the shares p before and q now, in nats
    (Siddiqi 2006, "Credit Risk Scorecards"), which is Jeffreys' symmetric divergence (1946). An
    empty bin would make it infinite: half a row is added to every bin of either side before
    shares are taken (the estimate of Krichevsky and Trofimov 1981).

    Parameters
    ----------
    reference, current : ndarray of int, shape (n_bins,)

    Returns
    -------
    float
        0 for equal shares, without an upper bound.
    """
    return float(_contributions(reference, current).sum())


def jensen_shannon(reference: np.ndarray, current: np.ndarray) -> float:
    """Return the Jensen-Shannon distance, base 2, of two sets of counts over the same bins.

    The square root of the divergence (Lin 1991), which is a metric (Endres and Schindelin 2003).
    Empty bins need no smoothing.

    Parameters
    ----------
    reference, current : ndarray of int, shape (n_bins,)
        Neither all zero.

    Returns
    -------
    float
        From 0 for equal shares to 1 for bins that have nothing in common.
    """
    before, now = reference / reference.sum(), current / current.sum()
    middle = (before + now) / 2
    divergence = (_relative_entropy(before, middle) + _relative_entropy(now, middle)) / 2
    return float(np.sqrt(max(divergence, 0.0)))


def chance_index(
    bins: int, reference_rows: int, current_rows: int, share: float = BY_CHANCE
) -> float:
    """Return the population stability index that chance alone exceeds in few nights.

    Bins must count rows that are drawn one by one. Without drift the index is distributed as
    (1/n + 1/m) times chi-square with one degree of freedom less than there are bins (Yurdakul
    2018, "Statistical Properties of Population Stability Index").

    Parameters
    ----------
    bins, reference_rows, current_rows : int
    share : float
        Of the nights without drift that exceed it.
    """
    from scipy.stats import chi2

    quantile = float(chi2.ppf(1 - share, max(bins - 1, 1)))
    return quantile * (1 / max(reference_rows, 1) + 1 / max(current_rows, 1))


def fitted_chance(indices: np.ndarray, share: float = BY_CHANCE) -> float:
    """Return the index that chance exceeds in few nights, from indices that chance brought about.

    A multiple of a chi-square variable with their mean and variance is fitted (Satterthwaite 1946;
    for counts of clusters Rao and Scott 1981), as few draws say little of the tail.

    Parameters
    ----------
    indices : ndarray of float64
        Population stability indices of samples without drift.
    share : float
        See `chance_index`.
    """
    from scipy.stats import chi2

    mean, variance = float(np.mean(indices)), float(np.var(indices))
    if not variance:
        return mean
    return variance / (2 * mean) * float(chi2.ppf(1 - share, 2 * mean**2 / variance))


def _contributions(reference: np.ndarray, current: np.ndarray) -> np.ndarray:
    """Return what each bin adds to the population stability index."""
    before = (reference + _SMOOTHING) / (reference + _SMOOTHING).sum()
    now = (current + _SMOOTHING) / (current + _SMOOTHING).sum()
    return (now - before) * np.log(now / before)


def _relative_entropy(shares: np.ndarray, others: np.ndarray) -> float:
    """Return the relative entropy in bits; a share of 0 adds nothing."""
    some = shares > 0
    return float(np.sum(shares[some] * np.log2(shares[some] / others[some])))
