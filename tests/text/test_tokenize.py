import string

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.tokenize import RegexpTokenizer

import pipeline
from pipeline.errors import PipelineError
from pipeline.settings import checks
from pipeline.text import tokenize as tok
from pipeline.text.tokens import Tokens

PLAIN = {
    "tokenizer": "words",
    "pattern": r"\w+",
    "token_case": "keep",
    "stop_words": "none",
    "word_form": "as_is",
    "language": "english",
}
# What the classic Keras tokenizer did by its documentation: lower the case, turn the filter
# characters to spaces, split at spaces.
_FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'


def keras_words(text):
    table = str.maketrans(_FILTERS, " " * len(_FILTERS))
    return [word for word in text.lower().translate(table).split(" ") if word]


def tokens_of(texts, processes=1, **choices):
    return tok.tokenize(pa.array(texts, pa.string()), {**PLAIN, **choices}, processes).to_lists()


@given(
    st.lists(
        st.text(alphabet=string.printable)
        | st.text()
        | st.text(alphabet="İΣσςǅßﬁ'é\u00a0\u2028\x85\x0b aA.")
    )
)
@settings(deadline=None)
def test_words_are_those_of_the_classic_keras_tokenizer(texts):
    assert tokens_of(texts) == [keras_words(text) for text in texts]


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        ({}, ["don't", "stop", "running", "cats", "user", "ok"]),
        (
            {"tokenizer": "tweet"},
            ["Don't", "STOP", "running", "cats", ":)", "<user>", "#ok"],
        ),
        (
            {"tokenizer": "tweet", "token_case": "lower"},
            ["don't", "stop", "running", "cats", ":)", "<user>", "#ok"],
        ),
        ({"tokenizer": "regexp"}, ["Don", "t", "STOP", "running", "cats", "user", "ok"]),
        ({"tokenizer": "regexp", "pattern": "[A-Z]+"}, ["D", "STOP"]),
        ({"word_form": "porter"}, ["don't", "stop", "run", "cat", "user", "ok"]),
        ({"word_form": "snowball"}, ["don't", "stop", "run", "cat", "user", "ok"]),
        ({"word_form": "simplemma"}, ["do", "stop", "run", "cat", "user", "ok"]),
        ({"stop_words": "scikit-learn"}, ["don't", "stop", "running", "cats", "user", "ok"]),
    ],
)
def test_tokenizers_and_word_forms(choices, expected):
    assert tokens_of(["Don't STOP running cats :) <user> #ok"], **choices) == [expected]


def test_stop_words_are_from_a_list_a_set_or_the_file_of_a_model(tmp_path):
    (tmp_path / "stop.txt").write_text("the\nrunning\n")
    texts = ["the dog and the running cat"]
    assert tokens_of(texts, stop_words="scikit-learn") == [["dog", "running", "cat"]]
    assert tokens_of(texts, stop_words=str(tmp_path / "stop.txt")) == [["dog", "and", "cat"]]
    assert tokens_of(texts, stop_words=frozenset({"dog"})) == [["the", *texts[0].split()[2:]]]


def test_lemmas_depend_on_the_language():
    assert tokens_of(["meine Häuser"], word_form="simplemma", language="german") == [
        ["mein", "Haus"]
    ]


@pytest.mark.parametrize(
    ("choices", "corpus"),
    [({"stop_words": "nltk"}, "stopwords"), ({"word_form": "wordnet"}, "wordnet")],
)
def test_missing_nltk_corpus_is_an_error_and_not_downloaded(choices, corpus, monkeypatch, tmp_path):
    import nltk.data

    monkeypatch.setattr(nltk.data, "path", [str(tmp_path)])
    with pytest.raises(PipelineError, match=f"corpus '{corpus}' is not installed; run 'python -m"):
        tokens_of(["a"], **choices)


@pytest.mark.parametrize("tokenizer", ["tweet", "regexp"])
def test_processes_make_the_same_tokens(tokenizer, monkeypatch):
    texts = [f"Text number {i} :) @you #tag{i % 7}" for i in range(60)]
    monkeypatch.setattr(tok, "_ROWS_PER_PROCESS", 10)
    assert tokens_of(texts, processes=2, tokenizer=tokenizer) == tokens_of(
        texts, tokenizer=tokenizer
    )


@pytest.mark.parametrize(
    ("chosen", "settings_", "message"),
    [
        ({"pattern": "a"}, {}, "pattern is for tokenizer regexp, got tokenizer words"),
        ({}, {"tokenizer": "regexp", "pattern": "("}, "must be a regular expression, got '\\('"),
        ({}, {"tokenizer": "regexp", "pattern": "a*"}, "matches the empty text"),
        ({}, {"tokenizer": "regexp", "pattern": r"\b"}, "matches the empty text"),
        ({}, {"tokenizer": "regexp", "pattern": r"(\w)(\w)"}, "has groups"),
        ({}, {"word_form": "porter", "language": "german"}, "porter is English only"),
        ({}, {"stop_words": "scikit-learn", "language": "german"}, "English only"),
    ],
)
def test_settings_that_do_not_fit_are_an_error(chosen, settings_, message):
    with pytest.raises(PipelineError, match=message):
        checks.tokens(chosen, {**PLAIN, **settings_})


def test_lexical_diversity_is_distinct_over_all():
    tokens = Tokens.from_lists([["a", "a", "b", "c"], [], ["a"]])
    assert tok.lexical_diversity(tokens).tolist() == [0.75, 0.0, 1.0]


def test_summary_counts_tokens():
    tokens = Tokens.from_lists([["a", "b", "a"], [], ["a"]])
    counts = tok.summary(tokens, tok.lexical_diversity(tokens))
    assert counts["tokens"] == 4
    assert counts["distinct_tokens"] == 2
    assert counts["empty_texts"] == 1
    assert counts["most_frequent"] == {"a": 3, "b": 1}
    assert counts["length_percentiles"]["100"] == 3
    assert np.isclose(counts["mean_length"], 4 / 3)


@pytest.mark.parametrize("pattern", [r"\w+", r"\w\w+", r"\d+", "[a-zA-Z0-9]+", "[a-z'-]+", r"\S+"])
@given(texts=st.lists(st.text() | st.text(alphabet=string.printable) | st.text("aB1_-' é")))
@settings(deadline=None)
def test_regexp_tokens_are_those_of_nltk(pattern, texts):
    expected = RegexpTokenizer(pattern).tokenize_sents(texts)
    assert tokens_of(texts, tokenizer="regexp", pattern=pattern) == expected


@pytest.mark.parametrize("word_form", ["as_is", "porter", "snowball", "simplemma"])
@pytest.mark.parametrize("tokenizer", ["words", "regexp", "tweet"])
def test_texts_without_a_token_are_empty_lists(tokenizer, word_form):
    lists = tokens_of(
        ["", "...", "the cats"], tokenizer=tokenizer, word_form=word_form, pattern="[a-z]+"
    )
    assert lists[0] == []
    assert len(lists[2]) == 2


def test_dropped_tokens_are_not_counted():
    tokens = Tokens.from_lists([["the", "cat"], [], ["and", "the"]]).without(["the", "and"])
    assert tokens.words == ["cat"]
    assert tokens.to_lists() == [["cat"], [], []]
    assert tok.summary(tokens, tok.lexical_diversity(tokens))["most_frequent"] == {"cat": 1}


def test_every_tokenizer_is_offered_and_every_offer_is_a_tokenizer():
    choices = dict(pipeline.RunAll.get_params())["tokenizer"].setting.choices
    assert set(choices) == set(tok.TOKENIZERS)


@pytest.mark.parametrize(
    ("language", "expected"),
    [("english", ["isparta", "i̇zmi̇r"]), ("turkish", ["ısparta", "izmir"])],
)
@pytest.mark.parametrize("tokenizer", ["words", "tweet", "regexp"])
def test_lower_case_follows_the_language(language, expected, tokenizer):
    choices = {"tokenizer": tokenizer, "token_case": "lower", "pattern": r"\S+"}
    assert tokens_of(["ISPARTA İZMİR"], language=language, **choices) == [expected]


def test_tokens_of_scripts_without_spaces_are_bigrams_by_default():
    declared = pipeline.Tokenize.declared()["segmentation"]
    assert declared.default == "bigrams"
    texts = ["今日は OK"]
    assert tokens_of(texts, segmentation="bigrams") == [["今日", "日は", "ok"]]
    assert tokens_of(texts, segmentation="bigrams", tokenizer="tweet") == [["今日", "日は", "OK"]]


def test_models_of_earlier_versions_keep_their_tokens():
    assert "segmentation" not in PLAIN
    assert tokens_of(["今日は"]) == [["今日は"]]
