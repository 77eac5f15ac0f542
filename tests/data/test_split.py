import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import cleaned_rows, write_dataset
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline.data import split
from pipeline.data.assignment import Assignment, on_two_sides
from pipeline.data.groups import draw
from pipeline.errors import PipelineError, SplitError
from pipeline.evaluation.leakage import find_leakage

NAMES = ["a", "b", "c", "d"]


def assign(labels, groups=None, partitions=None, n_classes=2, **options):
    labels = np.asarray(labels)
    groups = np.arange(len(labels)) if groups is None else np.asarray(groups)
    parts = partitions or ["labelled"] * len(labels)
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
    assert not on_two_sides(parts, groups)
    for group in np.unique(groups):
        assert len(np.unique(parts[groups == group])) == 1


@given(corpora(), st.integers(0, 2**31), st.data())
@settings(deadline=None)
def test_parts_of_the_dataset_stay_and_shared_texts_leave_training(corpus, seed, data):
    labels, groups = corpus
    rng = np.random.default_rng(seed)
    partitions_of_rows = np.where(rng.random(len(labels)) < 0.3, "test", "train")
    assume(len(np.unique(labels[partitions_of_rows == "test"])) == 2)
    parts = assign(labels, groups, list(partitions_of_rows), validation_fraction=0.1)
    assert (parts[partitions_of_rows == "test"] == split.TEST).all()
    assert not (parts[partitions_of_rows == "train"] == split.TEST).any()
    assert not on_two_sides(parts, groups)
    shared = np.isin(groups, groups[partitions_of_rows == "test"]) & (partitions_of_rows == "train")
    assert (parts[shared] == split.EXCLUDED).all()
    assert (parts[(partitions_of_rows == "train") & ~shared] != split.EXCLUDED).all()


def test_shares_and_classes_are_those_of_a_random_sample():
    sizes = [40_000, 20_000, 8_000, 2_000]
    labels = np.repeat([0, 1, 2, 3], sizes)
    parts = assign(labels, n_classes=4)
    for label, rows in enumerate(sizes):
        counts = np.bincount(parts[labels == label], minlength=3)
        for count, share in zip(counts, (0.8, 0.1, 0.1), strict=True):
            assert abs(count - rows * share) < 4 * (rows * share * (1 - share)) ** 0.5


def test_drawn_parts_are_independent_of_each_other():
    labels = np.arange(100_000) % 2
    first, second = (assign(labels, seed=seed) == split.TEST for seed in (0, 1))
    assert abs(np.mean(first & second) - 0.01) < 0.002
    first, second = (assign(labels, validation_seed=seed) for seed in (0, 1))
    assert ((first == split.TEST) == (second == split.TEST)).all()
    both = (first == split.VALIDATION) & (second == split.VALIDATION)
    # Each is a ninth of the nine tenths that are not tested.
    assert abs(np.mean(both) - 0.1 / 9) < 0.002


@pytest.mark.parametrize("rows", [3, 4, 10])
@pytest.mark.parametrize("seed", range(20))
def test_class_of_few_rows_is_in_every_part(rows, seed):
    labels = [0] * 100 + [1] * rows
    parts = assign(labels, seed=seed, test_fraction=0.4, validation_fraction=0.4)
    assert set(parts[100:]) == {split.TRAIN, split.VALIDATION, split.TEST}


def test_same_seed_gives_the_same_split_and_another_seed_another():
    labels = np.arange(1000) % 2
    assert (assign(labels) == assign(labels)).all()
    assert (assign(labels, seed=1) != assign(labels)).any()


def test_split_does_not_depend_on_the_order_of_rows():
    labels, groups = np.arange(1000) % 2, np.arange(1000) // 4
    order = np.random.default_rng(0).permutation(1000)
    assert (assign(labels[order], groups[order]) == assign(labels, groups)[order]).all()


def test_unlabelled_rows_are_in_no_part():
    labels = np.concatenate([np.arange(100) % 2, np.full(50, -1)])
    parts = assign(labels, partitions=["labelled"] * 120 + ["unlabelled"] * 30)
    assert (parts[100:] == split.UNLABELLED).all()
    assert (parts[:100] != split.UNLABELLED).all()


@pytest.mark.parametrize("folds", [2, 3, 5, 10])
def test_folds_test_every_row_once(folds):
    labels = np.arange(503) % 2
    groups = np.arange(503) // 3
    parts = [assign(labels, groups, folds=folds, fold=fold) for fold in range(folds)]
    tested = np.sum([part == split.TEST for part in parts], axis=0)
    assert (tested == 1).all()
    sizes = np.array([np.count_nonzero(part == split.TEST) for part in parts])
    share = 1 / folds
    assert (np.abs(sizes - 503 * share) < 4 * 3 * (168 * share * (1 - share)) ** 0.5).all()
    assert not any(on_two_sides(part, groups) for part in parts)


def test_removed_rows_move_no_other_row_to_another_fold():
    labels = np.arange(2000) % 2
    kept = np.flatnonzero(np.arange(2000) % 400)
    for fold in range(5):
        before = assign(labels, folds=5, fold=fold) == split.TEST
        after = assign(labels[kept], kept, folds=5, fold=fold) == split.TEST
        assert (after == before[kept]).all()


@pytest.mark.parametrize("seed", range(10))
def test_class_of_few_rows_is_in_every_fold(seed):
    labels = [0] * 100 + [1] * 7
    tested = [assign(labels, folds=5, fold=fold, seed=seed)[100:] for fold in range(5)]
    assert all((parts == split.TEST).any() for parts in tested)


def test_validation_fraction_0_means_no_validation_rows():
    parts = assign(np.arange(100) % 2, validation_fraction=0)
    assert not (parts == split.VALIDATION).any()


def test_dataset_with_test_rows_gets_no_further_ones():
    labels = np.arange(200) % 2
    parts = assign(labels, partitions=["train"] * 100 + ["test"] * 100)
    assert np.count_nonzero(parts == split.TEST) == 100
    assert 8 <= np.count_nonzero(parts == split.VALIDATION) <= 32


def test_dataset_with_all_parts_keeps_them():
    partitions_of_rows = ["train"] * 60 + ["validation"] * 20 + ["test"] * 20
    parts = assign(np.arange(100) % 2, partitions=partitions_of_rows)
    assert [split.PARTS[part] for part in parts] == partitions_of_rows


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
            {"folds": 5, "partitions": ["train"] * 60 + ["test"] * 40},
            r"folds need a dataset without test rows, and this one has 40",
        ),
        (
            [0, 1] * 50,
            {"validation_fraction": 0.8, "partitions": ["train"] * 60 + ["test"] * 40},
            r"validation_fraction 0.8 .* leaves no training rows",
        ),
    ],
)
def test_impossible_split_is_an_error(labels, options, message):
    with pytest.raises(PipelineError, match=message):
        assign(labels, **options)


def test_class_in_one_group_of_equal_texts_is_an_error():
    labels = [0] * 50 + [1] * 10
    groups = [*range(50), *[99] * 10]
    with pytest.raises(PipelineError, match=r"class 'b' has too few rows"):
        assign(labels, groups)


def test_check_raises_on_another_split_and_on_a_leak():
    labels = np.arange(100) % 2
    rows = pa.table({"split_key": np.arange(100), "group": np.zeros(100, int)})
    assignment = Assignment(rows, labels, assign(labels), NAMES[:2])
    other = Assignment(rows, labels, assign(labels)[::-1], NAMES[:2])
    assignment.check("none", assignment.fingerprint())
    with pytest.raises(SplitError, match="another split"):
        assignment.check("none", other.fingerprint())
    with pytest.raises(SplitError, match="two sides"):
        assignment.check("exact", assignment.fingerprint())


def test_unlabelled_test_rows_are_not_a_test_part():
    labels = [0, 1] * 50 + [-1] * 20
    parts = assign(labels, partitions=["train"] * 100 + ["test"] * 20)
    assert (parts[100:] == split.UNLABELLED).all()
    assert 2 <= np.count_nonzero(parts == split.TEST) <= 20


def test_dataset_of_training_rows_only_is_split():
    parts = assign([0, 1] * 50, partitions=["train"] * 100)
    assert (parts == assign([0, 1] * 50)).all()


def test_validation_fraction_counts_test_rows_of_the_dataset():
    partitions_of_rows = ["train"] * 5000 + ["test"] * 5000
    parts = assign(np.arange(10_000) % 2, partitions=partitions_of_rows, validation_fraction=0.4)
    assert abs(np.count_nonzero(parts == split.VALIDATION) - 4000) < 150


def test_clean_texts_that_cleaning_made_equal_leave_the_side_nearer_to_training():
    labels = np.arange(400) % 2
    before = assign(labels)
    clean = np.arange(400)
    test, validation, train = (np.flatnonzero(before == part)[:4] for part in (2, 1, 0))
    clean[validation[0]] = clean[test[0]]
    clean[train[0]] = clean[test[1]]
    clean[train[1]] = clean[validation[1]]
    after = assign(labels, apart=[clean])
    changed = np.flatnonzero(after != before)
    assert sorted(changed) == sorted([validation[0], train[0], train[1]])
    assert (after[changed] == split.EXCLUDED).all()


def test_every_row_is_tested_with_the_same_probability_however_many_texts_join():
    # Each text is a near copy of two others; in a random order many come before both of these.
    order = np.random.default_rng(0).permutation(90)
    texts = [" ".join(f"w{word}" for word in range(at, at + 10)) for at in order]
    rows = cleaned_rows([(text, "good", "labelled") for text in texts]).rows
    assert len(set(rows["near_group"].to_pylist())) == 1
    founders = rows["founder"].to_numpy()
    assert len(np.unique(founders)) > 5
    tested = np.array([draw(founders, seed, 1) < 0.1 for seed in range(400)])
    assert abs(tested.mean() - 0.1) < 0.03
    assert (tested.mean(axis=0) < 0.2).all()


def test_near_copies_of_a_test_text_and_another_are_excluded():
    labels = np.arange(400) % 2
    before = assign(labels)
    test, train = (np.flatnonzero(before == part)[0] for part in (split.TEST, split.TRAIN))
    joined = np.arange(400)
    joined[train] = joined[test]
    after = assign(labels, apart=[joined])
    assert (after != before).sum() == 1
    assert after[train] == split.EXCLUDED


def parts_of(texts, cleaning=None, **choices):
    """Assign texts of two classes; return the part of each by its id."""
    rows = [(text, ("bad", "good")[at % 2], "labelled") for at, text in enumerate(texts)]
    cleaned = cleaned_rows(rows, **(cleaning or {}))
    chosen = {
        "test_fraction": 0.2, "validation_fraction": 0.2, "split_seed": 0, "validation_seed": 0,
        "folds": 0, "fold": 0, "group_duplicates": "near", **choices,
    }  # fmt: skip
    _, parts = split.assign_rows(cleaned.rows, ["bad", "good"], chosen)
    return dict(zip(cleaned.rows["id"].to_pylist(), parts.tolist(), strict=True))


def tweets(number, seed=0):
    """Make tweets with URLs, mentions, numbers and near copies of earlier ones."""
    rng = np.random.default_rng(seed)
    made = []
    for at in range(number):
        words = [f"w{word}" for word in rng.integers(0, 300, rng.integers(1, 9))]
        if at > 20 and rng.random() < 0.4:
            words = made[rng.integers(len(made))].split()
            words[rng.integers(len(words))] = f"{rng.integers(9)}"
        if rng.random() < 0.3:
            words.insert(0, f"@user{rng.integers(5)}")
        if rng.random() < 0.3:
            words.append(f"http://t.co/{rng.integers(50)}")
        if rng.random() < 0.2:
            words[0] = f"#{words[0]}"
        made.append(" ".join(words))
    return made


CLEANINGS = {
    "keeping URLs": {"urls": "keep"},
    "removing mentions and hashtags": {"mentions": "remove", "hashtags": "remove"},
    "numbers replaced": {"numbers": "replace", "case": "lower"},
    "no repair": {"encoding_repair": "keep", "html": "keep", "unicode_form": "none"},
    "dropping duplicates": {"duplicates": "drop", "numbers": "replace"},
}


@pytest.mark.parametrize("grouping", ["near", "exact", "none"])
@pytest.mark.parametrize("cleaning", CLEANINGS.values(), ids=CLEANINGS)
def test_test_rows_are_the_same_for_every_cleaning(grouping, cleaning):
    texts = tweets(600)
    first = parts_of(texts, {"urls": "replace"}, group_duplicates=grouping)
    second = parts_of(texts, cleaning, group_duplicates=grouping)
    both = first.keys() & second.keys()
    assert len(both) > 200
    assert {at for at in both if first[at] == split.TEST} == {
        at for at in both if second[at] == split.TEST
    }
    # Excluded rows apart, the other parts are the same too.
    kept = [at for at in both if split.EXCLUDED not in (first[at], second[at])]
    assert all(first[at] == second[at] for at in kept)


@pytest.mark.parametrize("grouping", ["near", "exact", "none"])
@given(seed=st.integers(0, 2**31), number=st.integers(0, 80))
@settings(max_examples=25)
def test_added_rows_move_no_row_out_of_the_test_part(grouping, seed, number):
    texts = tweets(300, seed)
    rng = np.random.default_rng(seed)
    more = tweets(number, seed + 1)
    for _ in range(number):
        left, right = (texts[rng.integers(len(texts))].split() for _ in range(2))
        more.append(" ".join([*left, *right[: rng.integers(4)]]))
        more.append(texts[rng.integers(len(texts))])
    before = parts_of(texts, group_duplicates=grouping)
    after = parts_of([*texts, *more], group_duplicates=grouping)
    assert all(after[at] == split.TEST for at in before if before[at] == split.TEST)


def test_near_copies_are_on_one_side_and_only_with_near():
    texts = [text for text in tweets(300, 5) for _ in range(2)]
    texts[1::2] = [" ".join(reversed(text.split())) for text in texts[1::2]]
    long = [at for at in range(0, 600, 2) if len(set(texts[at].split())) > 6]
    near, exact = (parts_of(texts, group_duplicates=choice) for choice in ("near", "exact"))
    sides = [(near[at], near[at + 1]) for at in long]
    assert all(one == other or split.EXCLUDED in (one, other) for one, other in sides)
    assert any(exact[at] != exact[at + 1] for at in long)


def test_without_grouping_each_row_is_drawn_independently():
    texts = ["the same words every time"] * 2000
    share = np.mean(
        [part == split.TEST for part in parts_of(texts, group_duplicates="none").values()]
    )
    assert 0.15 < share < 0.25


def test_test_rows_are_the_same_for_every_cleaning_tokenizer_and_model(chain):
    folder = chain.data / "toy"
    texts = [text for text in tweets(400) if text]
    write_dataset(folder, [(text, ("bad", "good")[at % 2]) for at, text in enumerate(texts)])
    tested = []
    for choices in (
        {"urls": "keep"},
        {"urls": "replace", "tokenizer": "regexp"},
        {"case": "lower", "tokenizer": "words", "word_form": "porter"},
        {"validation_seed": 3},
        {"representation": "tfidf"},
    ):
        task = chain.task("SplitStratified", dataset="toy", **choices)
        for step in reversed(list(task.chain())):
            step.run()
        table = pq.read_table(task.path() / "split.parquet").to_pylist()
        tested.append({row["id"] for row in table if row["part"] == "test"})
    assert tested[0]
    assert all(one == tested[0] for one in tested)


@pytest.mark.real_data
@pytest.mark.parametrize(("dataset", "near_share"), [("hate_speech", 0.07), ("disaster", 0.09)])
def test_real_near_copies_are_on_one_side_for_every_cleaning(chain, real_data, dataset, near_share):
    (chain.data / dataset).symlink_to(real_data / dataset)
    tested = []
    for choices in ({"urls": "replace"}, {"urls": "keep", "case": "lower", "numbers": "replace"}):
        task = chain.task("SplitStratified", dataset=dataset, **choices)
        for step in reversed(list(task.chain())):
            step.run()
        columns = ["id", "raw", "label", "group", "near_group", "split_key"]
        rows = pq.read_table(task.path_of("CleanText") / "rows.parquet", columns=columns)
        parts = split.read_parts(task.path() / "split.parquet")
        assert on_two_sides(parts.parts, rows["near_group"].to_numpy()) == 0
        assert on_two_sides(parts.parts, rows["group"].to_numpy()) == 0
        leaks = find_leakage(rows, parts.rows("train"), parts.rows("test"))
        assert not (leaks.exact | leaks.near).any()
        labelled = parts.labels >= 0
        assert 0.08 < np.mean(parts.parts[labelled] == split.TEST) < 0.13
        tested.append(set(parts.ids[parts.rows("test")]))
    assert tested[0] == tested[1]
    groups, keys = (rows[name].to_numpy()[labelled] for name in ("near_group", "split_key"))
    several = np.unique(np.stack([groups, keys]), axis=1)[0]
    several = several[1:][several[1:] == several[:-1]]
    assert np.mean(np.isin(groups, several)) > near_share
