import random

import numpy as np
import pyarrow as pa
import pytest

from pipeline.evaluation.leaks import LEAST_WORDS, find_leaks, leak_table, read_leaks
from pipeline.text.tokens import Tokens


def corpus(n_texts, seed=0):
    """Texts of 12 different words of a large vocabulary, unlike each other."""
    rng = random.Random(seed)
    return [rng.sample([f"w{i}" for i in range(3000)], 12) for _ in range(n_texts)]


def leaks_of(texts, n_train):
    words = [" ".join(text) for text in texts]
    groups = np.array([words.index(text) for text in words])
    rows = np.arange(len(texts))
    return find_leaks(Tokens.from_lists(texts), groups, rows[:n_train], rows[n_train:])


def test_exact_copies_are_found_with_their_training_row():
    texts = corpus(50)
    found = leaks_of([*texts, texts[7], *corpus(3, seed=1)], 50)
    assert found.exact.tolist() == [True, False, False, False]
    assert found.partner[0] == 7
    assert not found.near.any()


def test_nearly_equal_texts_are_found_whatever_the_order_of_words():
    texts = corpus(500)
    changed = [["other", *text[:0:-1]] for text in texts]  # 11 of 13 different words shared
    found = leaks_of([*texts, *changed], 500)
    assert found.near.mean() > 0.99
    assert found.similarity[0] == pytest.approx(11 / 13)
    assert found.partner[found.near].tolist() == np.flatnonzero(found.near).tolist()


def test_texts_that_share_fewer_words_are_not_near():
    texts = corpus(200)
    half = [text[:6] + [f"x{i}{j}" for j in range(6)] for i, text in enumerate(texts)]
    assert not leaks_of([*texts, *half], 200).near.any()


def test_short_texts_are_alike_by_chance_and_do_not_count():
    short = [f"s{i}" for i in range(LEAST_WORDS - 1)]
    found = leaks_of([*corpus(5), short, [*reversed(short)]], 6)
    assert not found.near.any()


def test_without_training_rows_nothing_leaks():
    found = leaks_of(corpus(4), 0)
    assert not (found.exact | found.near).any()


def test_what_was_found_is_read_back_from_its_table():
    texts = corpus(40)
    texts += [texts[3], [*texts[5][:11], "other"], *corpus(2, seed=1), texts[3]]
    found = leaks_of(texts, 40)
    ids = np.arange(len(texts)) * 3 + 7
    rows = pa.table({"id": ids, "clean": [" ".join(text) for text in texts]})
    again = read_leaks(leak_table(found, np.arange(40, 45), rows), ids, np.arange(40, 45))
    assert again.exact.tolist() == [True, False, False, False, True]
    assert again.near.tolist() == [False, True, False, False, False]
    for name in ("exact", "near", "partner", "similarity"):
        assert getattr(again, name).tolist() == getattr(found, name).tolist()
