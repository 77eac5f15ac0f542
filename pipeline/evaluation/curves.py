"""Curves: what each threshold on a class' probability would find and get wrong."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pipeline.evaluation.calibration import Reliability

_MOST_POINTS = 1000  # of a curve in the file


@dataclass(frozen=True)
class Sweep:
    """Counts at every threshold, the highest first; a row is taken when its score reaches it.

    Attributes
    ----------
    thresholds : ndarray of float64, shape (n_steps,)
        Between neighbouring scores; the first is infinite and takes no row, the last takes all.
    found, wrong : ndarray of float64, shape (n_steps,)
        Rows taken that are of the class, and that are not.
    positives, negatives : int
        Rows of the class, and others.
    """

    thresholds: np.ndarray
    found: np.ndarray
    wrong: np.ndarray
    positives: int
    negatives: int

    @property
    def recall(self) -> np.ndarray:
        """Share of the class' rows that is taken."""
        return self.found / max(self.positives, 1)

    @property
    def false_positive_rate(self) -> np.ndarray:
        """Share of the other rows that is taken."""
        return self.wrong / max(self.negatives, 1)

    @property
    def precision(self) -> np.ndarray:
        """Share of the rows taken that is of the class; 1 where none is taken."""
        taken = self.found + self.wrong
        return np.where(taken > 0, self.found / np.maximum(taken, 1), 1.0)

    @property
    def f1(self) -> np.ndarray:
        """Harmonic mean of precision and recall."""
        return 2 * self.found / np.maximum(self.found + self.wrong + self.positives, 1)

    @property
    def accuracy(self) -> np.ndarray:
        """Share of all rows that is on its right side."""
        return (self.found + self.negatives - self.wrong) / (self.positives + self.negatives)


def sweep(is_positive: np.ndarray, score: np.ndarray) -> Sweep:
    """Count what each threshold takes.

    Parameters
    ----------
    is_positive : ndarray of bool, shape (n_rows,)
    score : ndarray of float64, shape (n_rows,)
        Higher for rows more likely of the class.

    Returns
    -------
    Sweep
    """
    order = np.argsort(-score, kind="stable")
    ordered = score[order]
    ends = np.flatnonzero(np.diff(ordered, append=-np.inf))
    found = np.cumsum(is_positive[order])[ends]
    levels = ordered[ends]
    # Half way to the next score: the most robust of the thresholds that part the same rows.
    between = np.append((levels[:-1] + levels[1:]) / 2, 0.0 if levels[-1] >= 0 else levels[-1])
    return Sweep(
        np.concatenate([[np.inf], between]),
        np.concatenate([[0], found]).astype(np.float64),
        np.concatenate([[0], ends + 1 - found]).astype(np.float64),
        int(is_positive.sum()),
        int((~is_positive).sum()),
    )


def curve_table(sweeps: Mapping[str, Sweep], reliabilities: Mapping[str, Reliability]) -> pa.Table:
    """Lay curves out as one long table, for ``curves.parquet``.

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
        f1, accuracy: threshold and figure; reliability: confidence and accuracy), ``of`` (class,
        or raw and calibrated), ``x``, ``y``, ``threshold``, ``rows``; the last two are null
        where they mean nothing. Curves of more than 1,000 steps are thinned evenly.
    """
    pieces = []
    for name, one in sweeps.items():
        kept = _thinned(len(one.thresholds))
        levels = one.thresholds
        for curve, x, y in (
            ("roc", one.false_positive_rate, one.recall),
            ("precision_recall", one.recall, one.precision),
            ("f1", levels, one.f1),
            ("accuracy", levels, one.accuracy),
        ):
            pieces.append(_piece(curve, name, x[kept], y[kept], levels[kept], None))
    for name, rates in reliabilities.items():
        used = rates.rows > 0
        pieces.append(
            _piece(
                "reliability",
                name,
                rates.confidence[used],
                rates.accuracy[used],
                None,
                rates.rows[used],
            )
        )
    return pa.concat_tables(pieces)


def _thinned(n_steps: int) -> np.ndarray:
    """Choose steps evenly, the first and the last among them."""
    return np.unique(np.linspace(0, n_steps - 1, min(n_steps, _MOST_POINTS)).astype(int))


def _piece(
    curve: str,
    of: str,
    x: np.ndarray,
    y: np.ndarray,
    thresholds: np.ndarray | None,
    rows: np.ndarray | None,
) -> pa.Table:
    """Make the rows of one curve."""
    n = len(x)
    return pa.table(
        {
            "curve": pa.array([curve] * n, pa.string()),
            "of": pa.array([of] * n, pa.string()),
            "x": pa.array(x, pa.float64()),
            "y": pa.array(y, pa.float64()),
            "threshold": pa.nulls(n, pa.float64())
            if thresholds is None
            else pa.array(thresholds, pa.float64()),
            "rows": pa.nulls(n, pa.int64()) if rows is None else pa.array(rows, pa.int64()),
        }
    )
