import pyarrow as pa
import pytest

from pipeline.data.readers import ROWS
from pipeline.data.rejected import REJECTED, reject


@pytest.mark.parametrize("detail", [None, pa.array(["w", "x", None])], ids=["without", "with"])
def test_rejected_rows_have_the_same_columns_whatever_their_table_is(detail):
    columns = {name: pa.nulls(3, kind) for name, kind in zip(ROWS.names, ROWS.types, strict=True)}
    rows = pa.table({**columns, "id": pa.array([0, 1, 2])})
    rejected = []
    kept = reject(rows, pa.array([None, True, True]), "too long", rejected, detail)
    (lost,) = rejected
    assert kept["id"].to_pylist() == [0]
    assert lost.schema == REJECTED
    assert lost["id"].to_pylist() == [1, 2]
    assert lost["reason"].to_pylist() == ["too long"] * 2
    assert lost["detail"].to_pylist() == ([None, None] if detail is None else ["x", None])


def test_nothing_to_reject_adds_no_table():
    rows, rejected = pa.table({"id": [0, 1]}), []
    assert reject(rows, pa.array([False, None]), "too long", rejected) is rows
    assert rejected == []
