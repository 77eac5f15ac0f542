"""Sparse tf-idf values of words."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from pipeline.features import matrices
from pipeline.features import vocabulary as vocabularies
from pipeline.features.texts import Texts


@dataclass(frozen=True)
class TfidfEncoder(matrices.SparseEncoder):
    """Turn texts into rows of tf-idf values of words, as scikit-learn's TfidfVectorizer does.

    Attributes
    ----------
    vocabulary : list of str
        Word of each column.
    idf : ndarray of float64, shape (n_words,)
        Inverse document frequencies over training rows.
    norm, sublinear_tf
        See `pipeline.features.matrices.tfidf`.
    """

    vocabulary: list[str]
    idf: np.ndarray
    norm: str
    sublinear_tf: bool

    @classmethod
    def fit(cls, texts: Texts, training: np.ndarray, settings: Mapping[str, Any]) -> "TfidfEncoder":
        """Choose vocabulary and inverse document frequencies from the training rows."""
        words = vocabularies.fit(texts.tokens, training, settings)
        rows = np.flatnonzero(training)
        counts = matrices.counts(texts.tokens, vocabularies.index(words))[rows]
        idf = matrices.inverse_document_frequency(len(rows), matrices.column_counts(counts))
        return cls(words, idf, settings["norm"], settings["sublinear_tf"])

    def transform(self, texts: Texts) -> sparse.csr_matrix:
        """Return tf-idf values, float32, shape (n_texts, n_words)."""
        counts = matrices.counts(texts.tokens, self._columns)
        return matrices.tfidf(counts, self.idf, self.norm, self.sublinear_tf)

    def save(self, folder: Path) -> None:
        """Write the encoder's files."""
        vocabularies.write(folder / vocabularies.VOCABULARY_FILE, self.vocabulary)
        np.save(folder / "idf.npy", self.idf, allow_pickle=False)
        settings = {"norm": self.norm, "sublinear_tf": self.sublinear_tf}
        (folder / "encoder.json").write_text(json.dumps(settings, indent=2) + "\n")

    @classmethod
    def load(cls, folder: Path) -> "TfidfEncoder":
        """Read the files that `save` wrote."""
        settings = json.loads((folder / "encoder.json").read_text(encoding="utf-8"))
        words = vocabularies.read(folder / vocabularies.VOCABULARY_FILE)
        return cls(words, np.load(folder / "idf.npy", allow_pickle=False), **settings)
