import numpy as np
import pytest

from pipeline.evaluation.baselines import choose, compare, leading, majority, mcnemar, verdict
from pipeline.evaluation.metrics import replicate
from pipeline.evaluation.scorer import Scorer

NAMES = ["no", "yes"]


def two_models(n_rows, seed, better):
    """Two sets of predictions on the same rows, the first better or as good."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n_rows)

    def predict(share_right):
        right = rng.uniform(size=n_rows) < share_right
        named = np.where(right, labels, 1 - labels)
        return np.where(named[:, None] == np.arange(2), 0.8, 0.2)

    return labels, predict(0.9 if better else 0.7), predict(0.7)


def compared(labels, ours, theirs, samples=500, groups=None):
    scorer = Scorer(labels, ours, groups=groups)
    replicates = replicate(scorer, samples, 0) if samples else {}
    return compare(scorer, replicates, Scorer(labels, theirs, groups=groups), NAMES, samples, 0)


def discordant(only_ours, only_theirs, both=40):
    """Return labels and two sets of predictions, right where the other is wrong in some rows."""
    ours = np.array([1] * only_ours + [0] * only_theirs + [1] * both)
    theirs = np.array([0] * only_ours + [1] * only_theirs + [1] * both)
    labels = np.arange(len(ours)) % 2

    def predict(is_right):
        named = np.where(is_right == 1, labels, 1 - labels)
        return np.where(named[:, None] == np.arange(2), 0.8, 0.2)

    return labels, predict(ours), predict(theirs)


def test_mcnemar_of_a_case_worked_by_hand():
    ours = np.array([True] * 9 + [False] * 1 + [True] * 5)
    theirs = np.array([False] * 9 + [True] * 1 + [True] * 5)
    # Two-sided: 2 * (1 + 10) / 2 ** 10
    assert mcnemar(ours, theirs) == {
        "only_model_right": 9,
        "only_baseline_right": 1,
        "p_value": pytest.approx(22 / 1024, rel=1e-5),
    }


def test_equal_predictions_differ_by_nothing():
    labels, ours, _ = two_models(300, 0, better=True)
    found = compared(labels, ours, ours)
    assert found["mcnemar"]["p_value"] == 1.0
    same = {"value": 0.0, "interval": [0.0, 0.0], "p_value": 1.0}
    assert set(map(str, found["difference"].values())) == {str(same)}


def test_a_better_model_is_told_from_chance_and_an_equal_one_is_not():
    better = compared(*two_models(500, 0, better=True))
    equal = compared(*two_models(500, 0, better=False))
    assert better["difference"]["accuracy"]["interval"][0] > 0.1
    assert better["mcnemar"]["p_value"] < 1e-6
    low, high = equal["difference"]["accuracy"]["interval"]
    assert low < 0 < high
    assert equal["mcnemar"]["p_value"] > 0.05


def test_paired_intervals_are_narrower_than_those_of_unpaired_rows():
    labels, ours, _ = two_models(400, 1, better=True)
    theirs = ours.copy()
    theirs[:10] = theirs[:10, ::-1]
    low, high = compared(labels, ours, theirs)["difference"]["accuracy"]["interval"]
    assert high - low < 0.05


def test_majority_names_the_largest_class_of_training_rows():
    found = majority(np.array([0, 0, 0, 1]), 2, 2)
    assert found.tolist() == [[0.75, 0.25], [0.75, 0.25]]


@pytest.mark.parametrize("samples", [0, 500])
def test_four_discordant_rows_are_not_better_however_the_interval_looks(samples):
    found = compared(*discordant(4, 0), samples)
    assert found["difference"]["accuracy"]["p_value"] == 0.125
    assert found["difference"]["accuracy"]["p_value"] == found["mcnemar"]["p_value"]
    assert found["difference"]["macro_f1"]["p_value"] >= 0.1
    assert verdict(found) == {
        "level": "no better",
        "metric": "accuracy",
        "difference": pytest.approx(4 / 44),
        "p_value": 0.125,
    }


def test_copies_of_one_discordant_text_make_no_model_better():
    labels, ours, theirs = discordant(12, 0)
    groups = np.array([0] * 12 + list(range(1, 41)))
    assert verdict(compared(labels, ours, theirs))["level"] == "better"
    assert verdict(compared(labels, ours, theirs, groups=groups))["level"] == "no better"


@pytest.mark.parametrize(
    ("accuracy", "f1", "level", "metric"),
    [
        ((0.02, 0.01), (0.02, 0.2), "better", "accuracy"),
        ((0.02, 0.01), (0.02, 0.01), "better", "accuracy"),
        ((0.02, 0.01), (-0.02, 0.01), "mixed", "accuracy"),
        ((0.02, 0.06), (0.02, 0.01), "mixed", "macro_f1"),
        ((0.02, 0.06), (0.02, 0.06), "no better", "accuracy"),
        ((0.02, 0.06), (-0.02, 0.01), "worse", "macro_f1"),
        ((-0.02, 0.01), (0.02, 0.01), "worse", "accuracy"),
        ((0.0, 1.0), (None, None), "no better", "accuracy"),
    ],
)
def test_verdict_follows_from_the_p_values_alone(accuracy, f1, level, metric):
    entries = {
        name: {"value": value, "p_value": p_value, "interval": [-1, 1]}
        for name, (value, p_value) in (("accuracy", accuracy), ("macro_f1", f1))
    }
    found = verdict({"difference": entries})
    assert (found["level"], found["metric"]) == (level, metric)
    assert found["p_value"] == entries[metric]["p_value"]


def test_verdict_is_about_the_baseline_with_the_best_validation_score():
    names = ["naive_bayes", "logistic_regression", "majority"]
    scores = {"naive_bayes": 0.75, "logistic_regression": 0.88, "majority": 0.6}
    assert choose(scores, names)[0] == "logistic_regression"
    assert choose({**scores, "naive_bayes": 0.88}, names)[0] == "naive_bayes"
    assert choose({}, names) == ("naive_bayes", {"part": None, "metric": None, "values": {}})


def test_largest_class_is_the_verdicts_baseline_only_where_there_is_no_other():
    scores = {"majority": 0.9, "naive_bayes": 0.7, "linear_svm": 0.8}
    assert choose(scores, list(scores))[0] == "linear_svm"
    assert choose({}, list(scores))[0] == "naive_bayes"
    assert choose({"majority": 0.9}, ["majority"])[0] == "majority"


@pytest.mark.parametrize(
    ("accuracy", "f1", "level", "metric"),
    [
        ((-0.02, 0.01), (0.02, 0.01), "mixed", "macro_f1"),
        ((-0.02, 0.06), (0.02, 0.01), "better", "macro_f1"),
        ((0.02, 0.01), (-0.02, 0.01), "worse", "macro_f1"),
        ((0.02, 0.01), (0.02, 0.06), "mixed", "accuracy"),
        ((0.02, 0.06), (0.02, 0.06), "no better", "macro_f1"),
    ],
)
def test_macro_f1_leads_the_verdict_where_a_threshold_was_chosen(accuracy, f1, level, metric):
    entries = {
        name: {"value": value, "p_value": p_value}
        for name, (value, p_value) in (("accuracy", accuracy), ("macro_f1", f1))
    }
    assert leading(True) == ("macro_f1", "accuracy")
    assert leading(False) == ("accuracy", "macro_f1")
    found = verdict({"difference": entries}, leading(True))
    assert (found["level"], found["metric"]) == (level, metric)
