"""64-bit hashes that are the same on every machine and in every process."""

import numpy as np
import pyarrow as pa

from pipeline.data.columns import utf8_bytes

_STEP = np.uint64(0x9E3779B97F4A7C15)  # 2**64 over the golden ratio, as in splitmix64
_STEPS = (
    (np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)),
    (np.uint64(27), np.uint64(0x94D049BB133111EB)),
)


def mix(values: np.ndarray) -> np.ndarray:
    """Apply the finalizer of splitmix64 (Steele, Lea and Flood 2014) to integers; uint64.

    Examples
    --------
    >>> hex(mix(np.array([0]))[0])
    '0xe220a8397b1dcdaf'
    """
    mixed = values.astype(np.uint64) + _STEP
    for shift, factor in _STEPS:
        mixed ^= mixed >> shift
        mixed *= factor
    mixed ^= mixed >> np.uint64(31)
    return mixed


def combined(hashes: np.ndarray, *numbers: int | np.ndarray) -> np.ndarray:
    """Return uint64 hashes of each hash together with further numbers; the order matters."""
    result = hashes.astype(np.uint64)
    for number in numbers:
        result = mix(result ^ mix(np.asarray(number, dtype=np.uint64).reshape(-1)))
    return result


def string_hashes(column: pa.Array) -> np.ndarray:
    """Hash the strings of a column without nulls; uint64, shape (n_strings,)."""
    data, offsets = utf8_bytes(column)
    ends = offsets.astype(np.int64)
    lengths = np.diff(ends)
    position = np.arange(len(data)) - np.repeat(ends[:-1], lengths)
    sums = np.zeros(len(data) + 1, np.uint64)
    # Each byte is weighted by its position in the string; overflow of the sums is intended.
    np.cumsum(mix(position * 256 + data), out=sums[1:])
    return mix(sums[ends[1:]] - sums[ends[:-1]] + lengths.astype(np.uint64))


def uniform(hashes: np.ndarray) -> np.ndarray:
    """Return a float64 in [0, 1) for each hash, from its upper 53 bits."""
    return (hashes >> np.uint64(11)) * 2.0**-53
