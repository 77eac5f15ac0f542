"""Leak check: test texts that occur in training, exactly or nearly."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from pipeline.evaluation.metrics import evaluate
from pipeline.text.tokens import Tokens

SIMILAR = 0.8  # Jaccard similarity of the sets of words
LEAST_WORDS = 4  # different words; texts of fewer are alike by chance
_BANDS, _BAND_ROWS = 10, 4  # finds 99.5 % of the pairs at 0.8, and all but 1 in 10,000 at 0.88
_MOST_PARTNERS = 200  # training texts compared with a test text in a band
_PAIRS_AT_ONCE = 200_000


@dataclass(frozen=True)
class Leaks:
    """Which test rows training has seen.

    Attributes
    ----------
    exact, near : ndarray of bool, shape (n_test,)
        The clean text is that of a training row; or only nearly so.
    partner : ndarray of int64, shape (n_test,)
        Position of the most similar training row found, -1 where there is none.
    similarity : ndarray of float64, shape (n_test,)
        Jaccard similarity to it; 1 where exact.
    """

    exact: np.ndarray
    near: np.ndarray
    partner: np.ndarray
    similarity: np.ndarray


def find_leaks(
    tokens: Tokens, groups: np.ndarray, train: np.ndarray, test: np.ndarray, seed: int = 0
) -> Leaks:
    """Look for test texts in training.

    Near texts share at least `SIMILAR` of their different words, wherever these stand. Candidates
    come from MinHash (Broder 1997) in bands; each is then compared in full.

    Parameters
    ----------
    tokens : Tokens
        All texts.
    groups : ndarray of int, shape (n_texts,)
        Equal for equal clean texts.
    train, test : ndarray of int
        Positions of the rows.
    seed : int
        Of the hash functions.

    Returns
    -------
    Leaks
    """
    partner = np.full(len(test), -1, dtype=np.int64)
    similarity = np.zeros(len(test))
    train_groups, first_train = np.unique(groups[train], return_index=True)
    test_groups, first_test, back = np.unique(groups[test], return_index=True, return_inverse=True)
    place = np.minimum(np.searchsorted(train_groups, groups[test]), len(train_groups) - 1)
    exact = train_groups[place] == groups[test] if len(train) else np.zeros(len(test), bool)
    partner[exact] = train[first_train[place[exact]]]
    similarity[exact] = 1.0

    sets = _word_sets(tokens)
    sizes = np.diff(sets.indptr)
    known = train[first_train]
    known = known[sizes[known] >= LEAST_WORDS]
    candidates = np.flatnonzero(~exact[first_test] & (sizes[test[first_test]] >= LEAST_WORDS))
    asked = test[first_test[candidates]]
    best, best_partner = _most_similar(sets, sizes, asked, known, seed)
    of_group = np.zeros(len(test_groups))
    partner_of_group = np.full(len(test_groups), -1, dtype=np.int64)
    of_group[candidates], partner_of_group[candidates] = best, best_partner
    near = ~exact & (of_group[back] >= SIMILAR)
    partner[near], similarity[near] = partner_of_group[back][near], of_group[back][near]
    return Leaks(exact, near, partner, similarity)


def read_leaks(table: pa.Table, ids: np.ndarray, test: np.ndarray) -> Leaks:
    """Take what was found for other predictions of the same rows, from `leak_table`'s table.

    Parameters
    ----------
    table : pa.Table
    ids : ndarray of int64, shape (n_texts,)
        Of all rows, ascending.
    test : ndarray of int, shape (n_test,)
        Positions of the test rows.

    Returns
    -------
    Leaks
        That of `find_leaks`.
    """
    partner = np.full(len(test), -1, dtype=np.int64)
    similarity = np.zeros(len(test))
    exact, near = np.zeros(len(test), dtype=bool), np.zeros(len(test), dtype=bool)
    places = np.empty(len(ids), dtype=np.int64)
    places[test] = np.arange(len(test))
    found = places[np.searchsorted(ids, table["id"].to_numpy())]
    is_exact = np.asarray(pc.equal(table["kind"], "exact"), dtype=bool)
    exact[found], near[found] = is_exact, ~is_exact
    partner[found] = np.searchsorted(ids, table["training_id"].to_numpy())
    similarity[found] = table["similarity"].to_numpy()
    return Leaks(exact, near, partner, similarity)


def score_leaks(
    seen: Leaks,
    labels: np.ndarray,
    probabilities: np.ndarray,
    class_names: Sequence[str],
    samples: int,
    seed: int,
    predicted: np.ndarray | None = None,
    groups: np.ndarray | None = None,
) -> dict[str, Any]:
    """Score the test rows again without those that training has seen.

    Returns
    -------
    dict
        ``exact``, ``near`` (rows), and ``without_exact``, ``without_exact_and_near``: the layout of
        `pipeline.evaluation.metrics.evaluate`, or None where nothing is taken away or left.
    """
    found: dict[str, Any] = {
        "exact": int(seen.exact.sum()),
        "near": int(seen.near.sum()),
        "similarity": SIMILAR,
    }
    for name, lost in (
        ("without_exact", seen.exact),
        ("without_exact_and_near", seen.exact | seen.near),
    ):
        kept = ~lost
        found[name] = None
        if lost.any() and kept.any():
            found[name] = evaluate(
                labels[kept],
                probabilities[kept],
                class_names,
                predicted=None if predicted is None else predicted[kept],
                groups=None if groups is None else groups[kept],
                samples=samples,
                seed=seed,
            )
    return found


def leak_table(seen: Leaks, test: np.ndarray, rows: pa.Table) -> pa.Table:
    """Lay the test rows that training has seen beside their training rows.

    Parameters
    ----------
    seen : Leaks
    test : ndarray of int, shape (n_test,)
        Positions of the test rows.
    rows : pa.Table
        ``id`` and ``clean`` of all rows.

    Returns
    -------
    pa.Table
        ``id``, ``training_id``, ``kind`` (exact or near), ``similarity``, ``clean``,
        ``training_clean``.
    """
    found = np.flatnonzero(seen.exact | seen.near)
    mine, theirs = (rows.take(pa.array(at[found])) for at in (test, seen.partner))
    kinds = np.where(seen.exact[found], "exact", "near")
    return pa.table(
        {
            "id": mine["id"],
            "training_id": theirs["id"],
            "kind": pa.array(kinds.tolist(), pa.string()),
            "similarity": pa.array(seen.similarity[found], pa.float64()),
            "clean": mine["clean"],
            "training_clean": theirs["clean"],
        }
    )


def _word_sets(tokens: Tokens) -> sparse.csr_matrix:
    """Return which words are in which text, int32, each word once."""
    once = tokens.once()
    ones = np.ones(len(once.codes), dtype=np.int32)
    shape = (len(tokens), max(len(tokens.words), 1))
    return sparse.csr_matrix((ones, once.codes, once.offsets), shape=shape)


def _most_similar(
    sets: sparse.csr_matrix, sizes: np.ndarray, asked: np.ndarray, known: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the similarity and the position of the most similar known text to each one asked."""
    best, partner = np.zeros(len(asked)), np.full(len(asked), -1, dtype=np.int64)
    if not len(asked) or not len(known):
        return best, partner
    pairs = _candidates(sets, asked, known, seed)
    mine, theirs = sizes[asked[pairs[:, 0]]], sizes[known[pairs[:, 1]]]
    # Texts of too different sizes cannot share enough.
    pairs = pairs[np.minimum(mine, theirs) >= SIMILAR * np.maximum(mine, theirs)]
    for start in range(0, len(pairs), _PAIRS_AT_ONCE):
        left, right = pairs[start : start + _PAIRS_AT_ONCE].T
        shared = np.asarray(sets[asked[left]].multiply(sets[known[right]]).sum(axis=1)).ravel()
        similar = shared / (sizes[asked[left]] + sizes[known[right]] - shared)
        # The largest stands last within a text, on a tie that of the first training row.
        order = np.lexsort((-right, similar, left))
        left, right, similar = left[order], right[order], similar[order]
        last = np.flatnonzero(np.diff(left, append=-1))
        better = last[similar[last] > best[left[last]]]
        best[left[better]], partner[left[better]] = similar[better], known[right[better]]
    return best, partner


def _candidates(
    sets: sparse.csr_matrix, asked: np.ndarray, known: np.ndarray, seed: int
) -> np.ndarray:
    """Return pairs (asked, known) that agree in a band of MinHash, int64, shape (n_pairs, 2)."""
    rng = np.random.default_rng(seed)
    mine, theirs = sets[asked], sets[known]
    found = [np.zeros((0, 2), dtype=np.int64)]
    for _ in range(_BANDS):
        asked_keys = np.zeros(len(asked), dtype=np.uint64)
        known_keys = np.zeros(len(known), dtype=np.uint64)
        for _ in range(_BAND_ROWS):
            rank = rng.permutation(sets.shape[1]).astype(np.uint32)
            for keys, some in ((asked_keys, mine), (known_keys, theirs)):
                least = np.minimum.reduceat(rank[some.indices], some.indptr[:-1])
                keys *= np.uint64(0x9E3779B97F4A7C15)  # mixes; wraps around on purpose
                keys ^= least
        order = np.argsort(known_keys, kind="stable")
        start = np.searchsorted(known_keys[order], asked_keys, "left")
        end = np.searchsorted(known_keys[order], asked_keys, "right")
        counts = np.minimum(end - start, _MOST_PARTNERS)
        left = np.repeat(np.arange(len(asked)), counts)
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        found.append(np.stack([left, order[np.repeat(start, counts) + within]], axis=1))
    return np.unique(np.concatenate(found), axis=0)
