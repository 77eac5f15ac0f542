import itertools

import numpy as np
import pytest
from scipy.stats import binomtest

from pipeline.evaluation import bootstrap
from pipeline.evaluation.paired import bootstrap_test, differences, exact_test, swap_test
from pipeline.evaluation.scorer import Scorer


def discordant(only_first, only_second, both=5):
    first = np.array([True] * only_first + [False] * only_second + [True] * both)
    second = np.array([False] * only_first + [True] * only_second + [True] * both)
    return first, second


@pytest.mark.parametrize(("first", "second"), [(4, 0), (9, 1), (3, 3), (0, 7), (60, 31)])
def test_without_groups_it_is_the_exact_mcnemar_test(first, second):
    found = exact_test(*discordant(first, second))
    rows = first + second
    assert (found.only_first, found.only_second) == (first, second)
    assert found.two_sided == pytest.approx(binomtest(first, rows).pvalue)
    one_sided = binomtest(first, rows, alternative="greater").pvalue
    assert found.first_better == pytest.approx(one_sided)


def test_models_that_agree_everywhere_differ_by_nothing():
    found = exact_test(*discordant(0, 0))
    assert (found.two_sided, found.first_better) == (1.0, 1.0)


def test_groups_are_flipped_as_a_whole():
    differences = [5, -3, 1, 1]
    first = np.concatenate([np.full(abs(one), one > 0) for one in differences])
    groups = np.repeat(np.arange(4), np.abs(differences))
    found = exact_test(first, ~first, groups)
    sums = [
        sum(sign * abs(one) for sign, one in zip(signs, differences, strict=True))
        for signs in itertools.product((1, -1), repeat=4)
    ]
    assert found.two_sided == pytest.approx(np.mean([abs(each) >= 4 for each in sums]))
    assert found.first_better == pytest.approx(np.mean([each >= 4 for each in sums]))


def test_copies_of_one_discordant_text_are_one_piece_of_evidence():
    first, second = discordant(12, 0)
    groups = np.array([0] * 12 + [1, 2, 3, 4, 5])
    assert exact_test(first, second).two_sided < 0.001
    assert exact_test(first, second, groups).two_sided == 1.0


def test_bootstrap_draws_duplicate_groups_whole():
    groups = np.array([4, 4, 4, 9, 9, 2])
    weights = np.concatenate(list(bootstrap.draw(6, 200, seed=0, groups=groups)))
    assert (weights[:, 0] == weights[:, 1]).all()
    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, 3] == weights[:, 4]).all()
    assert (weights[:, [0, 3, 5]].sum(axis=1) == 3).all()


def test_intervals_of_copied_rows_are_those_of_their_distinct_texts():
    rng = np.random.default_rng(0)
    right = rng.random(200) < 0.7
    copies = np.repeat(right, 4).astype(float)
    groups = np.repeat(np.arange(200), 4)

    def spread(values, members):
        found = bootstrap.replicate(
            lambda weights: {"accuracy": weights @ values / weights.sum(axis=1)},
            len(values), 2000, 0, groups=members,
        )  # fmt: skip
        return found["accuracy"].std()

    assert spread(copies, groups) == pytest.approx(spread(right.astype(float), None), rel=0.05)
    assert spread(copies, groups) == pytest.approx(2 * spread(copies, None), rel=0.1)


def two_scorers(n_rows=200, seed=0, groups=None, gain=0.0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n_rows)
    scores = [rng.random((n_rows, 3)) + (0.6 + extra) * np.eye(3)[labels] for extra in (gain, 0.0)]
    return [Scorer(labels, one / one.sum(axis=1, keepdims=True), None, groups) for one in scores]


def test_swapping_predictions_gives_the_exact_test_of_accuracy():
    first, second = two_scorers()
    exact = exact_test(first.is_right, second.is_right).two_sided
    assert swap_test(first, second, ["accuracy"])["accuracy"] == pytest.approx(exact, abs=0.02)


def test_swapping_whole_groups_is_what_all_sign_changes_give():
    groups = np.arange(200) // 20
    first, second = two_scorers(groups=groups, gain=0.3)
    losses = [one.losses[0] for one in (first, second)]
    totals = np.bincount(groups, weights=losses[0] - losses[1])
    sums = [
        abs(sum(sign * total for sign, total in zip(signs, totals, strict=True)))
        for signs in itertools.product((1, -1), repeat=10)
    ]
    exact = np.mean([each >= abs(totals.sum()) - 1e-9 for each in sums])
    assert swap_test(first, second, ["log_loss"])["log_loss"] == pytest.approx(exact, abs=0.02)


def test_permutation_test_of_equal_models_keeps_its_level():
    # Predictions in groups of four alike: by rows the test would be far too sure.
    groups = np.repeat(np.arange(60), 4)
    found = []
    for seed in range(150):
        first, second = two_scorers(60, seed)
        spread = [
            Scorer(one.labels[groups], one.probabilities[groups], None, groups)
            for one in (first, second)
        ]
        found.append(swap_test(*spread, ["macro_f1", "log_loss"]))
    for name in ("macro_f1", "log_loss"):
        assert 0.0 <= np.mean([one[name] < 0.05 for one in found]) <= 0.1


def test_bootstrap_test_counts_ties_half_and_needs_samples():
    assert bootstrap_test(np.zeros(99)) == 1.0
    assert bootstrap_test(np.array([0.0] * 10 + [1.0] * 89)) == pytest.approx(2 * 6 / 100)
    assert bootstrap_test(np.ones(99)) == pytest.approx(2 / 100)
    assert np.isnan(bootstrap_test(np.zeros(0)))


def test_every_difference_has_a_value_and_a_p_value_without_samples_too():
    first, second = two_scorers(gain=0.5)
    names = ("accuracy", "macro_f1", "matthews", "roc_auc", "log_loss")
    found = differences(first, second, {}, {}, names)
    assert found["accuracy"]["p_value"] < 0.05
    assert found["macro_f1"]["p_value"] < 0.05
    assert found["roc_auc"]["p_value"] is None
    assert all("interval" not in entry for entry in found.values())
    again = [bootstrap.replicate(one.score, 200, 200, 0, 3) for one in (first, second)]
    assert differences(first, second, *again, names)["roc_auc"]["p_value"] < 0.05
