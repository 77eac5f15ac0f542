"""Counts of the most frequent tokens, and how far they come apart by chance."""

from collections.abc import Mapping

import numpy as np

from pipeline.nightly.divergence import (
    BY_CHANCE,
    chance_index,
    fitted_chance,
    population_stability_index,
)
from pipeline.text.tokens import Tokens

#: Tokens that have a bin of their own. Most of the first 100 are function words, by which datasets
#: differ little; of the first 1,000 a small night holds too few.
MOST = 200
OTHERS = "(all others)"
_DRAWS = 200
_FEWEST = 8  # texts that can be split
_FITTED = BY_CHANCE / 10  # the fit is short in the tail: as measured, 1 to 5 of 1,000 exceed it


def frequent_counts(before: Tokens, now: Tokens) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Count the tokens that are most frequent on both sides, and the rest as one.

    Returns
    -------
    bins : list of str
    before, now : ndarray of int64, shape (n_bins,)
        All zero where a side has no token.
    """
    words = list(dict.fromkeys([*before.words, *now.words]))
    place = {word: number for number, word in enumerate(words)}
    sides = (_counts(before, place), _counts(now, place))
    order = _most_frequent(*sides)
    top, rest = order[:MOST], order[MOST:]
    bins = [words[code] for code in top]
    if not len(rest):
        return bins, sides[0][top], sides[1][top]
    counts = [np.append(side[top], side[rest].sum()) for side in sides]
    return [*bins, OTHERS], counts[0], counts[1]


def tokens_by_chance(
    reference: Tokens, current_texts: int, current_tokens: int, seed: int = 0
) -> float:
    """Return the index of token counts that chance alone exceeds in 1 of 1,000 nights.

    Tokens of one text are not drawn one by one: a text about one thing repeats its words. And the
    tokens that are compared are chosen by their counts. Both make the index larger than the
    chi-square distribution of independent tokens says, by a factor that differs from dataset to
    dataset (the design effect, Kish 1965). So it is measured: texts of the reference are taken out
    at random and compared with the others. They are as many as the night has, or fewer where the
    night's texts are shorter, so that there are no more tokens either.

    Parameters
    ----------
    reference : Tokens
        Of the champion's training rows.
    current_texts, current_tokens : int
        Of the night, at least 1.
    seed : int
        Of the draws.
    """
    texts = len(reference)
    if texts < _FEWEST:
        return chance_index(MOST, texts, current_texts)
    length = max(len(reference.codes) / texts, 1.0)
    drawn = max(min(current_texts, round(current_tokens / length)), 1)
    taken = min(drawn, texts // 2)
    total = np.bincount(reference.codes, minlength=len(reference.words))
    rng = np.random.default_rng(seed)
    indices = []
    for _ in range(_DRAWS):
        rows = rng.choice(texts, taken, replace=False)
        now = np.bincount(reference.take(rows).codes, minlength=len(total))
        before = total - now
        if now.any() and before.any():
            indices.append(_index(before, now))
    # The two parts are smaller than the reference, and may be smaller than the night.
    scale = (1 / drawn + 1 / texts) / (1 / taken + 1 / (texts - taken))
    return scale * fitted_chance(np.array(indices), _FITTED) if indices else np.inf


def _index(before: np.ndarray, now: np.ndarray) -> float:
    """Return the index of two sets of counts of all words."""
    shares = before / before.sum() + now / now.sum()
    sides = [before, now]
    if len(shares) > MOST:
        top = np.argpartition(-shares, MOST)[:MOST]
        sides = [np.append(side[top], side.sum() - side[top].sum()) for side in sides]
    return population_stability_index(*sides)


def _most_frequent(before: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Return places of words, those with the largest shares of both sides first."""
    shares = sum(side / max(side.sum(), 1) for side in (before, now))
    return np.argsort(-shares, kind="stable")


def _counts(tokens: Tokens, place: Mapping[str, int]) -> np.ndarray:
    """Count tokens at the places of their words."""
    own = np.bincount(tokens.codes, minlength=len(tokens.words))
    counts = np.zeros(len(place), dtype=np.int64)
    np.add.at(counts, [place[word] for word in tokens.words], own)
    return counts
