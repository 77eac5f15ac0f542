"""Bootstrap: how much metrics would vary if the test rows were sampled again.

Copies and near copies of a text are not independent rows: they come into a sample, and stay out
of it, together. So duplicate groups are drawn, not rows (cluster bootstrap; Davison and Hinkley
1997, section 3.8).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

LEVEL = 0.95
_MOST_WEIGHTS = 2_000_000  # at once, to bound memory


def draw(
    n_rows: int, samples: int, seed: int, width: int = 1, groups: np.ndarray | None = None
) -> Iterator[np.ndarray]:
    """Draw duplicate groups with replacement, in blocks of samples.

    Parameters
    ----------
    n_rows, samples : int
    seed : int
    width : int
        Numbers per row that the caller computes from the weights; larger means smaller blocks.
    groups : ndarray of int, shape (n_rows,), optional
        Duplicate group of each row; every row is its own group when left out.

    Yields
    ------
    ndarray of float64, shape (n_in_block, n_rows)
        How often each row was drawn in each sample. A sample holds as many groups as there are,
        so its number of rows varies.

    Examples
    --------
    >>> weights = next(draw(4, samples=2, seed=0, groups=np.array([7, 7, 3, 3])))
    >>> bool((weights[:, 0] == weights[:, 1]).all())
    True
    """
    members = np.arange(n_rows) if groups is None else np.unique(groups, return_inverse=True)[1]
    n_groups = int(members.max(initial=-1)) + 1
    rng = np.random.default_rng(seed)
    block = max(_MOST_WEIGHTS // max(n_rows * width, 1), 1)
    for start in range(0, samples, block):
        size = min(block, samples - start)
        drawn = rng.integers(0, n_groups, (size, n_groups))
        drawn += np.arange(size)[:, None] * n_groups
        counts = np.bincount(drawn.ravel(), minlength=size * n_groups)
        weights = counts.reshape(size, n_groups).astype(np.float64)
        yield weights if groups is None else weights[:, members]


def replicate(
    score: Callable[[np.ndarray], Mapping[str, np.ndarray]],
    n_rows: int,
    samples: int,
    seed: int,
    width: int = 1,
    groups: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Compute metrics of every bootstrap sample.

    Parameters
    ----------
    score : callable
        From weights, shape (n_in_block, n_rows), to metrics, shape (n_in_block, ...).
    n_rows, samples, seed, width, groups
        See `draw`.

    Returns
    -------
    dict of str to ndarray, shape (samples, ...)
    """
    blocks = [score(weights) for weights in draw(n_rows, samples, seed, width, groups)]
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
