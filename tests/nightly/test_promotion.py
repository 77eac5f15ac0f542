"""One row for each way in which a challenger can fare."""

import json

import numpy as np
import pytest

from pipeline.errors import PipelineError
from pipeline.nightly.promotion import METRICS, Limits, Predictions, decide

NAMES = ["bad", "good"]
LABELS = np.tile([0, 1], 200)
LIMITS = {"metric": "accuracy", "margin": 0.005, "samples": 400}
EVEN, ODD = np.arange(0, 400, 2), np.arange(1, 400, 2)


def model(wrong, certainty=None, labels=LABELS, width=2):
    """Return probabilities that are right but for some rows, well calibrated unless told."""
    wrong = list(wrong)
    if certainty is None:
        certainty = 1 - len(wrong) / len(labels)
    found = np.full((len(labels), width), (1 - certainty) / (width - 1))
    chosen = labels.copy()
    chosen[wrong] = (chosen[wrong] + 1) % width
    found[np.arange(len(labels)), chosen] = certainty
    return decided(found)


def decided(probabilities):
    """Decide on the most probable class."""
    return Predictions(probabilities, probabilities.argmax(axis=1))


BASELINE = model(range(160))
# name: challenger, champion, baseline, limits, the rules that fail
TABLE = {
    "better by margin and significantly": (model(range(40)), model(range(100)), BASELINE, {}, []),
    "better by margin, not significantly": (
        model(range(55)),
        model(range(100, 160)),
        BASELINE,
        {},
        ["significance"],
    ),
    "significantly better, not by margin": (
        model(range(85)),
        model(range(92)),
        BASELINE,
        {"margin": 0.02},
        ["margin"],
    ),
    "better by the margin itself": (
        model(range(88)),
        model(range(96)),
        BASELINE,
        {"margin": 0.02},
        ["margin"],
    ),
    "worse": (model(range(75)), model(range(60)), BASELINE, {}, ["margin", "significance"]),
    "equal": (model(range(60)), model(range(60)), BASELINE, {}, ["margin", "significance"]),
    "equal, no margin": (
        model(range(60)),
        model(range(60)),
        BASELINE,
        {"margin": 0.0},
        ["margin", "significance"],
    ),
    "recall of one class down": (
        model(ODD[:40]),
        model([*EVEN[:80], *ODD[:20]]),
        BASELINE,
        {},
        ["recall"],
    ),
    "recall of one class down within the limit": (
        model(ODD[:40]),
        model([*EVEN[:80], *ODD[:20]]),
        BASELINE,
        {"recall_drop": 0.1},
        [],
    ),
    "calibration worse": (
        model(range(40), certainty=0.6),
        model(range(80), certainty=0.8),
        BASELINE,
        {},
        ["calibration"],
    ),
    "calibration worse within the limit": (
        model(range(40), certainty=0.6),
        model(range(80), certainty=0.8),
        BASELINE,
        {"calibration_rise": 0.35},
        [],
    ),
    "baseline not beaten": (model(range(40)), model(range(80)), model(range(30)), {}, ["baseline"]),
    "as good as the baseline": (
        model(range(40)),
        model(range(80)),
        model(range(40, 80)),
        {},
        ["baseline"],
    ),
    "baseline itself": (model(range(40)), model(range(80)), None, {}, []),
    "no champion yet": (model(range(40)), None, BASELINE, {}, []),
    "no champion yet, baseline not beaten": (
        model(range(170)),
        None,
        BASELINE,
        {},
        ["baseline"],
    ),
    "no champion yet, baseline itself": (model(range(190)), None, None, {}, []),
    "lower is better, better": (
        model(range(80), certainty=0.8),
        model(range(80), certainty=0.95),
        model(range(80), certainty=0.99),
        {"metric": "log_loss"},
        [],
    ),
    "lower is better, worse": (
        model(range(80), certainty=0.95),
        model(range(80), certainty=0.8),
        model(range(80), certainty=0.99),
        {"metric": "log_loss", "calibration_rise": 1.0},
        ["margin", "significance"],
    ),
    "lower is better, baseline not beaten": (
        model(range(80), certainty=0.9),
        model(range(80), certainty=0.95),
        model(range(80), certainty=0.8),
        {"metric": "brier"},
        ["baseline"],
    ),
}


@pytest.mark.parametrize(
    ("challenger", "champion", "baseline", "limits", "failing"), TABLE.values(), ids=TABLE.keys()
)
def test_decision(challenger, champion, baseline, limits, failing):
    limits = Limits(**{**LIMITS, **limits})
    found = decide(LABELS, challenger, champion, baseline, NAMES, limits, seed=3)
    assert [rule.name for rule in found.rules if not rule.passed] == failing
    assert found.promoted == (not failing)
    compared = ["margin", "significance", "recall", "calibration"] if champion is not None else []
    assert [rule.name for rule in found.rules] == ["baseline", *compared]
    for rule in found.rules:
        if not rule.passed:
            assert rule.sentence in found.reason
    json.dumps(found.as_json(), allow_nan=False)


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_knows_what_is_better(metric):
    limits = Limits(metric=metric, samples=100)
    good, poor = model(range(20), certainty=0.95), model(range(110), certainty=0.75)
    assert decide(LABELS, good, poor, BASELINE, NAMES, limits, seed=0).promoted
    assert not decide(LABELS, poor, good, BASELINE, NAMES, limits, seed=0).promoted


def test_figures_are_those_of_evaluation_and_differences_are_paired():
    found = decide(
        LABELS, model(range(40), 0.8), model(range(100)), BASELINE, NAMES, Limits(**LIMITS), seed=3
    )
    figures = found.figures
    assert figures["values"] == {"challenger": 0.9, "champion": 0.75, "baseline": 0.6}
    assert figures["challenger"]["accuracy"] == 0.9
    assert figures["challenger"]["expected_calibration_error"] == pytest.approx(0.1)
    assert figures["difference"]["value"] == pytest.approx(0.15)
    assert figures["difference"]["p_value"] == pytest.approx(2**-60, abs=1e-10)
    assert (figures["comparison_number"], figures["level"]) == (1, pytest.approx(0.01272, abs=1e-5))
    # Only 60 rows differ: were the samples not the same rows, the interval would be wider.
    lower, upper = figures["difference"]["interval"]
    assert 0.108 < lower < 0.15 < upper < 0.192
    assert figures["intervals"]["challenger"] == figures["challenger"]["intervals"]["accuracy"]


def test_same_seed_same_decision_and_another_seed_other_samples():
    def interval(seed):
        models = (model(range(55)), model(range(100, 160)), BASELINE)
        found = decide(LABELS, *models, NAMES, Limits(**LIMITS), seed)
        return found.figures["difference"]["interval"]

    assert interval(1) == interval(1)
    assert interval(1) != interval(2)


def test_several_classes_are_held_to_the_recall_of_each():
    labels, names = np.tile([0, 1, 2], 120), ["a", "b", "c"]
    champion = model([*range(0, 270, 3), *range(2, 60, 3)], labels=labels, width=3)
    challenger = model(range(2, 150, 3), labels=labels, width=3)
    limits = Limits(metric="macro_f1", samples=100)
    found = decide(labels, challenger, champion, None, names, limits, seed=0)
    (failed,) = [rule for rule in found.rules if not rule.passed]
    assert failed.name == "recall"
    assert "the recall of c falls: 0.8333 to 0.5833" in failed.sentence
    assert failed.measured == pytest.approx(0.25)


def test_class_without_frozen_rows_goes_unchecked_and_is_named():
    labels, names = np.tile([0, 1], 100), ["a", "b", "c"]
    champion = model(range(60), labels=labels, width=3)
    challenger = model(range(10), labels=labels, width=3)
    limits = Limits(metric="macro_f1", samples=100)
    found = decide(labels, challenger, champion, None, names, limits, seed=0)
    assert found.promoted
    recall = next(rule for rule in found.rules if rule.name == "recall")
    assert recall.sentence.endswith("the frozen rows have none of c, which goes unchecked")
    json.dumps(found.as_json(), allow_nan=False)
    with pytest.raises(PipelineError, match="do not define the roc_auc of the challenger"):
        decide(
            labels, challenger, champion, None, names, Limits(metric="roc_auc", samples=100), seed=0
        )


@pytest.mark.parametrize(
    ("labels", "champion", "problem"),
    [
        (
            LABELS[:0],
            decided(BASELINE.probabilities[:0]),
            "no frozen row to decide on; freeze some",
        ),
        (
            LABELS,
            decided(BASELINE.probabilities[1:]),
            "champion's predictions must be of 400 frozen rows and 2 classes",
        ),
        (LABELS, model([], width=3), "got 400 x 3; has the dataset other classes"),
    ],
    ids=["no rows", "other rows", "other classes"],
)
def test_what_cannot_be_compared_is_an_error(labels, champion, problem):
    with pytest.raises(PipelineError, match=problem):
        challenger = decided(BASELINE.probabilities[: len(labels)])
        decide(labels, challenger, champion, None, NAMES, Limits(), seed=0)


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"metric": "f1"}, "must be one that can decide, got 'f1'; Known: accuracy, "),
        ({"margin": -0.1}, "margin must be at least 0, got -0.1"),
        ({"margin": float("nan")}, "margin must be at least 0, got nan"),
        ({"confidence": 95.0}, "confidence must be at least 0.5 and at most 1, got 95"),
        ({"samples": 0}, "samples must be at least 100, got 0"),
    ],
)
def test_limit_that_cannot_be_meant_is_an_error(values, problem):
    with pytest.raises(PipelineError, match=problem):
        Limits(**values)
