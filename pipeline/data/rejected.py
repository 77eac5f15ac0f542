"""Rejected rows: the table ``rejected.parquet``, the same for every step."""

import pyarrow as pa
import pyarrow.compute as pc

#: Reason of a record that its format does not allow.
MALFORMED = "malformed record"
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
    """Append the marked rows to ``rejected``, as a table of `REJECTED`; return the other rows.

    ``mask`` (null counts as false) and ``detail`` have an entry for each row.
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
