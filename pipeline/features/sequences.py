"""Padded sequences of word indices."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from pipeline.errors import WORD_VECTORS_UNUSABLE
from pipeline.features import vocabulary as vocabularies
from pipeline.features import word_vectors
from pipeline.features.texts import Texts
from pipeline.features.word_vectors import WordVectors
from pipeline.text.tokens import Tokens

logger = logging.getLogger(__name__)

PADDING, UNKNOWN = 0, 1
_SPECIAL = ("", "[UNK]")
_COVERED = 99  # percent of the training texts that the automatic length does not truncate
_LOW_COVERAGE = 0.5  # share of the training tokens below which a warning is logged
_CHUNK = 20_000  # texts padded per step, so that temporary arrays are small


@dataclass(frozen=True)
class SequenceEncoder:
    """Turn texts into rows of equal length: index 0 is padding, 1 unknown, then words follow.

    With pretrained vectors, a word that has a vector but is not in the vocabulary is not unknown:
    its index is ``len(vocabulary)`` plus its row in the vectors.
    """

    vocabulary: list[str]
    sequence_length: int
    padding: str  # after or before: the end that is padded
    cutting: str  # after or before: the end that is truncated
    word_vectors: WordVectors | None = None
    coverage: dict[str, Any] = field(default_factory=dict)  # of `_coverage`

    @classmethod
    def fit(cls, texts: Texts, training: np.ndarray, settings: Mapping[str, Any]) -> Self:
        """Choose the vocabulary and the automatic length from the training rows."""
        tokens = texts.tokens
        words = vocabularies.fit(tokens, training, settings, reserved=len(_SPECIAL))
        length = settings["sequence_length"]
        if length == "auto":
            length = max(int(np.ceil(np.percentile(tokens.lengths[training], _COVERED))), 1)
        vectors = word_vectors.read(settings["embedding"])
        coverage = _coverage(vectors, words, tokens, training) if vectors else {}
        if vectors and coverage["tokens_covered"] < _LOW_COVERAGE:
            _warn_of_coverage(vectors, words, coverage, settings["embedding"])
        vocabulary = [*_SPECIAL, *words]
        return cls(vocabulary, length, settings["padding"], settings["cutting"], vectors, coverage)

    @property
    def width(self) -> int:
        """Size of the vocabulary, with padding and unknown."""
        return len(self.vocabulary)

    def embedding(self) -> np.ndarray | None:
        """Return pretrained vectors of the vocabulary, float32, (width, dimensions), or None."""
        if self.word_vectors is None:
            return None
        matrix = self.word_vectors.matrix(self.vocabulary)
        matrix[: len(_SPECIAL)] = 0
        return matrix

    def transform(self, texts: Texts) -> np.ndarray:
        """Return word indices, int32, shape (n_texts, sequence_length)."""
        tokens, width = texts.tokens, self.sequence_length
        index_of, columns = self._indices(tokens.words), np.arange(width)
        padded = np.full((len(tokens), width), PADDING, dtype=np.int32)
        for start in range(0, len(tokens), _CHUNK):
            ends = tokens.offsets[start : start + _CHUNK + 1]
            lengths = np.diff(ends)
            kept = np.minimum(lengths, width)
            indices = index_of[tokens.codes[ends[0] : ends[-1]]]
            if (lengths > width).any():
                position = np.arange(len(indices)) - np.repeat(ends[:-1] - ends[0], lengths)
                if self.cutting == "before":
                    position -= np.repeat(lengths - kept, lengths)
                indices = indices[(position >= 0) & (position < width)]
            if self.padding == "before":
                inside = columns >= (width - kept)[:, None]
            else:
                inside = columns < kept[:, None]
            padded[start : start + _CHUNK][inside] = indices
        return padded

    @cached_property
    def _index(self) -> dict[str, int]:
        """Index of each word; a token that is spelled like a special word is unknown."""
        index = vocabularies.index(self.vocabulary)
        return {word: position for word, position in index.items() if word not in _SPECIAL}

    def _indices(self, words: list[str]) -> np.ndarray:
        """Return the index of each word, int32."""
        indices = vocabularies.look_up(words, self._index, UNKNOWN)
        if self.word_vectors is not None and len(words):
            rows = self.word_vectors.find(words)
            indices = np.where((indices == UNKNOWN) & (rows >= 0), self.width + rows, indices)
        return indices.astype(np.int32)

    def summary(self, vectors: np.ndarray) -> dict[str, Any]:
        """Describe the vectors for ``vectors.json``."""
        n_tokens = int(np.count_nonzero(vectors))
        return {
            "shape": list(vectors.shape),
            "vocabulary_size": len(self.vocabulary),
            "sequence_length": self.sequence_length,
            "unknown_share": round(np.count_nonzero(vectors == UNKNOWN) / max(n_tokens, 1), 6),
            "padding_share": round(1 - n_tokens / max(vectors.size, 1), 6),
            **({"word_vectors": self.coverage} if self.coverage else {}),
        }

    def save(self, folder: Path) -> None:
        """Write the encoder's files."""
        vocabularies.write(folder / vocabularies.VOCABULARY_FILE, self.vocabulary)
        names = ("sequence_length", "padding", "cutting", "coverage")
        settings = {name: getattr(self, name) for name in names}
        (folder / "encoder.json").write_text(json.dumps(settings, indent=2) + "\n")
        if self.word_vectors is not None:
            self.word_vectors.save(folder)
            words = self.vocabulary[len(_SPECIAL) :]
            rows = self.word_vectors.find(words)
            without = [word for word, row in zip(words, rows, strict=True) if row < 0]
            vocabularies.write(folder / "words_without_vector.txt", without)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the files that `save` wrote."""
        settings = json.loads((folder / "encoder.json").read_text(encoding="utf-8"))
        words = vocabularies.read(folder / vocabularies.VOCABULARY_FILE)
        return cls(words, word_vectors=WordVectors.load(folder), **settings)

    @staticmethod
    def save_vectors(vectors: np.ndarray, folder: Path) -> None:
        """Write the vectors."""
        np.save(folder / "ids.npy", vectors, allow_pickle=False)

    @staticmethod
    def load_vectors(folder: Path) -> np.ndarray:
        """Map the vectors into memory."""
        return np.load(folder / "ids.npy", mmap_mode="r", allow_pickle=False)


def _coverage(
    vectors: WordVectors, words: list[str], tokens: Tokens, training: np.ndarray
) -> dict[str, Any]:
    """Return the shares of words, and of tokens of training rows, that have a vector."""
    codes = tokens.codes[np.repeat(training, tokens.lengths)]
    has_vector = vectors.find(tokens.words) >= 0
    missing = int(np.count_nonzero(vectors.find(words) < 0))
    return {
        "dimensions": vectors.vectors.shape[1],
        "words_without_vector": missing,
        "words_covered": round(1 - missing / max(len(words), 1), 6),
        "tokens_covered": round(float(has_vector[codes].mean()) if len(codes) else 0.0, 6),
    }


def _warn_of_coverage(
    vectors: WordVectors, words: list[str], coverage: Mapping[str, Any], choice: str
) -> None:
    """Warn that few tokens have a vector; say if that is because of letter case."""
    ignoring_case = vectors.share_ignoring_case(words)
    if ignoring_case > 2 * coverage["words_covered"]:
        advice = (
            f"{ignoring_case:.0%} of the words have one in another letter case: use vectors of "
            "lower-case words, or a tokenizer that keeps the case, such as --tokenizer tweet"
        )
    else:
        advice = "check that the vectors are of the language of the texts"
    logger.warning(
        "%s: the word vectors %s cover %.1f %% of the tokens and %.1f %% of the words of the "
        "training rows; %s.",
        WORD_VECTORS_UNUSABLE,
        choice,
        100 * coverage["tokens_covered"],
        100 * coverage["words_covered"],
        advice,
    )
