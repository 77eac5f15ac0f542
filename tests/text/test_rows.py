import pyarrow as pa
import pytest

from pipeline.datasets.readers import ROWS
from pipeline.errors import PipelineError
from pipeline.rejected import REJECTED, rejections
from pipeline.text.rows import clean_rows

SETTINGS = {
    "encoding_repair": "repair",
    "html": "decode",
    "unicode_form": "NFC",
    "urls": "remove",
    "mentions": "replace",
    "hashtags": "keep",
    "numbers": "keep",
    "case": "keep",
    "duplicates": "keep",
}


def make(rows, **choices):
    columns = list(zip(*rows, strict=True))
    table = pa.table(
        {
            "id": pa.array(range(len(rows)), pa.int64()),
            "source_id": pa.nulls(len(rows), pa.string()),
            "raw": pa.array(columns[0], pa.string()),
            "label": pa.array(columns[1], pa.string()),
            "partition": pa.array(columns[2], pa.string()),
            "file": pa.array(["a.csv"] * len(rows)).dictionary_encode(),
            "line": pa.array(range(2, len(rows) + 2), pa.int64()),
        },
        schema=ROWS,
    )
    settings = {**SETTINGS, **choices}
    return clean_rows(table, REJECTED.empty_table(), len(rows), settings, ["bad", "good"])


ROWS_IN = [
    ("one", "good", "labelled"),
    ("one", "good", "labelled"),
    ("two  ", "bad", "labelled"),
    ("two", "good", "labelled"),
    ("http://only.url", "bad", "labelled"),
    ("http://only.url", None, "unlabelled"),
]


def test_duplicates_are_grouped_and_contradictions_reported():
    found = make(ROWS_IN)
    assert found.rows["clean"].to_pylist() == ["one", "one", "two", "two", ""]
    groups = found.rows["group"].to_pylist()
    assert groups[0] == groups[1] != groups[2] == groups[3]
    assert found.profile()["repeated_clean"] == 2
    assert found.profile()["repeated_raw"] == 1
    assert found.profile()["contradicting_texts"] == 1
    assert found.profile()["contradictions"] == [{"clean": "two", "labels": {"bad": 1, "good": 1}}]


def test_labelled_row_of_which_nothing_is_left_is_set_aside_and_an_unlabelled_one_kept():
    found = make(ROWS_IN)
    assert found.rejected["id"].to_pylist() == [4]
    assert found.rejected["reason"].to_pylist() == ["nothing left after cleaning"]
    assert found.rejected["raw"].to_pylist() == ["http://only.url"]
    assert found.rejected["file"].to_pylist() == ["a.csv"]
    assert found.rejected["line"].to_pylist() == [6]
    assert found.rows["partition"].to_pylist()[-1] == "unlabelled"


def test_counts_add_up():
    profile = make(ROWS_IN, duplicates="drop").profile()
    assert profile["records"] == profile["kept"] + profile["set_aside"] == 6
    assert profile["reasons"] == {"clean text came before": 2, "nothing left after cleaning": 1}
    assert profile["labels"] == {"bad": 1, "good": 1}


def test_dropping_duplicates_keeps_the_first_and_every_test_row():
    rows = [
        ("same", "good", "train"),
        ("other", "bad", "train"),
        ("same", "good", "test"),
        ("other", None, "unlabelled"),
        ("other", "bad", "train"),
    ]
    found = make(rows, duplicates="drop")
    assert found.rows["id"].to_pylist() == [1, 2, 3]
    assert found.rejected["reason"].to_pylist() == ["clean text came before"] * 2
    assert list(
        zip(*(found.rejected[name].to_pylist() for name in ("id", "line", "detail")), strict=True)
    ) == [(0, 2, "the text of row 2"), (4, 6, "the text of row 1")]


def test_nothing_left_at_all_is_said():
    with pytest.raises(PipelineError, match="no labelled row is left after cleaning"):
        make([("http://only.url", "bad", "labelled")])


def test_lost_rows_are_noticed():
    table = make(ROWS_IN).rows.select(ROWS.names)
    with pytest.raises(PipelineError, match="7 records were read, but 5 kept and 0 set aside"):
        clean_rows(table, REJECTED.empty_table(), 7, SETTINGS, ["bad", "good"])


@pytest.mark.parametrize("detail", [None, pa.array(["x", None])], ids=["without", "with detail"])
def test_rows_left_out_have_one_layout_whatever_they_came_from(detail):
    rows = pa.table(
        {name: pa.nulls(2, kind) for name, kind in zip(ROWS.names, ROWS.types, strict=True)}
    )
    laid = rejections(rows, "too long", detail)
    assert laid.schema == REJECTED
    assert laid["reason"].to_pylist() == ["too long"] * 2
    assert laid["detail"].to_pylist() == ([None, None] if detail is None else ["x", None])
