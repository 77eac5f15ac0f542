"""What breaks a night's contract, and what keeps it."""

import json

import pyarrow as pa
import pytest

from pipeline.errors import PipelineError
from pipeline.nightly.contract import (
    DAY,
    Limits,
    Measures,
    breaches,
    measure,
    unknown_words,
    unreadable,
)

USUAL = {
    "rows": 1000,
    "class_shares": {"bad": 0.4, "good": 0.6},
    "empty_share": 0.01,
    "repeated_share": 0.1,
    "unusable_share": 0.0,
    "unknown_share": 0.05,
}
LIMITS = Limits()
# name: what the night has otherwise, the rules it breaks, part of the first sentence
TABLE = {
    "usual": ({}, [], ""),
    "just enough rows": ({"rows": 500}, [], ""),
    "too few rows": (
        {"rows": 499},
        ["rows_least"],
        "499 rows are too few: the median of the last 3 nights is 1,000, and at least 500",
    ),
    "just not too many rows": ({"rows": 5000}, [], ""),
    "too many rows": ({"rows": 5001}, ["rows_most"], "5,001 rows are too many"),
    "no rows": ({"rows": 0}, ["rows_minimum"], "0 rows; at least 1 are needed"),
    "class moved within the limit": ({"class_shares": {"bad": 0.6, "good": 0.4}}, [], ""),
    "class moved": (
        {"class_shares": {"bad": 0.61, "good": 0.39}},
        ["class_share_change", "class_share_change"],
        "class bad has 61.0% of the rows, and 40.0% in the median of the last 3 nights",
    ),
    "class nearly gone": (
        {"class_shares": {"bad": 0.009, "good": 0.991}},
        ["class_share_least", "class_share_change", "class_share_change"],
        "class bad has 0.9% of the rows; at least 1.0% are needed",
    ),
    "empty": ({"empty_share": 0.051}, ["empty_share"], "5.1% of the records have no text"),
    "repeated": ({"repeated_share": 0.6}, ["repeated_share"], "60.0% of the records repeat"),
    "unusable": ({"unusable_share": 0.2}, ["unusable_share"], "20.0% of the records cannot be"),
    "unknown": (
        {"unknown_share": 0.7},
        ["unknown_share"],
        "70.0% of the words are unknown to the champion; at most 50.0% are allowed",
    ),
    "no champion to know words": ({"unknown_share": None}, [], ""),
    "several": (
        {"rows": 10, "empty_share": 0.5},
        ["rows_least", "empty_share"],
        "10 rows are too few",
    ),
}


def night(**other):
    return Measures(**{**USUAL, **other})


@pytest.mark.parametrize(("other", "names", "sentence"), TABLE.values(), ids=TABLE.keys())
def test_contract(other, names, sentence):
    found = breaches(night(**other), [night()] * 3, LIMITS)
    assert [breach.name for breach in found] == names
    if found:
        assert sentence in found[0].sentence
        json.dumps([breach.as_json() for breach in found], allow_nan=False)


def test_numbers_of_rows_are_compared_where_they_were_counted_alike():
    whole_windows = [night(rows=30_000)] * 9
    days = [night(counted=DAY)] * 2
    for rows, names in ((499, ["rows_least"]), (1000, []), (5001, ["rows_most"])):
        found = breaches(night(rows=rows, counted=DAY), [*days, *whole_windows], LIMITS)
        assert [breach.name for breach in found] == names
    assert breaches(night(rows=10, counted=DAY), whole_windows, LIMITS) == []


def test_first_night_has_nothing_to_be_compared_with():
    assert breaches(night(rows=3, class_shares={"bad": 0.02, "good": 0.98}), [], LIMITS) == []
    assert breaches(night(empty_share=0.9), [], LIMITS)[0].name == "empty_share"


def test_median_is_of_the_last_nights_alone_and_one_odd_night_does_not_move_it():
    earlier = [night(rows=100_000)] * 5 + [night(rows=rows) for rows in (1000, 9000, 1100)]
    assert breaches(night(), earlier, Limits(trailing_nights=3)) == []
    (breach,) = breaches(night(), earlier, Limits(trailing_nights=8))
    assert breach.name == "rows_least"
    assert breach.allowed == 50_000


def test_class_that_is_new_is_compared_with_its_least_alone():
    shares = {"bad": 0.4, "good": 0.3, "odd": 0.3}
    found = breaches(night(class_shares=shares), [night()], Limits(class_share_change=0.4))
    assert found == []


def test_rows_are_measured_as_cleaning_left_them():
    rows = pa.table(
        {"label": ["bad", "good", "good", None, None], "clean": ["a", "b", "b", "", "c"]}
    )
    reasons = {
        "nothing left after cleaning": "http://t.co",
        "clean text came before": "a",
        "text is empty": " ",
        "malformed record": "a,b,c",
        "label is empty": "d",
    }
    rejected = pa.table({"reason": list(reasons), "raw": list(reasons.values())})
    found = measure(rows, rejected, ["bad", "good", "odd"], unknown_share=0.25)
    assert found == Measures(
        rows=10,
        class_shares={"bad": 1 / 3, "good": 2 / 3, "odd": 0.0},
        empty_share=0.3,
        repeated_share=0.2,
        unusable_share=0.2,
        unknown_share=0.25,
        counted=DAY,
    )
    assert Measures.from_json(json.loads(json.dumps(found.as_json()))) == found


def test_nothing_at_all_is_measured_without_a_division_by_zero():
    rows = pa.table({"label": pa.array([], pa.string()), "clean": pa.array([], pa.string())})
    rejected = pa.table({"reason": pa.array([], pa.string()), "raw": pa.array([], pa.string())})
    found = measure(rows, rejected, ["bad"])
    assert (found.rows, found.empty_share) == (0, 0.0)
    assert [breach.name for breach in breaches(found, [], LIMITS)] == ["rows_minimum"]


@pytest.mark.parametrize(
    ("counts", "share"),
    [({"a": 3, "b": 1}, 0.25), ({"a": 1}, 0.0), ({"b": 2}, 1.0), ({}, 0.0)],
)
def test_unknown_words_count_as_often_as_they_stand_there(counts, share):
    assert unknown_words(counts, ["a", "z"]) == share


def test_file_that_cannot_be_read_breaks_the_schema():
    assert unreadable("rows.csv has no column 'text'").as_json() == {
        "name": "schema",
        "measured": None,
        "allowed": None,
        "sentence": "rows.csv has no column 'text'",
    }


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"empty_share": 5.0}, r"empty_share of \[contract\] must be at least 0 and at most 1"),
        ({"trailing_nights": 0}, "trailing_nights .* must be at least 1, got 0; mend it in luigi"),
        ({"rows_most": 0.5}, "rows_most .* must be at least 1, got 0.5"),
        ({"rows_least": float("nan")}, "rows_least .* got nan"),
    ],
)
def test_limit_that_cannot_be_meant_is_an_error(values, problem):
    with pytest.raises(PipelineError, match=problem):
        Limits(**values)
