"""Everything that Evaluate finds out about predictions, from arrays to what it writes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.data.split import Parts
from pipeline.evaluation import baselines, slices
from pipeline.evaluation.bootstrap import LEVEL
from pipeline.evaluation.calibration import (
    choose_temperature,
    error_by_chance,
    reliability,
    temper,
)
from pipeline.evaluation.curves import curve_table, sweep
from pipeline.evaluation.decision import Decision, decide, score_decision
from pipeline.evaluation.groups import NEAR
from pipeline.evaluation.leakage import Leaks, find_leaks, leak_table, score_leaks
from pipeline.evaluation.metrics import evaluate, lay_out, number, replicate
from pipeline.evaluation.mistakes import most_wrong
from pipeline.evaluation.predictions import Predictions, prediction_table
from pipeline.evaluation.scorer import Scorer
from pipeline.settings import checks
from pipeline.text.tokens import Tokens


@dataclass(frozen=True)
class Predicted:
    """What is to be assessed; rows are those of the split, in its order.

    Attributes
    ----------
    parts : Parts
    probabilities : ndarray of float64, shape (n_rows, n_classes)
    class_names : sequence of str
    rows : pa.Table
        ``id``, ``raw``, ``clean``, ``group``, ``near_group`` (intervals and tests treat its rows
        as one observation), ``urls``, ``mentions``, ``hashtags``.
    tokens : Tokens
    trained_on_validation : bool
        Whether nothing may be chosen on validation rows.
    baselines : mapping of str to Predictions
        Predictions of models to compare with, by name.
    """

    parts: Parts
    probabilities: np.ndarray
    class_names: Sequence[str]
    rows: pa.Table
    tokens: Tokens
    trained_on_validation: bool
    baselines: Mapping[str, Predictions]


@dataclass(frozen=True)
class Assessment:
    """What Evaluate writes: ``metrics.json``, ``decision.json`` and the tables."""

    metrics: dict[str, Any]
    decision: dict[str, Any]
    predictions: pa.Table
    curves: pa.Table
    most_wrong: pa.Table
    leaks: pa.Table


def positive_class(choice: str, class_names: Sequence[str]) -> int | None:
    """Return the class that matters: the one named, else the second of two, else None.

    Raises
    ------
    PipelineError
        If no class has the name.
    """
    checks.positive_label(choice, class_names)
    if choice == "auto":
        return 1 if len(class_names) == 2 else None
    return list(class_names).index(choice)


def assess(given: Predicted, settings: Mapping[str, Any]) -> Assessment:
    """Score the decided classes and the probabilities of test rows.

    Everything that is chosen (temperature, threshold, the baseline of the verdict) is chosen on
    validation rows. Where a threshold was chosen, the validation metrics are therefore optimistic,
    and macro F1 leads the verdict instead of accuracy, which a threshold gives up on purpose.

    Parameters
    ----------
    given : Predicted
    settings : mapping
        ``positive_label``, ``threshold_goal``, ``threshold_floor``, ``bootstrap_samples`` and
        ``bootstrap_seed``.

    Returns
    -------
    Assessment
        In ``metrics``, ``test``, ``validation``, ``train``, slices and leaks score the decided
        classes: the column ``decided``, and what a predictor delivers.
    """
    names, parts = list(given.class_names), given.parts
    draws = (settings["bootstrap_samples"], settings["bootstrap_seed"])
    positive = positive_class(settings["positive_label"], names)
    test, labels = parts.rows("test"), parts.labels_of("test")
    test_rows = given.rows.take(pa.array(test))
    groups = test_rows[NEAR].to_numpy()
    decision, calibrated = _choose(given, positive, settings)
    decided = decision.classes(calibrated)

    scorer = Scorer(labels, given.probabilities[test], decided[test], groups)
    replicates = replicate(scorer, *draws) if draws[0] else {}
    seen = _find_leaks(given, test)
    metrics = {
        "class_names": names,
        "positive_label": None if positive is None else names[positive],
        "bootstrap": {"samples": draws[0], "seed": draws[1], "level": LEVEL},
        "test": lay_out(scorer, names, replicates=replicates),
        **{
            part: evaluate(
                parts.labels_of(part),
                given.probabilities[parts.rows(part)],
                names,
                predicted=decided[parts.rows(part)],
            )
            for part in ("validation", "train")
            if len(parts.rows(part))
        },
        **_compare(given, scorer, replicates, draws, decision.is_chosen),
        "threshold": _threshold(decision, scorer, calibrated[test], names, settings),
        "calibration": _calibration(decision, scorer, calibrated[test], draws[1]),
        "leaks": score_leaks(
            seen, labels, given.probabilities[test], names, *draws, decided[test], groups
        ),
        **slices.score_slices(
            _slices(given, test, test_rows), labels, decided[test], positive, *draws, groups
        ),
    }
    sweeps = {name: sweep(labels == k, calibrated[test, k]) for k, name in enumerate(names)}
    rates = {
        "raw": reliability(labels, given.probabilities[test]),
        "calibrated": reliability(labels, calibrated[test]),
    }
    return Assessment(
        metrics,
        {
            "class_names": names,
            **_decision(decision, names, settings),
            "temperature_not_used_because": decision.temperature_reason or None,
        },
        prediction_table(
            parts.ids, parts.labels, parts.parts, given.probabilities, names, calibrated, decided
        ),
        curve_table(sweeps, rates),
        most_wrong(test_rows, labels, calibrated[test], decided[test], names),
        leak_table(seen, test, given.rows),
    )


def _find_leaks(given: Predicted, test: np.ndarray) -> Leaks:
    """Look for the test texts among those that the model learned from."""
    learned_from = given.parts.rows("train")
    if given.trained_on_validation:
        learned_from = np.concatenate([learned_from, given.parts.rows("validation")])
    return find_leaks(given.rows, learned_from, test)


def _choose(
    given: Predicted, positive: int | None, settings: Mapping[str, Any]
) -> tuple[Decision, np.ndarray]:
    """Choose temperature and threshold on validation rows; return all rows calibrated."""
    parts = given.parts
    rows = parts.rows("validation")[: 0 if given.trained_on_validation else None]
    labels = parts.labels[rows].astype(np.int64)
    groups = given.rows[NEAR].to_numpy()[rows]
    temperature, reason = choose_temperature(labels, given.probabilities[rows], groups)
    calibrated = temper(given.probabilities, temperature)
    decision = decide(labels, calibrated[rows], positive, temperature, settings)
    return replace(decision, temperature_reason=reason), calibrated


def _compare(
    given: Predicted,
    scorer: Scorer,
    replicates: Mapping[str, np.ndarray],
    draws: tuple[int, int],
    has_threshold: bool,
) -> dict[str, Any]:
    """Compare with each baseline on test rows; judge by the one with the best validation score."""
    names, parts = list(given.class_names), given.parts
    others = _baselines(given)
    test, validation = parts.rows("test"), parts.rows("validation")
    found: dict[str, dict[str, Any]] = {}
    for name, other in others.items():
        theirs = Scorer(
            scorer.labels, other.probabilities[test], other.decided[test], scorer.groups
        )
        found[name] = baselines.compare(scorer, replicates, theirs, names, *draws)
        if other.of_rows is not None:
            found[name]["trained_on_rows"] = other.trained_on_rows
            found[name]["of_rows"] = other.of_rows
    metrics = baselines.leading(has_threshold)
    labels = parts.labels_of("validation")
    scores = {
        name: baselines.score(labels, other.decided[validation], len(names), metrics[0])
        for name, other in others.items()
        if len(validation)
    }
    chosen, chosen_by = baselines.choose(scores, list(others), metrics[0])
    judged = baselines.verdict(found[chosen], metrics)
    return {
        "baselines": found,
        "verdict": {"baseline": chosen, **judged, "chosen_by": chosen_by},
    }


def _baselines(given: Predicted) -> dict[str, Predictions]:
    """Return the models to compare with, and last the largest class of the training rows."""
    n_rows, n_classes = given.probabilities.shape
    shares = baselines.majority(given.parts.labels_of("train"), n_rows, n_classes)
    return {**given.baselines, baselines.MAJORITY: Predictions(shares, shares.argmax(axis=1))}


def _slices(given: Predicted, test: np.ndarray, test_rows: pa.Table) -> list[slices.Slice]:
    """Part the test rows by what their texts are like."""
    is_training = np.zeros(len(given.parts), dtype=bool)
    is_training[given.parts.rows("train")] = True
    unknown = slices.unknown_share(given.tokens, is_training)
    return slices.slices_of(test_rows, given.tokens.lengths[test], unknown[test])


def _decision(
    decision: Decision, names: Sequence[str], settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Return how a class follows from probabilities, for ``decision.json``."""
    positive = decision.positive
    return {
        "temperature": decision.temperature,
        "positive_label": None if positive is None else names[positive],
        "threshold": decision.threshold if decision.is_chosen else None,
        "goal": settings["threshold_goal"],
        "floor": settings.get("threshold_floor"),
        "reached": decision.reached,
        "not_chosen_because": decision.reason or None,
    }


def _threshold(
    decision: Decision,
    scorer: Scorer,
    calibrated: np.ndarray,
    names: Sequence[str],
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    """Score a chosen threshold on test rows, and next to it the most probable class."""
    written = _decision(decision, names, settings)
    if decision.positive is None or not decision.is_chosen:
        return written
    draws = (settings["bootstrap_samples"], settings["bootstrap_seed"])
    for name, classes in (
        ("test", scorer.predicted),
        ("test_most_probable", calibrated.argmax(axis=1)),
    ):
        written[name] = score_decision(
            scorer.labels, classes, decision.positive, names, *draws, scorer.groups
        )
    return written


def _calibration(
    decision: Decision, scorer: Scorer, calibrated: np.ndarray, seed: int
) -> dict[str, Any]:
    """Score probabilities before and after the temperature, on test rows."""
    found: dict[str, Any] = {
        "temperature": decision.temperature,
        "temperature_not_used_because": decision.temperature_reason or None,
    }
    for name, probabilities in (("raw", scorer.probabilities), ("calibrated", calibrated)):
        losses = Scorer(scorer.labels, probabilities).losses
        chance = error_by_chance(probabilities, seed, scorer.groups)
        found[name] = {
            "expected_calibration_error": number(reliability(scorer.labels, probabilities).error),
            "by_chance": {"mean": number(chance.mean), "upper": number(chance.upper)},
            "log_loss": number(losses[0].mean()),
            "brier": number(losses[1].mean()),
        }
    return found
