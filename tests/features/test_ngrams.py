"""N-grams are counted as in scikit-learn, and only training rows are fitted."""

import numpy as np
import pyarrow as pa
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from pipeline.features import bags, ngrams, vocabulary
from pipeline.features.ngrams import NgramEncoder
from pipeline.features.texts import Texts
from pipeline.text.tokenize import words as tokenize

TEXTS = ["the cat sat", "The CAT sat on a mat", "", "a", "naïve ☕☕ café  x", "cat cat cat sat"]
SETTINGS = {
    "max_words": "all",
    "min_count": 1,
    "norm": "l2",
    "sublinear_tf": False,
    "word_ngrams": (1, 2),
    "char_ngrams": (2, 5),
}


def texts_of(lines):
    column = pa.array(lines, pa.string())
    return Texts(tokenize(column), column)


def counted(matrix, names, row):
    line = matrix[row].toarray().ravel()
    return {names[at]: line[at] for at in np.flatnonzero(line)}


@pytest.mark.parametrize("bounds", [(1, 1), (1, 2), (2, 3), (3, 3), (1, 4)])
def test_word_ngrams_equal_those_of_scikit_learn(bounds):
    word_ngrams = ngrams._word_ngrams(tokenize(pa.array(TEXTS)), *bounds)
    names = sorted(set(word_ngrams.words))
    counts = bags.counts(word_ngrams, vocabulary.index(names))
    vectorizer = CountVectorizer(ngram_range=bounds, tokenizer=str.split, token_pattern=None)
    expected = vectorizer.fit_transform(TEXTS)
    expected_names = vectorizer.get_feature_names_out()
    for row in range(len(TEXTS)):
        assert counted(counts, names, row) == counted(expected, expected_names, row)


@pytest.mark.parametrize("bounds", [(2, 5), (1, 1), (3, 4), (5, 7)])
def test_character_ngrams_equal_those_of_scikit_learn(bounds):
    words = sorted({word for text in TEXTS for word in text.lower().split()})
    words += ["né☕a" * length + "b" for length in (9, 10, 11, 40)]
    per_word, names = ngrams._character_ngrams(words, *bounds)
    vectorizer = CountVectorizer(analyzer="char_wb", ngram_range=bounds)
    expected = vectorizer.fit_transform(words)
    expected_names = vectorizer.get_feature_names_out()
    for row in range(len(words)):
        assert counted(per_word, names, row) == counted(expected, expected_names, row)


def test_long_word_does_not_cost_one_pass_per_character(monkeypatch):
    passes = []
    slice_of = ngrams.pc.utf8_slice_codeunits
    monkeypatch.setattr(
        ngrams.pc,
        "utf8_slice_codeunits",
        lambda column, *bounds: passes.append(bounds) or slice_of(column, *bounds),
    )
    counts, names = ngrams._character_ngrams(["ab" * 10_000, "cd"], 2, 5)
    assert counts.sum() == sum(20_002 - size + 1 for size in range(2, 6)) + 3 + 2 + 1
    assert "ababa" in names
    assert len(passes) < 1_000


@pytest.mark.parametrize("change", [{}, {"norm": "l1"}, {"norm": "none", "sublinear_tf": True}])
def test_values_equal_those_of_scikit_learn(change):
    settings = SETTINGS | change
    texts = texts_of(TEXTS)
    encoder = NgramEncoder.fit(texts, np.ones(len(TEXTS), bool), settings)
    values = encoder.transform(texts)
    shared = {
        "norm": None if settings["norm"] == "none" else settings["norm"],
        "sublinear_tf": settings["sublinear_tf"],
    }
    of_words = TfidfVectorizer(
        ngram_range=(1, 2), tokenizer=str.split, token_pattern=None, **shared
    )
    of_characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), **shared)
    for vectorizer, names, part in (
        (of_words, encoder.words, values[:, : len(encoder.words)]),
        (of_characters, encoder.characters, values[:, len(encoder.words) :]),
    ):
        expected = vectorizer.fit_transform(TEXTS)
        columns = [vectorizer.vocabulary_[name] for name in names]
        assert part.shape == expected.shape
        np.testing.assert_allclose(part.toarray(), expected[:, columns].toarray(), rtol=1e-6)
    assert values.dtype == np.float32


def test_only_training_rows_decide_what_is_counted():
    training = np.array([True, True, False])
    seen = ["good day", "bad day"]
    encoders = [
        NgramEncoder.fit(texts_of([*seen, other]), training, SETTINGS)
        for other in ("zebra crossing", "day")
    ]
    assert encoders[0].vocabulary == encoders[1].vocabulary
    np.testing.assert_array_equal(encoders[0].character_idf, encoders[1].character_idf)
    np.testing.assert_array_equal(encoders[0].word_idf, encoders[1].word_idf)
    assert not any("z" in ngram for ngram in encoders[0].vocabulary)


def test_min_count_and_max_words_limit_words_and_characters():
    texts = texts_of(["aa bb", "aa bb", "aa cc"])
    everything = np.ones(3, bool)
    often = NgramEncoder.fit(texts, everything, SETTINGS | {"min_count": 2})
    assert sorted(often.words) == ["aa", "aa bb", "bb"]
    assert "cc" not in often.characters
    few = NgramEncoder.fit(texts, everything, SETTINGS | {"max_words": 3})
    assert few.width == 6


def test_loaded_encoder_has_the_same_values(tmp_path):
    texts = texts_of(TEXTS)
    encoder = NgramEncoder.fit(texts, np.ones(len(TEXTS), bool), SETTINGS)
    encoder.save(tmp_path)
    loaded = NgramEncoder.load(tmp_path)
    new = texts_of(["a cat on a café mat", "unseen wörds"])
    assert (loaded.transform(new) != encoder.transform(new)).nnz == 0
    vectors = encoder.transform(texts)
    encoder.save_vectors(vectors, tmp_path)
    assert (encoder.load_vectors(tmp_path) != vectors).nnz == 0


def test_values_of_a_text_do_not_depend_on_other_texts():
    texts = texts_of(TEXTS)
    encoder = NgramEncoder.fit(texts, np.ones(len(TEXTS), bool), SETTINGS)
    together = encoder.transform(texts)
    for row, text in enumerate(TEXTS):
        alone = encoder.transform(texts_of([text]))
        np.testing.assert_array_equal(alone.toarray()[0], together[row].toarray()[0])
