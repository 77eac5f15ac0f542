import numpy as np
import pytest

from pipeline.evaluation.baselines import compare, majority, mcnemar
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


def compared(labels, ours, theirs, samples=500):
    scorer = Scorer(labels, ours)
    replicates = replicate(scorer, samples, 0)
    return compare(scorer, replicates, theirs, NAMES, samples, 0)


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
    assert found["difference"]["accuracy"] == {"value": 0.0, "interval": [0.0, 0.0]}


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
