import numpy as np
import pyarrow as pa
import pytest

from pipeline.evaluation.scorer import Scorer
from pipeline.evaluation.slices import Slice, score_slices, slice_rows, unseen_share
from pipeline.text.tokens import Tokens


def cleaned_rows(*texts):
    """Return rows with the columns of CleanText; the words url and @ mark URLs and mentions."""
    return pa.table(
        {
            "clean": list(texts),
            "urls": pa.array([["u"] if "url" in text else [] for text in texts]),
            "mentions": pa.array([["m"] if "@" in text else [] for text in texts]),
            "hashtags": pa.array([[] for _ in texts], pa.list_(pa.string())),
        }
    )


def scorer_of(labels, predicted):
    return Scorer(labels, np.eye(2)[predicted])


def test_rows_are_divided_by_properties_of_their_texts():
    rows = cleaned_rows("one url", "@two", "three 😀", "four")
    masks = {
        (one.by, one.value): one.mask.tolist()
        for one in slice_rows(rows, np.array([1, 2, 3, 4]), np.array([0, 0.1, 0.5, 0]))
    }
    assert masks["URL", "with"] == [True, False, False, False]
    assert masks["mention", "without"] == [True, False, True, True]
    assert masks["emoji", "with"] == [False, False, True, False]
    assert masks["unseen words", "more than a fifth"] == [False, False, True, False]
    # No text has a hashtag: neither with nor without is a slice.
    assert not any(by == "hashtag" for by, _ in masks)
    lengths = np.array([mask for (by, _), mask in masks.items() if by == "length (tokens)"])
    assert (lengths.sum(axis=0) == 1).all()


def test_unseen_tokens_occur_in_no_training_text():
    tokens = Tokens.from_lists([["a", "b"], ["a", "c"], ["c", "d"], []])
    share = unseen_share(tokens, np.array([True, False, False, False]))
    assert share.tolist() == [0, 0.5, 1, 0]


def test_least_accurate_slice_is_first_and_small_slices_are_only_counted():
    predicted = np.array([1] * 30 + [0] * 70)
    weak = np.arange(100) < 50
    slices = [
        Slice("kind", "strong", ~weak),
        Slice("kind", "weak", weak),
        Slice("kind", "rare", np.arange(100) < 5),
    ]
    scores = score_slices(slices, scorer_of(np.zeros(100, int), predicted), None, 200, 0)
    assert [entry["value"] for entry in scores["slices"]] == ["weak", "strong"]
    assert scores["slices"][0]["accuracy"] == pytest.approx(0.4)
    low, high = scores["slices"][0]["accuracy_interval"]
    # 1.96 * sqrt(0.4 * 0.6 / 50) = 0.136
    assert low == pytest.approx(0.4 - 0.136, abs=0.04)
    assert high == pytest.approx(0.4 + 0.136, abs=0.04)
    assert scores["too_small"] == [{"by": "kind", "value": "rare", "rows": 5}]


def test_recall_of_the_positive_class_has_the_number_of_its_rows():
    scorer = scorer_of(np.array([0, 1] * 20), np.zeros(40, int))
    scores = score_slices([Slice("kind", "all", np.ones(40, bool))], scorer, 1, 50, 0)
    [entry] = scores["slices"]
    assert (entry["positives"], entry["recall"]) == (20, 0.0)
