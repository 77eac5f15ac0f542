"""Bootstrap: how far figures would move if the rows had been drawn again."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

LEVEL = 0.95
_MOST_WEIGHTS = 2_000_000  # at once, to bound memory


def draw(n_rows: int, samples: int, seed: int, width: int = 1) -> Iterator[np.ndarray]:
    """Draw rows with replacement, in blocks.

    Parameters
    ----------
    n_rows, samples : int
    seed : int
    width : int
        Arrays of this many numbers a row are made of the weights; larger means smaller blocks.

    Yields
    ------
    ndarray of float64, shape (n_in_block, n_rows)
        How often each row was drawn in each sample.
    """
    rng = np.random.default_rng(seed)
    block = max(_MOST_WEIGHTS // max(n_rows * width, 1), 1)
    for start in range(0, samples, block):
        size = min(block, samples - start)
        drawn = rng.integers(0, n_rows, (size, n_rows))
        drawn += np.arange(size)[:, None] * n_rows
        counts = np.bincount(drawn.ravel(), minlength=size * n_rows)
        yield counts.reshape(size, n_rows).astype(np.float64)


def replicate(
    score: Callable[[np.ndarray], Mapping[str, np.ndarray]],
    n_rows: int,
    samples: int,
    seed: int,
    width: int = 1,
) -> dict[str, np.ndarray]:
    """Score every sample.

    Parameters
    ----------
    score : callable
        From weights, shape (n_in_block, n_rows), to figures, shape (n_in_block, ...).
    n_rows, samples, seed, width : int
        See `draw`.

    Returns
    -------
    dict of str to ndarray, shape (samples, ...)
    """
    blocks = [score(weights) for weights in draw(n_rows, samples, seed, width)]
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def interval(values: np.ndarray, level: float = LEVEL) -> Any:
    """Return the percentile interval (Efron 1981) of bootstrapped figures.

    Parameters
    ----------
    values : ndarray, shape (samples, ...)
        nan where a sample does not define the figure; such samples are left out.
    level : float

    Returns
    -------
    ndarray, shape (2, ...)
        Lower and upper bound; nan where no sample defines the figure.
    """
    tails = [(1 - level) / 2, (1 + level) / 2]
    known = ~np.isnan(values)
    if known.all():
        return np.quantile(values, tails, axis=0)
    bounds = np.full((2, *values.shape[1:]), np.nan)
    for place in np.ndindex(values.shape[1:]):
        column = values[(slice(None), *place)]
        column = column[~np.isnan(column)]
        if len(column):
            bounds[(slice(None), *place)] = np.quantile(column, tails)
    return bounds
