"""Sparse matrices: counting, tf-idf weights, and files that can be memory-mapped."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from pipeline.features import vocabulary as vocabularies
from pipeline.text.tokens import Tokens

_PARTS = ("data", "indices", "indptr")


def counts(tokens: Tokens, places: Mapping[str, int]) -> sparse.csr_matrix:
    """Count the words of each text, int64, shape (n_texts, n_words); other words are left out.

    Parameters
    ----------
    tokens : Tokens
    places : mapping of str to int
        Column of each word (`pipeline.features.vocabulary.places`).

    Returns
    -------
    csr_matrix
    """
    columns = vocabularies.look_up(tokens.words, places, unknown=-1)[tokens.codes]
    known = columns >= 0
    width = max(len(places), 1)
    keys = tokens.rows[known] * width + columns[known]
    keys.sort()
    first = np.ones(len(keys), dtype=bool)
    first[1:] = keys[1:] != keys[:-1]
    starts = np.flatnonzero(first)
    found = np.diff(starts, append=len(keys))
    keys = keys[starts]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(keys // width, minlength=len(tokens)))])
    return sparse.csr_matrix((found, keys % width, indptr), shape=(len(tokens), len(places)))


def inverse_document_frequency(matrix: sparse.csr_matrix) -> np.ndarray:
    """Return ln((1 + texts) / (1 + texts with the word)) + 1, float64, shape (n_words,).

    Manning, Raghavan and Schuetze (2008), chapter 6, smoothed as in scikit-learn.
    """
    texts_with = np.bincount(matrix.indices, minlength=matrix.shape[1])
    return np.log((1 + matrix.shape[0]) / (1 + texts_with)) + 1


def tfidf(
    matrix: sparse.csr_matrix, idf: np.ndarray, norm: str, sublinear_tf: bool
) -> sparse.csr_matrix:
    """Weigh counts.

    Parameters
    ----------
    matrix : csr_matrix, shape (n_texts, n_words)
        Counts.
    idf : ndarray of float64, shape (n_words,)
    norm : {"l1", "l2", "none"}
        To which length rows are scaled.
    sublinear_tf : bool
        Whether counts are taken as 1 + ln(count).

    Returns
    -------
    csr_matrix of float32, shape (n_texts, n_words)
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


def summary(vectors: sparse.csr_matrix) -> dict[str, Any]:
    """Describe a matrix for ``vectors.json``."""
    return {
        "shape": list(vectors.shape),
        "vocabulary_size": vectors.shape[1],
        "values": int(vectors.nnz),
        "empty_rows": int(np.count_nonzero(np.diff(vectors.indptr) == 0)),
    }


def save(vectors: sparse.csr_matrix, folder: Path) -> None:
    """Write the three arrays of the matrix, so that they can be memory-mapped."""
    for part in _PARTS:
        np.save(folder / f"{part}.npy", getattr(vectors, part), allow_pickle=False)
    (folder / "shape.json").write_text(json.dumps(list(vectors.shape)) + "\n")


def load(folder: Path) -> sparse.csr_matrix:
    """Map the matrix into memory."""
    parts = [np.load(folder / f"{part}.npy", mmap_mode="r", allow_pickle=False) for part in _PARTS]
    shape = tuple(json.loads((folder / "shape.json").read_text(encoding="utf-8")))
    return sparse.csr_matrix(tuple(parts), shape=shape)
