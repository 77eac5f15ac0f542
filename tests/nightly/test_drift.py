"""Indices against values by hand and by SciPy, and which nights reach a level."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

from pipeline.errors import PipelineError
from pipeline.nightly.divergence import (
    chance_index,
    jensen_shannon,
    population_stability_index,
)
from pipeline.nightly.drift import Limits, Sample, compare
from pipeline.nightly.frequent import tokens_by_chance
from pipeline.text.tokens import Tokens

NAMES = ["bad", "good"]
WORDS = [f"w{number}" for number in range(400)]
counts = st.lists(st.integers(0, 1000), min_size=1, max_size=20)
pairs = counts.flatmap(
    lambda first: st.tuples(
        st.just(first), st.lists(st.integers(0, 1000), min_size=len(first), max_size=len(first))
    )
)


def arrays(*lists):
    return [np.array(one) for one in lists]


def test_stability_index_is_the_one_worked_out_by_hand():
    # Half a row more in each bin: 60.5 and 40.5 of 101, 30.5 and 70.5 of 101.
    before, now = (60.5 / 101, 40.5 / 101), (30.5 / 101, 70.5 / 101)
    by_hand = (now[0] - before[0]) * math.log(now[0] / before[0])
    by_hand += (now[1] - before[1]) * math.log(now[1] / before[1])
    found = population_stability_index(*arrays([60, 40], [30, 70]))
    assert found == pytest.approx(by_hand, rel=1e-12)
    assert found == pytest.approx(0.3681, abs=1e-4)


def test_empty_bin_costs_what_half_a_row_does():
    found = population_stability_index(*arrays([0, 9], [9, 0]))
    assert found == pytest.approx(2 * 0.9 * math.log(0.95 / 0.05))


@given(pairs)
def test_stability_index_is_symmetric_and_never_negative(both):
    first, second = arrays(*both)
    found = population_stability_index(first, second)
    assert found >= 0
    assert found == pytest.approx(population_stability_index(second, first), abs=1e-12)
    assert population_stability_index(first, first) == 0


@given(pairs.filter(lambda both: all(map(sum, both))))
def test_distance_is_that_of_scipy(both):
    first, second = arrays(*both)
    found = jensen_shannon(first, second)
    assert found == pytest.approx(jensenshannon(first, second, base=2), abs=1e-7)
    assert 0 <= found <= 1 + 1e-12


def test_distance_by_hand():
    assert jensen_shannon(*arrays([5, 5], [1, 1])) == 0
    assert jensen_shannon(*arrays([3, 0], [0, 8])) == pytest.approx(1)
    # (1, 0) against (1/2, 1/2): the middle is (3/4, 1/4).
    divergence = (math.log2(4 / 3) + (math.log2(2 / 3) + math.log2(2)) / 2) / 2
    found = jensen_shannon(*arrays([4, 0], [2, 2]))
    assert found == pytest.approx(math.sqrt(divergence))


def test_small_shifts_give_both_figures_as_the_levels_say():
    before = np.full(10, 100_000)
    now = before + np.tile([1, -1], 5) * 15_000
    psi = population_stability_index(before, now)
    assert jensen_shannon(before, now) == pytest.approx(
        math.sqrt(psi / (8 * math.log(2))), rel=0.01
    )
    for psi, distance in ((0.1, Limits().warning_distance), (0.25, Limits().stop_distance)):
        assert math.sqrt(psi / (8 * math.log(2))) == pytest.approx(distance, abs=0.005)


def test_chance_exceeds_its_index_in_1_of_1000_nights():
    rng = np.random.default_rng(2)
    shares = rng.dirichlet(np.full(10, 5.0))
    bound = chance_index(10, 5000, 400)
    indices = [
        population_stability_index(rng.multinomial(5000, shares), rng.multinomial(400, shares))
        for _ in range(20_000)
    ]
    assert 0.0003 < np.mean(np.array(indices) > bound) < 0.003


def sample(n_rows, seed, good=0.5, words=WORDS, longest=15, skew=2.0):
    """Make rows whose words follow Zipf's law."""
    rng = np.random.default_rng(seed)
    weights = 1 / np.arange(1, len(words) + 1)
    weights /= weights.sum()
    lengths = rng.integers(1, longest + 1, n_rows)
    flat = rng.choice(words, lengths.sum(), p=weights).tolist()
    ends = np.cumsum(lengths)
    lists = [flat[end - size : end] for end, size in zip(ends, lengths, strict=True)]
    scores = rng.beta(skew, 2.0, n_rows)
    labels = (rng.uniform(size=n_rows) < good).astype(int)
    return Sample(labels, Tokens.from_lists(lists), np.stack([1 - scores, scores], axis=1))


REFERENCE = sample(4000, 1)
TABLE = {
    "same": ({}, {}),
    "few rows": ({"n_rows": 40}, {}),
    "classes a little": ({"good": 0.66}, {"classes": "warning"}),
    "classes": ({"good": 0.85}, {"classes": "stop"}),
    "lengths": ({"longest": 30}, {"lengths": "stop"}),
    "tokens": ({"words": WORDS[::-1]}, {"tokens": "stop"}),
    "new words": ({"words": [f"x{number}" for number in range(400)]}, {"tokens": "stop"}),
    "scores": ({"skew": 6.0}, {"scores": "stop"}),
    "few rows of another kind": (
        {"n_rows": 60, "words": WORDS[::-1], "good": 0.99},
        {"tokens": "stop", "classes": "stop"},
    ),
}


@pytest.mark.parametrize(("other", "levels"), TABLE.values(), ids=TABLE.keys())
def test_levels(other, levels):
    found = compare(REFERENCE, sample(**{"n_rows": 1500, "seed": 2, **other}), NAMES, Limits())
    assert [one.name for one in found.distributions] == ["classes", "lengths", "tokens", "scores"]
    assert {one.name: one.level for one in found.distributions if one.level != "ok"} == levels
    assert found.level == max(levels.values(), default="ok", key=("ok", "warning", "stop").index)
    for name, level in levels.items():
        assert (name in found.sentence) == (level == found.level)
    json.dumps(found.as_json(), allow_nan=False)


def test_bins_hold_every_row_and_are_named():
    found = compare(REFERENCE, sample(500, 3, longest=40), NAMES, Limits())
    classes, lengths, tokens, scores = found.distributions
    for one in (classes, lengths, scores):
        assert len(one.bins) == len(one.reference) == len(one.current)
        assert (sum(one.reference), sum(one.current)) == (4000, 500)
    assert sum(tokens.reference) == len(REFERENCE.tokens.codes)
    assert len(tokens.bins) == 201
    drawn = (500, sum(tokens.current))
    assert tokens.chance == tokens_by_chance(REFERENCE.tokens, *drawn)
    assert lengths.bins[0].startswith("0 to ")
    assert lengths.bins[-1] == "15 and more"
    assert classes.bins == NAMES
    assert "probability of good" in scores.about
    # A tenth of the reference in each; lengths are whole numbers, so nearly.
    assert max(scores.reference) - min(scores.reference) <= 1


def test_text_of_one_length_still_has_bins():
    same = Sample(np.zeros(50, int), Tokens.from_lists([["a", "b"]] * 50))
    longer = Sample(np.zeros(50, int), Tokens.from_lists([["a", "b", "b"]] * 50))
    one = next(
        one for one in compare(same, longer, NAMES, Limits()).distributions if one.name == "lengths"
    )
    assert one.bins == ["0 to 2", "3 and more"]
    assert (one.reference, one.current) == ([50, 0], [0, 50])
    assert one.level == "stop"


def test_of_several_classes_the_score_that_drifted_most_is_told():
    rng = np.random.default_rng(0)
    before = rng.dirichlet([2, 2, 2], 2000)
    now = rng.dirichlet([2, 2, 8], 2000)
    sides = [Sample(np.zeros(1, int), Tokens.from_lists([["a"]]), one) for one in (before, now)]
    found = compare(*sides, ["a", "b", "c"], Limits())
    assert found.distributions[-1].about == "champion's probability of c"
    assert found.level == "stop"


def test_what_one_side_has_nothing_of_is_left_out():
    unlabelled = Sample(np.full(1500, -1), sample(1500, 2).tokens)
    found = compare(REFERENCE, unlabelled, NAMES, Limits())
    assert [one.name for one in found.distributions] == ["lengths", "tokens"]
    nothing = Sample(np.zeros(0, int), Tokens.from_lists([]))
    assert compare(REFERENCE, nothing, NAMES, Limits()).level == "ok"
    assert compare(nothing, REFERENCE, NAMES, Limits()).distributions == []


def test_index_that_chance_explains_says_so():
    found = compare(REFERENCE, sample(25, 4, good=0.75), NAMES, Limits())
    classes = found.distributions[0]
    assert classes.psi > Limits().warning_psi
    assert classes.level == "ok"
    assert f"so few rows come to {classes.chance:.3f} by chance" in classes.sentence


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"warning_psi": 0.3}, "warning_psi and stop_psi must be above 0, the second not below"),
        ({"stop_distance": 2.0}, "and at most 1, got 0.13 and 2"),
        ({"warning_psi": 0.0}, "got 0 and 0.25"),
    ],
)
def test_limit_that_cannot_be_meant_is_an_error(values, problem):
    with pytest.raises(PipelineError, match=problem):
        Limits(**values)
