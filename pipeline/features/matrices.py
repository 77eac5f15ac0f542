"""Sparse matrices: counts, tf-idf values, and files that can be memory-mapped."""

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from pipeline.features import vocabulary as vocabularies
from pipeline.text.tokens import Tokens

_ARRAYS = ("data", "indices", "indptr")


class SparseEncoder:
    """The shared part of encoders that return sparse rows.

    Attributes
    ----------
    vocabulary : list of str
        Name of each column.
    """

    vocabulary: list[str]

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.vocabulary)

    @cached_property
    def _columns(self) -> dict[str, int]:
        """Column of each word."""
        return vocabularies.index(self.vocabulary)

    def summary(self, vectors: sparse.csr_matrix) -> dict[str, Any]:
        """Describe the vectors for ``vectors.json``."""
        return {
            "shape": list(vectors.shape),
            "vocabulary_size": vectors.shape[1],
            "values": int(vectors.nnz),
            "empty_rows": int(np.count_nonzero(np.diff(vectors.indptr) == 0)),
        }

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


def counts(tokens: Tokens, columns: Mapping[str, int]) -> sparse.csr_matrix:
    """Count the words of each text, int64, shape (n_texts, n_words).

    Parameters
    ----------
    tokens : Tokens
    columns : mapping of str to int
        Column of each word (`pipeline.features.vocabulary.index`); other words are ignored.

    Returns
    -------
    csr_matrix

    Examples
    --------
    >>> counts(Tokens.from_lists([["a", "b", "a"], []]), {"a": 0, "c": 1}).toarray().tolist()
    [[2, 0], [0, 0]]
    """
    indices = vocabularies.look_up(tokens.words, columns, unknown=-1)[tokens.codes]
    is_word = indices >= 0
    rows = tokens.rows[is_word]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(tokens)))])
    ones = np.ones(len(rows), dtype=np.int64)
    matrix = sparse.csr_matrix((ones, indices[is_word], indptr), shape=(len(tokens), len(columns)))
    matrix.sum_duplicates()
    return matrix


def inverse_document_frequency(n_texts: int, texts_with: np.ndarray) -> np.ndarray:
    """Return ln((1 + texts) / (1 + texts with the word)) + 1, float64, shape (n_words,).

    Manning, Raghavan and Schuetze (2008), chapter 6, smoothed as in scikit-learn.

    Examples
    --------
    >>> inverse_document_frequency(3, np.array([3, 1])).round(3).tolist()
    [1.0, 1.693]
    """
    return np.log((1 + n_texts) / (1 + texts_with)) + 1


def column_counts(matrix: sparse.csr_matrix) -> np.ndarray:
    """Count the stored values of each column, int64, shape (n_columns,)."""
    return np.bincount(matrix.indices, minlength=matrix.shape[1])


def tfidf(
    matrix: sparse.csr_matrix, idf: np.ndarray, norm: str, sublinear_tf: bool
) -> sparse.csr_matrix:
    """Weight counts by inverse document frequencies.

    Parameters
    ----------
    matrix : csr_matrix, shape (n_texts, n_words)
        Counts.
    idf : ndarray of float64, shape (n_words,)
    norm : {"l1", "l2", "none"}
        The norm of each row is scaled to 1.
    sublinear_tf : bool
        Whether to use 1 + ln(count) instead of the count.

    Returns
    -------
    csr_matrix of float32, shape (n_texts, n_words)

    Examples
    --------
    >>> row = sparse.csr_matrix([[2, 0, 1]])
    >>> tfidf(row, np.array([1.0, 1.0, 2.0]), "l1", False).toarray().tolist()
    [[0.5, 0.0, 0.5]]
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
