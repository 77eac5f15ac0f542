"""Bags of words: sparse rows of ones or of tf-idf values, one column per word."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from scipy import sparse

from pipeline.features import vocabulary as vocabularies
from pipeline.features.texts import Texts
from pipeline.text.tokens import Tokens

_ARRAYS = ("data", "indices", "indptr")


class SparseEncoder:
    """Base of encoders that return sparse rows: description and files of the vectors."""

    saved_settings: tuple[str, ...] = ()  # attributes that are saved as JSON

    def summary(self, vectors: sparse.csr_matrix) -> dict[str, Any]:
        """Describe the vectors for ``vectors.json``."""
        return {
            "shape": list(vectors.shape),
            "vocabulary_size": vectors.shape[1],
            "values": int(vectors.nnz),
            "empty_rows": int(np.count_nonzero(np.diff(vectors.indptr) == 0)),
        }

    def save_settings(self, folder: Path) -> None:
        """Write the attributes of `saved_settings`."""
        settings = {name: getattr(self, name) for name in self.saved_settings}
        (folder / "encoder.json").write_text(json.dumps(settings, indent=2) + "\n")

    @staticmethod
    def load_settings(folder: Path) -> dict[str, Any]:
        """Read the attributes that `save_settings` wrote."""
        return json.loads((folder / "encoder.json").read_text(encoding="utf-8"))

    @staticmethod
    def save_vectors(vectors: sparse.csr_matrix, folder: Path) -> None:
        """Write the three arrays of the matrix and its shape."""
        for name in _ARRAYS:
            np.save(folder / f"{name}.npy", getattr(vectors, name), allow_pickle=False)
        (folder / "shape.json").write_text(json.dumps(list(vectors.shape)) + "\n")

    @staticmethod
    def load_vectors(folder: Path) -> sparse.csr_matrix:
        """Map the matrix into memory."""
        arrays = [np.load(folder / f"{name}.npy", "r", allow_pickle=False) for name in _ARRAYS]
        shape = tuple(json.loads((folder / "shape.json").read_text(encoding="utf-8")))
        return sparse.csr_matrix(tuple(arrays), shape=shape)


@dataclass(frozen=True)
class MultiHotEncoder(SparseEncoder):
    """Turn texts into rows that are 1 in the column of each word that they contain."""

    vocabulary: list[str]

    @classmethod
    def fit(cls, texts: Texts, training: np.ndarray, settings: Mapping[str, Any]) -> Self:
        """Choose the vocabulary from the training rows."""
        return cls(vocabularies.fit(texts.tokens, training, settings))

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.vocabulary)

    @cached_property
    def _columns(self) -> dict[str, int]:
        return vocabularies.index(self.vocabulary)

    def transform(self, texts: Texts) -> sparse.csr_matrix:
        """Return ones, float32, shape (n_texts, n_words)."""
        matrix = counts(texts.tokens, self._columns)
        matrix.data = np.ones(len(matrix.data), dtype=np.float32)
        return matrix

    def save(self, folder: Path) -> None:
        """Write the encoder's files."""
        vocabularies.write(folder / vocabularies.VOCABULARY_FILE, self.vocabulary)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the files that `save` wrote."""
        return cls(vocabularies.read(folder / vocabularies.VOCABULARY_FILE))


@dataclass(frozen=True)
class TfidfEncoder(MultiHotEncoder):
    """Turn texts into rows of tf-idf values of words, as scikit-learn's TfidfVectorizer does."""

    idf: np.ndarray
    norm: str
    sublinear_tf: bool
    saved_settings = ("norm", "sublinear_tf")

    @classmethod
    def fit(cls, texts: Texts, training: np.ndarray, settings: Mapping[str, Any]) -> Self:
        """Choose vocabulary and inverse document frequencies from the training rows."""
        words = vocabularies.fit(texts.tokens, training, settings)
        rows = np.flatnonzero(training)
        idf = fit_idf([counts(texts.tokens, vocabularies.index(words))[rows]])
        return cls(words, idf, settings["norm"], settings["sublinear_tf"])

    def transform(self, texts: Texts) -> sparse.csr_matrix:
        """Return tf-idf values, float32, shape (n_texts, n_words)."""
        matrix = counts(texts.tokens, self._columns)
        return tfidf(matrix, self.idf, self.norm, self.sublinear_tf)

    def save(self, folder: Path) -> None:
        """Write the encoder's files."""
        super().save(folder)
        np.save(folder / "idf.npy", self.idf, allow_pickle=False)
        self.save_settings(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the files that `save` wrote."""
        words = vocabularies.read(folder / vocabularies.VOCABULARY_FILE)
        idf = np.load(folder / "idf.npy", allow_pickle=False)
        return cls(words, idf, **cls.load_settings(folder))


def counts(tokens: Tokens, columns: Mapping[str, int]) -> sparse.csr_matrix:
    """Count the words of each text, int64, shape (n_texts, n_words); other words are ignored."""
    indices = vocabularies.look_up(tokens.words, columns, unknown=-1)[tokens.codes]
    is_word = indices >= 0
    # Sorting keys of all texts at once is faster than `csr_matrix.sum_duplicates`.
    width = max(len(columns), 1)
    keys, values = np.unique(tokens.rows[is_word] * width + indices[is_word], return_counts=True)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(keys // width, minlength=len(tokens)))])
    return sparse.csr_matrix((values, keys % width, indptr), shape=(len(tokens), len(columns)))


def fit_idf(parts: Iterable[sparse.csr_matrix]) -> np.ndarray:
    """Return the inverse document frequency of each column of some counts, float64, (n_words,).

    ln((1 + texts) / (1 + texts with the word)) + 1: Manning, Raghavan and Schuetze (2008), chapter
    6, smoothed as in scikit-learn.
    """
    n_texts, texts_with = 0, np.zeros(1, dtype=np.int64)
    for part in parts:
        n_texts += part.shape[0]
        texts_with = texts_with + np.bincount(part.indices, minlength=part.shape[1])
    return np.log((1 + n_texts) / (1 + texts_with)) + 1


def tfidf(
    matrix: sparse.csr_matrix, idf: np.ndarray, norm: str, sublinear_tf: bool
) -> sparse.csr_matrix:
    """Weight counts by inverse document frequencies; float32, shape (n_texts, n_words).

    The norm of each row is scaled to 1; ``sublinear_tf`` uses 1 + ln(count) instead of the count.
    """
    values = matrix.data.astype(np.float64)
    if sublinear_tf:
        values = np.log(values) + 1
    values *= idf[matrix.indices]
    if norm != "none":
        rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
        powers = values if norm == "l1" else values * values
        lengths = np.bincount(rows, weights=powers, minlength=matrix.shape[0])
        values /= (lengths if norm == "l1" else np.sqrt(lengths))[rows]
    return sparse.csr_matrix(
        (values.astype(np.float32), matrix.indices, matrix.indptr), shape=matrix.shape
    )
