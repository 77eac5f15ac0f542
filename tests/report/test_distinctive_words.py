import numpy as np
import pyarrow as pa
import pytest

from pipeline.report.distinctive_words import WordCounts, function_words, log_odds, placeholders
from pipeline.text.entities import PLACEHOLDERS
from pipeline.text.tokenize import tokenize
from pipeline.text.tokens import Tokens

REPLACED = dict.fromkeys(PLACEHOLDERS, "replace")
TEXT = "thanks <user> <user>: see <url>, <hashtag> and <number>! my friends"
PLAIN = {
    "pattern": r"\w+",
    "token_case": "keep",
    "stop_words": "none",
    "word_form": "as_is",
    "language": "english",
}


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


@pytest.mark.parametrize("word_form", ["as_is", "porter", "snowball", "simplemma"])
@pytest.mark.parametrize(
    ("tokenizer", "pattern"),
    [
        ("words", r"\w+"),
        ("tweet", r"\w+"),
        ("regexp", r"\w+"),
        ("regexp", r"\w\w+"),
        ("regexp", r"[a-zA-Z0-9]+"),
        ("regexp", r"\S+"),
        ("regexp", r"<?\w+>?"),
    ],
)
def test_placeholders_are_left_out_as_each_tokenizer_writes_them(tokenizer, pattern, word_form):
    settings = {**PLAIN, "tokenizer": tokenizer, "pattern": pattern, "word_form": word_form}
    tokens = tokenize(pa.array([TEXT]), settings)
    counts = WordCounts.of(tokens, np.array([0]), 1)
    stands_in = placeholders(tokens.words, REPLACED, settings)
    left = {word for word, _ in counts.frequent(20, without=stands_in)}
    assert not {word.strip("<>:,!") for word in left} & {"user", "url", "hashtag", "number"}
    assert "see" in " ".join(left)


def test_placeholders_of_what_cleaning_kept_stay():
    settings = {**PLAIN, "tokenizer": "words"}
    assert placeholders(["user", "url"], {**REPLACED, "urls": "keep"}, settings) == {
        "user",
        "hashtag",
        "number",
    }


def test_tokenizer_of_single_characters_loses_no_letters():
    settings = {**PLAIN, "tokenizer": "regexp", "pattern": r"\w"}
    assert placeholders(["u", "s", "e", "r"], REPLACED, settings) == frozenset()


@pytest.mark.parametrize(
    ("language", "word_form", "word", "is_function"),
    [
        ("english", "as_is", "because", True),
        ("english", "porter", "becaus", True),
        ("english", "as_is", "becaus", False),
        ("german", "as_is", "because", False),
    ],
)
def test_function_words_are_written_as_tokens_are(language, word_form, word, is_function):
    settings = {**PLAIN, "language": language, "word_form": word_form}
    assert (word in function_words(settings)) == is_function
