"""Comparisons of recurrent networks with plain Keras on padded arrays."""

import statistics
from pathlib import Path
from typing import Any

from benchmarks.speed.bench import Bench, found, line
from benchmarks.speed.harness import Side, Taken
from benchmarks.speed.seeds import by_seed, epoch, evaluated, joined, split_rows, spread


def hate(bench: Bench) -> dict[str, Any]:
    """Compare seconds per epoch of a bidirectional LSTM on hate speech, and F1 of three seeds."""
    dataset = "hate_speech"
    settings = {
        "model": "bilstm", "sequence_length": 42, "max_words": 10_000, "patience": 0,
        "validation_fraction": 0, "epochs": 5, "bootstrap_samples": 0,
    }  # fmt: skip
    bench.build("Evaluate", dataset, **{**settings, "epochs": 1})
    rows = split_rows(bench, dataset, "bilstm")

    taken, theirs, mine = by_seed(
        bench,
        lambda seed: _notebook(bench, rows, seed, 42, 5, 64, "masked"),
        evaluated(bench, dataset, settings),
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
    dataset, longer = "disaster", "the same at 33 words, masked"
    settings = {"model": "bilstm", "validation_fraction": 0.1}
    bench.build("Evaluate", dataset, **settings, bootstrap_samples=0)
    rows = split_rows(bench, dataset, "bilstm")

    def ours(seed: int) -> Side:
        def scored() -> dict[str, Any]:
            bench.build("Evaluate", dataset, **settings, seed=seed, bootstrap_samples=0)
            return dict(bench.evaluated(dataset, "bilstm")())

        command = bench.luigi("TrainModel", dataset, **settings, seed=seed)
        return bench.side(f"pipeline, seed {seed}", command, dataset, "TrainModel", scored)

    taken, theirs, mine = by_seed(
        bench, lambda seed: _notebook(bench, rows, seed, 15, 5, 32, "not masked"), ours,
        beside=lambda seed: Side(f"{longer}, seed {seed}",
                                 _notebook(bench, rows, seed, 33, 5, 32, "masked")),
        warm_up=True,
    )  # fmt: skip
    seconds, other, at_length = mine.median(), _until_fit(theirs), _until_fit(joined(taken, longer))
    f1, other_f1 = ([each["f1"] for each in side.facts] for side in (mine, theirs))
    return found(
        taken,
        line("`bilstm` on `disaster`, TrainModel as a whole beside the notebook's five epochs",
             "no slower, higher F1",
             f"{seconds:.1f} beside {other:.1f} s ({seconds / other:.2f} times), F1 {spread(f1)} "
             f"beside {spread(other_f1)}; at as many words as the pipeline reads {at_length:.1f} s",
             seconds <= other and statistics.mean(f1) > statistics.mean(other_f1),
             ("`bilstm` on `disaster`, training as a whole", f"{seconds:.1f} s, F1 {spread(f1)}",
              f"five plain epochs: {other:.1f} s, F1 {spread(other_f1)}")),
        note="Whole processes, imports and tracing included, on text steps that are there; of the "
        "notebook way up to the end of `fit` (it also cuts its 7,000 texts into words, tenths of a "
        "second). It trains on the rows that the pipeline validates on, too. Seeds 0 to 2, after a "
        "warm-up of each side. What counts is the course's own setting, 15 words and no mask; the "
        "pipeline reads 33, which cover 99 % of the texts, and stops early.",
    )  # fmt: skip


def _notebook(bench: Bench, rows: Path, seed: int, *settings: int | str) -> list[str]:
    """Return a command: rows, seed, words of a text, epochs, texts of a batch, masked or not."""
    return bench.notebook("training", "recurrent", rows, seed, *settings)


def _until_fit(taken: Taken) -> float:
    """Return the median seconds of whole processes up to the end of `fit`."""
    pairs = zip(taken.seconds, taken.facts, strict=True)
    return statistics.median(whole - facts["after_fit"] for whole, facts in pairs)
