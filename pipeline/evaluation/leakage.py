"""Leak check: test texts that occur in training, exactly or nearly."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.evaluation.metrics import evaluate
from pipeline.text import near


@dataclass(frozen=True)
class Leaks:
    """Which test rows training has seen.

    Attributes
    ----------
    exact, near : ndarray of bool, shape (n_test,)
        The clean text is that of a training row; or the text is a near copy of one.
    partner : ndarray of int64, shape (n_test,)
        Position of the most similar training row found, -1 where there is none.
    similarity : ndarray of float64, shape (n_test,)
        Jaccard similarity to it; 1 where exact.
    """

    exact: np.ndarray
    near: np.ndarray
    partner: np.ndarray
    similarity: np.ndarray


def find_leaks(rows: pa.Table, train: np.ndarray, test: np.ndarray) -> Leaks:
    """Look for test texts in training.

    Exact copies have the same clean text. Near copies are those of `pipeline.text.near`, which
    CleanText grouped: only texts of groups that are on both sides are compared. With
    ``group_duplicates near`` there is no such group.

    Parameters
    ----------
    rows : pa.Table
        ``raw``, ``group`` (equal for equal clean texts) and ``near_group`` of all rows.
    train, test : ndarray of int
        Positions of the rows.

    Returns
    -------
    Leaks
    """
    groups, near_groups = rows["group"].to_numpy(), rows["near_group"].to_numpy()
    partner = np.full(len(test), -1, dtype=np.int64)
    similarity = np.zeros(len(test))
    train_groups, first_train = np.unique(groups[train], return_index=True)
    place = np.minimum(np.searchsorted(train_groups, groups[test]), len(train_groups) - 1)
    exact = train_groups[place] == groups[test] if len(train) else np.zeros(len(test), bool)
    partner[exact] = train[first_train[place[exact]]]
    similarity[exact] = 1.0

    known = np.sort(train[first_train])  # one row of each clean text, first ones first
    asked = np.flatnonzero(~exact & np.isin(near_groups[test], near_groups[known]))
    known = known[np.isin(near_groups[known], near_groups[test[asked]])]
    texts = np.concatenate([test[asked], known])
    best, found = near.most_similar(near.words_of(rows["raw"].take(pa.array(texts))), len(asked))
    is_near = np.zeros(len(test), dtype=bool)
    is_near[asked] = best >= near.SIMILAR
    similarity[asked] = np.where(is_near[asked], best, 0.0)
    partner[asked] = np.where(is_near[asked], texts[found], -1)
    return Leaks(exact, is_near, partner, similarity)


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
        "similarity": near.SIMILAR,
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
