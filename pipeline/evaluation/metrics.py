"""Metrics of predicted probabilities, laid out for ``metrics.json``."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.evaluation import bootstrap
from pipeline.evaluation.scorer import BY_CLASS, Scorer

FIGURES = (
    "accuracy",
    "balanced_accuracy",
    "matthews",
    "kappa",
    "log_loss",
    "brier",
    "roc_auc",
    "roc_auc_pairs",
    "average_precision",
)
MEANS = BY_CLASS[:4]
_DIGITS = 10  # keeps the last bits, which depend on the order of sums, out of the file


def evaluate(
    labels: np.ndarray,
    probabilities: np.ndarray,
    class_names: Sequence[str],
    *,
    predicted: np.ndarray | None = None,
    groups: np.ndarray | None = None,
    samples: int = 0,
    seed: int = 0,
) -> dict[str, Any]:
    """Score predictions.

    Parameters
    ----------
    labels : ndarray of int, shape (n_rows,)
        True classes.
    probabilities : ndarray of float, shape (n_rows, n_classes)
    class_names : sequence of str
    predicted : ndarray of int, shape (n_rows,), optional
        Class of each row; the most probable class when left out.
    groups : ndarray of int, shape (n_rows,), optional
        Duplicate group of each row, which bootstrap samples draw as a whole; every row is its own
        group when left out.
    samples : int
        Bootstrap samples; 0 for no intervals.
    seed : int
        Seed of the samples.

    Returns
    -------
    dict
        ``rows``; `FIGURES`, of which ``log_loss`` is in nats, ``brier`` the squared error (of the
        second of two classes, else summed over classes), ``roc_auc`` and ``average_precision``
        those of the second of two classes, else macro means of one against rest, and
        ``roc_auc_pairs`` the area over all pairs of class and row; ``macro``, ``weighted`` and
        ``by_class`` figures, ``confusion_matrix`` (rows true, columns predicted), and with samples
        ``intervals``: the same layout with [lower, upper] in the place of numbers. What the rows
        do not define is None.
    """
    scorer = Scorer(labels, probabilities, predicted, groups)
    return lay_out(scorer, class_names, samples, seed)


def lay_out(
    scorer: Scorer,
    class_names: Sequence[str],
    samples: int = 0,
    seed: int = 0,
    replicates: dict[str, np.ndarray] | None = None,
) -> dict[str, Any]:
    """Score once, and with samples or given replicates add intervals; see `evaluate`."""
    found = scorer.score()
    support = found["matrix"][0].sum(axis=1)
    result = {
        "rows": scorer.n_rows,
        **_tree({name: values[0] for name, values in found.items()}, class_names),
        "confusion_matrix": found["matrix"][0].astype(int).tolist(),
    }
    for name, rows in zip(class_names, support, strict=True):
        result["by_class"][name] = {"rows": int(rows), **result["by_class"][name]}
    if samples and replicates is None:
        replicates = replicate(scorer, samples, seed)
    if replicates:
        bounds = {
            name: bootstrap.interval(values).T
            for name, values in replicates.items()
            if name != "matrix"
        }
        result["intervals"] = _tree(bounds, class_names)
    return result


def replicate(scorer: Scorer, samples: int, seed: int) -> dict[str, np.ndarray]:
    """Compute the metrics of bootstrap samples of the scorer's duplicate groups."""
    return bootstrap.replicate(
        scorer.score, scorer.n_rows, samples, seed, scorer.n_classes, scorer.groups
    )


def number(value: Any) -> Any:
    """Return a number, or a list of numbers, that JSON can hold; nan becomes None."""
    if np.ndim(value):
        bounds = [number(entry) for entry in value]
        return None if None in bounds else bounds
    return None if math.isnan(value) else round(float(value), _DIGITS)


def _tree(found: dict[str, Any], class_names: Sequence[str]) -> dict[str, Any]:
    """Arrange flat figures as ``metrics.json`` has them."""
    return {
        **{name: number(found[name]) for name in FIGURES},
        **{
            mean: {name: number(found[f"{mean}_{name}"]) for name in MEANS}
            for mean in ("macro", "weighted")
        },
        "by_class": {
            name: {figure: number(found[f"class_{figure}"][index]) for figure in BY_CLASS}
            for index, name in enumerate(class_names)
        },
    }
