import pytest
from conftest import CLEANING, cleaned_rows

from pipeline.data.readers import ROWS, Reading
from pipeline.data.rejected import REJECTED
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
    cleaned = cleaned_rows(ROWS_IN)
    assert cleaned.rows["clean"].to_pylist() == ["one", "one", "two", "two", ""]
    groups = cleaned.rows["group"].to_pylist()
    assert groups[0] == groups[1] != groups[2] == groups[3]
    profile = cleaned.profile()
    assert profile["repeated_clean"] == 2
    assert profile["repeated_raw"] == 1
    assert profile["contradicting_texts"] == 1
    assert profile["contradictions"] == [{"clean": "two", "labels": {"bad": 1, "good": 1}}]


def test_labelled_row_with_an_empty_clean_text_is_rejected_and_an_unlabelled_one_kept():
    cleaned = cleaned_rows(ROWS_IN)
    assert cleaned.rejected["id"].to_pylist() == [4]
    assert cleaned.rejected["reason"].to_pylist() == ["nothing left after cleaning"]
    assert cleaned.rejected["raw"].to_pylist() == ["http://only.url"]
    assert cleaned.rejected["file"].to_pylist() == ["a.csv"]
    assert cleaned.rejected["line"].to_pylist() == [6]
    assert cleaned.rows["partition"].to_pylist()[-1] == "unlabelled"


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
    cleaned = cleaned_rows(rows, duplicates="drop")
    assert cleaned.rows["id"].to_pylist() == [1, 2, 3]
    assert cleaned.rejected["reason"].to_pylist() == ["clean text came before"] * 2
    assert list(
        zip(*(cleaned.rejected[name].to_pylist() for name in ("id", "line", "detail")), strict=True)
    ) == [(0, 2, "the text of row 2"), (4, 6, "the text of row 1")]


def test_no_labelled_row_left_is_an_error():
    with pytest.raises(PipelineError, match="no labelled row is left after cleaning"):
        cleaned_rows([("http://only.url", "bad", "labelled")])


def test_lost_rows_are_an_error():
    table = cleaned_rows(ROWS_IN).rows.select(ROWS.names)
    with pytest.raises(RuntimeError, match="7 records were read, but 5 kept and 0 rejected"):
        clean_rows(Reading(table, REJECTED.empty_table(), 7), CLEANING, ["bad", "good"])


def test_columns_of_the_split_are_computed_for_all_rows_that_were_read():
    rows = [
        ("http://only.url", "good", "labelled"),
        ("one two three four", "good", "labelled"),
        ("one two three four", None, "unlabelled"),
        ("Four, three, two, one!", "good", "labelled"),
        ("One two three four", "bad", "labelled"),
        ("http://other.url", "bad", "labelled"),
        ("one two three four", "bad", "labelled"),
    ]
    cleaned = cleaned_rows(rows, duplicates="drop").rows
    assert cleaned["id"].to_pylist() == [1, 2, 3, 4]
    assert cleaned["copy"].to_pylist() == [0, 0, 0, 1]
    keys, groups = cleaned["split_key"].to_pylist(), cleaned["near_group"].to_pylist()
    assert keys[0] == keys[1] == keys[3] != keys[2]
    assert groups == [keys[0]] * 4
    assert cleaned["founder"].to_pylist() == [keys[0]] * 4


def test_rows_follow_their_earliest_near_copy():
    texts = ["a b c d e f g h", "a b c d e f x y", "a b c d e f g h x", "a b c d e f g x y"]
    cleaned = cleaned_rows([(text, "good", "labelled") for text in texts]).rows
    keys = cleaned["split_key"].to_pylist()
    assert cleaned["near_group"].to_pylist() == [keys[0]] * 4
    assert cleaned["founder"].to_pylist() == [keys[0], keys[1], keys[0], keys[1]]
