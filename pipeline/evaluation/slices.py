"""Slices: groups of rows on which a model may be weak, such as long texts or texts with a URL."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.evaluation import bootstrap
from pipeline.evaluation.metrics import number
from pipeline.evaluation.scorer import Scorer
from pipeline.text import entities
from pipeline.text.tokens import Tokens

MIN_ROWS = 20  # smaller slices are counted, not scored


@dataclass(frozen=True)
class Slice:
    """The rows (``mask``: ndarray of bool, shape (n_rows,)) with a value of a property (``by``)."""

    by: str
    value: str
    mask: np.ndarray


def slice_rows(rows: pa.Table, n_tokens: np.ndarray, unseen: np.ndarray) -> list[Slice]:
    """Divide rows by properties of their texts; slices with no row or all rows are dropped.

    ``n_tokens`` is the length of each text, ``unseen`` its `unseen_share`.
    """
    has = {
        name: np.asarray(pc.greater(pc.list_value_length(rows[column]), 0))
        for name, column in (("URL", "urls"), ("mention", "mentions"), ("hashtag", "hashtags"))
    }
    has["emoji"] = np.asarray(pc.match_substring_regex(rows["clean"], entities.EMOJI))
    slices = _by_length(n_tokens)
    for name, mask in has.items():
        slices += [Slice(name, "with", mask), Slice(name, "without", ~mask)]
    for value, mask in (
        ("none", unseen == 0),
        ("up to a fifth", (unseen > 0) & (unseen <= 0.2)),
        ("more than a fifth", unseen > 0.2),
    ):
        slices.append(Slice("unseen words", value, mask))
    return [group for group in slices if group.mask.any() and not group.mask.all()]


def unseen_share(tokens: Tokens, is_training: np.ndarray) -> np.ndarray:
    """Return the share of each text's tokens that occur in no training text."""
    seen = np.zeros(len(tokens.words), dtype=bool)
    seen[tokens.codes[np.repeat(is_training, tokens.lengths)]] = True
    counts = np.bincount(tokens.rows, weights=~seen[tokens.codes], minlength=len(tokens))
    return counts / np.maximum(tokens.lengths, 1)


def score_slices(
    slices: Sequence[Slice], scorer: Scorer, positive: int | None, samples: int, seed: int
) -> dict[str, Any]:
    """Score each slice, the least accurate first, and the recall of a positive class.

    Samples draw from all rows, so that the size of a slice varies too.
    """
    scored = [group for group in slices if group.mask.sum() >= MIN_ROWS]
    masks = np.array([group.mask for group in scored], dtype=float).reshape(-1, scorer.n_rows).T
    right = masks * scorer.is_right[:, None]
    denominators, numerators = {"accuracy": masks}, {"accuracy": right}
    if positive is not None:
        is_positive = (scorer.labels == positive)[:, None]
        denominators["recall"], numerators["recall"] = masks * is_positive, right * is_positive

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        with np.errstate(invalid="ignore"):
            return {
                name: (weights @ numerators[name]) / (weights @ denominators[name])
                for name in numerators
            }

    scores = score(np.ones((1, scorer.n_rows)))
    replicates = {}
    if scored:
        replicates = bootstrap.replicate(score, scorer.n_rows, samples, seed, groups=scorer.groups)
    entries = []
    for index, group in enumerate(scored):
        entry = _counted(group)
        if positive is not None:
            entry["positives"] = int(denominators["recall"][:, index].sum())
        for name in numerators:
            entry[name] = number(scores[name][0, index])
            if replicates:
                entry[f"{name}_interval"] = number(bootstrap.interval(replicates[name][:, index]))
        entries.append(entry)
    entries.sort(key=lambda entry: (entry["accuracy"], entry["by"], entry["value"]))
    too_small = [_counted(group) for group in slices if group.mask.sum() < MIN_ROWS]
    return {"slices": entries, "too_small": too_small}


def _counted(group: Slice) -> dict[str, Any]:
    """Return the name and the number of rows of a slice."""
    return {"by": group.by, "value": group.value, "rows": int(group.mask.sum())}


def _by_length(n_tokens: np.ndarray) -> list[Slice]:
    """Divide texts into quarters by their number of tokens."""
    bounds = np.unique(np.quantile(n_tokens, [0.25, 0.5, 0.75]).astype(int))
    low, parts = 0, []
    for bound in [*bounds, int(n_tokens.max())]:
        if bound >= low:
            name = f"{low} to {bound}" if bound > low else f"{bound}"
            parts.append(Slice("length (tokens)", name, (n_tokens >= low) & (n_tokens <= bound)))
            low = bound + 1
    return parts
