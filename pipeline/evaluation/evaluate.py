"""The computation of the task Evaluate: from predictions to the content of its files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.data.split import Parts
from pipeline.evaluation import bootstrap, slices
from pipeline.evaluation.baselines import compare_baselines
from pipeline.evaluation.calibration import (
    Reliability,
    choose_temperature,
    error_by_chance,
    reliability,
    temper,
)
from pipeline.evaluation.curves import curve_table, sweep
from pipeline.evaluation.decision import Decision, decide, score_decision
from pipeline.evaluation.groups import NEAR
from pipeline.evaluation.leakage import Leakage, find_leakage, leakage_table, score_without
from pipeline.evaluation.metrics import format_metrics, number, replicate
from pipeline.evaluation.predictions import Predictions, most_wrong, prediction_table
from pipeline.evaluation.scorer import Scorer
from pipeline.settings import checks
from pipeline.text.tokens import Tokens


@dataclass(frozen=True)
class Predicted:
    """Predictions to evaluate; rows are those of the split, in its order.

    ``rows`` has the columns ``id``, ``source_id``, ``file``, ``line``, ``raw``, ``clean``,
    ``group``, ``near_group`` (the duplicate groups of intervals and tests), ``urls``, ``mentions``,
    ``hashtags``.
    """

    parts: Parts
    probabilities: np.ndarray
    class_names: Sequence[str]
    rows: pa.Table
    tokens: Tokens
    #: Whether the model was also trained on the validation rows. If so, they are not used to choose
    #: the temperature or the threshold.
    trained_on_validation: bool
    baselines: Mapping[str, Predictions]


@dataclass(frozen=True)
class Evaluation:
    """The content of ``metrics.json``, ``decision.json`` and the tables of Evaluate."""

    metrics: dict[str, Any]
    decision: dict[str, Any]
    predictions: pa.Table
    curves: pa.Table
    most_wrong: pa.Table
    leaks: pa.Table


def assess(predicted: Predicted, settings: Mapping[str, Any]) -> Evaluation:
    """Evaluate predictions on test rows.

    Validation rows choose the temperature, the threshold and the baseline of the verdict. With a
    threshold, validation metrics are therefore optimistic. All metrics score the decided classes,
    which a predictor returns.
    """
    parts, probabilities = predicted.parts, predicted.probabilities
    names = list(predicted.class_names)
    samples, seed = settings["bootstrap_samples"], settings["bootstrap_seed"]
    positive = _positive_class(settings["positive_label"], names)
    decision, calibrated = _choose(predicted, positive, settings)
    decided = decision.classes(calibrated)

    test, labels = parts.rows("test"), parts.labels_of("test")
    rows = predicted.rows.take(pa.array(test))
    groups = rows[NEAR].to_numpy()
    scorer = Scorer(labels, probabilities[test], decided[test], groups)
    most_probable = Scorer(labels, calibrated[test], groups=groups)
    replicates = replicate(scorer, samples, seed)
    reliabilities = {
        "raw": reliability(labels, scorer.probabilities),
        "calibrated": reliability(labels, most_probable.probabilities),
    }
    leakage = _find_leakage(predicted, test)
    metrics = {
        "class_names": names,
        "positive_label": None if positive is None else names[positive],
        "bootstrap": {"samples": samples, "seed": seed, "level": bootstrap.LEVEL},
        "test": format_metrics(scorer, names, replicates),
        **_other_parts(predicted, decided),
        **compare_baselines(
            scorer,
            replicates,
            predicted.baselines,
            parts,
            names,
            has_threshold=decision.is_chosen,
            samples=samples,
            seed=seed,
        ),
        "threshold": {
            **decision.as_json(names, settings),
            **_threshold_metrics(decision, scorer, replicates, most_probable, samples, seed),
        },
        "calibration": {
            "temperature": decision.temperature,
            "temperature_not_used_because": decision.temperature_reason or None,
            "raw": _calibration(scorer, reliabilities["raw"], seed),
            "calibrated": _calibration(most_probable, reliabilities["calibrated"], seed),
        },
        "leaks": score_without(leakage, scorer, names, samples, seed),
        **slices.score_slices(_slices(predicted, test, rows), scorer, positive, samples, seed),
    }
    sweeps = {name: sweep(labels == k, calibrated[test, k]) for k, name in enumerate(names)}
    return Evaluation(
        metrics,
        {
            "class_names": names,
            **decision.as_json(names, settings),
            "temperature_not_used_because": decision.temperature_reason or None,
        },
        prediction_table(parts, probabilities, names, calibrated, decided, predicted.rows),
        curve_table(sweeps, reliabilities),
        most_wrong(rows, labels, calibrated[test], decided[test], names),
        leakage_table(leakage, test, predicted.rows),
    )


def _positive_class(choice: str, class_names: list[str]) -> int | None:
    """Return the positive class: the chosen one; for auto the second of two, else None."""
    checks.positive_label(choice, class_names)
    if choice == "auto":
        return 1 if len(class_names) == 2 else None
    return class_names.index(choice)


def _choose(
    predicted: Predicted, positive: int | None, settings: Mapping[str, Any]
) -> tuple[Decision, np.ndarray]:
    """Choose temperature and threshold on validation rows; return all rows calibrated."""
    rows = predicted.parts.rows("validation")
    if predicted.trained_on_validation:
        rows = rows[:0]  # training rows must not choose anything
    labels = predicted.parts.labels[rows].astype(np.int64)
    groups = predicted.rows[NEAR].to_numpy()[rows]
    temperature, reason = choose_temperature(labels, predicted.probabilities[rows], groups)
    calibrated = temper(predicted.probabilities, temperature)
    decision = decide(labels, calibrated[rows], positive, temperature, settings)
    return replace(decision, temperature_reason=reason), calibrated


def _find_leakage(predicted: Predicted, test: np.ndarray) -> Leakage:
    """Find the test texts among those that the model was trained on."""
    training = predicted.parts.rows("train")
    if predicted.trained_on_validation:
        training = np.concatenate([training, predicted.parts.rows("validation")])
    return find_leakage(predicted.rows, training, test)


def _other_parts(predicted: Predicted, decided: np.ndarray) -> dict[str, Any]:
    """Score validation and training rows, without intervals."""
    result = {}
    for part in ("validation", "train"):
        rows, labels = predicted.parts.rows(part), predicted.parts.labels_of(part)
        if len(rows):
            scorer = Scorer(labels, predicted.probabilities[rows], decided[rows])
            result[part] = format_metrics(scorer, predicted.class_names)
    return result


def _threshold_metrics(
    decision: Decision,
    scorer: Scorer,
    replicates: Mapping[str, np.ndarray],
    most_probable: Scorer,
    samples: int,
    seed: int,
) -> dict[str, Any]:
    """Score the positive class on test rows, with its threshold and as the most probable class."""
    if decision.positive is None or not decision.is_chosen:
        return {}
    replicates_most_probable = bootstrap.replicate(
        most_probable.score_classes,
        scorer.n_rows,
        samples,
        seed,
        scorer.n_classes,
        scorer.groups,
    )
    return {
        "test": score_decision(scorer, replicates, decision.positive),
        "test_most_probable": score_decision(
            most_probable, replicates_most_probable, decision.positive
        ),
    }


def _calibration(scorer: Scorer, diagram: Reliability, seed: int) -> dict[str, Any]:
    """Score how well probabilities are calibrated."""
    chance = error_by_chance(scorer.probabilities, seed, scorer.groups)
    log_losses, squares = scorer.losses
    return {
        "expected_calibration_error": number(diagram.error),
        "by_chance": {"mean": number(chance.mean), "upper": number(chance.upper)},
        "log_loss": number(log_losses.mean()),
        "brier": number(squares.mean()),
    }


def _slices(predicted: Predicted, test: np.ndarray, rows: pa.Table) -> list[slices.Slice]:
    """Divide the test rows by properties of their texts."""
    is_training = np.zeros(len(predicted.parts), dtype=bool)
    is_training[predicted.parts.rows("train")] = True
    unseen = slices.unseen_share(predicted.tokens, is_training)
    return slices.slice_rows(rows, predicted.tokens.lengths[test], unseen[test])
