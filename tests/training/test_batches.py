import numpy as np
import pytest

from pipeline.training import batches

AFTER = np.array([[3, 4, 0, 0, 0], [5, 0, 0, 0, 0], [0, 0, 0, 0, 0], [6, 7, 8, 0, 0]], np.int32)
BEFORE = np.array([np.roll(row, np.count_nonzero(row == 0)) for row in AFTER])


@pytest.mark.parametrize("vectors", [AFTER, BEFORE], ids=["after", "before"])
def test_masked_padding_goes_after_the_text_and_is_cut_to_the_longest(vectors):
    (batch,) = batches.arrays(vectors, np.arange(4), cut=True)
    assert batch.tolist() == [[3, 4, 0], [5, 0, 0], [0, 0, 0], [6, 7, 8]]
    (batch,) = batches.arrays(vectors, np.array([2]), cut=True)
    assert batch.tolist() == [[0]]


@pytest.mark.parametrize("vectors", [AFTER, BEFORE], ids=["after", "before"])
def test_padding_that_counts_stays_where_it_is(vectors):
    (batch,) = batches.arrays(vectors, np.arange(4), cut=False)
    assert (batch == vectors).all()
