"""Metrics of predicted probabilities."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn import metrics as sk


def evaluate(
    labels: np.ndarray, probabilities: np.ndarray, class_names: Sequence[str]
) -> dict[str, Any]:
    """Score predictions.

    Parameters
    ----------
    labels : ndarray of int, shape (n_rows,)
        True classes.
    probabilities : ndarray of float, shape (n_rows, n_classes)
        The predicted class is the most probable one.
    class_names : sequence of str

    Returns
    -------
    dict
        ``rows``, ``accuracy``, ``log_loss`` (nats), ``roc_auc`` (two classes: of the second; more:
        macro, one against rest), ``precision``, ``recall``, ``specificity``, ``f1`` as ``macro``
        and ``weighted`` means, the same by class, and ``confusion_matrix`` (rows true, columns
        predicted). A figure that the rows do not define is None.
    """
    classes = np.arange(len(class_names))
    predicted = probabilities.argmax(axis=1)
    matrix = sk.confusion_matrix(labels, predicted, labels=classes)
    precision, recall, f1, support = sk.precision_recall_fscore_support(
        labels, predicted, labels=classes, zero_division=0
    )
    specificity = _specificity(matrix)
    by_class = {
        name: {
            "rows": int(support[index]),
            "precision": float(precision[index]),
            "recall": float(recall[index]),
            "specificity": _number(specificity[index]),
            "f1": float(f1[index]),
        }
        for index, name in enumerate(class_names)
    }
    figures = {"precision": precision, "recall": recall, "specificity": specificity, "f1": f1}
    return {
        "rows": len(labels),
        "accuracy": float(np.mean(predicted == labels)),
        "log_loss": float(sk.log_loss(labels, probabilities, labels=classes)),
        "roc_auc": _auc(labels, probabilities),
        "macro": {name: _number(np.mean(values)) for name, values in figures.items()},
        "weighted": {
            name: _number(np.average(values, weights=support)) for name, values in figures.items()
        },
        "by_class": by_class,
        "confusion_matrix": matrix.tolist(),
    }


def _specificity(matrix: np.ndarray) -> np.ndarray:
    """Return TN / (TN + FP) of each class against the rest."""
    others = matrix.sum() - matrix.sum(axis=1)
    false_positives = matrix.sum(axis=0) - np.diag(matrix)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (others - false_positives) / others


def _auc(labels: np.ndarray, probabilities: np.ndarray) -> float | None:
    """Return the area under the ROC curve, None where a class is absent."""
    if len(np.unique(labels)) < probabilities.shape[1]:
        return None
    score = probabilities[:, 1] if probabilities.shape[1] == 2 else probabilities
    return float(sk.roc_auc_score(labels, score, multi_class="ovr", average="macro"))


def _number(value: float) -> float | None:
    """Return a float that JSON can hold."""
    return None if math.isnan(value) else float(value)
