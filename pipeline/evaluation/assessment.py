"""Everything that Evaluate finds out about predictions, from arrays to what it writes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline import checks
from pipeline.evaluation import baselines, slices
from pipeline.evaluation.bootstrap import LEVEL
from pipeline.evaluation.calibration import fit_temperature, reliability, temper
from pipeline.evaluation.curves import curve_table, sweep
from pipeline.evaluation.decision import Decision, decide, score_decision
from pipeline.evaluation.leaks import Leaks, find_leaks, leak_table, score_leaks
from pipeline.evaluation.metrics import evaluate, lay_out, number, replicate
from pipeline.evaluation.mistakes import most_wrong
from pipeline.evaluation.predictions import prediction_table
from pipeline.evaluation.scorer import Scorer
from pipeline.split import Parts
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
        ``id``, ``raw``, ``clean``, ``group``, ``near_group``, ``urls``, ``mentions``,
        ``hashtags``.
    tokens : Tokens
    trained_on_validation : bool
        Whether nothing may be chosen on validation rows.
    baselines : mapping of str to ndarray of float64, shape (n_rows, n_classes)
        Probabilities of models to compare with, by name.
    """

    parts: Parts
    probabilities: np.ndarray
    class_names: Sequence[str]
    rows: pa.Table
    tokens: Tokens
    trained_on_validation: bool
    baselines: Mapping[str, np.ndarray]


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
    """Score the test rows, with all that is chosen on validation rows.

    Parameters
    ----------
    given : Predicted
    settings : mapping
        ``positive_label``, ``threshold_goal``, ``threshold_floor``, ``bootstrap_samples`` and
        ``bootstrap_seed``.

    Returns
    -------
    Assessment
    """
    names, parts = list(given.class_names), given.parts
    draws = (settings["bootstrap_samples"], settings["bootstrap_seed"])
    positive = positive_class(settings["positive_label"], names)
    test, labels = parts.rows("test"), parts.labels_of("test")
    test_rows = given.rows.take(pa.array(test))
    decision, calibrated = _choose(given, positive, settings)
    decided = decision.classes(calibrated)

    scorer = Scorer(labels, given.probabilities[test])
    replicates = replicate(scorer, *draws) if draws[0] else {}
    seen = _find_leaks(given, test)
    metrics = {
        "class_names": names,
        "positive_label": None if positive is None else names[positive],
        "bootstrap": {"samples": draws[0], "seed": draws[1], "level": LEVEL},
        "test": lay_out(scorer, names, replicates=replicates),
        **{
            part: evaluate(parts.labels_of(part), given.probabilities[parts.rows(part)], names)
            for part in ("validation", "train")
            if len(parts.rows(part))
        },
        "baselines": {
            name: baselines.compare(scorer, replicates, probabilities, names, *draws)
            for name, probabilities in _baselines(given, test).items()
        },
        "threshold": _threshold(decision, labels, calibrated[test], names, settings),
        "calibration": _calibration(decision, labels, given.probabilities[test], calibrated[test]),
        "leaks": score_leaks(seen, labels, given.probabilities[test], names, *draws),
        **slices.score_slices(
            _slices(given, test, test_rows), labels, scorer.predicted, positive, *draws
        ),
    }
    sweeps = {name: sweep(labels == k, calibrated[test, k]) for k, name in enumerate(names)}
    rates = {
        "raw": reliability(labels, given.probabilities[test]),
        "calibrated": reliability(labels, calibrated[test]),
    }
    return Assessment(
        metrics,
        _decision(decision, names, settings),
        prediction_table(
            parts.ids, parts.labels, parts.parts, given.probabilities, names, calibrated, decided
        ),
        curve_table(sweeps, rates),
        most_wrong(test_rows, labels, calibrated[test], names),
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
    temperature = fit_temperature(labels, given.probabilities[rows]) if len(rows) else 1.0
    calibrated = temper(given.probabilities, temperature)
    return decide(labels, calibrated[rows], positive, temperature, settings), calibrated


def _baselines(given: Predicted, test: np.ndarray) -> dict[str, np.ndarray]:
    """Return the probabilities of what the model is compared with, on test rows."""
    shares = baselines.majority(given.parts.labels_of("train"), len(test), len(given.class_names))
    others = {name: probabilities[test] for name, probabilities in given.baselines.items()}
    return {"majority": shares, **others}


def _slices(given: Predicted, test: np.ndarray, test_rows: pa.Table) -> list[slices.Slice]:
    """Part the test rows by what their texts are like."""
    is_training = np.zeros(len(given.parts), dtype=bool)
    is_training[given.parts.rows("train")] = True
    unknown = slices.unknown_share(given.tokens, is_training)
    return slices.slices_of(test_rows, given.tokens.lengths[test], unknown[test])


def _decision(
    decision: Decision, names: Sequence[str], settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Write down how a class follows from probabilities, for ``decision.json``."""
    positive = decision.positive
    return {
        "temperature": decision.temperature,
        "positive_label": None if positive is None else names[positive],
        "threshold": None if positive is None else decision.threshold,
        "goal": settings["threshold_goal"],
        "floor": settings.get("threshold_floor"),
        "reached": decision.reached,
        "not_chosen_because": decision.reason or None,
    }


def _threshold(
    decision: Decision,
    labels: np.ndarray,
    calibrated: np.ndarray,
    names: Sequence[str],
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    """Score the chosen threshold on test rows, beside naming the most probable class."""
    written = _decision(decision, names, settings)
    if decision.positive is None:
        return written
    draws = (settings["bootstrap_samples"], settings["bootstrap_seed"])
    written["test"] = score_decision(
        labels, decision.classes(calibrated), decision.positive, names, *draws
    )
    written["test_most_probable"] = score_decision(
        labels, calibrated.argmax(axis=1), decision.positive, names, *draws
    )
    return written


def _calibration(
    decision: Decision, labels: np.ndarray, raw: np.ndarray, calibrated: np.ndarray
) -> dict[str, Any]:
    """Score probabilities before and after the temperature, on test rows."""
    found: dict[str, Any] = {"temperature": decision.temperature}
    for name, probabilities in (("raw", raw), ("calibrated", calibrated)):
        figures = Scorer(labels, probabilities).score()
        found[name] = {
            "expected_calibration_error": number(reliability(labels, probabilities).error),
            "log_loss": number(figures["log_loss"][0]),
            "brier": number(figures["brier"][0]),
        }
    return found
