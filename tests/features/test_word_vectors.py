"""Pretrained word vectors: reading, lookup, and words that are not in the vocabulary."""

import numpy as np
import pyarrow as pa
import pytest

from pipeline.errors import PipelineError
from pipeline.features import word_vectors
from pipeline.features.sequences import SequenceEncoder
from pipeline.features.texts import Texts
from pipeline.features.word_vectors import WordVectors
from pipeline.text.tokens import Tokens

GLOVE = "the 0.1 0.2 0.3\ncat 1 0 0\n. . 5 6 7\nzebra 0 1 -1e-1\ncat 9 9 9\n"
SETTINGS = {
    "max_words": "all",
    "min_count": 1,
    "sequence_length": 4,
    "padding": "after",
    "cutting": "after",
}


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("header", ["", "5 3\n"], ids=["glove", "word2vec"])
def test_text_files_are_read(tmp_path, header):
    vectors = word_vectors.read(write(tmp_path / "vectors.txt", header + GLOVE))
    assert vectors.words.to_pylist() == ["the", "cat", ". .", "zebra"]
    np.testing.assert_allclose(vectors.matrix(["cat", "nothing"]), [[1, 0, 0], [0, 0, 0]])
    assert vectors.vectors.dtype == np.float32


def test_lower_case_form_is_used_for_a_word_without_vector():
    vectors = WordVectors(pa.array(["cat", "Dog"]), np.eye(2, dtype=np.float32))
    assert vectors.find(["cat", "CAT", "Dog", "dog", "x"]).tolist() == [0, 0, 1, -1, -1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("the 0.1 0.2\ncat 1 two\n", "line 2: a word and 2 numbers were expected"),
        ("the 0.1 0.2\ncat 1\n", "line 2: a word and 2 numbers were expected"),
        ("", "contains no word vectors"),
    ],
)
def test_file_of_another_kind_is_an_error(tmp_path, text, message):
    with pytest.raises(PipelineError, match=message):
        word_vectors.read(write(tmp_path / "vectors.txt", text))


def test_unknown_name_is_an_error():
    with pytest.raises(PipelineError, match="did you mean 'glove-6b-50d'"):
        word_vectors.read("glove-6b-100d")


def fitted(tmp_path, **changes):
    choice = write(tmp_path / "vectors.txt", GLOVE)
    texts = Texts(Tokens.from_lists([["the", "cat"], ["the", "hat"], ["unseen"]]))
    training = np.array([True, True, False])
    return SequenceEncoder.fit(texts, training, SETTINGS | {"embedding": choice} | changes)


def test_words_that_are_not_in_the_vocabulary_keep_their_vector(tmp_path):
    encoder = fitted(tmp_path)
    new = Texts(Tokens.from_lists([["zebra", "the", "moon", "[UNK]"]]))
    row = encoder.transform(new)[0]
    assert row.tolist() == [encoder.width + 3, encoder.vocabulary.index("the"), 1, 1]
    np.testing.assert_allclose(encoder.word_vectors.vectors[row[0] - encoder.width], [0, 1, -0.1])


def test_coverage_is_counted_over_training_rows(tmp_path):
    encoder = fitted(tmp_path)
    assert encoder.coverage == {
        "dimensions": 3,
        "words_without_vector": 1,
        "words_covered": pytest.approx(2 / 3, abs=1e-6),
        "tokens_covered": 0.75,
    }
    encoder.save(tmp_path)
    assert (tmp_path / "words_without_vector.txt").read_text() == "hat\n"


def test_loaded_encoder_has_the_same_indices_and_links_the_file(tmp_path):
    encoder = fitted(tmp_path)
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir(), second.mkdir()
    encoder.save(first)
    SequenceEncoder.load(first).save(second)
    new = Texts(Tokens.from_lists([["zebra", "the", "moon", "cat"]]))
    read = SequenceEncoder.load(second)
    np.testing.assert_array_equal(read.transform(new), encoder.transform(new))
    assert (first / "vectors.npy").stat().st_ino == (second / "vectors.npy").stat().st_ino


def test_vectors_of_padding_and_unknown_are_zero(tmp_path):
    matrix = fitted(tmp_path).embedding()
    assert matrix.shape == (5, 3)
    assert not matrix[:2].any()


def test_without_pretrained_vectors_other_words_are_unknown(tmp_path):
    encoder = fitted(tmp_path, embedding="learned")
    assert encoder.embedding() is None
    assert encoder.transform(Texts(Tokens.from_lists([["zebra"]])))[0, 0] == 1
