import numpy as np
import pytest

from pipeline.report.words import WordCounts, log_odds
from pipeline.text.tokens import Tokens


def test_words_are_counted_by_class_and_marks_are_not_words():
    tokens = Tokens.from_lists([["good", "day", "!"], ["bad", "day", "day"], ["day", "unseen"]])
    counts = WordCounts.of(tokens, np.array([1, 0, -1]), 2)
    assert counts.frequent(5) == [("day", 3), ("bad", 1), ("good", 1)]
    assert counts.frequent(5, label=1) == [("day", 1), ("good", 1)]
    assert counts.frequent(5, without={"day"}) == [("bad", 1), ("good", 1)]


def test_log_odds_of_a_case_worked_by_hand():
    # Ten tokens a side, two words; prior 1,000 tokens in the words' shares: 700 and 300.
    found = log_odds(np.array([9, 1]), np.array([5, 5]))
    first, second = (709, 301), (705, 305)
    odds = np.log(first[0] / first[1]) - np.log(second[0] / second[1])
    assert found[0] == pytest.approx(odds / np.sqrt(1 / first[0] + 1 / second[0]))
    assert found[1] < 0 < found[0]


def test_words_used_alike_tell_nothing_and_a_rare_one_less_than_a_frequent_one():
    counts, others = np.array([50, 100, 2, 848]), np.array([50, 10, 0, 940])
    alike, frequent, rare, _ = log_odds(counts, others)
    assert abs(alike) < 0.5
    assert frequent > 4 > 2 > rare > 0
