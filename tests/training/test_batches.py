import numpy as np
import pytest

from pipeline.training import batches

AFTER = np.array([[3, 4, 0, 0, 0], [5, 0, 0, 0, 0], [0, 0, 0, 0, 0], [6, 7, 8, 0, 0]], np.int32)
BEFORE = np.array([np.roll(row, np.count_nonzero(row == 0)) for row in AFTER])


@pytest.mark.parametrize("vectors", [AFTER, BEFORE], ids=["after", "before"])
def test_masked_padding_moves_behind_the_text_and_is_truncated(vectors):
    (batch,) = batches.arrays(vectors, np.arange(4), truncate=True)
    assert batch.tolist() == [[3, 4, 0], [5, 0, 0], [0, 0, 0], [6, 7, 8]]
    (batch,) = batches.arrays(vectors, np.array([2]), truncate=True)
    assert batch.tolist() == [[0]]


@pytest.mark.parametrize("vectors", [AFTER, BEFORE], ids=["after", "before"])
def test_padding_without_mask_is_not_changed(vectors):
    (batch,) = batches.arrays(vectors, np.arange(4), truncate=False)
    assert (batch == vectors).all()


def texts(n_rows=1000, longest=40, seed=3):
    """Return padded texts of random lengths."""
    rng = np.random.default_rng(seed)
    return (np.arange(longest) < rng.integers(1, longest + 1, n_rows)[:, None]).astype(np.int32)


@pytest.mark.parametrize("by_length", [True, False])
def test_an_epoch_has_every_row_once_in_batches_of_the_size(by_length):
    batch_rows = list(batches.order(texts(), 64, 0, 1, by_length=by_length))
    assert sorted(np.concatenate(batch_rows).tolist()) == list(range(1000))
    assert sorted(map(len, batch_rows)) == [1000 % 64] + [64] * (1000 // 64)


@pytest.mark.parametrize("by_length", [True, False])
def test_order_follows_from_seed_and_epoch(by_length):
    def drawn(*seed_and_epoch):
        vectors = texts()
        return [
            rows.tolist()
            for rows in batches.order(vectors, 64, *seed_and_epoch, by_length=by_length)
        ]

    assert drawn(0, 1) == drawn(0, 1)
    assert drawn(0, 1) != drawn(0, 2)
    assert drawn(0, 1) != drawn(1, 1)


def test_order_without_lengths_is_a_random_permutation():
    batch_rows = np.concatenate(list(batches.order(texts(), 64, 5, 2, by_length=False)))
    assert batch_rows.tolist() == np.random.default_rng([5, 2]).permutation(1000).tolist()


def test_batches_by_length_have_similar_lengths_and_a_random_order():
    vectors = texts(4000)
    lengths = batches.lengths(vectors)
    batch_rows = [lengths[rows] for rows in batches.order(vectors, 32, 0, 1, by_length=True)]
    assert np.mean([np.ptp(one) for one in batch_rows]) < 3
    assert np.mean([np.ptp(lengths[at : at + 32]) for at in range(0, 4000, 32)]) > 30
    means = np.array([one.mean() for one in batch_rows])
    # Batches that were sorted together do not follow each other.
    assert (np.diff(means) > 0).mean() == pytest.approx(0.5, abs=0.15)


def test_only_32_batches_are_sorted_together_so_that_an_epoch_stays_random():
    vectors = texts(4000)
    shuffled = np.random.default_rng([0, 1]).permutation(4000)
    together = {frozenset(shuffled[at : at + 320].tolist()) for at in range(0, 4000, 320)}
    for rows in batches.order(vectors, 10, 0, 1, by_length=True):
        assert any(block.issuperset(rows.tolist()) for block in together)
