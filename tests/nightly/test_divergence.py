"""Indices against values by hand, and the indices that chance explains."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from zipf_texts import topical

from pipeline.nightly.divergence import (
    chance_index,
    frequent_tokens,
    population_stability_index,
    token_chance_index,
)
from pipeline.text.tokens import Tokens

counts = st.lists(st.integers(0, 1000), min_size=1, max_size=20)
pairs = counts.flatmap(
    lambda first: st.tuples(
        st.just(first), st.lists(st.integers(0, 1000), min_size=len(first), max_size=len(first))
    )
)


def psi(reference, current):
    return population_stability_index(np.array(reference), np.array(current))


def test_stability_index_equals_the_value_by_hand():
    # Half a row more in each bin: 60.5 and 40.5 of 101, 30.5 and 70.5 of 101.
    before, now = (60.5 / 101, 40.5 / 101), (30.5 / 101, 70.5 / 101)
    by_hand = (now[0] - before[0]) * math.log(now[0] / before[0])
    by_hand += (now[1] - before[1]) * math.log(now[1] / before[1])
    assert psi([60, 40], [30, 70]) == pytest.approx(by_hand, rel=1e-12)
    assert by_hand == pytest.approx(0.3681, abs=1e-4)


def test_empty_bin_counts_as_half_a_row():
    assert psi([0, 9], [9, 0]) == pytest.approx(2 * 0.9 * math.log(0.95 / 0.05))


@given(pairs)
def test_stability_index_is_symmetric_and_never_negative(both):
    first, second = both
    assert psi(first, second) >= 0
    assert psi(first, second) == pytest.approx(psi(second, first), abs=1e-12)
    assert psi(first, first) == 0


def test_chance_exceeds_its_index_in_1_of_1000_nights():
    rng = np.random.default_rng(2)
    shares = rng.dirichlet(np.full(10, 5.0))
    bound = chance_index(10, 5000, 400)
    indices = [
        psi(rng.multinomial(5000, shares), rng.multinomial(400, shares)) for _ in range(20_000)
    ]
    assert 0.0003 < np.mean(np.array(indices) > bound) < 0.003


def test_frequent_tokens_of_both_sides_are_counted_and_all_others_as_one():
    many = [f"w{number}" for number in range(300)]
    sides = Tokens.from_lists([many, ["w7"]]), Tokens.from_lists([["new"] * 5, ["w7", "w299"]])
    bins, (reference, current) = frequent_tokens(*sides)
    assert bins[:3] == ["new", "w7", "w299"]
    assert (len(bins), bins[-1]) == (201, "(all others)")
    assert [side[:3].tolist() for side in (reference, current)] == [[0, 2, 1], [5, 1, 1]]
    assert (reference.sum(), current.sum()) == (301, 7)


def by_chance(reference, texts, length=10):
    return token_chance_index(reference, texts, texts * length)


def test_independent_tokens_follow_the_formula_and_repeated_tokens_do_not():
    rng = np.random.default_rng(3)
    once, thrice = (topical(2000, rng, 200, repeats) for repeats in (1, 3))
    independent = chance_index(200, len(once.codes), 300 * 10, 0.0001)
    assert 0.9 * independent < by_chance(once, 300) < 1.15 * independent
    # Three times the tokens in as many texts: no more information.
    assert 0.9 < by_chance(thrice, 300, 30) / by_chance(once, 300) < 1.5


def test_chance_explains_more_with_fewer_texts_or_tokens():
    reference = topical(2000, np.random.default_rng(3))
    assert by_chance(reference, 300) > by_chance(reference, 1000)
    assert by_chance(reference, 300, 5) > by_chance(reference, 300) * 1.5
    # Longer texts may repeat themselves: they count as no more than those of the reference.
    assert by_chance(reference, 300, 50) == token_chance_index(reference, 300, 10**6)


def test_night_larger_than_the_reference_is_scaled_from_halves_of_the_reference():
    small = topical(400, np.random.default_rng(4))
    # 1/n + 1/m of 400 and 200, of 400 and 10,000.
    ratio = by_chance(small, 10_000) / by_chance(small, 200)
    assert ratio == pytest.approx((1 / 400 + 1e-4) / (1 / 400 + 1 / 200), rel=0.1)
    assert np.isfinite(by_chance(small.take(np.arange(3)), 100))


def test_equal_texts_differ_by_no_chance():
    same = Tokens.from_lists([["a", "b"]] * 50)
    assert token_chance_index(same, 25, 50) == 0
