"""Pretrained word vectors, from packages or from text files of GloVe or word2vec."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import PretrainedError
from pipeline.features import pretrained
from pipeline.features import vocabulary as vocabularies

WORDS_FILE, _VECTORS_FILE = "vector_words.txt", "vectors.npy"


@dataclass(frozen=True)
class WordVectors:
    """Words, their vectors, and the folder from which they were memory-mapped."""

    words: pa.Array
    vectors: np.ndarray  # float32, shape (n_words, dimensions)
    folder: Path | None = None

    def find(self, words: Sequence[str]) -> np.ndarray:
        """Return the row of each word, or of its lower-case form, or -1; int64."""
        rows = np.full(len(words), -1, dtype=np.int64)
        for forms in (list(words), [word.lower() for word in words]):
            indices = pc.index_in(pa.array(forms, pa.string()), self.words)
            indices = pc.fill_null(indices, -1).to_numpy(zero_copy_only=False)
            rows = np.where(rows < 0, indices, rows)
        return rows

    def matrix(self, words: Sequence[str]) -> np.ndarray:
        """Return the vector of each word, or zeros; float32, shape (n_words, dimensions)."""
        rows = self.find(words)
        matrix = np.zeros((len(words), self.vectors.shape[1]), dtype=np.float32)
        matrix[rows >= 0] = self.vectors[rows[rows >= 0]]
        return matrix

    def save(self, folder: Path) -> None:
        """Write words and vectors; large files that were loaded are linked, not copied."""
        if self.folder is None:
            vocabularies.write(folder / WORDS_FILE, self.words.to_pylist())
            np.save(folder / _VECTORS_FILE, self.vectors, allow_pickle=False)
        else:
            for name in (WORDS_FILE, _VECTORS_FILE):
                link_or_copy(self.folder / name, folder / name)

    @classmethod
    def load(cls, folder: Path) -> "WordVectors | None":
        """Map the files that `save` wrote into memory; None if there are none."""
        if not (folder / _VECTORS_FILE).is_file():
            return None
        words = pa.array(vocabularies.read(folder / WORDS_FILE), pa.string())
        vectors = np.load(folder / _VECTORS_FILE, mmap_mode="r", allow_pickle=False)
        return cls(words, vectors, folder)


def link_or_copy(source: str | Path, target: str | Path) -> None:
    """Make a hard link, or a copy where the file system does not allow links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def read(choice: str) -> WordVectors | None:
    """Read the vectors of a choice (`pretrained.word_vector_files`); None for ``learned``."""
    files = pretrained.word_vector_files(choice)
    if not files:
        return None
    if choice in pretrained.PACKAGED_VECTORS:
        import pyarrow.parquet as pq

        words = pq.read_table(files[0]).column(0).combine_chunks().cast(pa.string())
        return WordVectors(words, np.load(files[1], allow_pickle=False).astype(np.float32))
    return _read_text(files[0])


def _read_text(path: Path) -> WordVectors:
    """Read one word and its numbers per line; the first line of a repeated word counts."""
    vectors: dict[str, np.ndarray] = {}
    dimensions = 0
    with open(path, encoding="utf-8", errors="replace", newline="\n") as file:
        for number, line in enumerate(file, start=1):
            parts = line.rstrip("\r\n ").split(" ")
            if number == 1 and len(parts) == 2:
                continue  # the header of word2vec: numbers of words and of dimensions
            dimensions = dimensions or len(parts) - 1
            # A few words of GloVe contain a space.
            word, numbers = " ".join(parts[:-dimensions]), parts[-dimensions:]
            try:
                vector = np.array(numbers, dtype=np.float32)
            except ValueError:
                vector = np.zeros(0, dtype=np.float32)
            if dimensions < 2 or len(vector) != dimensions:
                raise PretrainedError(
                    f"{path}, line {number}: a word and {max(dimensions, 2)} numbers were "
                    f"expected, got {' '.join(numbers)[:60]!r}; give a text file of GloVe or "
                    "word2vec vectors."
                )
            vectors.setdefault(word, vector)
    if not vectors:
        raise PretrainedError(f"{path} contains no word vectors; give a GloVe or word2vec file.")
    return WordVectors(pa.array(vectors, pa.string()), np.stack(list(vectors.values())))
