"""Sparse tf-idf values of words."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from pipeline.features import vocabulary as vocabularies
from pipeline.text.tokens import Tokens

_PARTS = ("data", "indices", "indptr")


@dataclass(frozen=True)
class TfidfEncoder:
    """Turn token lists into rows of tf-idf values, as scikit-learn's TfidfVectorizer has them.

    Attributes
    ----------
    vocabulary : list of str
        Word of each column.
    idf : ndarray of float64, shape (n_words,)
        ln((1 + texts) / (1 + texts with the word)) + 1, over training rows (Manning, Raghavan and
        Schuetze 2008, chapter 6, smoothed as in scikit-learn).
    norm : {"l1", "l2", "none"}
        To which length rows are scaled.
    sublinear_tf : bool
        Whether counts are taken as 1 + ln(count).
    """

    vocabulary: list[str]
    idf: np.ndarray
    norm: str
    sublinear_tf: bool

    @classmethod
    def fit(
        cls, tokens: Tokens, training: np.ndarray, settings: Mapping[str, Any]
    ) -> "TfidfEncoder":
        """Choose vocabulary and inverse document frequencies from the training rows alone."""
        words = vocabularies.fit(tokens, training, settings)
        counts = _counts(tokens, words)[np.flatnonzero(training)]
        texts_with = np.bincount(counts.indices, minlength=len(words))
        idf = np.log((1 + counts.shape[0]) / (1 + texts_with)) + 1
        return cls(words, idf, settings["norm"], settings["sublinear_tf"])

    def transform(self, tokens: Tokens) -> sparse.csr_matrix:
        """Return tf-idf values, float32, shape (n_texts, n_words)."""
        matrix = _counts(tokens, self.vocabulary)
        values = matrix.data.astype(np.float64)
        if self.sublinear_tf:
            values = np.log(values) + 1
        values *= self.idf[matrix.indices]
        if self.norm != "none":
            rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
            powers = values if self.norm == "l1" else values * values
            lengths = np.bincount(rows, weights=powers, minlength=matrix.shape[0])
            values /= (lengths if self.norm == "l1" else np.sqrt(lengths))[rows]
        return sparse.csr_matrix(
            (values.astype(np.float32), matrix.indices, matrix.indptr), shape=matrix.shape
        )

    def summary(self, vectors: sparse.csr_matrix) -> dict[str, Any]:
        """Describe the vectors for ``vectors.json``."""
        return {
            "shape": list(vectors.shape),
            "vocabulary_size": len(self.vocabulary),
            "values": int(vectors.nnz),
            "empty_rows": int(np.count_nonzero(np.diff(vectors.indptr) == 0)),
        }

    def save(self, folder: Path) -> None:
        """Write the encoder's files into a folder."""
        vocabularies.write(folder / vocabularies.VOCABULARY_FILE, self.vocabulary)
        np.save(folder / "idf.npy", self.idf, allow_pickle=False)
        settings = {"norm": self.norm, "sublinear_tf": self.sublinear_tf}
        (folder / "encoder.json").write_text(json.dumps(settings, indent=2) + "\n")

    @classmethod
    def load(cls, folder: Path) -> "TfidfEncoder":
        """Read the files that `save` wrote."""
        settings = json.loads((folder / "encoder.json").read_text())
        words = vocabularies.read(folder / vocabularies.VOCABULARY_FILE)
        return cls(words, np.load(folder / "idf.npy", allow_pickle=False), **settings)

    @staticmethod
    def save_vectors(vectors: sparse.csr_matrix, folder: Path) -> None:
        """Write the three arrays of the matrix, so that they can be memory-mapped."""
        for part in _PARTS:
            np.save(folder / f"{part}.npy", getattr(vectors, part), allow_pickle=False)
        (folder / "shape.json").write_text(json.dumps(list(vectors.shape)) + "\n")

    @staticmethod
    def load_vectors(folder: Path) -> sparse.csr_matrix:
        """Map the vectors into memory."""
        parts = [
            np.load(folder / f"{part}.npy", mmap_mode="r", allow_pickle=False) for part in _PARTS
        ]
        shape = tuple(json.loads((folder / "shape.json").read_text()))
        return sparse.csr_matrix(tuple(parts), shape=shape)


def _counts(tokens: Tokens, words: list[str]) -> sparse.csr_matrix:
    """Count the words of each text, int64, shape (n_texts, n_words); other words are left out."""
    columns = vocabularies.look_up(tokens, words, first=0, unknown=-1)
    known = columns >= 0
    width = max(len(words), 1)
    keys = tokens.rows[known] * width + columns[known]
    keys.sort()
    first = np.ones(len(keys), dtype=bool)
    first[1:] = keys[1:] != keys[:-1]
    starts = np.flatnonzero(first)
    counts = np.diff(starts, append=len(keys))
    keys = keys[starts]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(keys // width, minlength=len(tokens)))])
    return sparse.csr_matrix((counts, keys % width, indptr), shape=(len(tokens), len(words)))
