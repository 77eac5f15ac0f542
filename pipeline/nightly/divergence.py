"""Distances between two distributions, and the distances that chance alone explains.

Distributions are counts over the same bins.
"""

import numpy as np

from pipeline.text.tokens import Tokens

#: Number of most frequent tokens that have their own bin. Most of the first 100 are function words,
#: by which datasets differ little; a small night has too few of the first 1,000.
FREQUENT = 200
#: Share of nights without drift in which an index may exceed what chance explains.
BY_CHANCE = 0.001
_SMOOTHING = 0.5  # rows added to each bin
_OTHER_TOKENS = "(all others)"
_DRAWS = 200
_LEAST_TEXTS = 8  # that can be split into two samples
# The fitted tail is too short: as measured, 1 to 5 of 1,000 nights exceed it at this level.
_FITTED_BY_CHANCE = BY_CHANCE / 10


def population_stability_index(reference: np.ndarray, current: np.ndarray) -> float:
    """Return the population stability index of two arrays of counts, shape (n_bins,).

    The sum over bins of (q - p) ln(q / p) for the shares p of the reference and q of the current
    rows, in nats (Siddiqi 2006, "Credit Risk Scorecards"). This is the symmetric divergence of
    Jeffreys (1946): 0 for equal shares, without an upper bound. Half a row is added to every bin,
    because an empty bin would make the index infinite (Krichevsky and Trofimov 1981).

    Examples
    --------
    >>> round(population_stability_index(np.array([60, 40]), np.array([30, 70])), 3)
    0.368
    """
    before = (reference + _SMOOTHING) / (reference + _SMOOTHING).sum()
    now = (current + _SMOOTHING) / (current + _SMOOTHING).sum()
    return float(((now - before) * np.log(now / before)).sum())


def chance_index(
    bins: int, reference_rows: int, current_rows: int, share: float = BY_CHANCE
) -> float:
    """Return the population stability index that chance alone exceeds in a share of nights.

    Valid for rows that are drawn independently. Without drift the index is distributed as
    (1/n + 1/m) times chi-square with ``bins - 1`` degrees of freedom (Yurdakul 2018, "Statistical
    Properties of Population Stability Index").

    Examples
    --------
    >>> round(chance_index(2, 1000, 100), 3)
    0.119
    """
    from scipy.stats import chi2

    quantile = float(chi2.ppf(1 - share, max(bins - 1, 1)))
    return quantile * (1 / max(reference_rows, 1) + 1 / max(current_rows, 1))


def frequent_tokens(
    reference: Tokens, current: Tokens
) -> tuple[list[str], tuple[np.ndarray, np.ndarray]]:
    """Count the tokens that are most frequent on both sides, and all others as one.

    Returns names of the bins, and counts of the reference and the current texts, shape (n_bins,).

    Examples
    --------
    >>> texts = Tokens.from_lists([["a", "b", "a"]]), Tokens.from_lists([["a", "c"]])
    >>> bins, counts = frequent_tokens(*texts)
    >>> bins, [side.tolist() for side in counts]
    (['a', 'c', 'b'], [[2, 0, 1], [1, 1, 0]])
    """
    both = reference.joined(current)
    sides = [
        np.bincount(codes, minlength=len(both.words))
        for codes in np.split(both.codes, [len(reference.codes)])
    ]
    order = np.argsort(-sum(side / max(side.sum(), 1) for side in sides), kind="stable")
    top, rest = order[:FREQUENT], order[FREQUENT:]
    bins, counts = [both.words[code] for code in top], [side[top] for side in sides]
    if len(rest):
        bins.append(_OTHER_TOKENS)
        counts = [np.append(side[top], side[rest].sum()) for side in sides]
    return bins, (counts[0], counts[1])


def token_chance_index(reference: Tokens, current_texts: int, current_tokens: int) -> float:
    """Return the index of token counts that chance alone exceeds in 1 of 1,000 nights.

    Tokens of one text are not independent, because a text about one topic repeats its words, and
    the compared tokens are selected by their counts. Both make the index larger than
    `chance_index`, by a factor that differs between datasets (the design effect, Kish 1965). It is
    therefore measured: random samples of the reference's texts are compared with the other texts.
    A sample has as many texts as the night, or fewer if the night's texts are shorter, so that it
    has no more tokens than the night.
    """
    texts = len(reference)
    if texts < _LEAST_TEXTS:
        return chance_index(FREQUENT, texts, current_texts)
    tokens_per_text = max(len(reference.codes) / texts, 1.0)
    comparable = max(min(current_texts, round(current_tokens / tokens_per_text)), 1)
    size = min(comparable, texts // 2)
    total = np.bincount(reference.codes, minlength=len(reference.words))
    rng = np.random.default_rng(0)
    indices = []
    for _ in range(_DRAWS):
        sample = reference.take(rng.choice(texts, size, replace=False))
        now = np.bincount(sample.codes, minlength=len(total))
        if now.any() and (total - now).any():
            indices.append(_frequent_index(total - now, now))
    # Variance is proportional to 1/n + 1/m, and the samples may be smaller than the night.
    scale = (1 / comparable + 1 / texts) / (1 / size + 1 / (texts - size))
    return scale * _fitted_tail(np.array(indices)) if indices else np.inf


def _frequent_index(before: np.ndarray, now: np.ndarray) -> float:
    """Return the stability index of the most frequent tokens, from counts of all tokens."""
    sides = [before, now]
    shares = before / before.sum() + now / now.sum()
    if len(shares) > FREQUENT:
        top = np.argpartition(-shares, FREQUENT)[:FREQUENT]
        sides = [np.append(side[top], side.sum() - side[top].sum()) for side in sides]
    return population_stability_index(*sides)


def _fitted_tail(indices: np.ndarray) -> float:
    """Return the index that chance exceeds in few nights, from indices of samples without drift.

    Few samples do not show the tail: a multiple of a chi-square variable with their mean and
    variance is fitted (Satterthwaite 1946; for counts of clusters Rao and Scott 1981).
    """
    from scipy.stats import chi2

    mean, variance = float(np.mean(indices)), float(np.var(indices))
    if not variance:
        return mean
    quantile = float(chi2.ppf(1 - _FITTED_BY_CHANCE, 2 * mean**2 / variance))
    return variance / (2 * mean) * quantile
