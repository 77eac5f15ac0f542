"""Calibration: whether a probability of 0.8 is right in 8 of 10 cases, and making it so."""

from dataclasses import dataclass

import numpy as np

BINS = 15  # as in Guo et al. 2017
UPPER = 0.95  # quantile of the error by chance
_SMALLEST = 1e-15
_RANGE = (0.05, 20.0)  # temperatures that are searched
_FOLDS = 5
_SIMULATIONS = 1000
_LEAST_SIMULATIONS = 200
_MOST_DRAWS = 20_000_000  # rows times simulations, to bound the time
_AT_ONCE = 2_000_000  # draws, to bound memory


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
    found = minimize_scalar(
        lambda log_temperature: _losses(labels, logs, np.exp(log_temperature)).mean(),
        bounds=np.log(_RANGE),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return round(float(np.exp(found.x)), 6)


def choose_temperature(
    labels: np.ndarray, probabilities: np.ndarray, groups: np.ndarray | None = None
) -> tuple[float, str]:
    """Fit a temperature, and use it only if it helps on rows that it was not fitted on.

    The log loss is cross-validated over five folds of duplicate groups. A temperature always
    lowers the log loss of the rows it was fitted on, also where the model is calibrated already.

    Parameters
    ----------
    labels : ndarray of int, shape (n_rows,)
        Of validation rows.
    probabilities : ndarray of float64, shape (n_rows, n_classes)
    groups : ndarray of int, shape (n_rows,), optional
        Duplicate group of each row; every row is its own group when left out.

    Returns
    -------
    temperature : float
        1 where no temperature is used.
    reason : str
        Why none is used; empty where one is.
    """
    members = np.arange(len(labels)) if groups is None else groups
    distinct, members = np.unique(members, return_inverse=True)
    if len(distinct) < 2:
        return 1.0, "fewer than two distinct validation rows that the model was not trained on"
    folds = np.random.default_rng(0).permutation(len(distinct))[members] % _FOLDS
    logs = np.log(np.maximum(probabilities, _SMALLEST))
    before = _losses(labels, logs, 1.0).mean()
    total = 0.0
    for fold in np.unique(folds):
        held = folds == fold
        temperature = fit_temperature(labels[~held], probabilities[~held])
        total += float(_losses(labels[held], logs[held], temperature).sum())
    after = total / len(labels)
    if after >= before:
        reason = (
            f"it does not lower the cross-validated log loss of validation rows "
            f"({after:.4f} with a temperature, {before:.4f} without)"
        )
        return 1.0, reason
    return fit_temperature(labels, probabilities), ""


def _losses(labels: np.ndarray, logs: np.ndarray, temperature: float) -> np.ndarray:
    """Return each row's log loss at a temperature, from log probabilities."""
    scaled = logs / temperature
    top = scaled.max(axis=1)
    normalizer = top + np.log(np.exp(scaled - top[:, None]).sum(axis=1))
    return normalizer - scaled[np.arange(len(labels)), labels]


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
    """Expected calibration error that a perfectly calibrated model shows.

    Attributes
    ----------
    mean : float
    upper : float
        Bound that the error of a calibrated model exceeds in 5 % of samples, or as asked for.
    """

    mean: float
    upper: float


def error_by_chance(
    probabilities: np.ndarray,
    seed: int = 0,
    groups: np.ndarray | None = None,
    level: float = UPPER,
) -> ByChance:
    """Simulate the expected calibration error of a calibrated model with these probabilities.

    In a finite sample the error of a calibrated model is above 0: the share of right predictions
    in a bin varies around its mean probability. So labels are drawn from the probabilities, and
    the error of each draw is computed (Vaicenavicius et al. 2019, consistency resampling).

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n_rows, n_classes)
    seed : int
    groups : ndarray of int, shape (n_rows,), optional
        Duplicate groups: copies of a text are right or wrong together. Every row is its own group
        when left out.
    level : float
        Share of the samples of a calibrated model whose error is at most ``upper``.

    Returns
    -------
    ByChance
        Of 1000 simulations; of more than 20,000 rows fewer, 200 at least.
    """
    confidence = probabilities.max(axis=1)
    n_rows = len(confidence)
    members = None if groups is None else np.unique(groups, return_inverse=True)[1]
    n_groups = n_rows if members is None else int(members.max()) + 1
    simulations = int(np.clip(_MOST_DRAWS // n_rows, _LEAST_SIMULATIONS, _SIMULATIONS))
    # Rows in the order of their bins, so that a bin is one slice.
    bins = _bins(confidence)
    order = np.argsort(bins, kind="stable")
    starts = np.flatnonzero(np.diff(bins[order], prepend=-1))
    confidence = confidence[order]
    columns = order if members is None else members[order]
    expected = np.add.reduceat(confidence, starts)
    rng = np.random.default_rng(seed)
    block = max(_AT_ONCE // n_rows, 1)
    errors = []
    for start in range(0, simulations, block):
        drawn = rng.random((min(block, simulations - start), n_groups))
        is_right = (drawn[:, columns] < confidence).astype(np.int32)
        right = np.add.reduceat(is_right, starts, axis=1)
        errors.append(np.abs(right - expected).sum(axis=1) / n_rows)
    found = np.concatenate(errors)
    return ByChance(float(found.mean()), float(np.quantile(found, level)))


def _bins(confidence: np.ndarray) -> np.ndarray:
    """Return the bin of each confidence; a bin holds its upper bound, the last one holds 1."""
    return np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
