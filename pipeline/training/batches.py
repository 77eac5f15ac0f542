"""Batches of rows: which texts go together, and the arrays that a network is given.

A network reads padded word indices (integer array), sentence vectors (float array), or sparse
values, which it is given as two padded arrays: columns and values.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import sparse

# Batches whose texts are sorted by length among themselves: enough for batches of like lengths,
# few enough that an epoch's order stays random.
_SORTED_TOGETHER = 32


def lengths(vectors: Any) -> np.ndarray:
    """Count the tokens of padded texts, or the values of sparse rows."""
    if sparse.issparse(vectors):
        return np.diff(vectors.indptr)
    return np.count_nonzero(vectors, axis=1)


def arrays(vectors: Any, rows: np.ndarray, *, cut: bool) -> list[np.ndarray]:
    """Return what a network is given for some rows.

    Parameters
    ----------
    vectors : ndarray or csr_matrix, shape (n_rows, ...)
    rows : ndarray of int, shape (batch,)
    cut : bool
        Whether columns in which all these texts are padded are cut away. Sparse rows are as wide
        as the longest of them in any case; what is added to a shorter one has the value 0.

    Returns
    -------
    list of ndarray, shape (batch, ...)
        One array; of sparse rows two, columns (int32) and values (float32).
    """
    if sparse.issparse(vectors):
        return _padded(vectors[rows])
    batch = np.asarray(vectors[rows])
    return [_cut(batch) if cut else batch]


def order(vectors: Any, size: int, seed: int, epoch: int, *, by_length: bool) -> Iterator:
    """Yield the rows of each batch: by chance, from seed and epoch, and if asked in like lengths.

    Parameters
    ----------
    vectors : ndarray or csr_matrix, shape (n_rows, ...)
    size : int
        Rows of a batch; the last one may have fewer.
    seed, epoch : int
    by_length : bool

    Yields
    ------
    ndarray of int, shape (batch,)
    """
    rng = np.random.default_rng([seed, epoch])
    shuffled = rng.permutation(vectors.shape[0])
    if by_length:
        known = lengths(vectors)
        together = size * _SORTED_TOGETHER
        shuffled = np.concatenate(
            [
                part[np.argsort(known[part], kind="stable")]
                for part in (shuffled[at : at + together] for at in range(0, len(known), together))
            ]
        )
    starts = np.arange(0, len(shuffled), size)
    for start in rng.permutation(starts) if by_length else starts:
        yield shuffled[start : start + size]


def join(first: Any, second: Any) -> Any:
    """Put the rows of one part after those of another."""
    if sparse.issparse(first):
        return sparse.vstack([first, second], format="csr")
    return np.concatenate([first, second])


def _padded(matrix: sparse.csr_matrix) -> list[np.ndarray]:
    """Lay sparse rows out as columns and values, padded with column 0 of value 0."""
    known = lengths(matrix)
    inside = np.arange(max(int(known.max(initial=0)), 1)) < known[:, None]
    columns = np.zeros(inside.shape, dtype=np.int32)
    values = np.zeros(inside.shape, dtype=np.float32)
    columns[inside], values[inside] = matrix.indices, matrix.data
    return [columns, values]


def _cut(batch: np.ndarray) -> np.ndarray:
    """Bring texts to the left and cut away the columns in which all are padded; one stays.

    Where padding is masked it is no matter on which side it stands, and a fused LSTM wants it after
    the text.
    """
    is_padding = batch == 0
    if (is_padding[:, :1] & ~is_padding[:, -1:]).any():
        order = np.argsort(is_padding, axis=1, kind="stable")
        batch = np.take_along_axis(batch, order, axis=1)
    used = np.flatnonzero(batch.any(axis=0))
    return batch[:, : used[-1] + 1 if len(used) else 1]
