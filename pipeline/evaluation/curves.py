"""Curves: the counts of each threshold on the probability of a class."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pipeline.evaluation.calibration import Reliability

_MAX_POINTS = 1000  # of a curve in the file
_COLUMNS = pa.schema(
    {
        "curve": pa.string(),
        "of": pa.string(),
        "x": pa.float64(),
        "y": pa.float64(),
        "threshold": pa.float64(),
        "rows": pa.int64(),
    }
)


@dataclass(frozen=True)
class Sweep:
    """Counts at all thresholds, highest threshold first.

    Attributes
    ----------
    thresholds : ndarray of float64, shape (n_steps,)
        A row is predicted positive if its score reaches the threshold. The first threshold is
        infinite, the last one is below all scores.
    true_positives, false_positives : ndarray of float64, shape (n_steps,)
    positives, negatives : int
        Rows of the class, and other rows.
    """

    thresholds: np.ndarray
    true_positives: np.ndarray
    false_positives: np.ndarray
    positives: int
    negatives: int

    @property
    def recall(self) -> np.ndarray:
        """Share of positives that are predicted positive."""
        return self.true_positives / max(self.positives, 1)

    @property
    def false_positive_rate(self) -> np.ndarray:
        """Share of negatives that are predicted positive."""
        return self.false_positives / max(self.negatives, 1)

    @property
    def precision(self) -> np.ndarray:
        """Share of predicted positives that are positive; 1 without any."""
        predicted = self.true_positives + self.false_positives
        return np.where(predicted > 0, self.true_positives / np.maximum(predicted, 1), 1.0)

    @property
    def f1(self) -> np.ndarray:
        """Harmonic mean of precision and recall."""
        total = self.true_positives + self.false_positives + self.positives
        return 2 * self.true_positives / np.maximum(total, 1)

    @property
    def accuracy(self) -> np.ndarray:
        """Share of rows with the right prediction."""
        right = self.true_positives + self.negatives - self.false_positives
        return right / (self.positives + self.negatives)


def sweep(is_positive: np.ndarray, score: np.ndarray) -> Sweep:
    """Count true and false positives at all thresholds.

    The counts are those of ``sklearn.metrics.roc_curve``, which has no thresholds between scores
    and does not accept rows of one class only.

    Parameters
    ----------
    is_positive : ndarray of bool, shape (n_rows,)
    score : ndarray of float64, shape (n_rows,)
        Higher for rows that are more likely positive.

    Returns
    -------
    Sweep

    Examples
    --------
    >>> sweep(np.array([True, False, True]), np.array([0.9, 0.5, 0.1])).thresholds.tolist()
    [inf, 0.7, 0.3, 0.0]
    """
    order = np.argsort(-score, kind="stable")
    ordered = score[order]
    ends = np.flatnonzero(np.diff(ordered, append=-np.inf))
    true_positives = np.cumsum(is_positive[order])[ends]
    levels = ordered[ends]
    # Midway between scores: the most robust threshold of those with the same counts.
    midway = np.append((levels[:-1] + levels[1:]) / 2, 0.0 if levels[-1] >= 0 else levels[-1])
    return Sweep(
        np.concatenate([[np.inf], midway]),
        np.concatenate([[0], true_positives]).astype(np.float64),
        np.concatenate([[0], ends + 1 - true_positives]).astype(np.float64),
        int(is_positive.sum()),
        int((~is_positive).sum()),
    )


def curve_table(sweeps: Mapping[str, Sweep], reliabilities: Mapping[str, Reliability]) -> pa.Table:
    """Arrange curves as one long table, for ``curves.parquet``.

    Parameters
    ----------
    sweeps : mapping of str to Sweep
        By class.
    reliabilities : mapping of str to Reliability
        By ``raw`` and ``calibrated``.

    Returns
    -------
    pa.Table
        ``curve`` (roc: false positive rate and recall; precision_recall: recall and precision;
        f1, accuracy: threshold and metric; reliability: confidence and accuracy), ``of`` (class,
        or raw and calibrated), ``x``, ``y``, ``threshold`` (null in reliability), ``rows`` (null
        in other curves). Curves of more than 1,000 steps are thinned evenly.
    """
    pieces = []
    for name, one in sweeps.items():
        n_steps = len(one.thresholds)
        kept = np.unique(np.linspace(0, n_steps - 1, min(n_steps, _MAX_POINTS)).astype(int))
        levels = one.thresholds[kept]
        for curve, x, y in (
            ("roc", one.false_positive_rate[kept], one.recall[kept]),
            ("precision_recall", one.recall[kept], one.precision[kept]),
            ("f1", levels, one.f1[kept]),
            ("accuracy", levels, one.accuracy[kept]),
        ):
            pieces.append(_curve(curve, name, x, y, thresholds=levels))
    for name, diagram in reliabilities.items():
        used = diagram.rows > 0
        x, y, rows = diagram.confidence[used], diagram.accuracy[used], diagram.rows[used]
        pieces.append(_curve("reliability", name, x, y, rows=rows))
    return pa.concat_tables(pieces)


def _curve(
    curve: str,
    of: str,
    x: np.ndarray,
    y: np.ndarray,
    thresholds: np.ndarray | None = None,
    rows: np.ndarray | None = None,
) -> pa.Table:
    """Return the rows of one curve."""
    n = len(x)
    optional = [[None] * n if values is None else values for values in (thresholds, rows)]
    return pa.table([[curve] * n, [of] * n, x, y, *optional], schema=_COLUMNS)
