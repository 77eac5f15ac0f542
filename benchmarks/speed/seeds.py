"""Both sides of a comparison with several seeds, since one seed's figures are chance."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.speed import corpus
from benchmarks.speed.bench import Bench
from benchmarks.speed.harness import Side, Taken, compare

SEEDS = range(3)


def epoch(facts: dict[str, Any]) -> float:
    """Return the median seconds of the epochs after the first, from a side's facts."""
    seconds = facts.get("epoch_seconds")
    return float(facts["epoch"] if seconds is None else statistics.median(seconds[1:]))


def by_seed(
    bench: Bench, theirs: Callable[[int], list[str]], ours: Callable[[int], Side],
    *, beside: Callable[[int], Side] | None = None, warm_up: bool = False,
) -> tuple[dict[str, Taken], Taken, Taken]:  # fmt: skip
    """Run both sides in turn, one run for each seed.

    Parameters
    ----------
    bench : Bench
    theirs : callable
        Returns the command of the notebook way for a seed.
    ours : callable
        Returns the pipeline's side for a seed; its name begins with "pipeline".
    beside : callable, optional
        Returns a further side for a seed.
    warm_up : bool
        Whether a run of each side that is not counted goes first.

    Returns
    -------
    dict of str to Taken
        Each side's run by its name.
    Taken, Taken
        The runs of the notebook way together, and those of the pipeline.
    """
    sides = []
    for seed in SEEDS:
        sides += [Side(f"notebook way, seed {seed}", theirs(seed)), ours(seed)]
        sides += [beside(seed)] if beside else []
    if warm_up:
        compare(sides[:2], 0, bench.say)
    taken = compare(sides, 1, bench.say, warm_up=False)
    return taken, joined(taken, "notebook way"), joined(taken, "pipeline")


def split_rows(bench: Bench, dataset: str, model: str) -> Path:
    """Write the rows that a model was trained on for the notebook way; return their folder."""
    chain = bench.chain(dataset, "TrainModel", model)
    return corpus.split_rows(chain, bench.outputs / "notebook" / dataset)


def evaluated(bench: Bench, dataset: str, settings: Mapping[str, Any]) -> Callable[[int], Side]:
    """Return what makes the pipeline's side for a seed, from TrainModel to figures."""

    def ours(seed: int) -> Side:
        command = bench.luigi("Evaluate", dataset, **settings, seed=seed)
        read = bench.evaluated(dataset, settings["model"])
        return bench.side(f"pipeline, seed {seed}", command, dataset, "TrainModel", read)

    return ours


def joined(taken: Mapping[str, Taken], name: str) -> Taken:
    """Bring the sides together whose names begin alike, such as those of several seeds."""
    some = [each for side, each in taken.items() if side.startswith(name)]
    return Taken(
        [value for each in some for value in each.seconds],
        [value for each in some for value in each.memory],
        [value for each in some for value in each.facts],
    )


def spread(values: Sequence[float], digits: int = 3) -> str:
    """Write mean and standard deviation."""
    mean = f"{statistics.mean(values):.{digits}f}"
    return f"{mean} ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else mean
