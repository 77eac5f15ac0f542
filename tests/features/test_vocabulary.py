"""The words of a vocabulary and their order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import PipelineError
from pipeline.features import vocabulary
from pipeline.text.tokens import Tokens

ALL = {"max_words": "all", "min_count": 1}


@pytest.mark.parametrize(
    ("counts", "settings", "reserved", "kept"),
    [
        ({"b": 1, "a": 1, "c": 2}, ALL, 0, ["c", "a", "b"]),
        (
            {"zoo": 3, "ape": 3, "Ape": 3, "éte": 3, "ant": 3},
            ALL,
            0,
            ["Ape", "ant", "ape", "zoo", "éte"],
        ),
        ({"b": 2, "a": 2, "c": 2}, {**ALL, "max_words": 2}, 0, ["a", "b"]),
        ({"b": 2, "a": 2, "c": 2}, {**ALL, "max_words": 3}, 2, ["a"]),
        ({"b": 2, "a": 2}, {**ALL, "max_words": 1}, 2, []),
        ({"b": 2, "a": 1, "c": 3}, {**ALL, "min_count": 2}, 0, ["c", "b"]),
        ({"b": 0, "a": 1}, {**ALL, "min_count": 0}, 0, ["a"]),
    ],
    ids=[
        "most frequent first",
        "equal counts by code point",
        "a tie at the limit",
        "reserved words",
        "all words reserved",
        "too rare",
        "in no training row",
    ],
)
def test_vocabulary_is_ordered_by_count_and_then_alphabetically(counts, settings, reserved, kept):
    words, numbers = list(counts), np.array(list(counts.values()))
    assert vocabulary.most_frequent(words, numbers, settings, reserved) == kept


@given(st.dictionaries(st.text(min_size=1, max_size=3), st.integers(1, 3), min_size=1), st.data())
def test_order_does_not_depend_on_the_order_of_the_rows(counts, data):
    shuffled = data.draw(st.permutations(list(counts)))
    expected = sorted(counts, key=lambda word: (-counts[word], word))
    for words in (list(counts), shuffled):
        numbers = np.array([counts[word] for word in words])
        assert vocabulary.most_frequent(words, numbers, ALL) == expected


def test_only_training_rows_are_counted():
    tokens = Tokens.from_lists([["b", "a"], ["z", "z", "z"], ["a", "c"]])
    assert vocabulary.fit(tokens, np.array([True, False, True]), ALL) == ["a", "b", "c"]


def test_empty_vocabulary_is_an_error():
    with pytest.raises(PipelineError, match="min_count 5"):
        vocabulary.most_frequent(["a"], np.array([4]), {**ALL, "min_count": 5})


def test_words_with_unusual_line_ends_are_read_as_written(tmp_path):
    words = ["a\r", "b\u2028c", "", "d"]
    vocabulary.write(tmp_path / "vocabulary.txt", words)
    assert vocabulary.read(tmp_path / "vocabulary.txt") == words
