"""Padded sequences of word indices."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.features import vocabulary as vocabularies
from pipeline.features import word_vectors
from pipeline.features.texts import Texts
from pipeline.features.word_vectors import WordVectors

PADDING, UNKNOWN = 0, 1
_RESERVED = ("", "[UNK]")
_COVERED = 99  # percent of the training texts that fit without being cut
_TOGETHER = 20_000  # texts padded at a time


@dataclass(frozen=True)
class SequenceEncoder:
    """Turn texts into rows of equal length: index 0 padding, 1 unknown, then words.

    With pretrained word vectors, a word that is not in the vocabulary but has a vector gets the
    index ``len(vocabulary)`` plus its row among the vectors: it is not unknown, in whatever text
    it comes.

    Attributes
    ----------
    vocabulary : list of str
        Word of each index.
    sequence_length : int
        Tokens of each row.
    padding, cutting : {"after", "before"}
        Which end is padded or cut.
    word_vectors : WordVectors or None
        Pretrained ones.
    coverage : dict
        Shares of the vocabulary's words and of the training rows' tokens that have a vector, and
        the number of words without.
    """

    vocabulary: list[str]
    sequence_length: int
    padding: str
    cutting: str
    word_vectors: WordVectors | None = None
    coverage: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def fit(
        cls, texts: Texts, training: np.ndarray, settings: Mapping[str, Any]
    ) -> "SequenceEncoder":
        """Choose vocabulary and, where it is ``auto``, length from the training rows alone."""
        tokens = texts.tokens
        words = vocabularies.fit(tokens, training, settings, reserved=len(_RESERVED))
        length = settings["sequence_length"]
        if length == "auto":
            length = max(int(np.ceil(np.percentile(tokens.lengths[training], _COVERED))), 1)
        vectors = word_vectors.read(settings["embedding"])
        coverage: dict[str, Any] = {}
        if vectors:
            used = tokens.codes[np.repeat(training, tokens.lengths)]
            has_vector = vectors.find(tokens.words) >= 0
            missing = int(np.count_nonzero(vectors.find(words) < 0))
            coverage = {
                "dimensions": vectors.vectors.shape[1],
                "words_without_vector": missing,
                "words_covered": round(1 - missing / max(len(words), 1), 6),
                "tokens_covered": round(float(has_vector[used].mean()) if len(used) else 0.0, 6),
            }
        return cls(
            [*_RESERVED, *words],
            length,
            settings["padding"],
            settings["cutting"],
            vectors,
            coverage,
        )

    @property
    def width(self) -> int:
        """Size of the vocabulary, padding and unknown included."""
        return len(self.vocabulary)

    def embedding(self) -> np.ndarray | None:
        """Return the vocabulary's vectors, float32, (width, dimensions), zeros for words without.

        None where vectors are learned.
        """
        if self.word_vectors is None:
            return None
        found = self.word_vectors.matrix(self.vocabulary)
        found[: len(_RESERVED)] = 0
        return found

    def transform(self, texts: Texts) -> np.ndarray:
        """Return word indices, int32, shape (n_texts, sequence_length)."""
        tokens, width = texts.tokens, self.sequence_length
        table, columns = self._indices(tokens.words), np.arange(width)
        padded = np.full((len(tokens), width), PADDING, dtype=np.int32)
        # Some texts at a time, so that what lies between stays small.
        for start in range(0, len(tokens), _TOGETHER):
            ends = tokens.offsets[start : start + _TOGETHER + 1]
            lengths = np.diff(ends)
            kept = np.minimum(lengths, width)
            indices = table[tokens.codes[ends[0] : ends[-1]]]
            if (lengths > width).any():
                position = np.arange(len(indices)) - np.repeat(ends[:-1] - ends[0], lengths)
                if self.cutting == "before":
                    position -= np.repeat(lengths - kept, lengths)
                indices = indices[(position >= 0) & (position < width)]
            if self.padding == "before":
                inside = columns >= (width - kept)[:, None]
            else:
                inside = columns < kept[:, None]
            padded[start : start + _TOGETHER][inside] = indices
        return padded

    @cached_property
    def _places(self) -> dict[str, int]:
        """Index of each word that a text may hold, such as one that reads like unknown's."""
        found = vocabularies.places(self.vocabulary)
        return {word: index for word, index in found.items() if word not in _RESERVED}

    def _indices(self, words: list[str]) -> np.ndarray:
        """Return the index of each word, int32."""
        found = vocabularies.look_up(words, self._places, UNKNOWN)
        if self.word_vectors is not None and len(words):
            rows = self.word_vectors.find(words)
            found = np.where((found == UNKNOWN) & (rows >= 0), self.width + rows, found)
        return found.astype(np.int32)

    def summary(self, vectors: np.ndarray) -> dict[str, Any]:
        """Describe the vectors for ``vectors.json``."""
        real = int(np.count_nonzero(vectors))
        return {
            "shape": list(vectors.shape),
            "vocabulary_size": len(self.vocabulary),
            "sequence_length": self.sequence_length,
            "unknown_share": round(np.count_nonzero(vectors == UNKNOWN) / max(real, 1), 6),
            "padding_share": round(1 - real / max(vectors.size, 1), 6),
            **({"word_vectors": self.coverage} if self.coverage else {}),
        }

    def save(self, folder: Path) -> None:
        """Write the encoder's files into a folder."""
        vocabularies.write(folder / vocabularies.VOCABULARY_FILE, self.vocabulary)
        settings = {
            "sequence_length": self.sequence_length,
            "padding": self.padding,
            "cutting": self.cutting,
            "coverage": self.coverage,
        }
        (folder / "encoder.json").write_text(json.dumps(settings, indent=2) + "\n")
        if self.word_vectors is not None:
            self.word_vectors.save(folder)
            words = self.vocabulary[len(_RESERVED) :]
            rows = self.word_vectors.find(words)
            without = [word for word, row in zip(words, rows, strict=True) if row < 0]
            vocabularies.write(folder / "words_without_vector.txt", without)

    @classmethod
    def load(cls, folder: Path) -> "SequenceEncoder":
        """Read the files that `save` wrote."""
        settings = json.loads((folder / "encoder.json").read_text(encoding="utf-8"))
        words = vocabularies.read(folder / vocabularies.VOCABULARY_FILE)
        return cls(words, word_vectors=WordVectors.load(folder), **settings)

    @staticmethod
    def save_vectors(vectors: np.ndarray, folder: Path) -> None:
        """Write the vectors so that they can be memory-mapped."""
        np.save(folder / "ids.npy", vectors, allow_pickle=False)

    @staticmethod
    def load_vectors(folder: Path) -> np.ndarray:
        """Map the vectors into memory."""
        return np.load(folder / "ids.npy", mmap_mode="r", allow_pickle=False)
