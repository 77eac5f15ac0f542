import itertools

import numpy as np
import pytest
from scipy.stats import binomtest

from pipeline.evaluation import bootstrap
from pipeline.evaluation.paired import (
    bootstrap_test,
    contributions,
    differences,
    exact_test,
    p_value,
    sign_flip_test,
)
from pipeline.evaluation.scorer import Scorer


def discordant(only_first, only_second, both=5):
    first = np.array([True] * only_first + [False] * only_second + [True] * both)
    second = np.array([False] * only_first + [True] * only_second + [True] * both)
    return first, second


@pytest.mark.parametrize(("first", "second"), [(4, 0), (9, 1), (3, 3), (0, 7), (60, 31)])
def test_without_groups_it_equals_the_binomial_test(first, second):
    result = exact_test(*discordant(first, second))
    rows = first + second
    assert result.two_sided == pytest.approx(binomtest(first, rows).pvalue)
    one_sided = binomtest(first, rows, alternative="greater").pvalue
    assert result.first_better == pytest.approx(one_sided)


def test_equal_predictions_are_not_significant():
    result = exact_test(*discordant(0, 0))
    assert (result.two_sided, result.first_better) == (1.0, 1.0)


def test_signs_of_groups_are_changed():
    differences = [5, -3, 1, 1]
    first = np.concatenate([np.full(abs(one), one > 0) for one in differences])
    groups = np.repeat(np.arange(4), np.abs(differences))
    result = exact_test(first, ~first, groups)
    sums = [
        sum(sign * abs(one) for sign, one in zip(signs, differences, strict=True))
        for signs in itertools.product((1, -1), repeat=4)
    ]
    assert result.two_sided == pytest.approx(np.mean([abs(each) >= 4 for each in sums]))
    assert result.first_better == pytest.approx(np.mean([each >= 4 for each in sums]))


def test_copies_of_one_discordant_text_are_one_observation():
    first, second = discordant(12, 0)
    groups = np.array([0] * 12 + [1, 2, 3, 4, 5])
    assert exact_test(first, second).two_sided < 0.001
    assert exact_test(first, second, groups).two_sided == 1.0


def test_bootstrap_draws_duplicate_groups():
    groups = np.array([4, 4, 4, 9, 9, 2])
    weights = np.concatenate(list(bootstrap.draw(6, 200, seed=0, groups=groups)))
    assert (weights[:, 0] == weights[:, 1]).all()
    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, 3] == weights[:, 4]).all()
    assert (weights[:, [0, 3, 5]].sum(axis=1) == 3).all()


def test_copied_rows_do_not_narrow_intervals():
    rng = np.random.default_rng(0)
    right = rng.random(200) < 0.7
    copies = np.repeat(right, 4).astype(float)
    groups = np.repeat(np.arange(200), 4)

    def spread(values, members):
        result = bootstrap.replicate(
            lambda weights: {"accuracy": weights @ values / weights.sum(axis=1)},
            len(values), 2000, 0, groups=members,
        )  # fmt: skip
        return result["accuracy"].std()

    assert spread(copies, groups) == pytest.approx(spread(right.astype(float), None), rel=0.05)
    assert spread(copies, groups) == pytest.approx(2 * spread(copies, None), rel=0.1)


def two_scorers(n_rows=200, seed=0, groups=None, gain=0.0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n_rows)
    scores = [rng.random((n_rows, 3)) + (0.6 + extra) * np.eye(3)[labels] for extra in (gain, 0.0)]
    return [Scorer(labels, one / one.sum(axis=1, keepdims=True), None, groups) for one in scores]


def test_sign_flip_test_of_right_rows_equals_the_exact_test():
    first, second = two_scorers()
    gains = first.is_right.astype(float) - second.is_right
    assert sign_flip_test(gains) == pytest.approx(p_value(first, second, "accuracy"), abs=1e-9)


def test_losses_are_tested_by_all_changes_of_sign():
    groups = np.arange(200) // 20
    first, second = two_scorers(groups=groups, gain=0.3)
    totals = np.bincount(groups, weights=second.losses[0] - first.losses[0])
    sums = [
        sum(sign * total for sign, total in zip(signs, np.abs(totals), strict=True))
        for signs in itertools.product((1, -1), repeat=10)
    ]
    exact = np.mean([each >= totals.sum() - 1e-9 for each in sums])
    assert p_value(first, second, "log_loss") == pytest.approx(exact, abs=0.005)


@pytest.mark.parametrize("metric", ["macro_f1", "matthews", "kappa", "balanced_accuracy"])
def test_contributions_add_up_to_the_difference(metric):
    first, second = two_scorers(400, gain=0.1)
    difference = first.score()[metric][0] - second.score()[metric][0]
    total = contributions(first, second, metric).sum()
    assert total == pytest.approx(difference, rel=0.02, abs=1e-4)


def test_macro_f1_equals_a_test_by_random_swaps():
    groups = np.arange(300) // 3
    first, second = two_scorers(300, 3, groups, gain=0.1)
    rng = np.random.default_rng(0)

    def macro_f1(predicted):
        return Scorer(first.labels, first.probabilities, predicted).score()["macro_f1"][0]

    observed = macro_f1(first.predicted) - macro_f1(second.predicted)
    as_large = 0
    for _ in range(1000):
        swaps = (rng.random(100) < 0.5)[groups]
        swapped_first = np.where(swaps, second.predicted, first.predicted)
        swapped_second = np.where(swaps, first.predicted, second.predicted)
        as_large += macro_f1(swapped_first) - macro_f1(swapped_second) >= observed - 1e-9
    assert p_value(first, second, "macro_f1") == pytest.approx(as_large / 1000, abs=0.04)


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1", "log_loss"])
def test_equal_models_are_significant_at_most_at_the_level(metric):
    # Groups of four equal rows: a test by rows would exceed its level.
    groups = np.repeat(np.arange(60), 4)
    result = []
    for seed in range(200):
        pair = [
            Scorer(one.labels[groups], one.probabilities[groups], None, groups)
            for one in two_scorers(60, seed)
        ]
        result.append(p_value(*pair, metric))
    assert np.mean(np.array(result) < 0.05) <= 0.1


def test_bootstrap_test_counts_ties_half_and_extrapolates_beyond_samples():
    discordant = np.arange(100)
    half = np.array([0.0] * 20 + [-1.0] * 10 + [1.0] * 70)
    assert bootstrap_test(2.0, half, discordant) == pytest.approx(0.2)
    rng = np.random.default_rng(0)
    far = bootstrap_test(5.0, rng.normal(5.0, 1.0, 1000), discordant)
    assert far == pytest.approx(2.9e-7, rel=1.0)
    # With three discordant groups no p-value is below 1 / 8.
    assert bootstrap_test(5.0, rng.normal(5.0, 1.0, 1000), np.array([1, 1, 2, 3])) == 0.125
    assert bootstrap_test(0.0, np.zeros(99), np.zeros(0)) == 1.0
    assert np.isnan(bootstrap_test(1.0, np.zeros(0), discordant))


def test_areas_have_no_p_value_without_samples():
    first, second = two_scorers(gain=0.5)
    names = ("accuracy", "macro_f1", "matthews", "roc_auc", "log_loss")
    result = differences(first, second, {}, {}, names)
    assert result["accuracy"]["p_value"] < 0.05
    assert result["macro_f1"]["p_value"] < 0.05
    assert result["roc_auc"]["p_value"] is None
    assert all("interval" not in entry for entry in result.values())
    again = [bootstrap.replicate(one.score, 200, 200, 0, 3) for one in (first, second)]
    assert differences(first, second, *again, names)["roc_auc"]["p_value"] < 0.05
