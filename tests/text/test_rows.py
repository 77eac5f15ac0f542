import pyarrow as pa
import pytest
from conftest import CLEANING, cleaned_rows

from pipeline.data.readers import ROWS
from pipeline.data.rejected import REJECTED, rejections
from pipeline.errors import PipelineError
from pipeline.text.rows import clean_rows

ROWS_IN = [
    ("one", "good", "labelled"),
    ("one", "good", "labelled"),
    ("two  ", "bad", "labelled"),
    ("two", "good", "labelled"),
    ("http://only.url", "bad", "labelled"),
    ("http://only.url", None, "unlabelled"),
]


def test_duplicates_are_grouped_and_contradictions_reported():
    found = cleaned_rows(ROWS_IN)
    assert found.rows["clean"].to_pylist() == ["one", "one", "two", "two", ""]
    groups = found.rows["group"].to_pylist()
    assert groups[0] == groups[1] != groups[2] == groups[3]
    assert found.profile()["repeated_clean"] == 2
    assert found.profile()["repeated_raw"] == 1
    assert found.profile()["contradicting_texts"] == 1
    assert found.profile()["contradictions"] == [{"clean": "two", "labels": {"bad": 1, "good": 1}}]


def test_labelled_row_of_which_nothing_is_left_is_set_aside_and_an_unlabelled_one_kept():
    found = cleaned_rows(ROWS_IN)
    assert found.rejected["id"].to_pylist() == [4]
    assert found.rejected["reason"].to_pylist() == ["nothing left after cleaning"]
    assert found.rejected["raw"].to_pylist() == ["http://only.url"]
    assert found.rejected["file"].to_pylist() == ["a.csv"]
    assert found.rejected["line"].to_pylist() == [6]
    assert found.rows["partition"].to_pylist()[-1] == "unlabelled"


def test_counts_add_up():
    profile = cleaned_rows(ROWS_IN, duplicates="drop").profile()
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
    found = cleaned_rows(rows, duplicates="drop")
    assert found.rows["id"].to_pylist() == [1, 2, 3]
    assert found.rejected["reason"].to_pylist() == ["clean text came before"] * 2
    assert list(
        zip(*(found.rejected[name].to_pylist() for name in ("id", "line", "detail")), strict=True)
    ) == [(0, 2, "the text of row 2"), (4, 6, "the text of row 1")]


def test_nothing_left_at_all_is_said():
    with pytest.raises(PipelineError, match="no labelled row is left after cleaning"):
        cleaned_rows([("http://only.url", "bad", "labelled")])


def test_lost_rows_are_noticed():
    table = cleaned_rows(ROWS_IN).rows.select(ROWS.names)
    with pytest.raises(PipelineError, match="7 records were read, but 5 kept and 0 set aside"):
        clean_rows(table, REJECTED.empty_table(), 7, CLEANING, ["bad", "good"])


@pytest.mark.parametrize("detail", [None, pa.array(["x", None])], ids=["without", "with detail"])
def test_rows_left_out_have_one_layout_whatever_they_came_from(detail):
    rows = pa.table(
        {name: pa.nulls(2, kind) for name, kind in zip(ROWS.names, ROWS.types, strict=True)}
    )
    laid = rejections(rows, "too long", detail)
    assert laid.schema == REJECTED
    assert laid["reason"].to_pylist() == ["too long"] * 2
    assert laid["detail"].to_pylist() == ([None, None] if detail is None else ["x", None])


def test_what_the_split_follows_from_is_that_of_all_rows_that_were_read():
    rows = [
        ("http://only.url", "good", "labelled"),
        ("one two three four", "good", "labelled"),
        ("one two three four", None, "unlabelled"),
        ("Four, three, two, one!", "good", "labelled"),
        ("One two three four", "bad", "labelled"),
        ("http://other.url", "bad", "labelled"),
        ("one two three four", "bad", "labelled"),
    ]
    found = cleaned_rows(rows, duplicates="drop").rows
    assert found["id"].to_pylist() == [1, 2, 3, 4]
    assert found["copy"].to_pylist() == [0, 0, 0, 1]
    keys, groups = found["split_key"].to_pylist(), found["near_group"].to_pylist()
    assert keys[0] == keys[1] == keys[3] != keys[2]
    assert groups == [keys[0]] * 4
    assert found["founder"].to_pylist() == [keys[0]] * 4


def test_rows_follow_the_earliest_row_that_they_are_near_copies_of():
    texts = ["a b c d e f g h", "a b c d e f x y", "a b c d e f g h x", "a b c d e f g x y"]
    found = cleaned_rows([(text, "good", "labelled") for text in texts]).rows
    keys = found["split_key"].to_pylist()
    assert found["near_group"].to_pylist() == [keys[0]] * 4
    assert found["founder"].to_pylist() == [keys[0], keys[1], keys[0], keys[1]]
