import numpy as np
import pyarrow as pa
import pytest

from pipeline.evaluation.slices import Slice, score_slices, slices_of, unknown_share
from pipeline.text.tokens import Tokens


def rows_of(*texts):
    """Rows as CleanText leaves them; lists are empty or not by hand."""
    return pa.table(
        {
            "clean": list(texts),
            "urls": pa.array([["u"] if "url" in text else [] for text in texts]),
            "mentions": pa.array([["m"] if "@" in text else [] for text in texts]),
            "hashtags": pa.array([[] for _ in texts], pa.list_(pa.string())),
        }
    )


def test_rows_are_parted_by_what_their_texts_hold():
    rows = rows_of("one url", "@two", "three 😀", "four")
    found = {
        (one.by, one.value): one.mask.tolist()
        for one in slices_of(rows, np.array([1, 2, 3, 4]), np.array([0, 0.1, 0.5, 0]))
    }
    assert found["URL", "with"] == [True, False, False, False]
    assert found["mention", "without"] == [True, False, True, True]
    assert found["emoji", "with"] == [False, False, True, False]
    assert found["unseen words", "more than a fifth"] == [False, False, True, False]
    # No text has a hashtag, so that neither with nor without is a slice.
    assert not any(by == "hashtag" for by, _ in found)
    lengths = np.array([mask for (by, _), mask in found.items() if by == "length (tokens)"])
    assert (lengths.sum(axis=0) == 1).all()


def test_unknown_words_are_those_of_no_training_text():
    tokens = Tokens.from_lists([["a", "b"], ["a", "c"], ["c", "d"], []])
    found = unknown_share(tokens, np.array([True, False, False, False]))
    assert found.tolist() == [0, 0.5, 1, 0]


def test_the_worst_slice_comes_first_and_small_ones_are_named():
    labels = np.zeros(100, int)
    predicted = np.array([1] * 30 + [0] * 70)
    weak = np.arange(100) < 50
    found = score_slices(
        [
            Slice("kind", "strong", ~weak),
            Slice("kind", "weak", weak),
            Slice("kind", "rare", np.arange(100) < 5),
        ],
        labels,
        predicted,
        None,
        200,
        0,
    )
    assert [entry["value"] for entry in found["slices"]] == ["weak", "strong"]
    assert found["slices"][0]["accuracy"] == pytest.approx(0.4)
    low, high = found["slices"][0]["accuracy_interval"]
    # 1.96 * sqrt(0.4 * 0.6 / 50) = 0.136
    assert low == pytest.approx(0.4 - 0.136, abs=0.04)
    assert high == pytest.approx(0.4 + 0.136, abs=0.04)
    assert found["too_small"] == [{"by": "kind", "value": "rare", "rows": 5}]


def test_recall_of_the_class_that_matters_is_given_with_its_rows():
    labels = np.array([0, 1] * 20)
    predicted = np.zeros(40, int)
    [entry] = score_slices([Slice("kind", "all", np.ones(40, bool))], labels, predicted, 1, 50, 0)[
        "slices"
    ]
    assert (entry["positives"], entry["recall"]) == (20, 0.0)
