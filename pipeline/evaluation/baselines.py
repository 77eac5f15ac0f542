"""What a model is measured against on the same rows, and whether the difference is chance."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.evaluation import bootstrap
from pipeline.evaluation.metrics import lay_out, number, replicate
from pipeline.evaluation.scorer import Scorer

#: Figures whose differences are tested by bootstrap.
COMPARED = ("accuracy", "macro_f1", "matthews", "roc_auc", "log_loss")


def majority(training_labels: np.ndarray, n_rows: int, n_classes: int) -> np.ndarray:
    """Return the training rows' class shares as everybody's probabilities.

    Parameters
    ----------
    training_labels : ndarray of int
    n_rows, n_classes : int

    Returns
    -------
    ndarray of float64, shape (n_rows, n_classes)
        The most probable class is the largest one.
    """
    shares = np.bincount(training_labels, minlength=n_classes) / max(len(training_labels), 1)
    return np.tile(shares, (n_rows, 1))


def mcnemar(model_right: np.ndarray, baseline_right: np.ndarray) -> dict[str, Any]:
    """Test whether two classifiers are right equally often on the same rows.

    Parameters
    ----------
    model_right, baseline_right : ndarray of bool, shape (n_rows,)

    Returns
    -------
    dict
        ``only_model_right``, ``only_baseline_right`` (rows), and ``p_value``: exact, two-sided
        binomial (McNemar 1947; Fay 2010).
    """
    from scipy.stats import binomtest

    first = int(np.count_nonzero(model_right & ~baseline_right))
    second = int(np.count_nonzero(~model_right & baseline_right))
    p_value = binomtest(first, first + second).pvalue if first + second else 1.0
    return {
        "only_model_right": first,
        "only_baseline_right": second,
        "p_value": float(f"{p_value:.6g}"),
    }


def compare(
    scorer: Scorer,
    replicates: Mapping[str, np.ndarray],
    probabilities: np.ndarray,
    class_names: Sequence[str],
    samples: int,
    seed: int,
) -> dict[str, Any]:
    """Score a baseline on the rows of a model and test the differences.

    Parameters
    ----------
    scorer : Scorer
        Of the model.
    replicates : mapping of str to ndarray
        The model's figures on bootstrap samples drawn with ``seed``; the baseline is scored on
        the same samples, so that differences are of the same rows.
    probabilities : ndarray of float64, shape (n_rows, n_classes)
        Of the baseline.
    class_names : sequence of str
    samples, seed : int

    Returns
    -------
    dict
        The layout of `pipeline.evaluation.metrics.evaluate`, with ``mcnemar`` and ``difference``:
        model minus baseline for each of `COMPARED`, as ``value`` and ``interval``.
    """
    other = Scorer(scorer.labels, probabilities)
    again = replicate(other, samples, seed) if samples else {}
    point, other_point = scorer.score(), other.score()
    difference = {}
    for name in COMPARED:
        entry = {"value": number(point[name][0] - other_point[name][0])}
        if samples:
            entry["interval"] = number(bootstrap.interval(replicates[name] - again[name]))
        difference[name] = entry
    return {
        **lay_out(other, class_names, replicates=again),
        "mcnemar": mcnemar(scorer.predicted == scorer.labels, other.predicted == other.labels),
        "difference": difference,
    }
