import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline import split
from pipeline.errors import PipelineError

NAMES = ["a", "b", "c", "d"]


def assign(labels, groups=None, given_parts=None, n_classes=2, **options):
    labels = np.asarray(labels)
    groups = np.arange(len(labels)) if groups is None else np.asarray(groups)
    parts = given_parts or ["labelled"] * len(labels)
    options = {"test_fraction": 0.1, "validation_fraction": 0.1, "seed": 0, **options}
    return split.assign(labels, groups, parts, NAMES[:n_classes], **options)


@st.composite
def corpora(draw):
    """Draw labels and groups, groups of one label mostly, some contradicting."""
    n_groups = draw(st.integers(30, 120))
    sizes = draw(st.lists(st.integers(1, 4), min_size=n_groups, max_size=n_groups))
    groups = np.repeat(np.arange(n_groups), sizes)
    seed = draw(st.integers(0, 2**31))
    rng = np.random.default_rng(seed)
    labels = (groups % 2) ^ (rng.random(len(groups)) < 0.05)
    order = rng.permutation(len(groups))
    return labels[order].astype(int), groups[order]


@given(corpora(), st.integers(0, 2**31), st.floats(0.05, 0.4), st.floats(0.0, 0.4))
@settings(deadline=None)
def test_split_is_complete_and_no_group_is_on_two_sides(corpus, seed, test, validation):
    labels, groups = corpus
    parts = assign(labels, groups, seed=seed, test_fraction=test, validation_fraction=validation)
    assert len(parts) == len(labels)
    assert set(np.unique(parts)) <= {split.TRAIN, split.VALIDATION, split.TEST}
    assert not split.is_leaky(parts, groups)
    for group in np.unique(groups):
        assert len(np.unique(parts[groups == group])) == 1


@given(corpora(), st.integers(0, 2**31), st.data())
@settings(deadline=None)
def test_given_parts_stay_and_shared_texts_leave_training(corpus, seed, data):
    labels, groups = corpus
    rng = np.random.default_rng(seed)
    said = np.where(rng.random(len(labels)) < 0.3, "test", "train")
    assume(len(np.unique(labels[said == "test"])) == 2)
    parts = assign(labels, groups, list(said), validation_fraction=0.1)
    assert (parts[said == "test"] == split.TEST).all()
    assert not (parts[said == "train"] == split.TEST).any()
    assert not split.is_leaky(parts, groups)
    shared = np.isin(groups, groups[said == "test"]) & (said == "train")
    assert (parts[shared] == split.EXCLUDED).all()
    assert (parts[(said == "train") & ~shared] != split.EXCLUDED).all()


def test_shares_and_classes_are_kept():
    labels = np.repeat([0, 1, 2, 3], [4000, 2000, 800, 200])
    parts = assign(labels, n_classes=4)
    for label, rows in enumerate([4000, 2000, 800, 200]):
        counts = np.bincount(parts[labels == label], minlength=3)
        assert counts.tolist() == [rows * 8 // 10, rows // 10, rows // 10]


def test_same_seed_gives_the_same_split_and_another_seed_another():
    labels = np.arange(1000) % 2
    assert (assign(labels) == assign(labels)).all()
    assert (assign(labels, seed=1) != assign(labels)).any()


def test_split_does_not_depend_on_which_numbers_groups_have():
    labels = np.arange(1000) % 2
    groups = np.arange(1000) // 2
    assert (assign(labels, groups) == assign(labels, groups + 5000)).all()


def test_unlabelled_rows_are_in_no_part():
    labels = np.concatenate([np.arange(100) % 2, np.full(50, -1)])
    parts = assign(labels, given_parts=["labelled"] * 120 + ["unlabelled"] * 30)
    assert (parts[100:] == split.UNLABELLED).all()
    assert (parts[:100] != split.UNLABELLED).all()


@pytest.mark.parametrize("folds", [2, 3, 5, 10])
def test_folds_test_every_row_once(folds):
    labels = np.arange(503) % 2
    groups = np.arange(503) // 3
    parts = [assign(labels, groups, folds=folds, fold=fold) for fold in range(folds)]
    tested = np.sum([part == split.TEST for part in parts], axis=0)
    assert (tested == 1).all()
    sizes = [np.count_nonzero(part == split.TEST) for part in parts]
    assert max(sizes) - min(sizes) <= 6
    assert all(not split.is_leaky(part, groups) for part in parts)


def test_without_validation_no_row_is_for_validation():
    parts = assign(np.arange(100) % 2, validation_fraction=0)
    assert not (parts == split.VALIDATION).any()


def test_dataset_with_a_test_half_gives_up_no_other_row_for_testing():
    labels = np.arange(200) % 2
    parts = assign(labels, given_parts=["train"] * 100 + ["test"] * 100)
    assert np.count_nonzero(parts == split.TEST) == 100
    assert np.count_nonzero(parts == split.VALIDATION) == 20


def test_dataset_with_all_parts_is_left_as_it_is():
    said = ["train"] * 60 + ["validation"] * 20 + ["test"] * 20
    parts = assign(np.arange(100) % 2, given_parts=said)
    assert [split.PARTITIONS[part] for part in parts] == said


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        ([0] * 50, {}, r"at least two classes, and all 50 labelled rows are 'a'"),
        ([0] * 50 + [1] * 2, {}, r"class 'b' has 2 rows and the split needs at least 3"),
        ([0] * 50 + [1] * 4, {"folds": 5}, r"class 'b' has 4 rows and the split needs at least 7"),
        (
            [0, 1] * 50,
            {"test_fraction": 0.6, "validation_fraction": 0.4},
            r"must leave rows for training, got 0.6 \+ 0.4 = 1",
        ),
        ([0, 1] * 50, {"folds": 1}, r"folds must be 0 or at least 2"),
        ([0, 1] * 50, {"folds": 5, "fold": 5}, r"got fold 5 of 5 folds"),
        (
            [0, 1] * 50,
            {"folds": 2, "validation_fraction": 0.6},
            r"must leave rows for training, got 0.5 \+ 0.6",
        ),
        (
            [0, 1] * 50,
            {"folds": 5, "given_parts": ["train"] * 60 + ["test"] * 40},
            r"the dataset has 40 test rows of its own; leave folds out",
        ),
        (
            [0, 1] * 50,
            {"validation_fraction": 0.8, "given_parts": ["train"] * 60 + ["test"] * 40},
            r"validation_fraction 0.8 .* leaves none for training",
        ),
    ],
)
def test_what_cannot_be_split_is_said(labels, options, message):
    with pytest.raises(PipelineError, match=message):
        assign(labels, **options)


def test_class_in_one_group_of_equal_texts_is_said():
    labels = [0] * 50 + [1] * 10
    groups = [*range(50), *[99] * 10]
    with pytest.raises(PipelineError, match=r"class 'b' has too few rows"):
        assign(labels, groups)


def test_check_refuses_another_split_and_a_leak():
    parts = assign(np.arange(100) % 2)
    split.check(parts, np.arange(100), split.fingerprint(parts))
    with pytest.raises(PipelineError, match="another split"):
        split.check(parts, None, split.fingerprint(parts[::-1]))
    with pytest.raises(PipelineError, match="two sides"):
        split.check(parts, np.zeros(100, int), split.fingerprint(parts))


def test_test_rows_without_labels_are_no_test_part():
    labels = [0, 1] * 50 + [-1] * 20
    parts = assign(labels, given_parts=["train"] * 100 + ["test"] * 20)
    assert (parts[100:] == split.UNLABELLED).all()
    assert np.count_nonzero(parts == split.TEST) == 10


def test_dataset_that_calls_every_row_training_is_split_all_the_same():
    parts = assign([0, 1] * 50, given_parts=["train"] * 100)
    assert np.bincount(parts).tolist() == [80, 10, 10]


def test_large_validation_share_beside_a_test_half_is_kept():
    said = ["train"] * 100 + ["test"] * 100
    parts = assign(np.arange(200) % 2, given_parts=said, validation_fraction=0.4)
    assert np.count_nonzero(parts == split.VALIDATION) == 80
