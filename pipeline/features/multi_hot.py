"""Sparse rows of ones: the words that a text contains."""

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
class MultiHotEncoder(matrices.SparseEncoder):
    """Turn texts into rows that are 1 in the column of each word that they contain.

    Attributes
    ----------
    vocabulary : list of str
        Word of each column.
    """

    vocabulary: list[str]

    @classmethod
    def fit(
        cls, texts: Texts, training: np.ndarray, settings: Mapping[str, Any]
    ) -> "MultiHotEncoder":
        """Choose the vocabulary from the training rows."""
        return cls(vocabularies.fit(texts.tokens, training, settings))

    def transform(self, texts: Texts) -> sparse.csr_matrix:
        """Return ones, float32, shape (n_texts, n_words)."""
        matrix = matrices.counts(texts.tokens, self._columns)
        matrix.data = np.ones(len(matrix.data), dtype=np.float32)
        return matrix

    def save(self, folder: Path) -> None:
        """Write the encoder's file."""
        vocabularies.write(folder / vocabularies.VOCABULARY_FILE, self.vocabulary)

    @classmethod
    def load(cls, folder: Path) -> "MultiHotEncoder":
        """Read the file that `save` wrote."""
        return cls(vocabularies.read(folder / vocabularies.VOCABULARY_FILE))
