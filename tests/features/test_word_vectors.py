"""Pretrained word vectors: reading, lookup, and words that are not in the vocabulary."""

import bz2
import gzip
import io
import lzma
import re
import zipfile

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
    ("name", "change"),
    [
        ("bom.txt", lambda text: b"\xef\xbb\xbf" + text),
        ("header.txt", lambda text: b"\xef\xbb\xbf5 3\n" + text),
        ("windows.txt", lambda text: text.replace(b"\n", b"\r\n") + b"\r\n"),
        ("spaces.txt", lambda text: text.replace(b"\n", b" \n")),
        ("vectors.txt.gz", gzip.compress),
        ("gz without its ending.txt", gzip.compress),
        ("vectors.bz2", bz2.compress),
        ("vectors.xz", lzma.compress),
        ("vectors.zip", lambda text: zipped({"a/glove.txt": text, "a/": b""})),
    ],
)
def test_text_files_are_read_with_byte_order_mark_and_compressed(tmp_path, name, change):
    (tmp_path / name).write_bytes(change(GLOVE.encode()))
    vectors = word_vectors.read(str(tmp_path / name))
    assert vectors.words.to_pylist() == ["the", "cat", ". .", "zebra"]
    np.testing.assert_allclose(vectors.vectors[0], [0.1, 0.2, 0.3])


def test_tabs_separate_where_there_are_no_spaces(tmp_path):
    vectors = word_vectors.read(write(tmp_path / "a.txt", "the\t1\t2\ncat\t3\t4\n"))
    assert vectors.words.to_pylist() == ["the", "cat"]


def test_numbers_may_be_aligned_by_spaces(tmp_path):
    vectors = word_vectors.read(write(tmp_path / "a.txt", "the   1  2\n. .   3 40\n a  5  6\n"))
    assert vectors.words.to_pylist() == ["the", ". .", "a"]


def zipped(members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


BINARY = b"2 3\nthe " + np.array([0.1, 0.2, 0.3], np.float32).tobytes() + b"\ncat " + bytes(12)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(BINARY, r"is a binary file; give a text file", id="word2vec"),
        pytest.param(gzip.compress(BINARY), r"is a binary file", id="word2vec.bin.gz"),
        pytest.param("the 1 2\n".encode("utf-16"), r"is a binary file", id="utf-16"),
        pytest.param(b"\x93NUMPY\x01\x00v\x00", r"is a binary file", id="npy"),
        pytest.param(gzip.compress(GLOVE.encode())[:-9], r"incomplete or damaged", id="half a gz"),
        pytest.param(b"PK\x03\x04 and more", r"incomplete or damaged", id="half a zip"),
        pytest.param(zipped({"a": b"", "b": b""}), r"must contain one file, got a, b", id="two"),
    ],
)
def test_binary_and_damaged_files_are_an_error(tmp_path, content, message):
    (tmp_path / "vectors.bin").write_bytes(content)
    with pytest.raises(PipelineError, match=rf"vectors\.bin {message}|{message}"):
        word_vectors.read(str(tmp_path / "vectors.bin"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("the 0.1 0.2\ncat 1 nan\n", r"line 2: the vector of 'cat' .* not finite .*\(1 such"),
        ("2 2\nthe 0.1 0.2\ncat inf 1\na 1e39 1\n", r"line 3: .*\(2 such lines"),
        ("<!DOCTYPE html>\n<html lang=en>\n", "line 1: a word and 2 numbers were expected"),
        ("the,0.1,0.2\n", "line 1: a word and 2 numbers .* got 'the,0.1,0.2'"),
        ("0.1 0.2 0.3\n0.1 0.2\n", "line 2: a word and 2 numbers"),
        ("the 0.1 0.2\ncat 1 2 3\ncat\n", "line 2: a word and 2 numbers"),
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


@pytest.mark.parametrize(
    ("vectors", "messages"),
    [
        (GLOVE, []),
        ("Der 1 2\nund 1 2\n", ["cover 0.0 % of the tokens and 0.0 % .* of the language"]),
        ("THE 1 2\nCat 1 2\n", ["cover 0.0 % .*; 67% of the words have one in another letter"]),
    ],
)
def test_vectors_of_few_words_are_a_warning(tmp_path, caplog, vectors, messages):
    fitted(tmp_path, embedding=write(tmp_path / "few.txt", vectors))
    logged = [record.getMessage() for record in caplog.records]
    assert len(logged) == len(messages)
    for text, message in zip(logged, messages, strict=True):
        assert re.search(rf"^W211: the word vectors .*few\.txt {message}", text)


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
