"""Batches of rows: which texts are in a batch, and the arrays that a network receives.

A network reads padded word indices (integer array), sentence vectors (float array), or sparse
values, as two padded arrays: columns and values.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import sparse

# Texts are sorted by length within groups of so many batches: enough for similar lengths in a
# batch, few enough to keep the order of an epoch random.
_SORTED_BATCHES = 32


def lengths(vectors: Any) -> np.ndarray:
    """Count the tokens of padded texts, or the values of sparse rows."""
    if sparse.issparse(vectors):
        return np.diff(vectors.indptr)
    return np.count_nonzero(vectors, axis=1)


def arrays(vectors: Any, rows: np.ndarray, *, truncate: bool) -> list[np.ndarray]:
    """Return the arrays of a batch, of shape (batch, ...): one, or two for sparse rows.

    These are columns (int32) and values (float32), both as wide as the longest row and padded with
    column 0 of value 0. ``truncate`` removes the columns that are padding in all these texts.
    """
    if sparse.issparse(vectors):
        return _padded(vectors[rows])
    batch = np.asarray(vectors[rows])
    return [_truncated(batch) if truncate else batch]


def order(vectors: Any, size: int, seed: int, epoch: int, *, by_length: bool) -> Iterator:
    """Yield the rows of each batch of an epoch, in a random order that depends on seed and epoch.

    With ``by_length`` the texts of a batch have similar lengths.
    """
    rng = np.random.default_rng([seed, epoch])
    shuffled = rng.permutation(vectors.shape[0])
    if by_length:
        n_tokens = lengths(vectors)
        group = size * _SORTED_BATCHES
        for first in range(0, len(shuffled), group):
            part = shuffled[first : first + group]
            shuffled[first : first + group] = part[np.argsort(n_tokens[part], kind="stable")]
    starts = np.arange(0, len(shuffled), size)
    for start in rng.permutation(starts) if by_length else starts:
        yield shuffled[start : start + size]


def _padded(matrix: sparse.csr_matrix) -> list[np.ndarray]:
    """Convert sparse rows to columns and values, padded with column 0 of value 0."""
    n_values = lengths(matrix)
    inside = np.arange(max(int(n_values.max(initial=0)), 1)) < n_values[:, None]
    columns = np.zeros(inside.shape, dtype=np.int32)
    values = np.zeros(inside.shape, dtype=np.float32)
    columns[inside], values[inside] = matrix.indices, matrix.data
    return [columns, values]


def _truncated(batch: np.ndarray) -> np.ndarray:
    """Move padding after the texts and remove columns of padding alone; one column stays."""
    # The fused LSTM needs padding after the text; to a masking layer the side makes no difference.
    is_padding = batch == 0
    if (is_padding[:, :1] & ~is_padding[:, -1:]).any():
        batch = np.take_along_axis(batch, np.argsort(is_padding, axis=1, kind="stable"), axis=1)
    used = np.flatnonzero(batch.any(axis=0))
    return batch[:, : used[-1] + 1 if len(used) else 1]
