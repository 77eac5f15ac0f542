"""How often nights promote: equal models, better models, few rows, many nights on the same rows."""

import itertools

import numpy as np
import pytest

from pipeline.nightly import rules, spending
from pipeline.nightly.ledger import Champion, Entry
from pipeline.nightly.promotion import Limits, Predictions, apply_rules, decide

NAMES = ["bad", "good"]


def labels_of(n_rows):
    return np.arange(n_rows) % 2


def predictions(labels, right, certainty=0.8):
    """Return predictions that decide rightly where told, all with one certainty."""
    decided = np.where(right, labels, 1 - labels)
    probabilities = np.full((len(labels), 2), 1 - certainty)
    probabilities[np.arange(len(labels)), decided] = certainty
    return Predictions(probabilities, decided)


def scored(labels, right, metric):
    limits = Limits(metric=metric, samples=200)
    return rules.Scored(labels, predictions(labels, right), None, limits, seed=0)


def promotes(labels, champion, challenger, metric, comparison, gain=0.0):
    """Return whether the shipped rules promote, from which rows each model has right."""
    limits = Limits(metric=metric, samples=200)
    models = {"challenger": (challenger, 0.8 + gain), "champion": (champion, 0.8)}
    some = {
        name: rules.Scored(labels, predictions(labels, right, certainty), None, limits, seed=0)
        for name, (right, certainty) in models.items()
    }
    return all(rule.passed for rule in apply_rules(some, NAMES, limits, comparison))


# Discordant rows: P(promotion | equal models) of an exact one-sided test at level .05.
EXACT = {1: 0.0, 2: 0.0, 3: 0.0, 5: 0.03125, 8: 0.03515625}


@pytest.mark.parametrize(("discordant", "share"), EXACT.items())
@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
def test_few_discordant_rows_promote_no_more_often_than_the_level(discordant, share, metric):
    labels = labels_of(1000)
    limits = Limits(metric=metric, samples=200)
    promoted = 0.0
    # To F1 it matters which rows are won, as half of them are of each class.
    for won in itertools.product([False, True], repeat=discordant):
        first, second = np.arange(1000) >= 200, np.arange(1000) >= 200
        first[:discordant], second[:discordant] = won, np.invert(won)
        sides = (scored(labels, first, metric), scored(labels, second, metric))
        promoted += rules.significance(*sides, limits, 0.05).passed * 0.5**discordant
    assert promoted == pytest.approx(share, abs=1e-9)


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
def test_equal_models_are_rarely_promoted_in_30_nights(metric):
    rng, labels, periods = np.random.default_rng(4), labels_of(1000), 150

    def has_false_promotion():
        champion = rng.random(1000) < 0.8
        for night in range(1, 31):
            # 6 % of the rows are discordant, as many in favour of each.
            gains, losses = rng.random(1000) < 0.03 / 0.2, rng.random(1000) < 0.03 / 0.8
            challenger = np.where(champion, ~losses, gains)
            if promotes(labels, champion, challenger, metric, night):
                return True
        return False

    assert np.mean([has_false_promotion() for _ in range(periods)]) <= 0.10


def test_model_two_points_better_is_promoted_on_night_30():
    rng, labels = np.random.default_rng(5), labels_of(3000)

    def is_promoted(metric):
        champion = rng.random(3000) < 0.8
        gains, losses = rng.random(3000) < 0.035 / 0.2, rng.random(3000) < 0.015 / 0.8
        challenger = np.where(champion, ~losses, gains)
        return promotes(labels, champion, challenger, metric, 30, gain=0.02)

    for metric in ("accuracy", "macro_f1"):
        assert np.mean([is_promoted(metric) for _ in range(100)]) >= 0.70


def test_one_more_correct_row_promotes_nobody():
    labels = labels_of(1000)
    champion = np.arange(1000) >= 200
    challenger = np.arange(1000) >= 199
    for metric in ("accuracy", "macro_f1", "matthews", "log_loss", "roc_auc"):
        models = [predictions(labels, right) for right in (challenger, champion)]
        found = decide(labels, *models, None, NAMES, Limits(metric=metric, samples=100), seed=0)
        assert not found.promoted
        assert found.figures["difference"]["p_value"] >= 0.5


def test_copies_of_one_text_count_once():
    labels = labels_of(1000)
    champion = np.arange(1000) >= 200
    challenger = np.arange(1000) >= 185
    models = [predictions(labels, right) for right in (challenger, champion)]
    limits = Limits(metric="accuracy", samples=100)
    groups = np.arange(1000)
    assert decide(labels, *models, None, NAMES, limits, 0, groups).promoted
    groups[185:200] = 0  # the 15 rows that differ are copies
    found = decide(labels, *models, None, NAMES, limits, 0, groups)
    assert not found.promoted
    assert found.figures["difference"]["p_value"] == 0.5


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
def test_decided_classes_are_compared_and_not_the_most_probable_ones(metric):
    labels = labels_of(400)
    right = np.arange(400) >= 60
    model = predictions(labels, right)
    by_threshold = Predictions(model.probabilities, labels)  # decides all rows rightly
    limits = Limits(metric=metric, samples=100)
    found = decide(labels, by_threshold, model, None, NAMES, limits, seed=0)
    assert found.promoted
    assert found.figures["values"] == {"challenger": 1.0, "champion": pytest.approx(0.85)}
    assert not decide(labels, model, by_threshold, None, NAMES, limits, seed=0).promoted


def test_same_gain_needs_more_evidence_the_oftener_the_rows_were_used():
    labels = labels_of(1000)
    champion = np.arange(1000) >= 200
    challenger = np.arange(1000) >= 190  # 10 : 0, p = 1 / 1,024
    models = [predictions(labels, right) for right in (challenger, champion)]
    limits = Limits(metric="accuracy", samples=100)
    first, later = (
        decide(labels, *models, None, NAMES, limits, 0, comparison=number) for number in (1, 30)
    )
    assert first.promoted
    assert not later.promoted
    assert later.figures["comparison_number"] == 30
    assert "gain this large would come in 0.098 % of cases (needs 0.015 % or less)" in later.reason
    sure = Limits(metric="accuracy", samples=100, confidence=0.5)
    assert decide(labels, *models, None, NAMES, sure, 0, comparison=30).promoted


def test_calibrated_challenger_on_few_rows_is_rarely_blocked():
    rng, blocked = np.random.default_rng(6), []
    limits = Limits(samples=100)
    for _ in range(200):
        high = rng.uniform(0.5, 1.0, 200)
        probabilities = np.stack([high, 1 - high], axis=1)
        labels = (rng.random(200) > high).astype(int)
        decided = probabilities.argmax(axis=1)
        mine = rules.Scored(labels, Predictions(probabilities, decided), None, limits, 0)
        # The champion happens to match the labels' frequency exactly.
        share = np.mean(labels == decided)
        flat = np.stack([np.full(200, share), np.full(200, 1 - share)], axis=1)
        other = rules.Scored(labels, Predictions(flat, decided), None, limits, 0)
        blocked.append(not rules.calibration(mine, other, limits).passed)
    assert np.mean(blocked) <= 0.05


def test_overconfident_challenger_is_blocked_where_rows_show_it():
    labels = labels_of(1000)
    right = np.arange(1000) >= 300
    limits = Limits(samples=100)
    mine = rules.Scored(labels, predictions(labels, right, 0.95), None, limits, 0)
    other = rules.Scored(labels, predictions(labels, right, 0.7), None, limits, 0)
    rule = rules.calibration(mine, other, limits)
    assert not rule.passed
    assert "beyond the 0.0" in rule.sentence


def test_levels_of_all_nights_add_up_to_what_may_be_spent():
    numbers = np.arange(1, 2_000_000)
    spent = sum(spending.level(0.95, number) for number in numbers.astype(float))
    # The rest of the series is below the integral of 1 / k ** 1.3.
    rest = 0.05 / 3.9319492118 * numbers[-1] ** -0.3 / 0.3
    assert spent < 0.05
    assert spent + rest == pytest.approx(0.05, rel=1e-4)


def line(day, decision, against, **metrics):
    champion = Champion(day, "c", "p") if decision == "promoted" else None
    return Entry(day, decision, "", day, metrics=metrics, against=against, champion=champion)


def test_uses_are_counted_on_the_same_rows_alone():
    texts = [f"text {number}" for number in range(500)]
    here, elsewhere = spending.sketch(texts), spending.sketch(text + "!" for text in texts)
    entries = [
        line("2026-11-01", "promoted", None, holdout=here),  # no champion to compare with
        line("2026-11-02", "kept", "c", holdout=here),
        line("2026-11-02", "kept", "c", holdout=here),  # decided again: each time counts
        line("2026-11-03", "unchanged", "c"),
        line("2026-11-04", "drift_stop", "c"),
        line("2026-11-05", "promoted", "c", holdout=here),
        line("2026-11-06", "kept", "c", holdout=elsewhere),
        line("2026-11-07", "kept", "c"),  # from before sketches were recorded
    ]
    assert spending.comparisons(entries, here) == 4
    assert spending.comparisons(entries, elsewhere) == 2
    grown = spending.sketch([*texts, *(f"more {number}" for number in range(1000))])
    assert spending.comparisons(entries, grown) == 4
    assert spending.comparisons([], here) == 0


def test_sketch_of_a_small_set_is_the_whole_set():
    assert spending.sketch(["b", "a", "a"]) == sorted(spending.sketch(["a", "b"]))
    assert spending.comparisons(
        [line("2026-11-02", "kept", "c", holdout=spending.sketch(["a", "b"]))],
        spending.sketch(["a", "b", "c"]),
    )
