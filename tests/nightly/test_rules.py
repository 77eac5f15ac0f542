"""How often the rules promote: equal models, better models, few rows, many nights."""

import itertools

import numpy as np
import pytest

from pipeline.nightly import rules
from pipeline.nightly.promotion import apply_rules
from pipeline.nightly.rules import Limits, Predictions, Scored

NAMES = ["bad", "good"]


def labels_of(n_rows):
    return np.arange(n_rows) % 2


def scored(labels, is_right, limits, certainty=0.8):
    """Score a model that is right on some rows, with the same certainty on all."""
    decided = np.where(is_right, labels, 1 - labels)
    probabilities = np.full((len(labels), 2), 1 - certainty)
    probabilities[np.arange(len(labels)), decided] = certainty
    return Scored(labels, Predictions(probabilities, decided), None, limits, seed=0)


def promotes(labels, champion, challenger, metric, comparison, gain=0.0):
    """Return whether the rules promote, from the rows that each model predicts correctly."""
    limits = Limits(metric=metric, samples=200)
    models = {
        "challenger": scored(labels, challenger, limits, 0.8 + gain),
        "champion": scored(labels, champion, limits),
    }
    return all(rule.passed for rule in apply_rules(models, NAMES, limits, comparison))


# Discordant rows: P(promotion | equal models) of an exact one-sided test at level .05.
EXACT = {1: 0.0, 2: 0.0, 3: 0.0, 5: 0.03125, 8: 0.03515625}


@pytest.mark.parametrize(("discordant", "share"), EXACT.items())
@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
def test_few_discordant_rows_promote_no_more_often_than_the_level(discordant, share, metric):
    labels = labels_of(1000)
    limits = Limits(metric=metric, samples=200)
    promoted = 0.0
    # F1 depends on which rows are won, because half of them are of each class.
    for won in itertools.product([False, True], repeat=discordant):
        first, second = np.arange(1000) >= 200, np.arange(1000) >= 200
        first[:discordant], second[:discordant] = won, np.invert(won)
        sides = (scored(labels, first, limits), scored(labels, second, limits))
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


def test_calibrated_challenger_on_few_rows_is_rarely_blocked():
    rng, blocked = np.random.default_rng(6), []
    limits = Limits(samples=100)
    for _ in range(200):
        high = rng.uniform(0.5, 1.0, 200)
        probabilities = np.stack([high, 1 - high], axis=1)
        labels = (rng.random(200) > high).astype(int)
        decided = probabilities.argmax(axis=1)
        challenger = Scored(labels, Predictions(probabilities, decided), None, limits, 0)
        # The champion matches the labels' frequency exactly.
        champion = scored(labels, labels == decided, limits, np.mean(labels == decided))
        blocked.append(not rules.calibration(challenger, champion, limits).passed)
    assert np.mean(blocked) <= 0.05


def test_overconfident_challenger_is_blocked_on_enough_rows():
    labels, limits = labels_of(1000), Limits(samples=100)
    is_right = np.arange(1000) >= 300
    challenger, champion = (scored(labels, is_right, limits, share) for share in (0.95, 0.7))
    rule = rules.calibration(challenger, champion, limits)
    assert not rule.passed
    assert "beyond the 0.0" in rule.sentence
