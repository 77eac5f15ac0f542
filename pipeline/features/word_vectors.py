"""Pretrained word vectors, from packages or from text files of GloVe, word2vec or fastText."""

import bz2
import contextlib
import gzip
import io
import lzma
import os
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import PretrainedError
from pipeline.features import pretrained
from pipeline.features import vocabulary as vocabularies

WORDS_FILE, _VECTORS_FILE = "vector_words.txt", "vectors.npy"
_COMPRESSED: Mapping[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
_NOT_IN_TEXT = {*range(9), *range(14, 28)}  # control characters
_BEGINNING = 8192  # bytes


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

    def share_ignoring_case(self, words: Sequence[str]) -> float:
        """Return the share of words that have a vector if letter case does not count."""
        lowered = pa.array([word.lower() for word in words], pa.string())
        is_found = pc.is_in(lowered, pc.utf8_lower(self.words))
        return float(is_found.to_numpy(zero_copy_only=False).mean()) if len(words) else 0.0

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
    line_numbers: list[int] = []  # of each vector
    dimensions = 0
    with _open_text(path) as file, np.errstate(over="ignore"):
        for number, line in enumerate(file, start=1):
            # Tabs separate only if there are no spaces: words of GloVe can contain either.
            parts = line.rstrip("\r\n ").split(" " if " " in line else "\t")
            parts[1:] = filter(None, parts[1:])  # numbers can be aligned by spaces
            if parts == [""] or (number == 1 and _is_header(parts)):
                continue
            dimensions = dimensions or sum(part != "" for part in parts) - 1
            word, vector = _parsed(parts, dimensions)
            if vector is None:
                raise PretrainedError(
                    f"{path}, line {number}: a word and {max(dimensions, 2)} numbers were "
                    f"expected, got {line.strip()[:60]!r}; give a text file of GloVe or word2vec "
                    "vectors."
                )
            if word not in vectors:
                vectors[word] = vector
                line_numbers.append(number)
    if not vectors:
        raise PretrainedError(f"{path} contains no word vectors; give a GloVe or word2vec file.")
    matrix = np.stack(list(vectors.values()))
    wrong = np.flatnonzero(~np.isfinite(matrix).all(axis=1))
    if len(wrong):
        raise PretrainedError(
            f"{path}, line {line_numbers[wrong[0]]}: the vector of {list(vectors)[wrong[0]]!r} has "
            "a number that is not finite (nan, inf, or beyond 32 bits); remove this line "
            f"({len(wrong):,} such lines)."
        )
    return WordVectors(pa.array(vectors, pa.string()), matrix)


def _parsed(parts: Sequence[str], dimensions: int) -> tuple[str, np.ndarray | None]:
    """Return the word and the vector of a line; None if it has another number of numbers."""
    words, numbers = parts[:-dimensions], parts[-dimensions:]
    # A few words of GloVe contain a space; a number would be one too many.
    words = [word for word in words if word] or words[:1]  # a space can begin a line
    is_word = len(words) == 1 or (len(words) > 1 and not _is_number(words[-1]))
    if dimensions < 2 or not is_word:
        return "", None
    try:
        return " ".join(words), np.array(numbers, dtype=np.float32)
    except ValueError:
        return "", None


def _is_number(text: str) -> bool:
    """Return whether a text is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _is_header(parts: Sequence[str]) -> bool:
    """Return whether a line is the header of word2vec: numbers of words and of dimensions."""
    return len(parts) == 2 and all(part.isdecimal() for part in parts)


@contextlib.contextmanager
def _open_text(path: Path) -> Iterator[TextIO]:
    """Open a text file of vectors, compressed or not; raise if it is something else."""
    try:
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(_open_bytes(path, stack))
            beginning = file.peek(_BEGINNING)[:_BEGINNING]
            if any(byte in _NOT_IN_TEXT for byte in beginning):
                raise PretrainedError(
                    f"{path} is a binary file; give a text file of GloVe or word2vec vectors (one "
                    "word and its numbers a line), for example with gensim: "
                    "KeyedVectors.load_word2vec_format(file, binary=True)"
                    ".save_word2vec_format(text_file)."
                )
            # A byte order mark is no part of the first word. Some words of GloVe are not utf-8.
            yield io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="\n")
    except (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, gzip.BadGzipFile) as error:
        raise PretrainedError(
            f"{path} is an incomplete or damaged archive ({error}); get the file again."
        ) from error


def _open_bytes(path: Path, stack: contextlib.ExitStack) -> io.BufferedReader:
    """Open a file for reading; decompress gzip, bzip2, xz, and zip archives of one file."""
    with open(path, "rb") as file:
        beginning = file.read(6)
    for magic, opener in _COMPRESSED.items():
        if beginning.startswith(magic):
            return io.BufferedReader(stack.enter_context(opener(path)))
    if not beginning.startswith(b"PK\x03\x04"):
        return stack.enter_context(open(path, "rb"))
    archive = stack.enter_context(zipfile.ZipFile(path))
    names = [name for name in archive.namelist() if not name.endswith("/")]
    if len(names) != 1:
        raise PretrainedError(
            f"{path} must contain one file, got {', '.join(names)}; unpack it and give one of them."
        )
    return io.BufferedReader(cast(io.RawIOBase, stack.enter_context(archive.open(names[0]))))
