"""Which rows stay on one side of the split, and the number that their side follows from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline import hashing

_LAST_USED = 2  # train, validation and test are the first parts


@dataclass(frozen=True)
class Groups:
    """Which rows stay on one side, and what their side follows from.

    Attributes
    ----------
    of_row : ndarray of int64, shape (n_rows,)
        Group of each row, which is also the key of the group's first founder.
    later : ndarray of int64, shape (n_later, 2)
        Group and key of each further founder.
    """

    of_row: np.ndarray
    later: np.ndarray

    @classmethod
    def of(cls, numbers: Sequence[int] | np.ndarray) -> "Groups":
        """Return groups with one founder each."""
        return cls(np.asarray(numbers, dtype=np.int64), np.zeros((0, 2), dtype=np.int64))

    def draw(self, *seeds: int) -> np.ndarray:
        """Draw a number from 0 to 1 for each group, the least of its founders.

        A founder is a text that no text before it is like. Where a new row joins two groups, the
        number of the joint group is the lower one, so that no row leaves the test part for it.
        Were it the least of all rows, large groups would nearly always be tested.

        Returns
        -------
        ndarray of float64, shape (n_rows,)
        """
        drawn = _drawn(self.of_row, seeds)
        if not len(self.later):
            return drawn
        groups, at = np.unique(self.of_row, return_inverse=True)
        lowest = _drawn(groups, seeds)
        place = np.minimum(np.searchsorted(groups, self.later[:, 0]), len(groups) - 1)
        # A group may have lost all its rows to cleaning.
        there = groups[place] == self.later[:, 0]
        np.minimum.at(lowest, place[there], _drawn(self.later[there, 1], seeds))
        return lowest[at]


def _drawn(keys: np.ndarray, seeds: Sequence[int]) -> np.ndarray:
    """Return a number from 0 to 1 that follows from a key and seeds."""
    return hashing.uniform(hashing.combined(keys.view(np.uint64), *seeds))


def groups_of(rows: Any, founders: Any, group_duplicates: str) -> Groups:
    """Group the rows of a table.

    Parameters
    ----------
    rows : pa.Table
        Columns ``split_key``, ``copy`` and ``near_group`` of CleanText.
    founders : pa.Table
        Columns ``near_group`` and ``split_key``.
    group_duplicates : str
        ``near``: rows that are near copies, ``exact``: rows of the same words, ``none``: each row
        by itself.

    Returns
    -------
    Groups
    """
    if group_duplicates == "near":
        later = [founders[name].to_numpy() for name in ("near_group", "split_key")]
        return Groups(rows["near_group"].to_numpy(), np.stack(later, axis=1))
    keys = rows["split_key"].to_numpy()
    if group_duplicates == "exact":
        return Groups.of(keys)
    each = hashing.combined(keys.view(np.uint64), rows["copy"].to_numpy().astype(np.int64))
    return Groups.of(each.view(np.int64))


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
