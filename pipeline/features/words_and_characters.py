"""Sparse tf-idf values of runs of words and of runs of characters, side by side."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from pipeline.features import matrices, ngrams
from pipeline.features import vocabulary as vocabularies
from pipeline.features.texts import Texts

_CHARACTERS_FILE = "characters.txt"
_CHUNK = 20_000  # texts weighed at once: what is in between stays small beside the result


@dataclass(frozen=True)
class WordCharacterEncoder:
    """Turn texts into tf-idf values of word runs and of character runs inside words.

    Each of the two parts is weighed and scaled by itself, and stored as float32.

    Attributes
    ----------
    words, characters : list of str
        Run of each column; words first.
    word_idf, character_idf : ndarray of float64
        Inverse document frequencies over training rows.
    word_ngrams : tuple of int
        Least and most words of a run.
    char_ngrams : tuple of int or None
        Least and most characters of a run; None for words alone.
    norm : {"l1", "l2", "none"}
    sublinear_tf : bool
        Whether counts are taken as 1 + ln(count).
    """

    words: list[str]
    word_idf: np.ndarray
    characters: list[str]
    character_idf: np.ndarray
    word_ngrams: tuple[int, int]
    char_ngrams: tuple[int, int] | None
    norm: str
    sublinear_tf: bool

    @classmethod
    def fit(
        cls, texts: Texts, training: np.ndarray, settings: Mapping[str, Any]
    ) -> "WordCharacterEncoder":
        """Choose runs and inverse document frequencies from the training rows alone."""
        rows = np.flatnonzero(training)
        runs = ngrams.of_words(texts.tokens, *settings["word_ngrams"])
        words = vocabularies.fit(runs, training, settings)
        counts = matrices.counts(runs, vocabularies.places(words))
        word_idf = matrices.inverse_document_frequency(counts[rows])
        characters, character_idf = [], np.zeros(0)
        char_ngrams = settings["char_ngrams"]
        char_ngrams = None if char_ngrams == "none" else tuple(char_ngrams)
        if char_ngrams:
            per_piece, names, in_texts = _characters(texts, char_ngrams)
            occurrences = np.asarray(in_texts[rows].sum(axis=0) @ per_piece).ravel()
            characters = vocabularies.most_frequent(names, occurrences, settings)
            chosen = _columns(per_piece, names, vocabularies.places(characters))
            texts_with = np.zeros(len(characters), dtype=np.int64)
            for chunk in _chunks(in_texts[rows]):
                texts_with += np.bincount((chunk @ chosen).indices, minlength=len(characters))
            character_idf = np.log((1 + len(rows)) / (1 + texts_with)) + 1
        return cls(
            words,
            word_idf,
            characters,
            character_idf,
            tuple(settings["word_ngrams"]),
            char_ngrams,
            settings["norm"],
            settings["sublinear_tf"],
        )

    @property
    def vocabulary(self) -> list[str]:
        """Run of each column; a character run stands in brackets."""
        return [*self.words, *(f"[{run}]" for run in self.characters)]

    @cached_property
    def _places(self) -> tuple[dict[str, int], dict[str, int]]:
        """Column of each run of words, and of each run of characters among themselves."""
        return vocabularies.places(self.words), vocabularies.places(self.characters)

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.words) + len(self.characters)

    def transform(self, texts: Texts) -> sparse.csr_matrix:
        """Return tf-idf values, float32, shape (n_texts, n_runs)."""
        runs = ngrams.of_words(texts.tokens, *self.word_ngrams)
        counts = matrices.counts(runs, self._places[0])
        words = matrices.tfidf(counts, self.word_idf, self.norm, self.sublinear_tf)
        if not self.char_ngrams:
            return words
        per_piece, names, in_texts = _characters(texts, self.char_ngrams)
        chosen = _columns(per_piece, names, self._places[1])
        parts = []
        for chunk, beside in zip(_chunks(in_texts), _chunks(words), strict=True):
            product = chunk @ chosen
            product.sort_indices()
            weighed = matrices.tfidf(product, self.character_idf, self.norm, self.sublinear_tf)
            parts.append(sparse.hstack([beside, weighed], format="csr", dtype=np.float32))
        return parts[0] if len(parts) == 1 else sparse.vstack(parts, format="csr")

    def summary(self, vectors: sparse.csr_matrix) -> dict[str, Any]:
        """Describe the vectors for ``vectors.json``."""
        parts = {"word_runs": len(self.words), "character_runs": len(self.characters)}
        return {**matrices.summary(vectors), **parts}

    def save(self, folder: Path) -> None:
        """Write the encoder's files into a folder."""
        vocabularies.write(folder / vocabularies.VOCABULARY_FILE, self.words)
        vocabularies.write(folder / _CHARACTERS_FILE, self.characters)
        np.save(folder / "idf.npy", np.concatenate([self.word_idf, self.character_idf]))
        settings = {
            "word_ngrams": self.word_ngrams,
            "char_ngrams": self.char_ngrams,
            "norm": self.norm,
            "sublinear_tf": self.sublinear_tf,
        }
        (folder / "encoder.json").write_text(json.dumps(settings, indent=2) + "\n")

    @classmethod
    def load(cls, folder: Path) -> "WordCharacterEncoder":
        """Read the files that `save` wrote."""
        settings = json.loads((folder / "encoder.json").read_text(encoding="utf-8"))
        words = vocabularies.read(folder / vocabularies.VOCABULARY_FILE)
        characters = vocabularies.read(folder / _CHARACTERS_FILE)
        idf = np.load(folder / "idf.npy", allow_pickle=False)
        return cls(words, idf[: len(words)], characters, idf[len(words) :], **settings)

    save_vectors = staticmethod(matrices.save)
    load_vectors = staticmethod(matrices.load)


def _characters(
    texts: Texts, bounds: tuple[int, int]
) -> tuple[sparse.csr_matrix, list[str], sparse.csr_matrix]:
    """Return runs by piece of text, their names, and pieces by text."""
    assert texts.clean is not None, "the representation says that it reads clean texts"
    cut = ngrams.pieces(texts.clean)
    per_piece, names = ngrams.of_characters(cut.words, *bounds)
    ones = np.ones(len(cut.codes), dtype=np.float32)
    in_texts = sparse.csr_matrix((ones, cut.codes, cut.offsets), shape=(len(cut), len(cut.words)))
    return per_piece, names, in_texts


def _columns(
    per_piece: sparse.csr_matrix, names: Sequence[str], wanted: Mapping[str, int]
) -> sparse.csr_matrix:
    """Return the wanted columns, empty ones for runs that none of these texts has."""
    columns = vocabularies.look_up(names, wanted, unknown=-1)
    known = np.flatnonzero(columns >= 0)
    selection = sparse.csr_matrix(
        (np.ones(len(known), np.float32), (known, columns[known])), shape=(len(names), len(wanted))
    )
    return per_piece @ selection


def _chunks(matrix: sparse.csr_matrix) -> Iterator[sparse.csr_matrix]:
    """Yield the rows in parts; one empty part when there are none."""
    for start in range(0, max(matrix.shape[0], 1), _CHUNK):
        yield matrix[start : start + _CHUNK]
