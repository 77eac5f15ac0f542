"""Paired tests: whether a challenger's gain on the holdout rows is more than chance.

Every test is one-sided and resamples duplicate groups. Its p-value is the probability of a gain at
least as large if challenger and champion were equally good.
"""

import numpy as np

from pipeline.evaluation.scorer import SMALLEST, Scorer, of_matrix

#: Metrics that follow from the decided classes alone, and those that are means of a loss.
OF_CLASSES = ("accuracy", "balanced_accuracy", "macro_f1", "weighted_f1", "matthews", "kappa")
OF_LOSSES = ("log_loss", "brier")

_STEPS = 64  # of the largest contribution: contributions are rounded to a grid
_MOST_STEPS = 2**17  # of the sum of all contributions, which bounds time and memory
_RESOLVED = 5  # bootstrap samples that a share must rest on
_ROUNDING = 1e-12


def row_losses(metric: str, labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return log loss (nats) or Brier score of each row, float64, shape (n_rows,)."""
    if metric == "log_loss":
        return -np.log(np.clip(probabilities[np.arange(len(labels)), labels], SMALLEST, 1))
    width = probabilities.shape[1]
    squares = ((probabilities - np.eye(width)[labels]) ** 2).sum(axis=1)
    return squares / (2 if width == 2 else 1)


def swap_gains(metric: str, first: Scorer, second: Scorer) -> np.ndarray:
    """Return what each row contributes to the gain of the first model in a metric of classes.

    The metric is a function F of the confusion matrix. Let M be the mean of both models' matrices.
    A row contributes F(M + D/2) - F(M - D/2), where D is what changes in the matrix if the row has
    the first model's class and not the second's. Contributions add up to the difference of the
    metric but for terms of third order, and M stays the same whichever rows are swapped.

    Returns
    -------
    ndarray of float64, shape (n_rows,)
    """
    width = first.n_classes
    matrices = [_matrix(scorer) for scorer in (first, second)]
    middle = (matrices[0] + matrices[1]) / 2
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

    If both models are equally good, the gain of a duplicate group is as likely negative as
    positive. The distribution of the sum under all changes of sign (Fisher 1935, "The Design of
    Experiments", section 21) is computed from its characteristic function, a product of cosines.
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
        Probability of a sum at least this large.

    Examples
    --------
    >>> round(sign_flip_test(np.array([0.5, 0.5, 0.5, 0.5, -0.5])), 6)
    0.1875
    """
    from scipy.fft import irfft, next_fast_len

    if groups is not None:
        gains = np.bincount(np.unique(groups, return_inverse=True)[1], weights=gains)
    sizes = np.abs(gains)
    if not sizes.any():
        return 1.0
    steps = np.rint(gains / max(sizes.max() / _STEPS, sizes.sum() / _MOST_STEPS)).astype(np.int64)
    counts = np.bincount(np.abs(steps))
    total = int(counts @ np.arange(len(counts)))
    # With B of each group 0 or 1, (sum + total) / 2 is the sum of size * B, from 0 to total.
    length = next_fast_len(total + 1, real=True)
    angles = np.pi * np.arange(length // 2 + 1) / length
    transform = np.exp(-1j * angles * total)
    for size in np.flatnonzero(counts[1:]) + 1:
        transform *= np.cos(angles * size) ** counts[size]
    chances = irfft(transform, length)[: total + 1]
    return float(np.clip(chances[(int(steps.sum()) + total) // 2 :].sum(), 0.0, 1.0))


def bootstrap_p_value(gain: float, gains: np.ndarray, discordant: int) -> float:
    """Return the p-value of a metric that has no exact test here, such as the ROC AUC.

    It is the largest of: the share of paired samples in which the challenger is worse, ties counted
    half, where it rests on at least 5 samples; the normal tail with the bootstrap's standard error,
    which goes on where samples end; and 1 / 2 ** d for d groups on which the models differ.

    Parameters
    ----------
    gain : float
        On the holdout rows.
    gains : ndarray of float64, shape (samples,)
        In paired samples; nan where a sample does not define the metric.
    discordant : int
        Groups whose probabilities differ.
    """
    from scipy.stats import norm

    gains = gains[~np.isnan(gains)]
    if not discordant or not len(gains):
        return 1.0
    share = float(np.mean(gains < -_ROUNDING) + np.mean(np.abs(gains) <= _ROUNDING) / 2)
    share = share if share * len(gains) >= _RESOLVED else 0.0
    spread = float(np.std(gains))
    tail = float(norm.sf(gain / spread)) if spread > 0 else 0.0
    return max(share, tail, 0.5**discordant)


def discordant_groups(first: np.ndarray, second: np.ndarray, groups: np.ndarray | None) -> int:
    """Count the duplicate groups with a row for which two models' probabilities differ."""
    differs = np.abs(first - second).max(axis=1) > _ROUNDING
    return int(np.count_nonzero(differs)) if groups is None else len(np.unique(groups[differs]))


def _matrix(scorer: Scorer) -> np.ndarray:
    """Return the confusion matrix, shape (n_classes, n_classes)."""
    width = scorer.n_classes
    cells = np.bincount(scorer.labels * width + scorer.predicted, minlength=width * width)
    return cells.reshape(width, width).astype(np.float64)
