"""Duplicate groups: rows that are one observation for intervals and tests."""

from pathlib import Path

import pyarrow as pa
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
        ``near_group``: rows with equal or nearly equal texts share a number.
    """
    # Tables without near_group come from a CleanText that does not look for near copies yet;
    # remove the fallback as soon as all have the column.
    return NEAR if NEAR in pq.read_schema(path).names else EXACT


def read_rows(path: Path, columns: list[str]) -> pa.Table:
    """Read columns of ``rows.parquet``, with the duplicate groups as ``near_group``.

    Parameters
    ----------
    path : Path
    columns : list of str
        Besides the groups.

    Returns
    -------
    pa.Table
    """
    column = group_column(path)
    wanted = list(dict.fromkeys([*columns, column]))
    table = pq.read_table(path, columns=wanted).select(wanted)
    if NEAR not in table.column_names:
        table = table.append_column(NEAR, table[column])
    return table.select([*columns, NEAR])
