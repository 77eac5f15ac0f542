"""Leakage: test texts that also occur in training, exactly or nearly."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.evaluation.metrics import evaluate
from pipeline.evaluation.scorer import Scorer
from pipeline.text import near


@dataclass(frozen=True)
class Leakage:
    """Test rows that occur in training; all arrays have shape (n_test,).

    ``exact``: a training row has the same clean text; ``near``: one is a near copy. ``partner`` is
    the position of the most similar training row, -1 without one; ``similarity`` is the Jaccard
    similarity to it, 1 if exact.
    """

    exact: np.ndarray
    near: np.ndarray
    partner: np.ndarray
    similarity: np.ndarray


def find_leakage(rows: pa.Table, train: np.ndarray, test: np.ndarray) -> Leakage:
    """Find the test rows, by position, whose texts occur in training rows.

    Exact copies have the same clean text (``group``). Near copies are those of
    `pipeline.text.near`, which CleanText grouped (``near_group``): only texts of groups with rows
    in both parts are compared. ``group_duplicates near`` leaves no such group.
    """
    groups, near_groups = rows["group"].to_numpy(), rows["near_group"].to_numpy()
    partner = np.full(len(test), -1, dtype=np.int64)
    similarity = np.zeros(len(test))
    train_groups, first_train = np.unique(groups[train], return_index=True)
    position = np.minimum(np.searchsorted(train_groups, groups[test]), len(train_groups) - 1)
    exact = train_groups[position] == groups[test] if len(train) else np.zeros(len(test), bool)
    partner[exact] = train[first_train[position[exact]]]
    similarity[exact] = 1.0

    candidates = np.sort(train[first_train])  # the first row of each clean text
    queries = np.flatnonzero(~exact & np.isin(near_groups[test], near_groups[candidates]))
    candidates = candidates[np.isin(near_groups[candidates], near_groups[test[queries]])]
    texts = np.concatenate([test[queries], candidates])
    words = near.words_of(rows["raw"].take(pa.array(texts)))
    best, most_similar = near.most_similar(words, len(queries))
    is_near = np.zeros(len(test), dtype=bool)
    is_near[queries] = best >= near.SIMILAR
    similarity[queries] = np.where(is_near[queries], best, 0.0)
    partner[queries] = np.where(is_near[queries], texts[most_similar], -1)
    return Leakage(exact, is_near, partner, similarity)


def score_without(
    leakage: Leakage, scorer: Scorer, class_names: Sequence[str], samples: int, seed: int
) -> dict[str, Any]:
    """Score the test rows again without those that occur in training.

    The metrics are None if no row or all rows would be removed.
    """
    result: dict[str, Any] = {
        "exact": int(leakage.exact.sum()),
        "near": int(leakage.near.sum()),
        "similarity": near.SIMILAR,
    }
    for name, removed in (
        ("without_exact", leakage.exact),
        ("without_exact_and_near", leakage.exact | leakage.near),
    ):
        kept = ~removed
        result[name] = None
        if removed.any() and kept.any():
            result[name] = evaluate(
                scorer.labels[kept],
                scorer.probabilities[kept],
                class_names,
                predicted=scorer.predicted[kept],
                groups=None if scorer.groups is None else scorer.groups[kept],
                samples=samples,
                seed=seed,
            )
    return result


def leakage_table(leakage: Leakage, test: np.ndarray, rows: pa.Table) -> pa.Table:
    """Return the leaked test rows with their training rows, as ``leaks.parquet``."""
    leaked = np.flatnonzero(leakage.exact | leakage.near)
    in_test = rows.take(pa.array(test[leaked]))
    in_train = rows.take(pa.array(leakage.partner[leaked]))
    kinds = np.where(leakage.exact[leaked], "exact", "near")
    return pa.table(
        {
            "id": in_test["id"],
            "training_id": in_train["id"],
            "kind": pa.array(kinds.tolist(), pa.string()),
            "similarity": pa.array(leakage.similarity[leaked], pa.float64()),
            "clean": in_test["clean"],
            "training_clean": in_train["clean"],
        }
    )
