import numpy as np
import pyarrow as pa
import pytest

from pipeline.report.distinctive_words import WordCounts, function_words, log_odds, placeholders
from pipeline.text.entities import ENTITIES
from pipeline.text.tokenize import tokenize
from pipeline.text.tokens import Tokens

REPLACED = dict.fromkeys(ENTITIES, "replace")
TEXT = "thanks <user> <user>: see <url>, <hashtag> and <number>! my friends"
PLAIN = {
    "pattern": r"\w+",
    "token_case": "keep",
    "stop_words": "none",
    "word_form": "as_is",
    "language": "english",
}


def test_words_are_counted_by_class_without_punctuation():
    tokens = Tokens.from_lists([["good", "day", "!"], ["bad", "day", "day"], ["day", "unseen"]])
    counts = WordCounts.of(tokens, np.array([1, 0, -1]), 2)
    assert counts.frequent(5) == [("day", 3), ("bad", 1), ("good", 1)]
    assert counts.frequent(5, label=1) == [("day", 1), ("good", 1)]
    assert counts.frequent(5, without={"day"}) == [("bad", 1), ("good", 1)]


def test_log_odds_of_an_example_calculated_by_hand():
    # Ten tokens in each class, two words; a prior of 1,000 tokens: 700 and 300.
    scores = log_odds(np.array([9, 1]), np.array([5, 5]))
    first, second = (709, 301), (705, 305)
    odds = np.log(first[0] / first[1]) - np.log(second[0] / second[1])
    assert scores[0] == pytest.approx(odds / np.sqrt(1 / first[0] + 1 / second[0]))
    assert scores[1] < 0 < scores[0]


def test_rare_word_is_less_distinctive_than_a_frequent_one():
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
def test_placeholders_are_excluded_for_each_tokenizer(tokenizer, pattern, word_form):
    settings = {**PLAIN, "tokenizer": tokenizer, "pattern": pattern, "word_form": word_form}
    tokens = tokenize(pa.array([TEXT]), settings)
    counts = WordCounts.of(tokens, np.array([0]), 1)
    marks = placeholders(tokens.words, REPLACED, settings)
    words = {word for word, _ in counts.frequent(20, without=marks)}
    assert not {word.strip("<>:,!") for word in words} & {"user", "url", "hashtag", "number"}
    assert "see" in " ".join(words)


def test_entities_that_cleaning_keeps_are_no_placeholders():
    settings = {**PLAIN, "tokenizer": "words"}
    assert placeholders(["user", "url"], {**REPLACED, "urls": "keep"}, settings) == {
        "user",
        "hashtag",
        "number",
    }


def test_single_characters_are_no_placeholders():
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
def test_function_words_have_the_form_of_the_tokens(language, word_form, word, is_function):
    settings = {**PLAIN, "language": language, "word_form": word_form}
    assert (word in function_words(settings)) == is_function
