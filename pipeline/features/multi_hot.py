"""Which words a text has, whatever their number: sparse rows of ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from pipeline.features import matrices
from pipeline.features import vocabulary as vocabularies
from pipeline.features.texts import Texts


@dataclass(frozen=True)
class MultiHotEncoder:
    """Turn texts into rows that are 1 in the column of each word that they have.

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
        """Choose the vocabulary from the training rows alone."""
        return cls(vocabularies.fit(texts.tokens, training, settings))

    @cached_property
    def _places(self) -> dict[str, int]:
        """Column of each word."""
        return vocabularies.places(self.vocabulary)

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.vocabulary)

    def transform(self, texts: Texts) -> sparse.csr_matrix:
        """Return ones, float32, shape (n_texts, n_words)."""
        found = matrices.counts(texts.tokens, self._places)
        ones = np.ones(len(found.data), dtype=np.float32)
        return sparse.csr_matrix((ones, found.indices, found.indptr), shape=found.shape)

    def summary(self, vectors: sparse.csr_matrix) -> dict[str, Any]:
        """Describe the vectors for ``vectors.json``."""
        return matrices.summary(vectors)

    def save(self, folder: Path) -> None:
        """Write the encoder's file into a folder."""
        vocabularies.write(folder / vocabularies.VOCABULARY_FILE, self.vocabulary)

    @classmethod
    def load(cls, folder: Path) -> "MultiHotEncoder":
        """Read the file that `save` wrote."""
        return cls(vocabularies.read(folder / vocabularies.VOCABULARY_FILE))

    save_vectors = staticmethod(matrices.save)
    load_vectors = staticmethod(matrices.load)
