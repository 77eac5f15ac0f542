"""Sparse tf-idf values of word n-grams and character n-grams."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from pipeline.data.columns import as_array, lower
from pipeline.features import bags
from pipeline.features import vocabulary as vocabularies
from pipeline.features.texts import Texts
from pipeline.text.tokens import Tokens

_CHARACTERS_FILE = "characters.txt"
_CHUNK = 20_000  # texts per step, so that temporary matrices are small
# Start positions up to this one are sliced by Arrow, in one pass over all words per position. Few
# words are longer; Python slices the rest of them.
_MAX_START = 40


@dataclass(frozen=True)
class NgramEncoder(bags.SparseEncoder):
    """Turn texts into tf-idf values of word n-grams and of character n-grams inside words.

    Word and character columns are weighted and scaled separately (`pipeline.features.bags.tfidf`).
    """

    words: list[str]  # the n-gram of each column; word columns come first
    word_idf: np.ndarray
    characters: list[str]
    character_idf: np.ndarray
    word_ngrams: tuple[int, int]  # smallest and largest number of words
    char_ngrams: tuple[int, int] | None  # of characters; None for no character n-grams
    norm: str
    sublinear_tf: bool
    saved_settings = ("word_ngrams", "char_ngrams", "norm", "sublinear_tf")

    @classmethod
    def fit(cls, texts: Texts, training: np.ndarray, settings: Mapping[str, Any]) -> Self:
        """Choose n-grams and inverse document frequencies from the training rows."""
        rows = np.flatnonzero(training)
        limits = tuple(settings["word_ngrams"])
        word_ngrams = _word_ngrams(texts.tokens, *limits)
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
        word_ngrams = _word_ngrams(texts.tokens, *self.word_ngrams)
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
    def load(cls, folder: Path) -> Self:
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
    column = pc.utf8_trim_whitespace(lower(as_array(texts.clean), texts.language))
    pieces = Tokens.from_arrow(pc.utf8_split_whitespace(column)).without([""])
    per_word, names = _character_ngrams(pieces.words, *limits)
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


def _word_ngrams(tokens: Tokens, low: int, high: int) -> Tokens:
    """List the n-grams of ``low`` to ``high`` words of each text, shorter ones first."""
    if low == high == 1:
        return tokens
    words, n_words = pa.array(tokens.words, pa.string()), max(len(tokens.words), 1)
    rows, starts = tokens.rows, np.arange(len(tokens.codes))
    codes, names = tokens.codes.astype(np.int64), words
    parts = [(rows, codes, names)] if low == 1 else []
    for size in range(2, high + 1):
        # Each n-gram is extended by the next word of its text.
        last = starts + size - 1
        inside = last < len(rows)
        inside[inside] = rows[starts[inside]] == rows[last[inside]]
        starts, last = starts[inside], last[inside]
        pairs = codes[inside] * n_words + tokens.codes[last]
        distinct, codes = np.unique(pairs, return_inverse=True)
        shorter, word = names.take(distinct // n_words), words.take(distinct % n_words)
        names = pc.binary_join_element_wise(shorter, word, " ")
        if size >= low:
            parts.append((rows[starts], codes, names))
    return _merged(parts, len(tokens))


def _merged(parts: list[tuple[np.ndarray, np.ndarray, pa.Array]], n_texts: int) -> Tokens:
    """Merge n-grams of several sizes, each as rows, codes and names, in the order of the texts."""
    # Equal names become one: a token may contain a space.
    names = pa.chunked_array([names for *_, names in parts]).combine_chunks().dictionary_encode()
    merged_codes = names.indices.to_numpy(zero_copy_only=False)
    offsets = np.cumsum([0, *(len(names) for *_, names in parts)])
    codes = np.concatenate(
        [
            merged_codes[offset + codes]
            for offset, (_, codes, _) in zip(offsets, parts, strict=False)
        ]
    )
    rows = np.concatenate([rows for rows, *_ in parts])
    order = np.argsort(rows, kind="stable")
    ends = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n_texts))])
    return Tokens(codes[order].astype(np.int32), ends, names.dictionary.to_pylist())


def _character_ngrams(
    words: Sequence[str], low: int, high: int
) -> tuple[sparse.csr_matrix, list[str]]:
    """Count character n-grams per word as ``char_wb`` of scikit-learn does; return their names."""
    padded = pc.binary_join_element_wise(" ", pa.array(words, pa.string()), " ", "")
    lengths = pc.utf8_length(padded).to_numpy(zero_copy_only=False)
    short = np.flatnonzero(lengths < low)
    owners, ngrams = [short], [padded.take(short)]
    for size in range(low, high + 1):
        n_starts = max(int(lengths.max(initial=0)) - size + 1, 0)
        for start in range(min(n_starts, _MAX_START)):
            owner = np.flatnonzero(lengths >= start + size)
            owners.append(owner)
            ngrams.append(pc.utf8_slice_codeunits(padded.take(owner), start, start + size))
        long = np.flatnonzero(lengths >= _MAX_START + size)
        owners.append(np.repeat(long, lengths[long] - (_MAX_START + size) + 1))
        rest = [
            word[start : start + size]
            for word in padded.take(long).to_pylist()
            for start in range(_MAX_START, len(word) - size + 1)
        ]
        ngrams.append(pa.array(rest, pa.string()))
    encoded = pa.chunked_array(ngrams, pa.string()).combine_chunks().dictionary_encode()
    columns = encoded.indices.to_numpy(zero_copy_only=False)
    shape = (len(words), len(encoded.dictionary))
    ones = np.ones(len(columns), dtype=np.float32)
    counts = sparse.coo_matrix((ones, (np.concatenate(owners), columns)), shape=shape).tocsr()
    return counts, encoded.dictionary.to_pylist()
