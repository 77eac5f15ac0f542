"""Where the time goes: chosen chains run once each, by step and by function."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.speed import corpus
from benchmarks.speed.bench import Bench
from benchmarks.speed.harness import Side, compare
from benchmarks.speed.profiled import OUTSIDE

# Steps below this share of the whole stand together; functions below it are left out.
_SMALL, _MINOR = 0.04, 0.1
_FUNCTIONS = 4


def profile(bench: Bench) -> dict[str, Any]:
    """Run each chain once, as a whole process; a list of what `_chain` returns."""
    tweets, many = corpus.tweets(bench.data, 1), corpus.tweets(bench.data, 16)
    bag = {"model": "bag_dense", "epochs": 5, "patience": 0, "batch_size": 512}
    book = {"model": "bag_dense", "preset": "film-reviews-book"}
    plain = {"bootstrap_samples": 0}
    bayes = {"model": "naive_bayes", **plain}
    chains: Sequence[tuple[str, str, str, str, Mapping[str, Any]]] = (
        ("text steps, plain words, 1,600,000 rows", "Vectorize", many, "DownloadData",
         {"sequence_length": 35, "max_words": 10_000}),
        ("`bag_dense`, 100,000 rows, from the file to figures", "Evaluate", tweets, "DownloadData",
         {**bag, "validation_fraction": 0, **plain}),
        ("`imdb` with `bag_dense`, from the archive to figures", "Evaluate", "imdb",
         "DownloadData", {**book, "validation_fraction": 0, **plain}),
        ("`bilstm` on `disaster`, from the archive to figures", "Evaluate", "disaster",
         "DownloadData", {"model": "bilstm", "validation_fraction": 0.1, **plain}),
        ("`naive_bayes` on `disaster`, from the archive to figures", "Evaluate", "disaster",
         "DownloadData", bayes),
        ("the same with all built", "Evaluate", "disaster", "", bayes),
    )  # fmt: skip
    found = []
    for name, task, dataset, first, settings in chains:
        if first:
            bench.take_away(dataset, first)
        words = bench.words(task, dataset, **settings)
        found.append(_chain(bench, name, ["run", *words]))
    texts = bench.data / tweets / "rows.csv"
    for model in ("naive_bayes", "logistic_regression"):
        bench.build("TrainModel", "disaster", model=model)
        place = bench.manifest("disaster", "TrainModel", model)["place"]
        name = f"prediction from text with `{model}`, one process"
        found.append(_chain(bench, name, ["predict", str(place), str(texts)]))
    return {"chains": found}


def _chain(bench: Bench, name: str, words: Sequence[str | Path]) -> dict[str, Any]:
    """Run a chain: its name, ``seconds`` of the whole process, CPU seconds, steps, functions."""
    command = [sys.executable, "-m", "benchmarks.speed.profiled", *map(str, words)]
    taken = compare([Side(name, command)], 1, bench.say, warm_up=False)[name]
    return {"name": name, "seconds": taken.seconds[0], **taken.facts[0]}


def table(chains: Sequence[Mapping[str, Any]]) -> str:
    """Lay out chains as tables in Markdown, one for each.

    Parameters
    ----------
    chains : sequence of mapping
        Of `profile`.
    """
    return "".join(_table(chain) for chain in chains)


def _table(chain: Mapping[str, Any]) -> str:
    """Lay out one chain: steps that take much, the rest together, and what is beside the steps."""
    whole, steps = chain["seconds"], chain["steps"]
    large = [each for each in steps if each["seconds"] >= _SMALL * whole]
    small = [each for each in steps if each["seconds"] < _SMALL * whole]
    lines = [
        f"\n{chain['name'][0].upper()}{chain['name'][1:]}: {whole:.2f} s as a whole process, "
        f"{chain['cpu']:.2f} CPU seconds.\n\n",
        "| step | seconds | of the whole | CPU seconds | most of it |\n",
        "| --- | --- | --- | --- | --- |\n",
    ]
    for each in large:
        lines.append(_row(each["name"], each, whole, chain["functions"].get(each["name"], ())))
    if small:
        together = {key: sum(each[key] for each in small) for key in ("seconds", "cpu")}
        names = ", ".join(dict.fromkeys(each["name"].split()[0] for each in small))
        lines.append(_row(names, together, whole, ()))
    beside = {key: chain[key] - sum(each[key] for each in steps) for key in ("seconds", "cpu")}
    lines.append(_row(f"{OUTSIDE}: start, imports, scheduling, end", beside, whole,
                      chain["functions"].get(OUTSIDE, ())))  # fmt: skip
    return "".join(lines)


def _row(
    name: str, taken: Mapping[str, float], whole: float, functions: Sequence[tuple[str, float]]
) -> str:
    """Lay out a step; threads' seconds are of all threads together."""
    seconds = taken["seconds"]
    shown = [
        f"{function} {spent:.2f}"
        for function, spent in functions[:_FUNCTIONS]
        if spent >= _MINOR * seconds
    ]
    share = seconds / whole
    return f"| {name} | {seconds:.2f} | {share:.0%} | {taken['cpu']:.2f} | {', '.join(shown)} |\n"
