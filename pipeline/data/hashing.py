"""Hashes of 64 bits that are the same on every machine and in every process."""

import numpy as np
import pyarrow as pa

_STEP = np.uint64(0x9E3779B97F4A7C15)  # 2**64 over the golden ratio, as in splitmix64
_STEPS = (
    (np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)),
    (np.uint64(27), np.uint64(0x94D049BB133111EB)),
)


def mix(values: np.ndarray) -> np.ndarray:
    """Return the finalizer of splitmix64 (Steele, Lea and Flood 2014) of each number.

    Parameters
    ----------
    values : ndarray of int64 or uint64

    Returns
    -------
    ndarray of uint64
        Different for different numbers.
    """
    mixed = values.astype(np.uint64) + _STEP
    for shift, factor in _STEPS:
        mixed ^= mixed >> shift
        mixed *= factor
    mixed ^= mixed >> np.uint64(31)
    return mixed


def combined(hashes: np.ndarray, *numbers: int | np.ndarray) -> np.ndarray:
    """Return hashes of each hash together with further numbers, in order; uint64."""
    result = hashes.astype(np.uint64)
    for number in numbers:
        result = mix(result ^ mix(np.asarray(number, dtype=np.uint64).reshape(-1)))
    return result


def of_strings(column: pa.Array) -> np.ndarray:
    """Hash strings.

    Parameters
    ----------
    column : pa.Array of string, shape (n_strings,)
        Without nulls.

    Returns
    -------
    ndarray of uint64, shape (n_strings,)
    """
    if not len(column):
        return np.zeros(0, np.uint64)
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1]
    ends = ends.astype(np.int64)
    held = np.frombuffer(data, np.uint8)[ends[0] : ends[-1]] if data else np.zeros(0, np.uint8)
    lengths = np.diff(ends)
    position = np.arange(len(held)) - np.repeat(ends[:-1] - ends[0], lengths)
    sums = np.zeros(len(held) + 1, np.uint64)
    # A byte counts by its place within the string; sums wrap around on purpose.
    np.cumsum(mix(position * 256 + held), out=sums[1:])
    return mix(sums[ends[1:] - ends[0]] - sums[ends[:-1] - ends[0]] + lengths.astype(np.uint64))


def uniform(hashes: np.ndarray) -> np.ndarray:
    """Return a float64 of at least 0 and below 1 for each hash, from its upper 53 bits."""
    return (hashes >> np.uint64(11)) * 2.0**-53
