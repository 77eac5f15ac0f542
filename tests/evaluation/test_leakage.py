import random

import numpy as np
import pyarrow as pa
import pytest

from pipeline.evaluation.leakage import find_leakage, leakage_table
from pipeline.text import near


def corpus(n_texts, seed=0):
    """Return texts of 12 different words of a large vocabulary, none similar to another."""
    rng = random.Random(seed)
    return [rng.sample([f"w{i}" for i in range(3000)], 12) for _ in range(n_texts)]


def leakage_of(texts, n_train, texts_apart=False):
    raw = [" ".join(text) for text in texts]
    rows = np.arange(len(raw))
    first = near.group(near.words_of(pa.array(raw)), rows).first
    table = pa.table(
        {
            "raw": raw,
            "group": [raw.index(text) for text in raw],
            "near_group": rows if texts_apart else first,
        }
    )
    return find_leakage(table, rows[:n_train], rows[n_train:])


def test_exact_copies_have_their_training_row():
    texts = corpus(50)
    result = leakage_of([*texts, texts[7], *corpus(3, seed=1)], 50)
    assert result.exact.tolist() == [True, False, False, False]
    assert result.partner[0] == 7
    assert not result.near.any()


def test_order_of_words_does_not_matter_for_near_copies():
    texts = corpus(500)
    changed = [["other", *text[:0:-1]] for text in texts]  # 11 of 13 different words shared
    result = leakage_of([*texts, *changed], 500)
    assert result.near.mean() > 0.99
    assert result.similarity[0] == pytest.approx(11 / 13)
    assert result.partner[result.near].tolist() == np.flatnonzero(result.near).tolist()


def test_partner_is_the_first_of_the_most_similar_training_texts():
    text = [f"w{i}" for i in range(12)]
    train = [["other", *text[1:]], [*text, "more"], [*reversed(text), "more"], *corpus(3)]
    result = leakage_of([*train, text], len(train))
    assert result.partner.tolist() == [1]
    assert result.similarity.tolist() == [12 / 13]


def test_texts_that_share_half_of_their_words_are_not_near():
    texts = corpus(200)
    half = [text[:6] + [f"x{i}{j}" for j in range(6)] for i, text in enumerate(texts)]
    assert not leakage_of([*texts, *half], 200).near.any()


def test_texts_of_one_group_that_are_only_indirectly_similar_are_not_near():
    train = [
        ["a", "b", "c", "d", "e", "f", "g", "h", "x"],
        ["a", "b", "c", "d", "e", "f", "g", "x"],
    ]
    test = [["a", "b", "c", "d", "e", "f", "y", "x", "z"]]
    result = leakage_of([*train, *test], 2)
    assert not result.near.any()
    assert result.similarity.tolist() == [0.0]
    assert result.partner.tolist() == [-1]


def test_short_texts_are_never_near():
    short = [f"s{i}" for i in range(near.LEAST_WORDS - 1)]
    result = leakage_of([*corpus(5), short, [*reversed(short)]], 6)
    assert not result.near.any()


def test_only_texts_of_groups_in_both_parts_are_compared(monkeypatch):
    compared = []
    words_of = near.words_of

    def record(texts):
        compared.append(len(texts))
        return words_of(texts)

    texts = corpus(50)
    changed = ["other", *texts[3][1:]]
    monkeypatch.setattr(near, "words_of", record)
    leakage_of([*texts, changed], 50)
    assert compared == [51, 2]
    leakage_of([*texts, changed], 50, texts_apart=True)
    assert compared[2:] == [51, 0]


def test_no_leakage_without_training_rows():
    result = leakage_of(corpus(4), 0)
    assert not (result.exact | result.near).any()


def test_table_pairs_test_rows_with_training_rows():
    texts = corpus(40)
    texts += [texts[3], [*texts[5][:11], "other"], *corpus(2, seed=1), texts[3]]
    result = leakage_of(texts, 40)
    ids = np.arange(len(texts)) * 3 + 7
    rows = pa.table({"id": ids, "clean": [" ".join(text) for text in texts]})
    table = leakage_table(result, np.arange(40, 45), rows)
    assert table["id"].to_pylist() == [127, 130, 139]
    assert table["training_id"].to_pylist() == [16, 22, 16]
    assert table["kind"].to_pylist() == ["exact", "near", "exact"]
    assert table["training_clean"].to_pylist() == [" ".join(texts[at]) for at in (3, 5, 3)]
