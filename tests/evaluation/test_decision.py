import numpy as np
import pytest
from sklearn import metrics as sk

from pipeline.evaluation.curves import curve_table, sweep
from pipeline.evaluation.decision import Decision, choose_threshold, decide, score_decision

LABELS = np.array([0, 0, 1, 0, 1, 1, 0, 1])
SCORES = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])


def test_sweep_counts_what_scikit_learn_counts():
    rng = np.random.default_rng(0)
    labels, scores = rng.integers(0, 2, 300), np.round(rng.uniform(size=300), 2)
    one = sweep(labels == 1, scores)
    rates, recalls, _ = sk.roc_curve(labels, scores, drop_intermediate=False)
    assert np.allclose(one.false_positive_rate, rates)
    assert np.allclose(one.recall, recalls)
    for step in (1, 20, 50):
        predicted = scores >= one.thresholds[step]
        assert one.precision[step] == pytest.approx(sk.precision_score(labels, predicted))
        assert one.f1[step] == pytest.approx(sk.f1_score(labels, predicted))
        assert one.accuracy[step] == pytest.approx(sk.accuracy_score(labels, predicted))


@pytest.mark.parametrize(
    ("goal", "floor", "threshold", "reached"),
    [
        # Taking from 0.5 on finds 3 of 4 with 1 wrong: F1 0.75; from 0.3 on 4 of 4 with 2: 0.8.
        ("f1", 0.0, 0.25, True),
        # Precision of at least 0.75: from 0.5 on, 3 of 4.
        ("recall_at_precision", 0.75, 0.45, True),
        # Only 0.8 itself is that precise, and finds 1 of 4.
        ("recall_at_precision", 0.9, 0.75, True),
        # Accuracy 0.75: from 0.3 on (6 of 8), and from 0.5 on; the first finds more.
        ("recall_at_accuracy", 0.75, 0.25, True),
        # None is that accurate; 0.75 comes nearest, and 0.45 of those lies nearest to 0.5.
        ("recall_at_accuracy", 0.9, 0.45, False),
    ],
)
def test_threshold_is_the_best_for_its_goal(goal, floor, threshold, reached):
    found = choose_threshold(sweep(LABELS == 1, SCORES), goal, floor)
    assert found == (pytest.approx(threshold), reached)


def test_of_equally_good_thresholds_the_nearest_to_one_half_is_chosen():
    # From 0.8 and from 0.3 on, 3 of 4 rows are on their right side.
    one = sweep(np.array([True, False, True, False]), np.array([0.9, 0.7, 0.5, 0.1]))
    assert choose_threshold(one, "recall_at_accuracy", 0.9) == (pytest.approx(0.3), False)


def test_no_threshold_is_chosen_without_validation_rows():
    settings = {"threshold_goal": "f1"}
    decision = decide(np.zeros(0, int), np.zeros((0, 2)), 1, 1.0, settings)
    assert (decision.positive, decision.threshold) == (1, 0.5)
    assert "no validation row" in decision.reason


def test_below_the_threshold_the_most_probable_other_class_is_named():
    probabilities = np.array([[0.2, 0.3, 0.5], [0.2, 0.45, 0.35], [0.6, 0.3, 0.1]])
    decision = Decision(positive=1, threshold=0.4, temperature=1.0)
    assert decision.classes(probabilities).tolist() == [2, 1, 0]
    assert Decision(None, 0.5, 1.0).classes(probabilities).tolist() == [2, 1, 0]


def test_scores_at_a_threshold_are_of_the_named_class():
    found = score_decision(LABELS, (SCORES >= 0.45).astype(int), 1, ["no", "yes"], 50, 0)
    assert found["precision"] == 0.75
    assert found["recall"] == 0.75
    assert found["intervals"]["recall"][0] < 0.75 <= found["intervals"]["recall"][1]


def test_long_curves_are_thinned_in_the_file():
    rng = np.random.default_rng(0)
    one = sweep(rng.uniform(size=20_000) < 0.5, rng.uniform(size=20_000))
    table = curve_table({"yes": one}, {})
    roc = table.filter(table["curve"].to_numpy(zero_copy_only=False) == "roc")
    assert roc.num_rows == 1000
    assert (roc["x"][0].as_py(), roc["x"][-1].as_py()) == (0.0, 1.0)


def test_threshold_that_nobody_chose_is_not_applied():
    unchosen = Decision(positive=1, threshold=0.5, temperature=1.0, reason="no validation rows")
    assert unchosen.classes(np.array([[0.3, 0.4, 0.3]])).tolist() == [1]


@pytest.mark.parametrize("goal", ["f1", "recall_at_precision"])
def test_threshold_is_chosen_where_a_goal_was_given(goal):
    calibrated = np.stack([1 - SCORES, SCORES], axis=1)
    settings = {"threshold_goal": goal, "threshold_floor": 0.75}
    decision = decide(LABELS, calibrated, 1, 1.0, settings)
    assert decision.is_chosen
    assert decision.threshold < 0.5


def test_without_a_goal_the_most_probable_class_is_predicted():
    calibrated = np.stack([1 - SCORES, SCORES], axis=1)
    decision = decide(LABELS, calibrated, 1, 1.3, {"threshold_goal": "none"})
    assert not decision.is_chosen
    assert (decision.positive, decision.temperature) == (None, 1.3)
    assert decision.classes(calibrated).tolist() == calibrated.argmax(axis=1).tolist()


def test_intervals_at_a_threshold_draw_duplicate_groups():
    labels, predicted = np.tile([0, 1, 1, 0], 50), np.tile([0, 1, 0, 0], 50)
    groups = np.repeat(np.arange(20), 10)
    names = ["no", "yes"]
    low, high = score_decision(labels, predicted, 1, names, 200, 0)["intervals"]["accuracy"]
    wide = score_decision(labels, labels ^ (groups % 2), 1, names, 200, 0, groups)
    assert np.diff(wide["intervals"]["accuracy"])[0] > 2 * (high - low)
