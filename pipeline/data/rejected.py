"""Rejected rows: the table ``rejected.parquet``, the same for every step."""

import pyarrow as pa
import pyarrow.compute as pc

#: Columns of ``rejected.parquet``.
REJECTED = pa.schema(
    [
        ("id", pa.int64()),
        ("file", pa.string()),
        ("line", pa.int64()),
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("raw", pa.string()),
    ]
)


def reject(
    rows: pa.Table,
    mask: pa.Array | pa.ChunkedArray,
    reason: str,
    rejected: list[pa.Table],
    detail: pa.Array | pa.ChunkedArray | None = None,
) -> pa.Table:
    """Move the marked rows to the rejected ones, and return the other rows.

    Parameters
    ----------
    rows : pa.Table
        Columns ``id``, ``file``, ``line`` and ``raw``.
    mask : pa.Array or pa.ChunkedArray of bool, shape (n_rows,)
        Rows to reject; null counts as false.
    reason : str
    rejected : list of pa.Table
        Receives a table with the columns of `REJECTED`.
    detail : pa.Array or pa.ChunkedArray of string, shape (n_rows,), optional
    """
    if not pc.any(mask).as_py():
        return rows
    lost = rows.filter(mask)
    columns = {
        "id": lost["id"],
        "file": lost["file"].cast(pa.string()),
        "line": lost["line"],
        "reason": pa.array([reason] * lost.num_rows, pa.string()),
        "detail": pa.nulls(lost.num_rows, pa.string()) if detail is None else detail.filter(mask),
        "raw": lost["raw"],
    }
    rejected.append(pa.table(columns, schema=REJECTED))
    return rows.filter(pc.invert(pc.fill_null(mask, False)))
