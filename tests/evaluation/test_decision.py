import json

import numpy as np
import pytest

from pipeline.errors import NotFoundError, SettingConflictError
from pipeline.evaluation.curves import sweep
from pipeline.evaluation.decision import (
    Decision,
    choose_threshold,
    decide,
    read_decision,
    score_decision,
)
from pipeline.evaluation.metrics import replicate
from pipeline.evaluation.scorer import Scorer

LABELS = np.array([0, 0, 1, 0, 1, 1, 0, 1])
SCORES = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
CALIBRATED = np.stack([1 - SCORES, SCORES], axis=1)
FILE = {
    "class_names": ["no", "yes"],
    "temperature": 1.5,
    "positive_label": "yes",
    "threshold": 0.25,
    "reached": True,
    "not_chosen_because": None,
    "temperature_not_used_because": None,
}


def score_positive(labels, predicted, samples, groups=None):
    scorer = Scorer(labels, np.eye(2)[predicted], predicted, groups)
    return score_decision(scorer, replicate(scorer, samples, 0), 1)


@pytest.mark.parametrize(
    ("goal", "floor", "threshold", "reached"),
    [
        # From 0.5 on, 3 of 4 positives and 1 negative: F1 0.75; from 0.3 on 4 of 4 and 2: 0.8.
        ("f1", 0.0, 0.25, True),
        # Precision of at least 0.75: from 0.5 on, 3 of 4.
        ("recall_at_precision", 0.75, 0.45, True),
        # Only 0.8 itself reaches this precision; its recall is 1 of 4.
        ("recall_at_precision", 0.9, 0.75, True),
        # Accuracy 0.75 (6 of 8): from 0.3 on, and from 0.5 on with a lower recall.
        ("recall_at_accuracy", 0.75, 0.25, True),
        # No threshold reaches 0.9; of those with 0.75, 0.45 is nearest to 0.5.
        ("recall_at_accuracy", 0.9, 0.45, False),
    ],
)
def test_threshold_is_the_best_for_its_goal(goal, floor, threshold, reached):
    chosen = choose_threshold(sweep(LABELS == 1, SCORES), goal, floor)
    assert chosen == (pytest.approx(threshold), reached)


def test_of_equally_good_thresholds_the_nearest_to_one_half_is_chosen():
    # From 0.8 and from 0.3 on, 3 of 4 predictions are right.
    counts = sweep(np.array([True, False, True, False]), np.array([0.9, 0.7, 0.5, 0.1]))
    assert choose_threshold(counts, "recall_at_accuracy", 0.9) == (pytest.approx(0.3), False)


def test_no_threshold_is_chosen_without_validation_rows():
    settings = {"threshold_goal": "f1"}
    decision = decide(np.zeros(0, int), np.zeros((0, 2)), 1, 1.0, settings)
    assert (decision.positive, decision.threshold) == (1, 0.5)
    assert "no validation row" in decision.reason


def test_below_the_threshold_the_most_probable_other_class_is_predicted():
    probabilities = np.array([[0.2, 0.3, 0.5], [0.2, 0.45, 0.35], [0.6, 0.3, 0.1]])
    decision = Decision(positive=1, threshold=0.4, temperature=1.0)
    assert decision.classes(probabilities).tolist() == [2, 1, 0]
    assert Decision(None, 0.5, 1.0).classes(probabilities).tolist() == [2, 1, 0]


def test_threshold_without_a_choice_is_not_applied():
    unchosen = Decision(positive=1, threshold=0.5, temperature=1.0, reason="no validation rows")
    assert unchosen.classes(np.array([[0.3, 0.4, 0.3]])).tolist() == [1]


@pytest.mark.parametrize("goal", ["f1", "recall_at_precision"])
def test_threshold_is_chosen_for_a_goal(goal):
    settings = {"threshold_goal": goal, "threshold_floor": 0.75}
    decision = decide(LABELS, CALIBRATED, 1, 1.0, settings)
    assert decision.is_chosen
    assert decision.threshold < 0.5


def test_without_a_goal_the_most_probable_class_is_predicted():
    decision = decide(LABELS, CALIBRATED, 1, 1.3, {"threshold_goal": "none"})
    assert not decision.is_chosen
    assert (decision.positive, decision.temperature) == (None, 1.3)
    assert decision.classes(CALIBRATED).tolist() == CALIBRATED.argmax(axis=1).tolist()


def test_decision_scores_the_positive_class():
    scores = score_positive(LABELS, (SCORES >= 0.45).astype(int), 50)
    assert scores["precision"] == 0.75
    assert scores["recall"] == 0.75
    assert scores["intervals"]["recall"][0] < 0.75 <= scores["intervals"]["recall"][1]


def test_intervals_at_a_threshold_draw_duplicate_groups():
    labels, predicted = np.tile([0, 1, 1, 0], 50), np.tile([0, 1, 0, 0], 50)
    groups = np.repeat(np.arange(20), 10)
    low, high = score_positive(labels, predicted, 200)["intervals"]["accuracy"]
    grouped = score_positive(labels, labels ^ (groups % 2), 200, groups)
    assert np.diff(grouped["intervals"]["accuracy"])[0] > 2 * (high - low)


def test_decision_is_read_from_its_file(tmp_path):
    (tmp_path / "decision.json").write_text(json.dumps({**FILE, "goal": "f1"}))
    assert read_decision(tmp_path, ["no", "yes"]) == Decision(1, 0.25, 1.5)


@pytest.mark.parametrize("content", ["", "[]", '{"temperature": "high"}'])
def test_file_of_another_kind_is_an_error(tmp_path, content):
    (tmp_path / "decision.json").write_text(content)
    with pytest.raises(NotFoundError, match="give the folder of an Evaluate artifact"):
        read_decision(tmp_path, ["no", "yes"])


def test_decision_for_other_classes_is_an_error(tmp_path):
    (tmp_path / "decision.json").write_text(json.dumps(FILE))
    with pytest.raises(SettingConflictError, match="classes no, yes .*; this model has bad, good"):
        read_decision(tmp_path, ["bad", "good"])
