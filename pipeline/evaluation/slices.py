"""Slices: where among the rows a model is weak."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.evaluation import bootstrap
from pipeline.evaluation.metrics import number
from pipeline.text import entities
from pipeline.text.tokens import Tokens

LEAST_ROWS = 20  # fewer say nothing; such slices are counted, not scored


@dataclass(frozen=True)
class Slice:
    """Some of the rows.

    Attributes
    ----------
    by : str
        What the rows are parted by.
    value : str
    mask : ndarray of bool, shape (n_rows,)
    """

    by: str
    value: str
    mask: np.ndarray


def slices_of(rows: pa.Table, words: np.ndarray, unknown: np.ndarray) -> list[Slice]:
    """Part rows by what their texts are like.

    Parameters
    ----------
    rows : pa.Table
        ``clean``, ``urls``, ``mentions``, ``hashtags`` of the rows to part.
    words : ndarray of int, shape (n_rows,)
        Tokens of each text.
    unknown : ndarray of float, shape (n_rows,)
        Share of them that no training text has.

    Returns
    -------
    list of Slice
        Those that hold some of the rows and not all.
    """
    found = _by_length(words)
    for name, column in (("URL", "urls"), ("mention", "mentions"), ("hashtag", "hashtags")):
        has = np.asarray(pc.greater(pc.list_value_length(rows[column]), 0))
        found += _yes_no(name, has)
    emoji = pc.match_substring_regex(rows["clean"], entities.EMOJI)
    found += _yes_no("emoji", np.asarray(emoji))
    for value, mask in (
        ("none", unknown == 0),
        ("up to a fifth", (unknown > 0) & (unknown <= 0.2)),
        ("more than a fifth", unknown > 0.2),
    ):
        found.append(Slice("unseen words", value, mask))
    return [one for one in found if one.mask.any() and not one.mask.all()]


def unknown_share(tokens: Tokens, is_training: np.ndarray) -> np.ndarray:
    """Return the share of each text's tokens that no training text has.

    Parameters
    ----------
    tokens : Tokens
        All texts.
    is_training : ndarray of bool, shape (n_texts,)

    Returns
    -------
    ndarray of float64, shape (n_texts,)
        0 for a text without tokens.
    """
    seen = np.zeros(len(tokens.words), dtype=bool)
    seen[tokens.codes[np.repeat(is_training, tokens.lengths)]] = True
    strange = ~seen[tokens.codes]
    counts = np.bincount(tokens.rows, weights=strange, minlength=len(tokens))
    return counts / np.maximum(tokens.lengths, 1)


def score_slices(
    slices: Sequence[Slice],
    labels: np.ndarray,
    predicted: np.ndarray,
    positive: int | None,
    samples: int,
    seed: int,
    groups: np.ndarray | None = None,
) -> dict[str, Any]:
    """Score each slice, the least accurate first.

    Parameters
    ----------
    slices : sequence of Slice
    labels, predicted : ndarray of int, shape (n_rows,)
    positive : int or None
        Class whose recall is given as well.
    samples, seed : int
        Bootstrap of all rows, so that intervals allow for the size of a slice.
    groups : ndarray of int, shape (n_rows,), optional
        Duplicate groups, which bootstrap samples draw as a whole.

    Returns
    -------
    dict
        ``slices``: ``by``, ``value``, ``rows``, ``accuracy``, ``accuracy_interval``, and with a
        positive class ``positives``, ``recall``, ``recall_interval``; ``too_small``: those of
        fewer than 20 rows, with their rows.
    """
    scored = [one for one in slices if one.mask.sum() >= LEAST_ROWS]
    small = [one for one in slices if one.mask.sum() < LEAST_ROWS]
    masks = np.array([one.mask for one in scored], dtype=float).reshape(-1, len(labels)).T
    right = (predicted == labels)[:, None]
    is_positive = (labels == positive)[:, None] if positive is not None else np.zeros_like(right)

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        with np.errstate(invalid="ignore"):
            return {
                "accuracy": (weights @ (masks * right)) / (weights @ masks),
                "recall": (weights @ (masks * right * is_positive))
                / (weights @ (masks * is_positive)),
            }

    point = score(np.ones((1, len(labels))))
    again = {}
    if samples and scored:
        again = bootstrap.replicate(score, len(labels), samples, seed, groups=groups)
    entries = []
    for index, one in enumerate(scored):
        entry: dict[str, Any] = {"by": one.by, "value": one.value, "rows": int(one.mask.sum())}
        names = ["accuracy"]
        if positive is not None:
            names.append("recall")
            entry["positives"] = int((one.mask & is_positive[:, 0]).sum())
        for name in names:
            entry[name] = number(point[name][0, index])
            if again:
                entry[f"{name}_interval"] = number(bootstrap.interval(again[name][:, index]))
        entries.append(entry)
    entries.sort(key=lambda entry: (entry["accuracy"], entry["by"], entry["value"]))
    too_small = [{"by": one.by, "value": one.value, "rows": int(one.mask.sum())} for one in small]
    return {"slices": entries, "too_small": too_small}


def _by_length(words: np.ndarray) -> list[Slice]:
    """Part texts into quarters by their number of tokens."""
    bounds = np.unique(np.quantile(words, [0.25, 0.5, 0.75]).astype(int))
    low, parts = 0, []
    for bound in [*bounds, int(words.max())]:
        if bound >= low:
            name = f"{low} to {bound}" if bound > low else f"{bound}"
            parts.append(Slice("length (tokens)", name, (words >= low) & (words <= bound)))
            low = bound + 1
    return parts


def _yes_no(name: str, has: np.ndarray) -> list[Slice]:
    """Part rows into those with and without something."""
    return [Slice(name, "with", has), Slice(name, "without", ~has)]
