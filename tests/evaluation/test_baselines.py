import numpy as np
import pytest

from pipeline.evaluation.baselines import VERDICT_METRICS, choose, compare, majority, verdict
from pipeline.evaluation.metrics import replicate
from pipeline.evaluation.scorer import Scorer

NAMES = ["no", "yes"]


def two_models(n_rows, seed, better):
    """Return labels and the predictions of two models, the first better or equally good."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, n_rows)

    def predict(share_right):
        right = rng.uniform(size=n_rows) < share_right
        predicted = np.where(right, labels, 1 - labels)
        return np.where(predicted[:, None] == np.arange(2), 0.8, 0.2)

    return labels, predict(0.9 if better else 0.7), predict(0.7)


def compare_two(labels, model, baseline, samples=500, groups=None):
    scorer = Scorer(labels, model, groups=groups)
    replicates = replicate(scorer, samples, 0)
    return compare(scorer, replicates, Scorer(labels, baseline, groups=groups), NAMES, samples, 0)


def discordant(only_model, only_baseline, both=40):
    """Return labels and the predictions of two models with some discordant rows."""
    model = np.array([1] * only_model + [0] * only_baseline + [1] * both)
    baseline = np.array([0] * only_model + [1] * only_baseline + [1] * both)
    labels = np.arange(len(model)) % 2

    def predict(is_right):
        predicted = np.where(is_right == 1, labels, 1 - labels)
        return np.where(predicted[:, None] == np.arange(2), 0.8, 0.2)

    return labels, predict(model), predict(baseline)


def test_mcnemar_equals_a_calculation_by_hand():
    # Two-sided: 2 * (1 + 10) / 2 ** 10
    assert compare_two(*discordant(9, 1), samples=0)["mcnemar"] == {
        "only_model_right": 9,
        "only_baseline_right": 1,
        "p_value": pytest.approx(22 / 1024, rel=1e-5),
    }


def test_equal_predictions_have_no_difference():
    labels, model, _ = two_models(300, 0, better=True)
    result = compare_two(labels, model, model)
    assert result["mcnemar"]["p_value"] == 1.0
    same = {"value": 0.0, "interval": [0.0, 0.0], "p_value": 1.0}
    assert set(map(str, result["difference"].values())) == {str(same)}


def test_better_model_is_significant_and_equal_model_is_not():
    better = compare_two(*two_models(500, 0, better=True))
    equal = compare_two(*two_models(500, 0, better=False))
    assert better["difference"]["accuracy"]["interval"][0] > 0.1
    assert better["mcnemar"]["p_value"] < 1e-6
    low, high = equal["difference"]["accuracy"]["interval"]
    assert low < 0 < high
    assert equal["mcnemar"]["p_value"] > 0.05


def test_paired_intervals_are_narrower_than_those_of_unpaired_rows():
    labels, model, _ = two_models(400, 1, better=True)
    baseline = model.copy()
    baseline[:10] = baseline[:10, ::-1]
    low, high = compare_two(labels, model, baseline)["difference"]["accuracy"]["interval"]
    assert high - low < 0.05


def test_majority_predicts_the_class_shares_of_training_rows():
    result = majority(np.array([0, 0, 0, 1]), 2, 2)
    assert result.tolist() == [[0.75, 0.25], [0.75, 0.25]]


@pytest.mark.parametrize("samples", [0, 500])
def test_four_discordant_rows_are_not_significant_with_and_without_intervals(samples):
    result = compare_two(*discordant(4, 0), samples)
    assert result["difference"]["accuracy"]["p_value"] == 0.125
    assert result["difference"]["accuracy"]["p_value"] == result["mcnemar"]["p_value"]
    assert result["difference"]["macro_f1"]["p_value"] >= 0.1
    assert verdict(result) == {
        "level": "no better",
        "metric": "accuracy",
        "difference": pytest.approx(4 / 44),
        "p_value": 0.125,
    }


def test_copies_of_one_discordant_text_count_once():
    labels, model, baseline = discordant(12, 0)
    groups = np.array([0] * 12 + list(range(1, 41)))
    assert verdict(compare_two(labels, model, baseline))["level"] == "better"
    grouped = compare_two(labels, model, baseline, groups=groups)
    assert verdict(grouped)["level"] == "no better"


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
def test_verdict_depends_only_on_p_values(accuracy, f1, level, metric):
    entries = {
        name: {"value": value, "p_value": p_value, "interval": [-1, 1]}
        for name, (value, p_value) in (("accuracy", accuracy), ("macro_f1", f1))
    }
    result = verdict({"difference": entries})
    assert (result["level"], result["metric"]) == (level, metric)
    assert result["p_value"] == entries[metric]["p_value"]


def test_baseline_with_the_best_validation_score_is_chosen():
    names = ["naive_bayes", "logistic_regression", "majority"]
    scores = {"naive_bayes": 0.75, "logistic_regression": 0.88, "majority": 0.6}
    assert choose(scores, names)[0] == "logistic_regression"
    assert choose({**scores, "naive_bayes": 0.88}, names)[0] == "naive_bayes"
    assert choose({}, names) == ("naive_bayes", {"part": None, "metric": None, "values": {}})


def test_majority_is_chosen_only_without_other_baselines():
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
def test_macro_f1_has_priority_with_a_threshold(accuracy, f1, level, metric):
    entries = {
        name: {"value": value, "p_value": p_value}
        for name, (value, p_value) in (("accuracy", accuracy), ("macro_f1", f1))
    }
    result = verdict({"difference": entries}, VERDICT_METRICS[::-1])
    assert (result["level"], result["metric"]) == (level, metric)
