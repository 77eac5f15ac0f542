"""Curves: metrics at each threshold on the probability of a class."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pipeline.evaluation.calibration import Reliability

_MAX_POINTS = 1000  # of a curve in the file
_COLUMNS = pa.schema(
    [
        *((name, pa.string()) for name in ("curve", "of")),
        *((name, pa.float64()) for name in ("x", "y", "threshold")),
        ("rows", pa.int64()),
    ]
)


@dataclass(frozen=True)
class Sweep:
    """Metrics at all thresholds, highest threshold first; all arrays have shape (n_steps,).

    A row is predicted positive if its score reaches the threshold. The first threshold is
    infinite, the last is below all scores. Precision is 1 without predicted positives.
    """

    thresholds: np.ndarray
    recall: np.ndarray
    false_positive_rate: np.ndarray
    precision: np.ndarray
    f1: np.ndarray
    accuracy: np.ndarray


def sweep(is_positive: np.ndarray, score: np.ndarray) -> Sweep:
    """Compute metrics at all thresholds.

    ``sklearn.metrics.roc_curve`` has the same steps, but no thresholds between scores, and does
    not accept rows of one class only.

    Examples
    --------
    >>> sweep(np.array([True, False, True]), np.array([0.9, 0.5, 0.1])).thresholds.tolist()
    [inf, 0.7, 0.3, 0.0]
    """
    order = np.argsort(-score, kind="stable")
    ordered = score[order]
    ends = np.flatnonzero(np.diff(ordered, append=-np.inf))
    levels = ordered[ends]
    # Midway between scores: the most robust threshold of those with the same one.
    midway = np.append((levels[:-1] + levels[1:]) / 2, 0.0 if levels[-1] >= 0 else levels[-1])
    predicted = np.append(0, ends + 1).astype(np.float64)
    right = np.append(0, np.cumsum(is_positive[order])[ends]).astype(np.float64)  # true positives
    wrong = predicted - right
    positives, negatives = int(is_positive.sum()), int((~is_positive).sum())
    return Sweep(
        np.append(np.inf, midway),
        recall=right / max(positives, 1),
        false_positive_rate=wrong / max(negatives, 1),
        precision=np.where(predicted > 0, right / np.maximum(predicted, 1), 1.0),
        f1=2 * right / np.maximum(predicted + positives, 1),
        accuracy=(right + negatives - wrong) / (positives + negatives),
    )


def curve_table(sweeps: Mapping[str, Sweep], reliabilities: Mapping[str, Reliability]) -> pa.Table:
    """Arrange curves of classes and of raw and calibrated probabilities as ``curves.parquet``.

    The columns are ``curve`` (roc: false positive rate and recall; precision_recall: recall and
    precision; f1, accuracy: threshold and metric; reliability: confidence and accuracy), ``of``
    (class, or raw and calibrated), ``x``, ``y``, ``threshold`` (null in reliability) and ``rows``
    (only in reliability). Curves of more than 1,000 steps are thinned evenly.
    """
    pieces = []
    for name, swept in sweeps.items():
        n_steps = len(swept.thresholds)
        kept = np.unique(np.linspace(0, n_steps - 1, min(n_steps, _MAX_POINTS)).astype(int))
        levels, empty = swept.thresholds[kept], [None] * len(kept)
        for curve, x, y in (
            ("roc", swept.false_positive_rate[kept], swept.recall[kept]),
            ("precision_recall", swept.recall[kept], swept.precision[kept]),
            ("f1", levels, swept.f1[kept]),
            ("accuracy", levels, swept.accuracy[kept]),
        ):
            pieces.append([[curve] * len(x), [name] * len(x), x, y, levels, empty])
    for name, diagram in reliabilities.items():
        used = diagram.rows > 0
        x, y, rows = diagram.confidence[used], diagram.accuracy[used], diagram.rows[used]
        pieces.append([["reliability"] * len(x), [name] * len(x), x, y, [None] * len(x), rows])
    return pa.concat_tables(pa.table(columns, schema=_COLUMNS) for columns in pieces)
