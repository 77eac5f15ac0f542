"""Calibration: whether a probability of 0.8 is right in 8 of 10 cases, and how to correct it."""

from dataclasses import dataclass

import numpy as np

from pipeline.evaluation.groups import group_indices
from pipeline.evaluation.scorer import SMALLEST

BINS = 15  # as in Guo et al. 2017
UPPER = 0.95  # quantile of the calibration error by chance
_TEMPERATURES = (0.05, 20.0)  # range of the search
_FOLDS = 5
_MAX_SIMULATIONS, _MIN_SIMULATIONS = 1000, 200
_MAX_DRAWS = 20_000_000  # rows times simulations: bounds the time
_BLOCK_DRAWS = 2_000_000  # bounds memory


def temper(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Divide log probabilities by a temperature and normalise (Guo et al. 2017).

    Parameters
    ----------
    temperature : float
        Above 1 predictions become less certain, below 1 more certain; their order is kept.

    Examples
    --------
    >>> temper(np.array([[0.9, 0.1]]), 2.0).round(3).tolist()
    [[0.75, 0.25]]
    """
    if temperature == 1:
        return probabilities
    from scipy.special import softmax

    return softmax(_logs(probabilities) / temperature, axis=1)


def fit_temperature(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the temperature from 0.05 to 20 with the lowest log loss (Guo et al. 2017)."""
    from scipy.optimize import minimize_scalar

    logs = _logs(probabilities)
    result = minimize_scalar(
        lambda log_temperature: _log_losses(labels, logs, np.exp(log_temperature)).mean(),
        bounds=np.log(_TEMPERATURES),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return round(float(np.exp(result.x)), 6)


def choose_temperature(
    labels: np.ndarray, probabilities: np.ndarray, groups: np.ndarray | None = None
) -> tuple[float, str]:
    """Fit a temperature and use it only if it lowers the cross-validated log loss.

    A temperature always lowers the log loss of the rows that it was fitted on, also for a
    calibrated model. The rows are validation rows; duplicate groups are not split between folds.

    Returns
    -------
    temperature : float
        1 if no temperature is used.
    reason : str
        Why no temperature is used; empty if one is used.
    """
    indices = group_indices(groups, len(labels))
    n_groups = int(indices.max(initial=-1)) + 1
    if n_groups < 2:
        return 1.0, "fewer than two distinct validation rows that the model was not trained on"
    folds = np.random.default_rng(0).permutation(n_groups)[indices] % _FOLDS
    logs = _logs(probabilities)
    before = _log_losses(labels, logs, 1.0).mean()
    total = 0.0
    for fold in np.unique(folds):
        held_out = folds == fold
        temperature = fit_temperature(labels[~held_out], probabilities[~held_out])
        total += float(_log_losses(labels[held_out], logs[held_out], temperature).sum())
    after = total / len(labels)
    if after < before:
        return fit_temperature(labels, probabilities), ""
    return 1.0, (
        f"it does not lower the cross-validated log loss of validation rows "
        f"({after:.4f} with a temperature, {before:.4f} without)"
    )


def _logs(probabilities: np.ndarray) -> np.ndarray:
    """Return finite log probabilities."""
    return np.log(np.maximum(probabilities, SMALLEST))


def _log_losses(labels: np.ndarray, logs: np.ndarray, temperature: float) -> np.ndarray:
    """Return each row's log loss at a temperature, from log probabilities."""
    scaled = logs / temperature
    top = scaled.max(axis=1)
    normalizer = top + np.log(np.exp(scaled - top[:, None]).sum(axis=1))
    return normalizer - scaled[np.arange(len(labels)), labels]


@dataclass(frozen=True)
class Reliability:
    """Reliability diagram: rows in bins of the probability of the predicted class.

    All arrays have shape (BINS,). The confidence is the mean probability of the predicted class;
    confidence and accuracy are nan in an empty bin.
    """

    rows: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray

    @property
    def error(self) -> float:
        """Expected calibration error: mean of |accuracy - confidence| over rows."""
        gaps = np.abs(self.accuracy - self.confidence)
        return float(np.nansum(gaps * self.rows) / self.rows.sum())


def reliability(labels: np.ndarray, probabilities: np.ndarray) -> Reliability:
    """Group rows in bins of equal width of the predicted class' probability (Guo et al. 2017).

    Examples
    --------
    >>> probabilities = np.array([[0.75, 0.25], [0.75, 0.25]])
    >>> reliability(np.array([0, 1]), probabilities).error
    0.25
    """
    confidence = probabilities.max(axis=1)
    is_right = probabilities.argmax(axis=1) == labels
    bins = _bins(confidence)
    rows = np.bincount(bins, minlength=BINS)
    with np.errstate(invalid="ignore"):
        return Reliability(
            rows,
            np.bincount(bins, weights=confidence, minlength=BINS) / rows,
            np.bincount(bins, weights=is_right, minlength=BINS) / rows,
        )


@dataclass(frozen=True)
class ByChance:
    """Expected calibration error of a perfectly calibrated model: its mean and upper bound."""

    mean: float
    upper: float


def error_by_chance(
    probabilities: np.ndarray,
    seed: int = 0,
    groups: np.ndarray | None = None,
    level: float = UPPER,
) -> ByChance:
    """Simulate the expected calibration error of a calibrated model with these probabilities.

    In a finite sample, the error of a calibrated model is above 0: the share of right predictions
    in a bin varies around its mean probability. The simulation draws labels from the probabilities
    and computes the error of each draw (consistency resampling, Vaicenavicius et al. 2019).

    Parameters
    ----------
    groups : ndarray of int, shape (n_rows,), optional
        Rows of a group are right or wrong together.
    level : float
        Share of samples of a calibrated model whose error is at most ``upper``.

    Returns
    -------
    ByChance
        From 1000 simulations; from fewer, at least 200, for more than 20,000 rows.
    """
    confidence = probabilities.max(axis=1)
    n_rows = len(confidence)
    indices = group_indices(groups, n_rows)
    n_groups = int(indices.max()) + 1
    simulations = int(np.clip(_MAX_DRAWS // n_rows, _MIN_SIMULATIONS, _MAX_SIMULATIONS))
    # Rows are sorted by bin, so that a bin is one slice.
    bins = _bins(confidence)
    order = np.argsort(bins, kind="stable")
    starts = np.flatnonzero(np.diff(bins[order], prepend=-1))
    confidence, indices = confidence[order], indices[order]
    expected = np.add.reduceat(confidence, starts)
    rng = np.random.default_rng(seed)
    block = max(_BLOCK_DRAWS // n_rows, 1)
    blocks = []
    for start in range(0, simulations, block):
        drawn = rng.random((min(block, simulations - start), n_groups))
        is_right = (drawn[:, indices] < confidence).astype(np.int32)
        right = np.add.reduceat(is_right, starts, axis=1)
        blocks.append(np.abs(right - expected).sum(axis=1) / n_rows)
    errors = np.concatenate(blocks)
    return ByChance(float(errors.mean()), float(np.quantile(errors, level)))


def _bins(confidence: np.ndarray) -> np.ndarray:
    """Return the bin of each confidence; a bin includes its upper bound."""
    return np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
