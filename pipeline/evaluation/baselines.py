"""What a model is compared with on the same rows, and whether the difference is chance."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.evaluation.metrics import lay_out, replicate
from pipeline.evaluation.paired import SIGNIFICANT, differences, exact_test
from pipeline.evaluation.scorer import Scorer

#: Metrics whose differences are tested.
COMPARED = ("accuracy", "macro_f1", "matthews", "roc_auc", "log_loss")
#: The metric that leads the verdict, and by which the baseline of the verdict is chosen.
LEADING = "accuracy"


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


def choose(validation: Mapping[str, float], names: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """Choose the baseline that the verdict is about: the best on validation rows.

    Test rows choose nothing, so the verdict's p-value stays valid.

    Parameters
    ----------
    validation : mapping of str to float
        Accuracy of each baseline's decided classes on validation rows; empty without such rows.
    names : sequence of str
        The baselines in their order, which decides between equal ones.

    Returns
    -------
    name : str
    chosen_by : dict
        ``part`` and ``metric`` (None without validation rows: the first baseline is taken), and
        ``values``: the score of each baseline.
    """
    if not validation:
        return names[0], {"part": None, "metric": None, "values": {}}
    best = max(names, key=lambda name: validation[name])
    return best, {"part": "validation", "metric": LEADING, "values": dict(validation)}


def verdict(compared: Mapping[str, Any]) -> dict[str, Any]:
    """Judge a model against a baseline by the p-values of their differences.

    Parameters
    ----------
    compared : mapping
        Of `compare`.

    Returns
    -------
    dict
        ``level``: better (accuracy is significantly higher, macro F1 not significantly lower),
        worse (accuracy significantly lower, or macro F1 where accuracy does not differ), mixed
        (one is significantly higher, the other lower or not higher), no better (neither differs);
        ``metric``: the one that decided, with its ``difference`` and ``p_value``.
    """
    accuracy, f1 = (_direction(compared["difference"][name]) for name in (LEADING, "macro_f1"))
    if accuracy < 0 or (accuracy == 0 and f1 < 0):
        level = "worse"
    elif accuracy > 0 and f1 >= 0:
        level = "better"
    else:
        level = "mixed" if accuracy > 0 or f1 > 0 else "no better"
    metric = "macro_f1" if accuracy == 0 and f1 != 0 else LEADING
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
