"""Bootstrap: how much metrics would vary if the test rows were sampled again.

Rows with the same or nearly the same text are not independent. Samples therefore draw duplicate
groups, not rows (cluster bootstrap; Davison and Hinkley 1997, section 3.8). Samples are weights of
rows, so that `pipeline.evaluation.scorer` scores many at once; ``scipy.stats.bootstrap`` neither
draws groups nor shares samples between metrics and models.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from pipeline.evaluation.groups import group_indices

LEVEL = 0.95
_MAX_WEIGHTS = 2_000_000  # of a block: bounds memory


def draw(
    n_rows: int, samples: int, seed: int, width: int = 1, groups: np.ndarray | None = None
) -> Iterator[np.ndarray]:
    """Yield blocks of samples: how often each sample contains each row.

    A block is an ndarray of float64, shape (n_in_block, n_rows). A sample draws as many groups as
    there are, so its number of rows varies. ``width`` is the number of values per row that the
    caller computes from the weights; a larger width makes smaller blocks.
    """
    indices = group_indices(groups, n_rows)
    n_groups = int(indices.max(initial=-1)) + 1
    rng = np.random.default_rng(seed)
    block = max(_MAX_WEIGHTS // max(n_rows * width, 1), 1)
    for start in range(0, samples, block):
        size = min(block, samples - start)
        drawn = rng.integers(0, n_groups, (size, n_groups))
        drawn += np.arange(size)[:, None] * n_groups
        counts = np.bincount(drawn.ravel(), minlength=size * n_groups)
        weights = counts.reshape(size, n_groups).astype(np.float64)
        yield weights if groups is None else weights[:, indices]


def replicate(
    score: Callable[[np.ndarray], Mapping[str, np.ndarray]],
    n_rows: int,
    samples: int,
    seed: int,
    width: int = 1,
    groups: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Compute metrics of each bootstrap sample, by name, shape (samples, ...); see `draw`.

    ``score`` maps weights, shape (n_in_block, n_rows), to metrics, shape (n_in_block, ...).
    """
    blocks = [score(weights) for weights in draw(n_rows, samples, seed, width, groups)]
    names = blocks[0] if blocks else ()
    return {name: np.concatenate([block[name] for block in blocks]) for name in names}


def interval(values: np.ndarray, level: float = LEVEL) -> Any:
    """Return the percentile interval of bootstrapped metrics (Efron 1981).

    Parameters
    ----------
    values : ndarray, shape (samples, ...)
        Samples that do not define the metric have nan and are ignored.

    Returns
    -------
    ndarray, shape (2, ...)
        Lower and upper bound; nan if no sample defines the metric.

    Examples
    --------
    >>> interval(np.array([0.0, 1.0, np.nan, 2.0]), level=0.5).tolist()
    [0.5, 1.5]
    """
    tails = [(1 - level) / 2, (1 + level) / 2]
    if not np.isnan(values).any():
        return np.quantile(values, tails, axis=0)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)
        return np.nanquantile(values, tails, axis=0)
