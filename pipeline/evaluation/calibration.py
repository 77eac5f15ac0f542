"""Calibration: whether a probability of 0.8 is right in 8 of 10 cases, and making it so."""

from dataclasses import dataclass

import numpy as np

BINS = 15  # as in Guo et al. 2017
_SMALLEST = 1e-15
_RANGE = (0.05, 20.0)  # temperatures that are searched


def temper(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Divide the log probabilities by a temperature and normalise.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n_rows, n_classes)
    temperature : float
        Above 1 makes predictions less certain, below 1 more; the order of classes stays.

    Returns
    -------
    ndarray of float64, shape (n_rows, n_classes)
    """
    if temperature == 1:
        return probabilities
    scaled = np.log(np.maximum(probabilities, _SMALLEST)) / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    powers = np.exp(scaled)
    return powers / powers.sum(axis=1, keepdims=True)


def fit_temperature(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the temperature with the least log loss (Guo et al. 2017).

    Parameters
    ----------
    labels : ndarray of int, shape (n_rows,)
        Of rows that the model was not trained on, and that are not test rows.
    probabilities : ndarray of float64, shape (n_rows, n_classes)

    Returns
    -------
    float
        Within 0.05 and 20.
    """
    from scipy.optimize import minimize_scalar

    logs = np.log(np.maximum(probabilities, _SMALLEST))
    own = logs[np.arange(len(labels)), labels]

    def loss(log_temperature: float) -> float:
        scale = np.exp(-log_temperature)
        scaled = logs * scale
        top = scaled.max(axis=1)
        normaliser = top + np.log(np.exp(scaled - top[:, None]).sum(axis=1))
        return float(np.mean(normaliser - own * scale))

    found = minimize_scalar(loss, bounds=np.log(_RANGE), method="bounded", options={"xatol": 1e-6})
    return round(float(np.exp(found.x)), 6)


@dataclass(frozen=True)
class Reliability:
    """Rows gathered by how certain their prediction is.

    Attributes
    ----------
    rows : ndarray of int, shape (BINS,)
    confidence, accuracy : ndarray of float64, shape (BINS,)
        Mean probability of the predicted class, and share of right predictions; nan in an empty
        bin.
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
    """Gather rows in bins of equal width of the predicted class' probability.

    Parameters
    ----------
    labels : ndarray of int, shape (n_rows,)
    probabilities : ndarray of float64, shape (n_rows, n_classes)

    Returns
    -------
    Reliability
    """
    confidence = probabilities.max(axis=1)
    is_right = probabilities.argmax(axis=1) == labels
    # A bin holds its upper bound, so that certainty itself is in the last one.
    place = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    rows = np.bincount(place, minlength=BINS)
    with np.errstate(invalid="ignore"):
        return Reliability(
            rows,
            np.bincount(place, weights=confidence, minlength=BINS) / rows,
            np.bincount(place, weights=is_right, minlength=BINS) / rows,
        )
