import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from pipeline.errors import PipelineError
from pipeline.features.bags import MultiHotEncoder, TfidfEncoder
from pipeline.features.sequences import SequenceEncoder
from pipeline.features.texts import Texts
from pipeline.text.tokens import Tokens

LISTS = [["a", "b", "a"], ["b"], [], ["c", "b", "a", "d", "e"], ["secret", "b"]]
TRAINING = np.array([True, True, True, True, False])
SEQUENCES = {
    "max_words": "all",
    "min_count": 1,
    "sequence_length": "auto",
    "padding": "after",
    "cutting": "after",
    "embedding": "learned",
}
TFIDF = {"max_words": "all", "min_count": 1, "norm": "l2", "sublinear_tf": False}


def sequences(lists=LISTS, training=TRAINING, **choices):
    texts = Texts(Tokens.from_lists(lists))
    encoder = SequenceEncoder.fit(texts, training, {**SEQUENCES, **choices})
    return encoder, encoder.transform(texts)


def tfidf(lists=LISTS, training=TRAINING, **choices):
    texts = Texts(Tokens.from_lists(lists))
    encoder = TfidfEncoder.fit(texts, training, {**TFIDF, **choices})
    return encoder, encoder.transform(texts)


def multi_hot(lists=LISTS, training=TRAINING, **choices):
    texts = Texts(Tokens.from_lists(lists))
    encoder = MultiHotEncoder.fit(texts, training, {**TFIDF, **choices})
    return encoder, encoder.transform(texts)


ENCODERS = pytest.mark.parametrize(
    "fit", [sequences, tfidf, multi_hot], ids=lambda fit: fit.__name__
)


@ENCODERS
def test_word_of_test_rows_alone_is_not_in_the_vocabulary(fit):
    encoder, _ = fit()
    assert "secret" not in encoder.vocabulary
    assert "d" in encoder.vocabulary


def test_vocabulary_is_ordered_by_count_then_alphabet_after_padding_and_unknown():
    encoder, _ = sequences()
    assert encoder.vocabulary == ["", "[UNK]", "a", "b", "c", "d", "e"]


def test_max_words_counts_padding_and_unknown_for_sequences_and_words_alone_for_tfidf():
    assert sequences(max_words=4)[0].vocabulary == ["", "[UNK]", "a", "b"]
    assert tfidf(max_words=4)[0].vocabulary == ["a", "b", "c", "d"]


def test_rare_words_are_not_in_the_vocabulary():
    assert sequences(min_count=2)[0].vocabulary == ["", "[UNK]", "a", "b"]


@pytest.mark.parametrize(
    ("choices", "rows"),
    [
        ({}, [[2, 3, 2], [3, 0, 0], [0, 0, 0], [4, 3, 2], [1, 3, 0]]),
        ({"padding": "before"}, [[2, 3, 2], [0, 0, 3], [0, 0, 0], [4, 3, 2], [0, 1, 3]]),
        ({"cutting": "before"}, [[2, 3, 2], [3, 0, 0], [0, 0, 0], [2, 5, 6], [1, 3, 0]]),
    ],
)
def test_sequences_are_padded_and_truncated_at_the_chosen_end(choices, rows):
    _, vectors = sequences(sequence_length=3, **choices)
    assert vectors.tolist() == rows
    assert vectors.dtype == np.int32


def test_automatic_length_covers_99_percent_of_training_texts_alone():
    lists = [["w"]] * 98 + [["w"] * 9] * 2 + [["w"] * 500]
    encoder, _ = sequences(lists, np.array([True] * 100 + [False]))
    assert encoder.sequence_length == 9
    encoder, _ = sequences([["w"]] * 99 + [["w"] * 90], np.ones(100, bool))
    assert encoder.sequence_length in (1, 2)


WORDS = st.lists(st.sampled_from(["a", "b", "c", "dd", "e", "f"]), max_size=8)


@given(
    st.lists(WORDS, min_size=2, max_size=12).filter(any),
    st.sampled_from(["l1", "l2", "none"]),
    st.booleans(),
    st.sampled_from(["all", 3]),
)
@settings(deadline=None)
def test_tfidf_has_the_values_of_scikit_learn(lists, norm, sublinear, limit):
    encoder, vectors = tfidf(
        lists, np.ones(len(lists), bool), norm=norm, sublinear_tf=sublinear, max_words=limit
    )
    expected = TfidfVectorizer(
        analyzer=lambda words: words,
        norm=None if norm == "none" else norm,
        sublinear_tf=sublinear,
        vocabulary=encoder.vocabulary,
    ).fit_transform(lists)
    np.testing.assert_allclose(vectors.toarray(), expected.toarray(), atol=1e-6)


@ENCODERS
def test_saved_encoder_and_vectors_are_read_back(fit, tmp_path):
    encoder, vectors = fit()
    encoder.save(tmp_path)
    encoder.save_vectors(vectors, tmp_path)
    loaded = type(encoder).load(tmp_path)
    texts = Texts(Tokens.from_lists([["a", "new", "b"], ["c"]]))
    for one, other in (
        (loaded.transform(texts), encoder.transform(texts)),
        (type(encoder).load_vectors(tmp_path), vectors),
    ):
        difference = one != other
        assert not (difference.any() if isinstance(one, np.ndarray) else difference.nnz)
    assert loaded.vocabulary == encoder.vocabulary


def test_words_with_strange_characters_survive_in_the_vocabulary_file(tmp_path):
    words = ["\u2028", "\x85", "a b", "\r", "é"]
    encoder, _ = tfidf([words, words], np.ones(2, bool))
    encoder.save(tmp_path)
    assert TfidfEncoder.load(tmp_path).vocabulary == encoder.vocabulary


@ENCODERS
def test_empty_vocabulary_is_an_error(fit):
    with pytest.raises(PipelineError, match="vocabulary is empty: .* min_count 99"):
        fit(min_count=99)


@pytest.mark.parametrize("padding", ["after", "before"])
@pytest.mark.parametrize("cutting", ["after", "before"])
def test_sequences_do_not_depend_on_the_chunk_size(monkeypatch, padding, cutting):
    rng = np.random.default_rng(0)
    lists = [[f"w{word}" for word in rng.integers(0, 20, size)] for size in rng.integers(0, 9, 40)]
    texts = Texts(Tokens.from_lists(lists))
    choices = {**SEQUENCES, "sequence_length": 5, "padding": padding, "cutting": cutting}
    encoder = SequenceEncoder.fit(texts, np.ones(40, bool), choices)
    in_one_chunk = encoder.transform(texts)
    monkeypatch.setattr("pipeline.features.sequences._CHUNK", 7)
    np.testing.assert_array_equal(encoder.transform(texts), in_one_chunk)
    index_of = {word: index for index, word in enumerate(encoder.vocabulary)}
    for words, row in zip(lists, in_one_chunk, strict=True):
        kept = words[:5] if cutting == "after" else words[-5:]
        indices, zeros = [index_of[word] for word in kept], [0] * (5 - len(kept))
        assert row.tolist() == (indices + zeros if padding == "after" else zeros + indices)


def test_multi_hot_is_one_for_each_word_however_often_it_occurs():
    encoder, vectors = multi_hot()
    assert encoder.vocabulary == ["a", "b", "c", "d", "e"]
    expected = [[1, 1, 0, 0, 0], [0, 1, 0, 0, 0], [0] * 5, [1] * 5, [0, 1, 0, 0, 0]]
    assert vectors.toarray().tolist() == expected
    assert vectors.dtype == np.float32
