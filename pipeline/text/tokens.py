"""A column of token lists that stores each distinct token once."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.data.columns import is_group_start, offsets_of

_SLICE = 50_000  # texts; bounds memory


@dataclass(frozen=True)
class Tokens:
    """Token lists of many texts.

    Attributes
    ----------
    codes : ndarray of int32, shape (n_tokens,)
        Position in ``words`` of each token, one text after another.
    offsets : ndarray of int64, shape (n_texts + 1,)
        Start of each text in ``codes``, and the end of the last one.
    words : list of str
        The distinct tokens.

    Examples
    --------
    >>> tokens = Tokens.from_lists([["a", "b", "a"], []])
    >>> tokens.words, tokens.codes.tolist(), tokens.offsets.tolist()
    (['a', 'b'], [0, 1, 0], [0, 3, 3])
    """

    codes: np.ndarray
    offsets: np.ndarray
    words: list[str]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> np.ndarray:
        """Number of tokens of each text, int64, shape (n_texts,)."""
        return np.diff(self.offsets)

    @property
    def rows(self) -> np.ndarray:
        """Row of the text of each token, int64, shape (n_tokens,)."""
        return np.repeat(np.arange(len(self)), self.lengths)

    @classmethod
    def from_arrow(cls, column: pa.Array | pa.ChunkedArray) -> "Tokens":
        """Convert a column of type list<string> or list<dictionary>, without nulls."""
        chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
        flat = pa.chunked_array(
            [chunk.flatten() for chunk in chunks] or [pa.array([], pa.string())]
        )
        if not pa.types.is_dictionary(flat.type):
            flat = flat.dictionary_encode()
        encoded = flat.unify_dictionaries().combine_chunks()
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.chunk(0) if encoded.num_chunks else pa.array([], flat.type)
        lengths = [pc.list_value_length(chunk).to_numpy(zero_copy_only=False) for chunk in chunks]
        ends = offsets_of(np.concatenate([np.zeros(0, np.int64), *lengths]))
        codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int32, copy=False)
        return cls(codes, ends, encoded.dictionary.to_pylist())

    @classmethod
    def from_lists(cls, lists: Iterable[list[str]]) -> "Tokens":
        """Convert lists of tokens."""
        return cls.from_arrow(pa.array(list(lists), pa.list_(pa.string())))

    def to_arrow(self) -> pa.Array:
        """Return a column of type list<string>."""
        words = pa.array(self.words, pa.string())
        return pa.ListArray.from_arrays(
            pa.array(self.offsets, pa.int32()), words.take(pa.array(self.codes))
        )

    def to_lists(self) -> list[list[str]]:
        """Return lists of tokens."""
        return self.to_arrow().to_pylist()

    def without(self, unwanted: Iterable[str]) -> "Tokens":
        """Return the lists without some tokens."""
        drop = set(unwanted)
        if drop.isdisjoint(self.words):
            return self
        is_kept = np.array([word not in drop for word in self.words], dtype=bool)
        keep = is_kept[self.codes]
        ends = offsets_of(keep)
        # Dropped tokens also leave ``words``, so that nothing is computed for them.
        new_codes = (np.cumsum(is_kept) - 1).astype(np.int32)
        words = [word for word in self.words if word not in drop]
        return Tokens(new_codes[self.codes[keep]], ends[self.offsets], words)

    def map(self, function: Callable[[str], str]) -> "Tokens":
        """Return the lists with a function applied to each token, once per distinct token."""
        changed = pa.array([function(word) for word in self.words], pa.string())
        encoded = changed.dictionary_encode()
        codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int32)
        return Tokens(codes[self.codes], self.offsets, encoded.dictionary.to_pylist())

    def joined(self, others: "Tokens") -> "Tokens":
        """Return these lists followed by others."""
        words = pa.array([*self.words, *others.words], pa.string()).dictionary_encode()
        codes = words.indices.to_numpy()[
            np.concatenate([self.codes, others.codes + np.int32(len(self.words))])
        ]
        offsets = np.concatenate([self.offsets, others.offsets[1:] + self.offsets[-1]])
        return Tokens(codes, offsets, words.dictionary.to_pylist())

    def take(self, rows: np.ndarray) -> "Tokens":
        """Return the lists of some rows, in the order of ``rows``."""
        lengths = self.lengths[rows]
        offsets = offsets_of(lengths)
        positions = np.arange(offsets[-1]) + np.repeat(self.offsets[rows] - offsets[:-1], lengths)
        return Tokens(self.codes[positions], offsets, self.words)

    def distinct_per_text(self) -> "Tokens":
        """Return each token of a text once, in the order of ``words``."""
        width = max(len(self.words), 1)
        codes, counts = [np.zeros(0, np.int32)], [np.zeros(0, np.int64)]
        for start in range(0, len(self), _SLICE):
            ends = self.offsets[start : start + _SLICE + 1]
            rows = np.repeat(np.arange(len(ends) - 1), np.diff(ends))
            keys = rows * width + self.codes[ends[0] : ends[-1]]
            keys.sort()
            keys = keys[is_group_start(keys)]
            codes.append((keys % width).astype(np.int32))
            counts.append(np.bincount(keys // width, minlength=len(ends) - 1))
        return Tokens(np.concatenate(codes), offsets_of(np.concatenate(counts)), self.words)

    def distinct(self) -> np.ndarray:
        """Return the number of different tokens of each text, int64, shape (n_texts,)."""
        return self.distinct_per_text().lengths


def read_tokens(path: Path) -> Tokens:
    """Read the token lists of ``tokens.parquet``."""
    words = ["tokens.list.element"]
    table = pq.read_table(path, columns=["tokens"], read_dictionary=words)
    return Tokens.from_arrow(table["tokens"])
