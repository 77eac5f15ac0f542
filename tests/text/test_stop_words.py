"""A user's file of stop words is read as the texts are, and lines without effect are reported."""

import re
import unicodedata

import pytest
from conftest import CLEANING

from pipeline.errors import DataError
from pipeline.text.stop_words import read
from pipeline.text.tokens import Tokens

TOKENIZING = {
    "tokenizer": "words",
    "pattern": r"\w+",
    "token_case": "keep",
    "stop_words": "file",
    "word_form": "porter",
    "language": "english",
}
CASED = {"tokenizer": "tweet"}


def read_file(tmp_path, content, tokenizing=(), cleaning=()):
    path = tmp_path / "stop.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read(path, {**CLEANING, **dict(cleaning)}, {**TOKENIZING, **dict(tokenizing)})


@pytest.mark.parametrize(
    ("content", "tokenizing", "cleaning", "words", "unusable"),
    [
        pytest.param("\ufeffthe\nof\n", {}, {}, {"the", "of"}, [], id="BOM"),
        pytest.param("The\nOF\nthe\n", {}, {}, {"the", "of"}, [], id="capitals"),
        pytest.param("The\nof\n", CASED, {}, {"The", "of"}, [], id="tokens keep their case"),
        pytest.param("The\n", CASED, {"case": "lower"}, {"the"}, [], id="lower-case texts"),
        pytest.param("The\n", {**CASED, "token_case": "lower"}, {}, {"the"}, [], id="lower tokens"),
        pytest.param(
            unicodedata.normalize("NFD", "für\n"), {}, {}, {"für"}, [], id="decomposed letters"
        ),
        pytest.param("ﬁn\n", {}, {"unicode_form": "NFKC"}, {"fin"}, [], id="NFKC"),
        pytest.param("the\r\n of \r\n\r\n", {}, {}, {"the", "of"}, [], id="line ends and spaces"),
        pytest.param("# articles\nthe\n", {}, {}, {"the"}, [], id="comment"),
        pytest.param("#ok\n", CASED, {}, {"#ok"}, [], id="hashtag is no comment"),
        pytest.param("running\n", {}, {}, {"running"}, [], id="not stemmed"),
        pytest.param("don't\nof course\n", {}, {}, {"don't"}, ["of course"], id="space"),
        pytest.param(
            "don't\n...\n", {"tokenizer": "regexp"}, {}, set(), ["...", "don't"], id="punctuation"
        ),
        pytest.param("", {}, {}, set(), [], id="empty"),
    ],
)
def test_words_are_those_of_the_tokenizer(tmp_path, content, tokenizing, cleaning, words, unusable):
    file = read_file(tmp_path, content, tokenizing, cleaning)
    assert (file.words, file.unusable) == (words, unusable)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("für\n".encode("latin-1"), r"stop\.txt is not utf-8"),
        ("the\n".encode("utf-16"), r"stop\.txt is not utf-8"),
        ("the\n".encode("utf-16-le"), r"stop\.txt is not a text file"),
    ],
)
def test_file_in_another_encoding_is_an_error(tmp_path, content, message):
    with pytest.raises(DataError, match=message):
        read_file(tmp_path, content)


@pytest.mark.parametrize(
    ("content", "messages"),
    [
        ("the\n", []),
        ("the\nzzz\n", []),
        ("\ufeff# nothing\n", ["contains no stop words, so no word is removed"]),
        ("the\nof course\n", ["1 of 2 stop words of .* splits or drops them: 'of course'; write"]),
        ("der\ndie\n", ["none of the 2 stop words of .* occurs in the texts"]),
        (" ".join("abcdefg") + "\n", ["1 of 1 stop words"]),
    ],
)
def test_file_without_effect_is_a_warning(tmp_path, caplog, content, messages):
    read_file(tmp_path, content).warn(Tokens.from_lists([["the", "cat"]]))
    logged = [record.getMessage() for record in caplog.records]
    assert len(logged) == len(messages)
    for text, message in zip(logged, messages, strict=True):
        assert re.search(f"^W210: .*{message}", text)
