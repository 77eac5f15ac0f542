"""Pretrained word vectors: GloVe's and word2vec's text form, and the packaged ones."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import PipelineError
from pipeline.features import pretrained
from pipeline.features import vocabulary as vocabularies

WORDS_FILE, _VECTORS = "vector_words.txt", "vectors.npy"


@dataclass(frozen=True)
class WordVectors:
    """Words and their vectors.

    Attributes
    ----------
    words : pa.Array of string, shape (n_words,)
    vectors : ndarray of float32, shape (n_words, dimensions)
        Memory-mapped where it was read from a folder.
    folder : Path or None
        Where its files lie already.
    """

    words: pa.Array
    vectors: np.ndarray
    folder: Path | None = None

    def find(self, words: Sequence[str]) -> np.ndarray:
        """Return the row of each word, else of the word in lower case, else -1; int64."""
        rows = np.full(len(words), -1, dtype=np.int64)
        asked = [list(words), [word.lower() for word in words]]
        for each in asked:
            found = pc.index_in(pa.array(each, pa.string()), self.words)
            found = pc.fill_null(found, -1).to_numpy(zero_copy_only=False)
            rows = np.where(rows < 0, found, rows)
        return rows

    def matrix(self, words: Sequence[str]) -> np.ndarray:
        """Return the vector of each word, zeros without one; float32, (n_words, dimensions)."""
        rows = self.find(words)
        found = np.zeros((len(words), self.vectors.shape[1]), dtype=np.float32)
        found[rows >= 0] = self.vectors[rows[rows >= 0]]
        return found

    def save(self, folder: Path) -> None:
        """Write words and vectors, or link to where they lie already: they are large."""
        if self.folder is None:
            vocabularies.write(folder / WORDS_FILE, self.words.to_pylist())
            np.save(folder / _VECTORS, self.vectors, allow_pickle=False)
            return
        for name in (WORDS_FILE, _VECTORS):
            try:
                os.link(self.folder / name, folder / name)
            except OSError:  # another disk, or one without links
                shutil.copyfile(self.folder / name, folder / name)

    @classmethod
    def load(cls, folder: Path) -> "WordVectors | None":
        """Map what `save` wrote into memory; None where nothing was written."""
        if not (folder / _VECTORS).is_file():
            return None
        words = pa.array(vocabularies.read(folder / WORDS_FILE), pa.string())
        return cls(words, np.load(folder / _VECTORS, mmap_mode="r", allow_pickle=False), folder)


def read(choice: str) -> WordVectors | None:
    """Read the vectors that a user chose; None for learned ones.

    Raises
    ------
    PipelineError
        If a file is not in the text form of GloVe or word2vec.
    """
    files = pretrained.word_vector_files(choice)
    if not files:
        return None
    if choice in pretrained.PACKAGED_VECTORS:
        import pyarrow.parquet as pq

        words = pq.read_table(files[0]).column(0).combine_chunks().cast(pa.string())
        return WordVectors(words, np.load(files[1], allow_pickle=False).astype(np.float32))
    return _read_text(files[0])


def _read_text(path: Path) -> WordVectors:
    """Read lines of a word and its numbers; a first line of two numbers (word2vec) is skipped."""
    words: list[str] = []
    rows: list[np.ndarray] = []
    dimensions = 0
    with open(path, encoding="utf-8", errors="replace", newline="\n") as file:
        for number, line in enumerate(file, start=1):
            parts = line.rstrip("\r\n ").split(" ")
            if number == 1 and len(parts) == 2:
                continue
            dimensions = dimensions or len(parts) - 1
            # A word may hold a space, as a few of GloVe's do.
            word, numbers = " ".join(parts[:-dimensions]), parts[-dimensions:]
            rows.append(_numbers(numbers, dimensions, path, number))
            words.append(word)
    if not rows:
        raise PipelineError(f"{path} holds no word vectors; name a GloVe or word2vec text file.")
    kept = _first_of_each(words)
    vectors = np.stack(rows)
    return WordVectors(pa.array(words, pa.string()).take(pa.array(kept)), vectors[kept])


def _numbers(texts: list[str], dimensions: int, path: Path, line: int) -> np.ndarray:
    """Turn a line's numbers into a vector."""
    try:
        found = np.array(texts, dtype=np.float32)
    except ValueError:
        found = np.zeros(0, dtype=np.float32)
    if dimensions < 2 or len(found) != dimensions:
        raise PipelineError(
            f"{path}, line {line}: a word and {max(dimensions, 2)} numbers were expected, got "
            f"{' '.join(texts)[:60]!r}; name a text file of GloVe or word2vec vectors."
        )
    return found


def _first_of_each(words: list[str]) -> np.ndarray:
    """Return the positions of the first line of each word."""
    first: dict[str, Any] = {}
    for position, word in enumerate(words):
        first.setdefault(word, position)
    return np.fromiter(first.values(), dtype=np.int64)
