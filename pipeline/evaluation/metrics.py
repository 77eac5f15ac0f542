"""Metrics of predictions in the format of ``metrics.json``."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.evaluation import bootstrap
from pipeline.evaluation.scorer import BY_CLASS, MATRIX_METRICS, Scorer

_OVERALL = (
    *("accuracy", "balanced_accuracy", "matthews", "kappa", "log_loss", "brier"),
    *("roc_auc", "roc_auc_micro", "average_precision"),
)
# Name in this package: key in metrics.json, kept for readers of earlier versions.
_JSON_KEYS = {"roc_auc_micro": "roc_auc_pairs"}
_DIGITS = 10  # drops the last bits, which depend on the order of sums


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
    """Score predictions; see `format_metrics` for the result. No intervals without samples.

    Examples
    --------
    >>> probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    >>> evaluate(np.array([0, 1, 1]), probabilities, ["no", "yes"])["confusion_matrix"]
    [[1, 0], [1, 1]]
    """
    scorer = Scorer(labels, probabilities, predicted, groups)
    return format_metrics(scorer, class_names, replicate(scorer, samples, seed))


def format_metrics(
    scorer: Scorer, class_names: Sequence[str], replicates: Mapping[str, np.ndarray] | None = None
) -> dict[str, Any]:
    """Arrange the metrics of a scorer as ``metrics.json`` has them.

    Returns
    -------
    dict
        ``rows``; the overall metrics: ``log_loss`` (nats), ``brier`` (of the second of two classes,
        else summed over classes), ``roc_auc`` and ``average_precision`` (of the second of two
        classes, else macro means of one class against the others), ``roc_auc_pairs`` (micro
        average: over all pairs of class and row), and those of
        `pipeline.evaluation.scorer.matrix_metrics`; ``macro``, ``weighted``, ``by_class``;
        ``confusion_matrix`` (rows true, columns predicted); with replicates ``intervals``, which
        has [lower, upper] instead of numbers. A metric that the rows do not define is None.
    """
    scores = {name: values[0] for name, values in scorer.score().items()}
    matrix = scores.pop("matrix").astype(int)
    result = {
        "rows": scorer.n_rows,
        **_nested(scores, class_names),
        "confusion_matrix": matrix.tolist(),
    }
    for name, rows in zip(class_names, matrix.sum(axis=1).tolist(), strict=True):
        result["by_class"][name] = {"rows": rows, **result["by_class"][name]}
    if replicates:
        bounds = {name: bootstrap.interval(replicates[name]).T for name in scores}
        result["intervals"] = _nested(bounds, class_names)
    return result


def replicate(scorer: Scorer, samples: int, seed: int) -> dict[str, np.ndarray]:
    """Compute the metrics of bootstrap samples of the scorer's duplicate groups.

    The same seed draws the same rows for each scorer with the same groups. The arrays have shape
    (samples, ...); there are none without samples.
    """
    return bootstrap.replicate(
        scorer.score, scorer.n_rows, samples, seed, scorer.n_classes, scorer.groups
    )


def number(value: Any) -> Any:
    """Return a number or an array of numbers for JSON: rounded, and None for nan.

    Examples
    --------
    >>> number(np.array([0.1, 0.25])), number(float("nan"))
    ([0.1, 0.25], None)
    """
    if np.ndim(value):
        values = [number(entry) for entry in value]
        return None if None in values else values
    return None if math.isnan(value) else round(float(value), _DIGITS)


def _nested(values: Mapping[str, Any], class_names: Sequence[str]) -> dict[str, Any]:
    """Nest values by scorer name as ``metrics.json`` has them."""
    return {
        **{_JSON_KEYS.get(name, name): number(values[name]) for name in _OVERALL},
        **{
            mean: {name: number(values[f"{mean}_{name}"]) for name in MATRIX_METRICS}
            for mean in ("macro", "weighted")
        },
        "by_class": {
            class_name: {name: number(values[f"class_{name}"][index]) for name in BY_CLASS}
            for index, class_name in enumerate(class_names)
        },
    }
