"""Rows that a step leaves out: one layout, whichever step it is."""

import pyarrow as pa

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


def rejections(
    rows: pa.Table, reason: str, detail: pa.Array | pa.ChunkedArray | None = None
) -> pa.Table:
    """Lay rows out as rejected ones.

    Parameters
    ----------
    rows : pa.Table
        With ``id``, ``file``, ``line`` and ``raw``.
    reason : str
        Why they are left out.
    detail : pa.Array or pa.ChunkedArray of string, shape (n_rows,), optional
        What of each row it was.

    Returns
    -------
    pa.Table
        Columns of `REJECTED`, shape (n_rows,).
    """
    columns = {
        "id": rows["id"],
        "file": rows["file"].cast(pa.string()),
        "line": rows["line"],
        "reason": pa.array([reason] * rows.num_rows, pa.string()),
        "detail": pa.nulls(rows.num_rows, pa.string()) if detail is None else detail,
        "raw": rows["raw"],
    }
    return pa.table(columns, schema=REJECTED)
