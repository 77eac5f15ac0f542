"""Operations on columns of texts that Arrow does not have of its own."""

import os
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# Never in a clean text: control characters are removed first.
_MARK = "\x1e"
SLICE = 50_000  # most texts worked on at a time: bounds the memory of what is half done
_FEWEST = 1_000  # texts that are worth a thread
# Seconds that a thread back from Arrow waits for one that is at work in Python, at most. Python's
# own 5 ms are longer than most of what Arrow does with a slice.
_SWITCH = 0.0002

Result = TypeVar("Result")


def in_slices(
    column: pa.Array | pa.ChunkedArray, function: Callable[[pa.Array], Result]
) -> list[Result]:
    """Apply a function to slices of a column in threads; Arrow works outside of Python's lock.

    Parameters
    ----------
    column : pa.Array or pa.ChunkedArray
    function : callable
        From an array of `SLICE` or fewer entries, so many that each core has some; called once,
        with none, for an empty column.

    Returns
    -------
    list
        What the function returned, in the order of the slices.
    """
    with InThreads(function) as threads:
        threads.take(column)
        return threads.results()


class InThreads:
    """Apply a function to columns in threads, while the next column is still being made.

    Parameters
    ----------
    function : callable
        As for `in_slices`.
    """

    def __init__(self, function: Callable[[pa.Array], Any]) -> None:
        self._function = function
        self._cores = len(os.sched_getaffinity(0))
        self._pool = ThreadPoolExecutor(self._cores)
        self._begun: list[Future] = []
        self._interval = sys.getswitchinterval()

    def __enter__(self) -> "InThreads":
        sys.setswitchinterval(_SWITCH)
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown(cancel_futures=True)
        sys.setswitchinterval(self._interval)

    def take(self, column: pa.Array | pa.ChunkedArray) -> None:
        """Begin with a column, slice by slice."""
        size = min(max(-(-len(column) // (4 * self._cores)), _FEWEST), SLICE)
        for start in range(0, max(len(column), 1), size):
            part = whole(column.slice(start, size))
            self._begun.append(self._pool.submit(self._function, part))

    def results(self) -> list[Any]:
        """Return what the function returned, in the order in which columns were taken."""
        return [future.result() for future in self._begun]


def strings(values: Iterable[str | None]) -> pa.Array:
    """Make a column of texts; halves of surrogate pairs, which JSON can spell, are replaced."""
    values = list(values)
    try:
        return pa.array(values, pa.string())
    except UnicodeEncodeError:
        mended = (
            value
            if value is None
            else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            for value in values
        )
        return pa.array(list(mended), pa.string())


def whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return the column as one array."""
    if isinstance(column, pa.ChunkedArray):
        return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    return column


def signs(column: pa.Array, of_byte: np.ndarray) -> np.ndarray:
    """Return which kinds of bytes each text holds, all kinds in one pass.

    Parameters
    ----------
    column : pa.Array of string, shape (n_texts,)
        Without nulls.
    of_byte : ndarray of uint8, shape (256,)
        The bits that stand for each byte of UTF-8.

    Returns
    -------
    ndarray of uint8, shape (n_texts,)
        The bits of all bytes of a text; of an empty text, those of any text.
    """
    if not len(column):
        return np.zeros(0, np.uint8)
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1]
    held = np.frombuffer(data, np.uint8)[ends[0] : ends[-1]] if data else np.zeros(0, np.uint8)
    # One more, since empty texts at the end begin behind the last byte.
    bits = np.append(np.take(of_byte, held), np.uint8(0))
    return np.bitwise_or.reduceat(bits, ends[:-1] - ends[0])


def where(column: pa.Array, mask: pa.Array, function: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """Apply a column function to the marked rows alone; the others stay as they are."""
    marked = column.filter(mask)
    if len(marked) == 0:
        return column
    return pc.replace_with_mask(column, mask, function(marked))


def each(function: Callable[[str], str]) -> Callable[[pa.Array], pa.Array]:
    """Make a column function of a Python function; each distinct text is computed once."""

    def apply(column: pa.Array) -> pa.Array:
        encoded = column.dictionary_encode()
        done = [function(text) for text in encoded.dictionary.to_pylist()]
        return pa.array(done, pa.string()).take(encoded.indices)

    return apply


def lower(column: pa.Array) -> pa.Array:
    """Lower the case as Python does; Arrow's own differs for letters such as ``İ`` and ``Σ``."""
    is_ascii = pc.string_is_ascii(column)
    lowered = pc.ascii_lower(column)
    return where(lowered, pc.invert(is_ascii), each(str.lower))


def replace_within(column: pa.Array, outer: str, inner: str, by: str) -> pa.Array:
    r"""Replace what matches a pattern, only inside of what matches another.

    Parameters
    ----------
    column : pa.Array of string, shape (n_texts,)
        Texts without control characters.
    outer, inner : str
        RE2 patterns; ``inner`` sees each match of ``outer`` as a text of its own.
    by : str
        What ``inner`` is replaced by; ``\1`` is its first group.

    Returns
    -------
    pa.Array of string, shape (n_texts,)
    """
    flat, offsets, is_match = _pieces(column, outer)
    flat = where(flat, pa.array(is_match), lambda some: pc.replace_substring_regex(some, inner, by))
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), flat), "")


def find_all(column: pa.Array, pattern: str) -> pa.Array:
    """Return every match of an RE2 pattern, in time linear in the text.

    Parameters
    ----------
    column : pa.Array of string, shape (n_texts,)
        Texts without control characters.
    pattern : str
        RE2 pattern.

    Returns
    -------
    pa.Array of list<string>, shape (n_texts,)
    """
    flat, offsets, is_match = _pieces(column, pattern)
    counts = np.diff(offsets) // 2
    ends = np.concatenate([np.zeros(1, np.int32), np.cumsum(counts, dtype=np.int32)])
    return pa.ListArray.from_arrays(pa.array(ends), flat.filter(pa.array(is_match)))


def _pieces(column: pa.Array, pattern: str) -> tuple[pa.Array, np.ndarray, np.ndarray]:
    """Cut texts before and behind each match of a pattern, columns all the way.

    Returns
    -------
    pieces : pa.Array of string
        Of all texts, one after another; in each, every second piece is a match.
    offsets : ndarray of int32, shape (n_texts + 1,)
        Where the pieces of each text begin.
    is_match : ndarray of bool, shape (n_pieces,)
    """
    marked = pc.replace_substring_regex(column, f"({pattern})", f"{_MARK}\\1{_MARK}")
    lists = pc.split_pattern(marked, _MARK)
    offsets = lists.offsets.to_numpy() - lists.offsets[0].as_py()
    is_match = (np.arange(offsets[-1]) - np.repeat(offsets[:-1], np.diff(offsets))) % 2 == 1
    return lists.flatten(), offsets, is_match
