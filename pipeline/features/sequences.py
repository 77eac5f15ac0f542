"""Padded sequences of word indices."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.features import vocabulary as vocabularies
from pipeline.features.texts import Texts

PADDING, UNKNOWN = 0, 1
_RESERVED = ("", "[UNK]")
_COVERED = 99  # percent of the training texts that fit without being cut


@dataclass(frozen=True)
class SequenceEncoder:
    """Turn token lists into rows of equal length: index 0 padding, 1 unknown, then words.

    Attributes
    ----------
    vocabulary : list of str
        Word of each index.
    sequence_length : int
        Tokens of each row.
    padding, cutting : {"after", "before"}
        Which end is padded or cut.
    """

    vocabulary: list[str]
    sequence_length: int
    padding: str
    cutting: str

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
        return cls([*_RESERVED, *words], length, settings["padding"], settings["cutting"])

    @property
    def width(self) -> int:
        """Size of the vocabulary, padding and unknown included."""
        return len(self.vocabulary)

    def transform(self, texts: Texts) -> np.ndarray:
        """Return word indices, int32, shape (n_texts, sequence_length)."""
        tokens = texts.tokens
        indices = vocabularies.look_up(
            tokens, self.vocabulary[len(_RESERVED) :], len(_RESERVED), UNKNOWN
        )
        lengths = tokens.lengths
        position = np.arange(len(indices)) - np.repeat(tokens.offsets[:-1], lengths)
        kept = np.minimum(lengths, self.sequence_length)
        if self.cutting == "before":
            position -= np.repeat(lengths - kept, lengths)
        inside = (position >= 0) & (position < self.sequence_length)
        if self.padding == "before":
            position += np.repeat(self.sequence_length - kept, lengths)
        padded = np.full((len(tokens), self.sequence_length), PADDING, dtype=np.int32)
        padded[tokens.rows[inside], position[inside]] = indices[inside]
        return padded

    def summary(self, vectors: np.ndarray) -> dict[str, Any]:
        """Describe the vectors for ``vectors.json``."""
        real = int(np.count_nonzero(vectors))
        return {
            "shape": list(vectors.shape),
            "vocabulary_size": len(self.vocabulary),
            "sequence_length": self.sequence_length,
            "unknown_share": round(np.count_nonzero(vectors == UNKNOWN) / max(real, 1), 6),
            "padding_share": round(1 - real / max(vectors.size, 1), 6),
        }

    def save(self, folder: Path) -> None:
        """Write the encoder's files into a folder."""
        vocabularies.write(folder / vocabularies.VOCABULARY_FILE, self.vocabulary)
        settings = {
            "sequence_length": self.sequence_length,
            "padding": self.padding,
            "cutting": self.cutting,
        }
        (folder / "encoder.json").write_text(json.dumps(settings, indent=2) + "\n")

    @classmethod
    def load(cls, folder: Path) -> "SequenceEncoder":
        """Read the files that `save` wrote."""
        settings = json.loads((folder / "encoder.json").read_text())
        return cls(vocabularies.read(folder / vocabularies.VOCABULARY_FILE), **settings)

    @staticmethod
    def save_vectors(vectors: np.ndarray, folder: Path) -> None:
        """Write the vectors so that they can be memory-mapped."""
        np.save(folder / "ids.npy", vectors, allow_pickle=False)

    @staticmethod
    def load_vectors(folder: Path) -> np.ndarray:
        """Map the vectors into memory."""
        return np.load(folder / "ids.npy", mmap_mode="r", allow_pickle=False)
