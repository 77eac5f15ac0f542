"""Duplicate groups: rows that are one observation for intervals and tests."""

from pathlib import Path

import pyarrow.parquet as pq

NEAR = "near_group"
EXACT = "group"


def group_column(path: Path) -> str:
    """Return the name of the column that holds the duplicate groups of ``rows.parquet``.

    Parameters
    ----------
    path : Path

    Returns
    -------
    str
        ``near_group``: rows with equal or nearly equal texts share a number. CleanText before
        version 4 wrote ``group`` alone, for equal texts; such runs can still be compared.
    """
    return NEAR if NEAR in pq.read_schema(path).names else EXACT
