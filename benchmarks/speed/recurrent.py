"""Comparisons of recurrent networks with plain Keras on padded arrays."""

import statistics
from typing import Any

from benchmarks.speed import corpus
from benchmarks.speed.bench import Bench, found, line
from benchmarks.speed.harness import Side
from benchmarks.speed.seeds import by_seed, epoch, spread


def hate(bench: Bench) -> dict[str, Any]:
    """Compare seconds per epoch of a bidirectional LSTM on hate speech, and F1 of three seeds."""
    dataset = "hate_speech"
    settings = {
        "model": "bilstm", "sequence_length": 42, "max_words": 10_000, "patience": 0,
        "validation_fraction": 0, "epochs": 5, "bootstrap_samples": 0,
    }  # fmt: skip
    bench.build("Evaluate", dataset, **{**settings, "epochs": 1})
    rows = corpus.split_rows(
        bench.chain(dataset, "TrainModel", "bilstm"), bench.outputs / "notebook" / dataset
    )

    def ours(seed: int) -> Side:
        command = bench.luigi("Evaluate", dataset, **settings, seed=seed)
        read = bench.evaluated(dataset, "bilstm")
        return bench.side(f"pipeline, seed {seed}", command, dataset, "TrainModel", read)

    taken, theirs, mine = by_seed(
        bench, lambda seed: bench.notebook("training", "recurrent", rows, seed, 42, 5, 64), ours
    )
    seconds, other = (
        statistics.median(epoch(each) for each in side.facts) for side in (mine, theirs)
    )
    f1, other_f1 = ([each["f1"] for each in side.facts] for side in (mine, theirs))
    better = statistics.mean(f1) >= statistics.mean(other_f1)
    return found(
        taken,
        line("`bilstm` on `hate_speech`, seconds per epoch beside the notebook way",
             "half, at equal or better F1",
             f"{seconds:.1f} beside {other:.1f} s ({seconds / other:.2f} times), F1 {spread(f1)} "
             f"beside {spread(other_f1)}",
             seconds / other <= 0.5 and better,
             ("`bilstm` on `hate_speech`, an epoch", f"{seconds:.1f} s, F1 {spread(f1)}",
              f"plain Keras: {other:.1f} s, F1 {spread(other_f1)}")),
        note="Five epochs on the same rows on both sides, batches of 64, seeds 0 to 2; seconds are "
        "those of epochs after the first, so that neither imports nor tracing count, F1 is that of "
        "the timed runs. Whole processes stand in the table; the pipeline's hold Evaluate, too.",
    )  # fmt: skip


def disaster(bench: Bench) -> dict[str, Any]:
    """Compare TrainModel of a bidirectional LSTM on disaster tweets with five plain epochs."""
    dataset = "disaster"
    settings = {"model": "bilstm", "validation_fraction": 0.1}
    bench.build("Evaluate", dataset, **settings, bootstrap_samples=0)
    rows = corpus.split_rows(
        bench.chain(dataset, "TrainModel", "bilstm"), bench.outputs / "notebook" / dataset
    )

    def ours(seed: int) -> Side:
        def scored() -> dict[str, Any]:
            bench.build("Evaluate", dataset, **settings, seed=seed, bootstrap_samples=0)
            return dict(bench.evaluated(dataset, "bilstm")())

        command = bench.luigi("TrainModel", dataset, **settings, seed=seed)
        return bench.side(f"pipeline, seed {seed}", command, dataset, "TrainModel", scored)

    taken, theirs, mine = by_seed(
        bench, lambda seed: bench.notebook("training", "recurrent", rows, seed, 33, 5, 32), ours,
        warm_up=True,
    )  # fmt: skip
    until_fit = [
        whole - each["after_fit"] for whole, each in zip(theirs.seconds, theirs.facts, strict=True)
    ]
    seconds, other = mine.median(), statistics.median(until_fit)
    f1, other_f1 = ([each["f1"] for each in side.facts] for side in (mine, theirs))
    return found(
        taken,
        line("`bilstm` on `disaster`, TrainModel as a whole beside the notebook's five epochs",
             "no slower, higher F1",
             f"{seconds:.1f} beside {other:.1f} s ({seconds / other:.2f} times), F1 {spread(f1)} "
             f"beside {spread(other_f1)}",
             seconds <= other and statistics.mean(f1) > statistics.mean(other_f1),
             ("`bilstm` on `disaster`, training as a whole", f"{seconds:.1f} s, F1 {spread(f1)}",
              f"five plain epochs: {other:.1f} s, F1 {spread(other_f1)}")),
        note="Whole processes, imports and tracing included, on text steps that are there; of the "
        "notebook way up to the end of `fit` (it also cuts its 7,000 texts into words, tenths of a "
        "second). It trains on the rows that the pipeline validates on, too. Seeds 0 to 2, after a "
        "warm-up of each side. The pipeline stops early and trains once more on all rows.",
    )  # fmt: skip
