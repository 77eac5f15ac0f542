"""Which rows stay on one side of the split, and the number that their side follows from."""

from typing import Any

import numpy as np

from pipeline.data import hashing

_LAST_USED = 2  # train, validation and test are the first parts


def draw(groups: np.ndarray, *seeds: int) -> np.ndarray:
    """Draw a number from 0 to 1 for each group; it follows from the group's key and seeds alone.

    Parameters
    ----------
    groups : ndarray of int64, shape (n_rows,)
        Key of each row's group.
    *seeds : int

    Returns
    -------
    ndarray of float64, shape (n_rows,)
    """
    return hashing.uniform(hashing.combined(groups.view(np.uint64), *seeds))


def groups_of(rows: Any, group_duplicates: str) -> np.ndarray:
    """Return the group of each row, whose rows are assigned together.

    Near copies follow their founder, the earliest text that they are near copies of. A text that
    joins two groups later changes neither: the side of each would otherwise depend on what arrives,
    or groups that many texts join would nearly always be tested.

    Parameters
    ----------
    rows : pa.Table
        Columns ``split_key``, ``copy`` and ``founder`` of CleanText.
    group_duplicates : str
        ``near``: rows that are near copies, ``exact``: rows of the same words, ``none``: each row
        by itself.

    Returns
    -------
    ndarray of int64, shape (n_rows,)
    """
    if group_duplicates == "near":
        return rows["founder"].to_numpy()
    keys = rows["split_key"].to_numpy()
    if group_duplicates == "exact":
        return keys
    each = hashing.combined(keys.view(np.uint64), rows["copy"].to_numpy().astype(np.int64))
    return each.view(np.int64)


def kept_apart(rows: Any, group_duplicates: str) -> list[np.ndarray]:
    """Return groupings of rows of which no group may be on two sides of the split.

    Parameters
    ----------
    rows : pa.Table
        Columns ``group``, ``split_key`` and ``near_group`` of CleanText.
    group_duplicates : str

    Returns
    -------
    list of ndarray of int, shape (n_rows,)
        Near copies or copies, and rows with equal clean texts: cleaning may have made texts of
        different words equal.
    """
    column = {"near": "near_group", "exact": "split_key", "none": None}[group_duplicates]
    return [rows[name].to_numpy() for name in (column, "group")] if column else []


def on_two_sides(part: np.ndarray, groups: np.ndarray) -> int:
    """Count the groups with rows in more than one of train, validation and test.

    Parameters
    ----------
    part : ndarray of int8, shape (n_rows,)
        0, 1 or 2 for the three parts; rows of greater numbers are in none.
    groups : ndarray of int, shape (n_rows,)
    """
    used = np.flatnonzero(part <= _LAST_USED)
    if not len(used):
        return 0
    order = used[np.argsort(groups[used], kind="stable")]
    starts = np.flatnonzero(begins(groups[order]))
    sides = part[order]
    lowest, highest = (at.reduceat(sides, starts) for at in (np.minimum, np.maximum))
    return int(np.count_nonzero(lowest != highest))


def begins(ordered: np.ndarray) -> np.ndarray:
    """Mark the entries that differ from the one before."""
    marks = np.ones(len(ordered), dtype=bool)
    marks[1:] = ordered[1:] != ordered[:-1]
    return marks
