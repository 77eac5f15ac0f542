"""What a model is compared with on the same rows, and whether the difference is chance."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.evaluation.metrics import lay_out, replicate
from pipeline.evaluation.paired import SIGNIFICANT, differences, exact_test
from pipeline.evaluation.scorer import Scorer, of_matrix

#: Metrics whose differences are tested.
COMPARED = ("accuracy", "macro_f1", "matthews", "roc_auc", "log_loss")
#: The baseline that always predicts the largest class of the training rows.
MAJORITY = "majority"
_LEADING = ("accuracy", "macro_f1")


def leading(has_threshold: bool) -> tuple[str, str]:
    """Return the metrics of the verdict: the leading one, by which a baseline is chosen, first.

    Parameters
    ----------
    has_threshold : bool
        Whether a threshold was chosen. It gives up accuracy on purpose, for a class that matters
        more, so macro F1 leads; otherwise accuracy does.
    """
    return _LEADING[::-1] if has_threshold else _LEADING


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


def mcnemar(
    model_right: np.ndarray, baseline_right: np.ndarray, groups: np.ndarray | None = None
) -> dict[str, Any]:
    """Test whether two classifiers are right equally often on the same rows.

    Parameters
    ----------
    model_right, baseline_right : ndarray of bool, shape (n_rows,)
    groups : ndarray of int, shape (n_rows,), optional
        Duplicate group of each row; every row is its own group when left out.

    Returns
    -------
    dict
        ``only_model_right``, ``only_baseline_right`` (rows), and ``p_value``: exact, two-sided
        (`pipeline.evaluation.paired.exact_test`).
    """
    found = exact_test(model_right, baseline_right, groups)
    return {
        "only_model_right": found.only_first,
        "only_baseline_right": found.only_second,
        "p_value": float(f"{found.two_sided:.6g}"),
    }


def compare(
    scorer: Scorer,
    replicates: Mapping[str, np.ndarray],
    other: Scorer,
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
        The model's metrics on bootstrap samples drawn with ``seed``; the baseline is scored on
        the same samples, so that differences are of the same rows.
    other : Scorer
        Of the baseline, with the same duplicate groups.
    class_names : sequence of str
    samples, seed : int

    Returns
    -------
    dict
        The layout of `pipeline.evaluation.metrics.evaluate`, with ``mcnemar`` and ``difference``:
        model minus baseline for each of `COMPARED`, as ``value``, ``interval`` and ``p_value``.
    """
    again = replicate(other, samples, seed) if samples else {}
    return {
        **lay_out(other, class_names, replicates=again),
        "mcnemar": mcnemar(scorer.is_right, other.is_right, scorer.groups),
        "difference": differences(scorer, other, replicates, again, COMPARED),
    }


def score(labels: np.ndarray, decided: np.ndarray, n_classes: int, metric: str) -> float:
    """Return a metric of decided classes.

    Parameters
    ----------
    labels, decided : ndarray of int, shape (n_rows,)
    n_classes : int
    metric : str
        A number of `pipeline.evaluation.scorer.of_matrix`.
    """
    matrix = np.zeros((1, n_classes, n_classes))
    np.add.at(matrix[0], (labels, decided), 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return float(of_matrix(matrix)[metric][0])


def choose(
    validation: Mapping[str, float], names: Sequence[str], metric: str = _LEADING[0]
) -> tuple[str, dict[str, Any]]:
    """Choose the baseline that the verdict is about: the best on validation rows.

    Test rows choose nothing, so the verdict's p-value stays valid. The largest class is chosen
    only where there is no other baseline: with rare classes it can have the best accuracy, and
    still no model learned anything from it.

    Parameters
    ----------
    validation : mapping of str to float
        The leading metric of each baseline's decided classes on validation rows; empty without
        such rows.
    names : sequence of str
        The baselines in their order, which decides between equal ones.
    metric : str
        Name of the leading metric, see `leading`.

    Returns
    -------
    name : str
    chosen_by : dict
        ``part`` and ``metric`` (None without validation rows: the first baseline is taken), and
        ``values``: the score of each baseline.
    """
    trained = [name for name in names if name != MAJORITY] or list(names)
    if not validation:
        return trained[0], {"part": None, "metric": None, "values": {}}
    best = max(trained, key=lambda name: validation[name])
    return best, {"part": "validation", "metric": metric, "values": dict(validation)}


def verdict(compared: Mapping[str, Any], metrics: tuple[str, str] = _LEADING) -> dict[str, Any]:
    """Judge a model against a baseline by the p-values of their differences.

    Parameters
    ----------
    compared : mapping
        Of `compare`.
    metrics : tuple of str
        The leading metric and the other one, see `leading`: accuracy and macro F1, or macro F1 and
        accuracy where a threshold was chosen.

    Returns
    -------
    dict
        ``level``: better (the leading metric is significantly higher, the other not significantly
        lower), worse (the leading metric significantly lower, or the other where the leading one
        does not differ), mixed (one is significantly higher, the other lower or not higher), no
        better (neither differs); ``metric``: the one that decided, with its ``difference`` and
        ``p_value``.
    """
    first, second = (_direction(compared["difference"][name]) for name in metrics)
    if first < 0 or (first == 0 and second < 0):
        level = "worse"
    elif first > 0 and second >= 0:
        level = "better"
    else:
        level = "mixed" if first > 0 or second > 0 else "no better"
    metric = metrics[1] if first == 0 and second != 0 else metrics[0]
    entry = compared["difference"][metric]
    return {
        "level": level,
        "metric": metric,
        "difference": entry["value"],
        "p_value": entry["p_value"],
    }


def _direction(entry: Mapping[str, Any]) -> int:
    """Return 1 or -1 where a difference is significant, else 0."""
    value, p_value = entry["value"], entry["p_value"]
    if value is None or p_value is None or p_value >= SIGNIFICANT:
        return 0
    return (value > 0) - (value < 0)
