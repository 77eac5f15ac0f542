"""Sparse tf-idf values of word n-grams and character n-grams."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from pipeline.features import bags, ngrams
from pipeline.features import vocabulary as vocabularies
from pipeline.features.texts import Texts

_CHARACTERS_FILE = "characters.txt"
_CHUNK = 20_000  # texts per step, so that temporary matrices are small


@dataclass(frozen=True)
class WordCharacterEncoder(bags.SparseEncoder):
    """Turn texts into tf-idf values of word n-grams and of character n-grams inside words.

    Word and character columns are weighted and scaled separately.

    Attributes
    ----------
    words, characters : list of str
        N-gram of each column; words first.
    word_idf, character_idf : ndarray of float64
        Inverse document frequencies over training rows.
    word_ngrams, char_ngrams : tuple of int
        Smallest and largest number of words or characters; None for no character n-grams.
    norm, sublinear_tf
        See `pipeline.features.bags.tfidf`.
    """

    words: list[str]
    word_idf: np.ndarray
    characters: list[str]
    character_idf: np.ndarray
    word_ngrams: tuple[int, int]
    char_ngrams: tuple[int, int] | None
    norm: str
    sublinear_tf: bool
    saved_settings = ("word_ngrams", "char_ngrams", "norm", "sublinear_tf")

    @classmethod
    def fit(
        cls, texts: Texts, training: np.ndarray, settings: Mapping[str, Any]
    ) -> "WordCharacterEncoder":
        """Choose n-grams and inverse document frequencies from the training rows."""
        rows = np.flatnonzero(training)
        limits = tuple(settings["word_ngrams"])
        word_ngrams = ngrams.word_ngrams(texts.tokens, *limits)
        words = vocabularies.fit(word_ngrams, training, settings)
        word_idf = bags.fit_idf([bags.counts(word_ngrams, vocabularies.index(words))[rows]])
        characters, character_idf, char_limits = [], np.zeros(0), None
        if settings["char_ngrams"] != "none":
            char_limits = tuple(settings["char_ngrams"])
            per_word, names, in_texts = _character_counts(texts, char_limits)
            in_texts = in_texts[rows]
            occurrences = np.asarray(in_texts.sum(axis=0) @ per_word).ravel()
            characters = vocabularies.most_frequent(names, occurrences, settings)
            selected = _select(per_word, names, vocabularies.index(characters))
            character_idf = bags.fit_idf(chunk @ selected for chunk in _chunks(in_texts))
        weighting = settings["norm"], settings["sublinear_tf"]
        return cls(words, word_idf, characters, character_idf, limits, char_limits, *weighting)

    @property
    def vocabulary(self) -> list[str]:
        """N-gram of each column; character n-grams are in brackets."""
        return [*self.words, *(f"[{ngram}]" for ngram in self.characters)]

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.words) + len(self.characters)

    @cached_property
    def _columns(self) -> tuple[dict[str, int], dict[str, int]]:
        """Column of each word n-gram, and of each character n-gram among these."""
        return vocabularies.index(self.words), vocabularies.index(self.characters)

    def transform(self, texts: Texts) -> sparse.csr_matrix:
        """Return tf-idf values, float32, shape (n_texts, n_ngrams)."""
        weighting = self.norm, self.sublinear_tf
        word_ngrams = ngrams.word_ngrams(texts.tokens, *self.word_ngrams)
        words = bags.tfidf(bags.counts(word_ngrams, self._columns[0]), self.word_idf, *weighting)
        if not self.char_ngrams:
            return words
        per_word, names, in_texts = _character_counts(texts, self.char_ngrams)
        selected = _select(per_word, names, self._columns[1])
        chunks = []
        for chunk, word_values in zip(_chunks(in_texts), _chunks(words), strict=True):
            counts = chunk @ selected
            counts.sort_indices()
            values = bags.tfidf(counts, self.character_idf, *weighting)
            chunks.append(sparse.hstack([word_values, values], format="csr", dtype=np.float32))
        return chunks[0] if len(chunks) == 1 else sparse.vstack(chunks, format="csr")

    def summary(self, vectors: sparse.csr_matrix) -> dict[str, Any]:
        """Describe the vectors for ``vectors.json``."""
        sizes = {"word_runs": len(self.words), "character_runs": len(self.characters)}
        return {**super().summary(vectors), **sizes}

    def save(self, folder: Path) -> None:
        """Write the encoder's files."""
        vocabularies.write(folder / vocabularies.VOCABULARY_FILE, self.words)
        vocabularies.write(folder / _CHARACTERS_FILE, self.characters)
        np.save(folder / "idf.npy", np.concatenate([self.word_idf, self.character_idf]))
        self.save_settings(folder)

    @classmethod
    def load(cls, folder: Path) -> "WordCharacterEncoder":
        """Read the files that `save` wrote."""
        words = vocabularies.read(folder / vocabularies.VOCABULARY_FILE)
        characters = vocabularies.read(folder / _CHARACTERS_FILE)
        idf = np.split(np.load(folder / "idf.npy", allow_pickle=False), [len(words)])
        return cls(words, idf[0], characters, idf[1], **cls.load_settings(folder))


def _character_counts(
    texts: Texts, limits: tuple[int, ...]
) -> tuple[sparse.csr_matrix, list[str], sparse.csr_matrix]:
    """Return counts of n-grams per word, the names of n-grams, and counts of words per text."""
    assert texts.clean is not None, "the representation reads clean texts"
    pieces = ngrams.split_at_spaces(texts.clean)
    per_word, names = ngrams.character_ngrams(pieces.words, *limits)
    ones = np.ones(len(pieces.codes), dtype=np.float32)
    shape = (len(pieces), len(pieces.words))
    return per_word, names, sparse.csr_matrix((ones, pieces.codes, pieces.offsets), shape=shape)


def _select(
    per_word: sparse.csr_matrix, names: Sequence[str], columns: Mapping[str, int]
) -> sparse.csr_matrix:
    """Return the counts in the encoder's columns; n-grams without a column are dropped."""
    targets = vocabularies.look_up(names, columns, unknown=-1)
    sources = np.flatnonzero(targets >= 0)
    ones = np.ones(len(sources), np.float32)
    shape = (len(names), len(columns))
    return per_word @ sparse.csr_matrix((ones, (sources, targets[sources])), shape=shape)


def _chunks(matrix: sparse.csr_matrix) -> Iterator[sparse.csr_matrix]:
    """Yield rows in chunks; one empty chunk if there are no rows."""
    for start in range(0, max(matrix.shape[0], 1), _CHUNK):
        yield matrix[start : start + _CHUNK]
