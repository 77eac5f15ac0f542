"""Decisions on challengers that are better, worse or different in one respect."""

import json
from dataclasses import asdict

import numpy as np
import pytest

from pipeline.errors import NightError
from pipeline.nightly.night import METRICS
from pipeline.nightly.promotion import decide
from pipeline.nightly.rules import Limits, Predictions

NAMES = ["bad", "good"]
LABELS = np.tile([0, 1], 200)
LIMITS = {"metric": "accuracy", "margin": 0.005, "samples": 400}
EVEN, ODD = np.arange(0, 400, 2), np.arange(1, 400, 2)


def model(wrong, certainty=None, labels=LABELS, width=2):
    """Return a model that is wrong on some rows, well calibrated without a certainty."""
    wrong = list(wrong)
    if certainty is None:
        certainty = 1 - len(wrong) / len(labels)
    probabilities = np.full((len(labels), width), (1 - certainty) / (width - 1))
    chosen = labels.copy()
    chosen[wrong] = (chosen[wrong] + 1) % width
    probabilities[np.arange(len(labels)), chosen] = certainty
    return decided(probabilities)


def decided(probabilities):
    """Return predictions of the most probable class."""
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
    decision = decide(LABELS, challenger, champion, baseline, NAMES, limits, seed=3)
    assert [rule.name for rule in decision.rules if not rule.passed] == failing
    assert decision.promoted == (not failing)
    compared = ["margin", "significance", "recall", "calibration"] if champion is not None else []
    assert [rule.name for rule in decision.rules] == ["baseline", *compared]
    for rule in decision.rules:
        if not rule.passed:
            assert rule.sentence in decision.reason
    json.dumps(asdict(decision), allow_nan=False)


@pytest.mark.parametrize("metric", METRICS)
def test_direction_of_every_metric(metric):
    limits = Limits(metric=metric, samples=100)
    good, poor = model(range(20), certainty=0.95), model(range(110), certainty=0.75)
    assert decide(LABELS, good, poor, BASELINE, NAMES, limits, seed=0).promoted
    assert not decide(LABELS, poor, good, BASELINE, NAMES, limits, seed=0).promoted


def test_metrics_equal_those_of_evaluation_and_differences_are_paired():
    decision = decide(
        LABELS, model(range(40), 0.8), model(range(100)), BASELINE, NAMES, Limits(**LIMITS), seed=3
    )
    figures = decision.figures
    assert figures["values"] == {"challenger": 0.9, "champion": 0.75, "baseline": 0.6}
    assert figures["challenger"]["accuracy"] == 0.9
    assert figures["challenger"]["expected_calibration_error"] == pytest.approx(0.1)
    assert figures["difference"]["value"] == pytest.approx(0.15)
    assert figures["difference"]["p_value"] == pytest.approx(2**-60, abs=1e-10)
    assert (figures["comparison_number"], figures["level"]) == (1, pytest.approx(0.01272, abs=1e-5))
    # Only 60 rows differ: unpaired samples would have a wider interval.
    lower, upper = figures["difference"]["interval"]
    assert 0.108 < lower < 0.15 < upper < 0.192
    assert figures["intervals"]["challenger"] == figures["challenger"]["intervals"]["accuracy"]


def test_seed_determines_the_samples():
    def interval(seed):
        models = (model(range(55)), model(range(100, 160)), BASELINE)
        decision = decide(LABELS, *models, NAMES, Limits(**LIMITS), seed)
        return decision.figures["difference"]["interval"]

    assert interval(1) == interval(1)
    assert interval(1) != interval(2)


def test_recall_of_every_class_is_checked():
    labels, names = np.tile([0, 1, 2], 120), ["a", "b", "c"]
    champion = model([*range(0, 270, 3), *range(2, 60, 3)], labels=labels, width=3)
    challenger = model(range(2, 150, 3), labels=labels, width=3)
    limits = Limits(metric="macro_f1", samples=100)
    decision = decide(labels, challenger, champion, None, names, limits, seed=0)
    (failed,) = [rule for rule in decision.rules if not rule.passed]
    assert failed.name == "recall"
    assert "the recall of c falls: 0.8333 to 0.5833" in failed.sentence
    assert failed.measured == pytest.approx(0.25)


def test_class_without_holdout_rows_is_not_checked_and_is_shown():
    labels, names = np.tile([0, 1], 100), ["a", "b", "c"]
    champion = model(range(60), labels=labels, width=3)
    challenger = model(range(10), labels=labels, width=3)
    limits = Limits(metric="macro_f1", samples=100)
    decision = decide(labels, challenger, champion, None, names, limits, seed=0)
    assert decision.promoted
    recall = next(rule for rule in decision.rules if rule.name == "recall")
    assert recall.sentence.endswith("not checked without holdout rows of it: c")
    json.dumps(asdict(decision), allow_nan=False)
    with pytest.raises(NightError, match="roc_auc of the challenger is not defined"):
        decide(
            labels, challenger, champion, None, names, Limits(metric="roc_auc", samples=100), seed=0
        )


@pytest.mark.parametrize(
    ("labels", "champion", "problem"),
    [
        (
            LABELS[:0],
            decided(BASELINE.probabilities[:0]),
            "no holdout rows .* pipeline freeze",
        ),
        (
            LABELS,
            decided(BASELINE.probabilities[1:]),
            "champion's predictions must be of 400 holdout rows and 2 classes",
        ),
        (LABELS, model([], width=3), "got 400 x 3; .* classes of the dataset"),
    ],
    ids=["no rows", "other rows", "other classes"],
)
def test_predictions_of_other_rows_or_classes_are_an_error(labels, champion, problem):
    with pytest.raises(NightError, match=problem):
        challenger = decided(BASELINE.probabilities[: len(labels)])
        decide(labels, challenger, champion, None, NAMES, Limits(), seed=0)


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1", "matthews", "log_loss", "roc_auc"])
def test_one_more_correct_row_promotes_no_challenger(metric):
    models = model(range(79), 0.8), model(range(80), 0.8)
    decision = decide(LABELS, *models, None, NAMES, Limits(metric=metric, samples=100), seed=0)
    assert not decision.promoted
    assert decision.figures["difference"]["p_value"] >= 0.5


def test_copies_of_one_text_count_once():
    models = (model(range(40)), model(range(55)))
    limits = Limits(metric="accuracy", samples=100)
    groups = np.arange(400)
    assert decide(LABELS, *models, None, NAMES, limits, 0, groups).promoted
    groups[40:55] = 0  # the 15 discordant rows are copies
    decision = decide(LABELS, *models, None, NAMES, limits, 0, groups)
    assert not decision.promoted
    assert decision.figures["difference"]["p_value"] == 0.5


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
def test_predicted_classes_are_compared_and_not_the_most_probable_ones(metric):
    most_probable = model(range(60))
    by_threshold = Predictions(most_probable.probabilities, LABELS)  # right on all rows
    limits = Limits(metric=metric, samples=100)
    decision = decide(LABELS, by_threshold, most_probable, None, NAMES, limits, seed=0)
    assert decision.promoted
    assert decision.figures["values"] == {"challenger": 1.0, "champion": pytest.approx(0.85)}
    assert not decide(LABELS, most_probable, by_threshold, None, NAMES, limits, seed=0).promoted


def test_gain_needs_more_evidence_after_more_comparisons_on_the_same_rows():
    models = (model(range(70)), model(range(80)))  # 10 discordant rows, p = 1 / 1,024
    limits = Limits(metric="accuracy", samples=100)
    first, later = (
        decide(LABELS, *models, None, NAMES, limits, 0, comparison=number) for number in (1, 30)
    )
    assert first.promoted
    assert not later.promoted
    assert later.figures["comparison_number"] == 30
    assert "gain this large would come in 0.098 % of cases (needs 0.015 % or less)" in later.reason
    lenient = Limits(metric="accuracy", samples=100, confidence=0.5)
    assert decide(LABELS, *models, None, NAMES, lenient, 0, comparison=30).promoted
