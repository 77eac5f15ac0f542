"""Comparison of a model with baselines on the same rows, and the verdict that follows."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pipeline.data.split import Parts
from pipeline.evaluation.metrics import format_metrics, replicate
from pipeline.evaluation.paired import SIGNIFICANT, differences
from pipeline.evaluation.predictions import Predictions
from pipeline.evaluation.scorer import Scorer

#: Metrics whose differences are tested.
COMPARED = ("accuracy", "macro_f1", "matthews", "roc_auc", "log_loss")
#: The baseline that always predicts the largest class of the training rows.
MAJORITY = "majority"
#: Metrics of the verdict; the first one has priority and chooses the baseline.
VERDICT_METRICS = ("accuracy", "macro_f1")


def compare_baselines(
    scorer: Scorer,
    replicates: Mapping[str, np.ndarray],
    baselines: Mapping[str, Predictions],
    parts: Parts,
    class_names: Sequence[str],
    has_threshold: bool,
    samples: int,
    seed: int,
) -> dict[str, Any]:
    """Compare a model with each baseline on test rows, and judge it by the best one.

    The verdict compares the model with the baseline that is best on validation rows. Because the
    test rows do not choose the baseline, the p-value on test rows is valid. The majority baseline
    is always included.

    Parameters
    ----------
    scorer, replicates
        Scorer of the model on test rows, and its metrics on bootstrap samples. Baselines are scored
        on the same samples, so that differences are paired.
    baselines : mapping of str to Predictions
        Predictions of each baseline for all rows of the split, by name.
    parts : Parts
        The split.
    has_threshold : bool
        Whether a threshold was chosen. If so, macro F1 is the leading metric of the verdict, since
        a threshold trades accuracy for the positive class; otherwise accuracy is.
    samples, seed : int
        Number of bootstrap samples, and the seed that draws them.
    """
    n_rows, n_classes = len(parts), len(class_names)
    shares = majority(parts.labels_of("train"), n_rows, n_classes)
    baselines = {**baselines, MAJORITY: Predictions(shares, shares.argmax(axis=1))}
    metrics = VERDICT_METRICS[::-1] if has_threshold else VERDICT_METRICS
    test, validation = parts.rows("test"), parts.rows("validation")
    labels = parts.labels_of("validation")
    results: dict[str, dict[str, Any]] = {}
    scores = {}
    for name, predictions in baselines.items():
        baseline = Scorer(
            scorer.labels, predictions.probabilities[test], predictions.decided[test], scorer.groups
        )
        results[name] = compare(scorer, replicates, baseline, class_names, samples, seed)
        if predictions.of_rows is not None:
            results[name]["trained_on_rows"] = predictions.trained_on_rows
            results[name]["of_rows"] = predictions.of_rows
        if len(validation):
            baseline = Scorer(
                labels, predictions.probabilities[validation], predictions.decided[validation]
            )
            scores[name] = float(baseline.score()[metrics[0]][0])
    chosen, chosen_by = choose(scores, list(baselines), metrics[0])
    judged = verdict(results[chosen], metrics)
    return {
        "baselines": results,
        "verdict": {"baseline": chosen, **judged, "chosen_by": chosen_by},
    }


def majority(training_labels: np.ndarray, n_rows: int, n_classes: int) -> np.ndarray:
    """Return the class shares of the training rows as the probabilities of each row."""
    shares = np.bincount(training_labels, minlength=n_classes) / max(len(training_labels), 1)
    return np.tile(shares, (n_rows, 1))


def compare(
    scorer: Scorer,
    replicates: Mapping[str, np.ndarray],
    baseline: Scorer,
    class_names: Sequence[str],
    samples: int,
    seed: int,
) -> dict[str, Any]:
    """Score a baseline on the rows of a model and test the differences, model minus baseline."""
    baseline_replicates = replicate(baseline, samples, seed)
    difference = differences(scorer, baseline, replicates, baseline_replicates, COMPARED)
    return {
        **format_metrics(baseline, class_names, baseline_replicates),
        "mcnemar": {
            "only_model_right": int((scorer.is_right & ~baseline.is_right).sum()),
            "only_baseline_right": int((baseline.is_right & ~scorer.is_right).sum()),
            "p_value": difference["accuracy"]["p_value"],
        },
        "difference": difference,
    }


def choose(
    validation: Mapping[str, float], names: Sequence[str], metric: str = VERDICT_METRICS[0]
) -> tuple[str, dict[str, Any]]:
    """Return the baseline with the best metric on validation rows, and how it was chosen.

    Without validation rows it is the first baseline. The majority baseline is chosen only if it is
    the only one: with rare classes it can have the best accuracy although it learned nothing.
    """
    trained = [name for name in names if name != MAJORITY] or list(names)
    if not validation:
        return trained[0], {"part": None, "metric": None, "values": {}}
    best = max(trained, key=lambda name: validation[name])
    return best, {"part": "validation", "metric": metric, "values": dict(validation)}


def verdict(
    comparison: Mapping[str, Any], metrics: tuple[str, str] = VERDICT_METRICS
) -> dict[str, Any]:
    """Judge a model against a baseline by the p-values of their differences.

    The level is better (the first metric is significantly higher, the second not significantly
    lower), worse (the first metric is significantly lower, or does not differ while the second is
    lower), mixed (one is significantly higher, but the model is not better), or no better (neither
    differs).
    """
    first, second = (_direction(comparison["difference"][name]) for name in metrics)
    if first < 0 or (first == 0 and second < 0):
        level = "worse"
    elif first > 0 and second >= 0:
        level = "better"
    else:
        level = "mixed" if first > 0 or second > 0 else "no better"
    metric = metrics[1] if first == 0 and second != 0 else metrics[0]
    entry = comparison["difference"][metric]
    return {
        "level": level,
        "metric": metric,
        "difference": entry["value"],
        "p_value": entry["p_value"],
    }


def _direction(entry: Mapping[str, Any]) -> int:
    """Return 1 or -1 for a significant difference, else 0."""
    value, p_value = entry["value"], entry["p_value"]
    if value is None or p_value is None or p_value >= SIGNIFICANT:
        return 0
    return (value > 0) - (value < 0)
