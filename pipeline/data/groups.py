"""Groups of rows that stay on one side of the split, and the number that decides the side."""

import numpy as np
import pyarrow as pa

from pipeline.data import hashing


def draw(groups: np.ndarray, *seeds: int) -> np.ndarray:
    """Draw a number in [0, 1) for each group, from its key and the seeds alone."""
    return hashing.uniform(hashing.combined(groups.view(np.uint64), *seeds))


def groups_of(rows: pa.Table, group_duplicates: str) -> np.ndarray:
    """Return the group of each row, int64; rows of a group are assigned together.

    Near copies follow their founder, the earliest text that they are near copies of. A later text
    that connects two groups changes neither: otherwise the side of a group would depend on later
    data, and large connected groups would nearly always be in the test part.

    ``group_duplicates`` is ``near``: near copies, ``exact``: rows with the same words, or ``none``:
    each row alone.
    """
    if group_duplicates == "near":
        return rows["founder"].to_numpy()
    keys = rows["split_key"].to_numpy()
    if group_duplicates == "exact":
        return keys
    row_keys = hashing.combined(keys.view(np.uint64), rows["copy"].to_numpy().astype(np.int64))
    return row_keys.view(np.int64)


def kept_apart(rows: pa.Table, group_duplicates: str) -> list[np.ndarray]:
    """Return groupings of rows, int, shape (n_rows,), of which no group may be on two sides.

    These are near copies or copies, and rows with equal clean texts: cleaning can make texts with
    different words equal.
    """
    column = {"near": "near_group", "exact": "split_key", "none": None}[group_duplicates]
    return [rows[name].to_numpy() for name in (column, "group")] if column else []
