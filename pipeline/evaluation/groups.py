"""Duplicate groups: rows with the same or nearly the same text count as one observation."""

from pathlib import Path

import numpy as np

NEAR = "near_group"
EXACT = "group"


def group_column(path: Path) -> str:
    """Return the column of ``rows.parquet`` with the duplicate groups.

    It is ``near_group``; or ``group`` (equal texts only), which CleanText before version 4 wrote.
    """
    import pyarrow.parquet as pq

    return NEAR if NEAR in pq.read_schema(path).names else EXACT


def group_indices(groups: np.ndarray | None, n_rows: int) -> np.ndarray:
    """Return the duplicate groups numbered from 0, ndarray of int64, shape (n_rows,)."""
    return np.arange(n_rows) if groups is None else np.unique(groups, return_inverse=True)[1]
