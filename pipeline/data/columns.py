"""Operations on columns of texts that Arrow lacks."""

import os
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.settings.checks import DOTTED

# Clean texts never contain it: control characters are removed first.
_MARK = "\x1e"
SLICE = 50_000  # most texts in a slice; bounds the memory of intermediate columns
_MIN_SLICE = 1_000  # fewest texts that are worth a thread
# Seconds that a thread that returns from Arrow waits for Python's lock. Python's default of 5 ms
# is longer than most operations of Arrow on a slice.
_SWITCH_INTERVAL = 0.0002

Result = TypeVar("Result")


def map_slices(
    column: pa.Array | pa.ChunkedArray, function: Callable[[pa.Array], Result]
) -> list[Result]:
    """Apply a function to slices of a column in threads; Arrow releases Python's lock.

    Slices have at most `SLICE` entries; an empty column is one slice. Results are in their order.
    """
    with InThreads(function) as threads:
        threads.submit(column)
        return threads.results()


class InThreads:
    """Apply a function to slices of columns in threads, while the next column is being read."""

    def __init__(self, function: Callable[[pa.Array], Any]) -> None:
        self._function = function
        self._cores = len(os.sched_getaffinity(0))
        self._pool = ThreadPoolExecutor(self._cores)
        self._futures: list[Future] = []
        self._interval = sys.getswitchinterval()

    def __enter__(self) -> "InThreads":
        sys.setswitchinterval(_SWITCH_INTERVAL)
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown(cancel_futures=True)
        sys.setswitchinterval(self._interval)

    def submit(self, column: pa.Array | pa.ChunkedArray) -> None:
        """Start work on a column, slice by slice."""
        size = min(max(-(-len(column) // (4 * self._cores)), _MIN_SLICE), SLICE)
        for start in range(0, max(len(column), 1), size):
            part = as_array(column.slice(start, size))
            self._futures.append(self._pool.submit(self._function, part))

    def results(self) -> list[Any]:
        """Wait, and return the results in the order in which columns were submitted."""
        return [future.result() for future in self._futures]


def strings(values: Iterable[str | None]) -> pa.Array:
    r"""Make a column of texts; lone surrogates, which JSON can contain, are replaced.

    Examples
    --------
    >>> strings(["\ud83d", None]).to_pylist()
    ['\ufffd', None]
    """
    values = list(values)
    try:
        return pa.array(values, pa.string())
    except UnicodeEncodeError:
        replaced = [
            value and value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            for value in values
        ]
        return pa.array(replaced, pa.string())


def as_array(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return the column as one array, without a copy if it has one chunk."""
    if isinstance(column, pa.ChunkedArray):
        return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    return column


def utf8_bytes(column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Return the bytes of all texts of a column without nulls, and the start of each text."""
    if not len(column):
        return np.zeros(0, np.uint8), np.zeros(1, np.int32)
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1]
    if not data:
        return np.zeros(0, np.uint8), np.zeros(len(column) + 1, np.int32)
    return np.frombuffer(data, np.uint8)[ends[0] : ends[-1]], ends - ends[0]


def byte_flags(column: pa.Array, flags: np.ndarray) -> np.ndarray:
    """Return the union of the uint8 ``flags`` (one per byte value) of all bytes of each text.

    The column has no nulls. The result of an empty text is arbitrary.
    """
    data, ends = utf8_bytes(column)
    # One more entry, since empty texts at the end begin after the last byte.
    bits = np.append(np.take(flags, data), np.uint8(0))
    return np.bitwise_or.reduceat(bits, ends[:-1]) if len(column) else np.zeros(0, np.uint8)


def offsets_of(lengths: np.ndarray) -> np.ndarray:
    """Return the start of each of several sequences of some lengths, and the last end; int64."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])


def is_group_start(ordered: np.ndarray) -> np.ndarray:
    """Mark the entries of an array that differ from the previous one."""
    marks = np.ones(len(ordered), dtype=bool)
    marks[1:] = ordered[1:] != ordered[:-1]
    return marks


def where(column: pa.Array, mask: pa.Array, function: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """Apply a column function to the marked rows only; the others stay as they are."""
    marked = column.filter(mask)
    if len(marked) == 0:
        return column
    return pc.replace_with_mask(column, mask, function(marked))


def per_distinct_text(function: Callable[[str], str]) -> Callable[[pa.Array], pa.Array]:
    """Make a column function of a Python function, which is called once per distinct text.

    Examples
    --------
    >>> per_distinct_text(str.title)(pa.array(["a b", "c", "a b"])).to_pylist()
    ['A B', 'C', 'A B']
    """

    def apply(column: pa.Array) -> pa.Array:
        encoded = column.dictionary_encode()
        results = [function(text) for text in encoded.dictionary.to_pylist()]
        return pa.array(results, pa.string()).take(encoded.indices)

    return apply


def replacing(pattern: str, by: str) -> Callable[[pa.Array], pa.Array]:
    """Make a column function that replaces the matches of an RE2 pattern."""
    return lambda column: pc.replace_substring_regex(column, pattern, by)


def lower(column: pa.Array, language: str = "") -> pa.Array:
    """Convert to lower case as Python does; Arrow's result differs for letters such as ``İ``.

    In languages of `DOTTED` the lower case of ``I`` is ``ı``, and that of ``İ`` is ``i`` (Unicode
    Standard, SpecialCasing.txt).

    Examples
    --------
    >>> lower(pa.array(["ISPARTA İZMİR"]), "turkish").to_pylist()
    ['ısparta izmir']
    """
    if language in DOTTED:
        column = pc.replace_substring_regex(column, "İ|I\u0307", "i")
        column = pc.replace_substring(column, "I", "ı")
    is_ascii = pc.string_is_ascii(column)
    lowered = pc.ascii_lower(column)
    return where(lowered, pc.invert(is_ascii), per_distinct_text(str.lower))


def replace_within(
    column: pa.Array, outer: str, inner: str, by: str, *, before: str = "", outside: bool = False
) -> pa.Array:
    r"""Replace the matches of a pattern, only inside the matches of another pattern.

    The texts must not contain the control character U+001E.

    Parameters
    ----------
    column : pa.Array of string
    outer, inner : str
        RE2 patterns; ``inner`` is applied to each match of ``outer`` as to a text of its own.
    by : str
        Replacement of the matches of ``inner``.
    before : str
        A pattern without groups that matches directly before ``outer``.
    outside : bool
        Replace outside of the matches of ``outer`` instead.

    Examples
    --------
    >>> replace_within(pa.array(["1 [1]"]), r"\[\d\]", "1", "one").to_pylist()
    ['1 [one]']
    """
    marked = pc.replace_substring_regex(column, f"({before})({outer})", rf"\1{_MARK}\2{_MARK}")
    flat, offsets, is_match = _split(marked)
    flat = where(flat, pa.array(is_match != outside), replacing(inner, by))
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), flat), "")


def find_all(column: pa.Array, pattern: str) -> pa.Array:
    """Return all matches of an RE2 pattern in texts without U+001E, list<string>."""
    return _matches(_marked(column, pattern))


def replace_and_find(column: pa.Array, pattern: str, by: str) -> tuple[pa.Array, pa.Array]:
    r"""Replace the matches of an RE2 pattern in texts without U+001E, and return them.

    Examples
    --------
    >>> replaced, matches = replace_and_find(pa.array(["1 a 2"]), r"\d", "n")
    >>> replaced.to_pylist(), matches.to_pylist()
    (['n a n'], [['1', '2']])
    """
    marked = _marked(column, pattern)
    # A simpler pattern, which is faster.
    return pc.replace_substring_regex(marked, f"{_MARK}[^{_MARK}]*{_MARK}", by), _matches(marked)


def _marked(column: pa.Array, pattern: str) -> pa.Array:
    """Insert a mark before and after each match."""
    return pc.replace_substring_regex(column, pattern, rf"{_MARK}\0{_MARK}")


def _matches(marked: pa.Array) -> pa.Array:
    """Return the text between marks, list<string>."""
    flat, offsets, is_match = _split(marked)
    ends = np.concatenate([np.zeros(1), np.cumsum(np.diff(offsets) // 2)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(ends), flat.filter(pa.array(is_match)))


def _split(marked: pa.Array) -> tuple[pa.Array, np.ndarray, np.ndarray]:
    """Split texts at marks: all pieces, offsets of the texts, and which pieces are matches."""
    lists = pc.split_pattern(marked, _MARK)
    offsets = lists.offsets.to_numpy() - lists.offsets[0].as_py()
    # Every second piece of a text is a match.
    is_match = (np.arange(offsets[-1]) - np.repeat(offsets[:-1], np.diff(offsets))) % 2 == 1
    return lists.flatten(), offsets, is_match
