import pyarrow as pa
import pytest

from pipeline.data.problems import malformed_in_words
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


def test_malformed_records_are_named_by_file_with_cause_and_lines():
    rows = [("a.csv", 3, "malformed record", "2 fields expected, 3 found")] * 7
    rows += [("b.csv", 4, "malformed record", "a quote is never closed")]
    rows += [("b.csv", 5, "text is empty", None)]
    names = ("file", "line", "reason", "detail")
    table = pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows], REJECTED)
    assert malformed_in_words(table) == (
        "a.csv: 2 fields expected, 3 found (7 rows, lines 3, 3, 3, 3, 3, ...). "
        "b.csv: a quote is never closed (1 row, line 4)"
    )
    assert malformed_in_words(REJECTED.empty_table()) == ""
