"""Nights that break or keep the data contract."""

import json
from dataclasses import asdict

import numpy as np
import pyarrow as pa
import pytest

from pipeline.errors import SettingError
from pipeline.nightly.contract import (
    DAY,
    Limits,
    Measures,
    breaches,
    measure,
    unknown_words,
    unreadable,
)
from pipeline.nightly.limits import contract

USUAL = {
    "rows": 1000,
    "class_shares": {"bad": 0.4, "good": 0.6},
    "empty_share": 0.01,
    "repeated_share": 0.1,
    "unusable_share": 0.0,
    "unknown_share": 0.05,
}
LIMITS = Limits()
# name: differences from the usual night, the rules it breaks, part of the first sentence
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
    "class moved as far as chance explains": (
        {"class_shares": {"bad": 0.64, "good": 0.36}},
        [],
        "",
    ),
    "class moved": (
        {"class_shares": {"bad": 0.66, "good": 0.34}},
        ["class_share_change", "class_share_change"],
        "class bad has 66.0% of the 1,000 labelled rows, by chance 61.2% to 70.6% (99.8 % "
        "interval), and 40.0% in the median of the last 3 nights",
    ),
    "class nearly gone, which chance explains": (
        {"class_shares": {"bad": 0.002, "good": 0.998}},
        ["class_share_change", "class_share_change"],
        "class bad has 0.2%",
    ),
    "class gone": (
        {"class_shares": {"bad": 0.0, "good": 1.0}},
        ["class_share_least", "class_share_change", "class_share_change"],
        "class bad has 0.0% of the 1,000 labelled rows, by chance at most 0.7% (99.8 % interval); "
        "at least 1.0% are needed",
    ),
    "no labels": (
        {"class_shares": {"bad": 0.0, "good": 0.0}, "labelled": 0},
        ["class_share_least"],
        "no row has a label",
    ),
    "few labels": (
        {"class_shares": {"bad": 0.0, "good": 1.0}, "labelled": 10},
        [],
        "",
    ),
    "empty, which chance explains": ({"empty_share": 0.06}, [], ""),
    "empty": (
        {"empty_share": 0.08},
        ["empty_share"],
        "8.0% of the records have no text, by chance at least 5.6% of 1,000 rows (99.8 % "
        "interval); at most 5.0% are allowed",
    ),
    "repeated": ({"repeated_share": 0.6}, ["repeated_share"], "60.0% of the records repeat"),
    "unusable": ({"unusable_share": 0.2}, ["unusable_share"], "20.0% of the records cannot be"),
    "unknown": (
        {"unknown_share": 0.7},
        ["unknown_share"],
        "70.0% of the words are unknown to the champion, by chance at least 65.3% of 1,000 rows",
    ),
    "no champion": ({"unknown_share": None}, [], ""),
    "several": (
        {"rows": 20, "empty_share": 0.5},
        ["rows_least", "empty_share"],
        "20 rows are too few",
    ),
}


def night(**other):
    return Measures(**{**USUAL, **other})


@pytest.mark.parametrize(("other", "names", "sentence"), TABLE.values(), ids=TABLE.keys())
def test_contract(other, names, sentence):
    broken = breaches(night(**other), [night()] * 3, LIMITS)
    assert [breach.name for breach in broken] == names
    if broken:
        assert sentence in broken[0].sentence
        json.dumps([asdict(breach) for breach in broken], allow_nan=False)


def test_numbers_of_rows_are_compared_only_between_nights_that_counted_the_same():
    whole_windows = [night(rows=30_000)] * 9
    days = [night(counted=DAY)] * 2
    for rows, names in ((499, ["rows_least"]), (1000, []), (5001, ["rows_most"])):
        broken = breaches(night(rows=rows, counted=DAY), [*days, *whole_windows], LIMITS)
        assert [breach.name for breach in broken] == names
    assert breaches(night(rows=10, counted=DAY), whole_windows, LIMITS) == []


def test_first_night_is_not_compared_with_medians():
    assert breaches(night(rows=3, class_shares={"bad": 0.02, "good": 0.98}), [], LIMITS) == []
    assert breaches(night(empty_share=0.9), [], LIMITS)[0].name == "empty_share"


def test_rows_are_compared_with_the_median_of_the_latest_nights():
    earlier = [night(rows=100_000)] * 5 + [night(rows=rows) for rows in (1000, 9000, 1100)]
    assert breaches(night(), earlier, Limits(trailing_nights=3)) == []
    (breach,) = breaches(night(), earlier, Limits(trailing_nights=8))
    assert breach.name == "rows_least"
    assert breach.allowed == 50_000


def test_class_shares_are_compared_with_the_median_of_the_latest_nights():
    # The median of bad is .3 over two nights, .4 over three and .65 over four.
    earlier = [night(class_shares={"bad": bad, "good": 1 - bad}) for bad in (0.9, 0.9, 0.2, 0.4)]
    broken = {
        trailing: [one.name for one in breaches(night(), earlier, limits)]
        for trailing in (2, 3, 4)
        for limits in [Limits(trailing_nights=trailing, class_share_change=0.02)]
    }
    assert broken == {2: ["class_share_change"] * 2, 3: [], 4: ["class_share_change"] * 2}


# Name: true share of the class, share in earlier nights, rows of a night.
KEPT = {
    "small class on few rows": (0.017, 0.017, 50),
    "usual share on very few rows": (0.43, 0.43, 10),
    "share at the limit of change": (0.6, 0.4, 300),
    "share at the limit itself": (0.01, 0.01, 2000),
}


@pytest.mark.parametrize(("share", "usual", "rows"), KEPT.values(), ids=KEPT.keys())
def test_usual_night_breaks_class_shares_in_at_most_1_of_100(share, usual, rows):
    rng = np.random.default_rng(0)
    earlier = [night(class_shares={"bad": usual, "good": 1 - usual})] * 7

    def breaks():
        bad = rng.binomial(rows, share) / rows
        shares = {"bad": bad, "good": 1 - bad}
        tonight = night(rows=rows, labelled=rows, class_shares=shares)
        return bool(breaches(tonight, earlier, Limits(rows_least=0.0)))

    assert np.mean([breaks() for _ in range(2000)]) <= 0.01


@pytest.mark.parametrize("name", ["empty_share", "repeated_share", "unusable_share"])
def test_share_at_its_limit_breaks_in_at_most_1_of_100_nights(name):
    rng, limit = np.random.default_rng(0), getattr(LIMITS, name)
    nights = [night(rows=60, **{name: rng.binomial(60, limit) / 60}) for _ in range(2000)]
    assert np.mean([bool(breaches(one, [], LIMITS)) for one in nights]) <= 0.01


def test_class_that_is_missing_from_a_large_night_breaks():
    tonight = night(rows=1000, labelled=1000, class_shares={"bad": 0.0, "good": 1.0})
    assert "class_share_least" in [one.name for one in breaches(tonight, [], LIMITS)]


def test_new_class_is_compared_with_the_least_share_only():
    shares = {"bad": 0.4, "good": 0.3, "odd": 0.3}
    broken = breaches(night(class_shares=shares), [night()], Limits(class_share_change=0.4))
    assert broken == []


def test_rows_are_measured_after_cleaning():
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
    measures = measure(rows, rejected, ["bad", "good", "odd"], unknown_share=0.25)
    assert measures == Measures(
        rows=10,
        class_shares={"bad": 1 / 3, "good": 2 / 3, "odd": 0.0},
        empty_share=0.3,
        repeated_share=0.2,
        unusable_share=0.2,
        unknown_share=0.25,
        counted=DAY,
        labelled=3,
    )
    assert Measures(**json.loads(json.dumps(asdict(measures)))) == measures


def test_night_without_rows_is_measured():
    rows = pa.table({"label": pa.array([], pa.string()), "clean": pa.array([], pa.string())})
    rejected = pa.table({"reason": pa.array([], pa.string()), "raw": pa.array([], pa.string())})
    measures = measure(rows, rejected, ["bad"])
    assert (measures.rows, measures.empty_share) == (0, 0.0)
    assert [breach.name for breach in breaches(measures, [], LIMITS)] == ["rows_minimum"]


@pytest.mark.parametrize(
    ("counts", "share"),
    [({"a": 3, "b": 1}, 0.25), ({"a": 1}, 0.0), ({"b": 2}, 1.0), ({}, 0.0)],
)
def test_unknown_words_are_weighted_by_their_counts(counts, share):
    assert unknown_words(counts, ["a", "z"]) == share


def test_unreadable_file_breaks_the_schema():
    assert asdict(unreadable("rows.csv has no column 'text'")) == {
        "name": "schema",
        "measured": None,
        "allowed": None,
        "sentence": "rows.csv has no column 'text'",
    }


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"empty_share": 5.0}, "empty_share must be a number at least 0 and at most 1, got 5"),
        ({"trailing_nights": 0}, "trailing_nights must be .* at least 1, got 0; change luigi.cfg"),
        ({"rows_most": 0.5}, "rows_most must be .* at least 1, got 0.5"),
        ({"rows_least": float("nan")}, "rows_least .* got nan"),
    ],
)
def test_impossible_limit_is_an_error(values, problem):
    with pytest.raises(SettingError, match=problem):
        contract(**values)
