"""Comparisons of whole runs that have little to compute, and of prediction."""

from typing import Any

from benchmarks.speed.bench import Bench, found, line
from benchmarks.speed.harness import Side, Taken, compare

_PREDICTION_GOALS = {"naive_bayes": 30_000, "logistic_regression": 5_000}


def bayes(bench: Bench) -> dict[str, Any]:
    """Compare a first run of naive Bayes with a plain script."""
    archive = bench.data / "disaster" / "nlp_getting_started.zip"
    script, ours = "plain scikit-learn script", "pipeline, up to Evaluate"
    command = bench.luigi("Evaluate", "disaster", model="naive_bayes", bootstrap_samples=0)
    sides = [
        Side(script, bench.notebook("bayes", archive)),
        bench.side(ours, command, "disaster", "DownloadData"),
    ]
    taken = compare(sides, 5, bench.say)
    seconds, other = taken[ours].median(), taken[script].median()
    return found(
        taken,
        line("`naive_bayes` on `disaster`, nothing built, beside a plain scikit-learn script",
             "at most 3 s more", f"{seconds - other:.1f} s more", seconds - other <= 3,
             ("`naive_bayes` on `disaster`, nothing built", f"{seconds:.1f} s",
              f"a plain script: {other:.1f} s")),
        note="Whole processes. Taken away before each run: every artifact, DownloadData's too, and "
        "what is remembered of files; the archive in data/ stays. The script cleans nothing.",
    )  # fmt: skip


def start_up(bench: Bench) -> dict[str, Any]:
    """Compare a run in which all is built with a Luigi hello world."""
    from benchmarks import start_up as start

    seconds = start.measure(7)
    taken = {name: Taken(runs, [0.0], [{}]) for name, runs in seconds.items()}
    hello, chain = (each.median() for each in list(taken.values())[:2])
    ratio = chain / hello
    return found(
        taken,
        line("`RunAll` with all built, beside a Luigi hello world", "at most 1.5 times",
             f"{chain:.2f} beside {hello:.2f} s ({ratio:.2f} times)", ratio <= 1.5,
             ("a run in which all is built", f"{chain:.2f} s",
              f"Luigi's hello world: {hello:.2f} s")),
        note="Whole processes, in turn, one round of each not counted.",
    )  # fmt: skip


def prediction(bench: Bench) -> dict[str, Any]:
    """Time batch prediction from raw text."""
    from benchmarks.speed import prediction as predicting

    timings = predicting.prediction(bench.data, bench.outputs / "prediction", bench.say)
    taken = {
        each.name: Taken(list(each.seconds), [0.0], [{"texts": each.texts}]) for each in timings
    }
    fasttext = next(each for each in timings if each.name == predicting.FASTTEXT).rows_per_second
    lines = []
    for each in timings:
        goal, rate = _PREDICTION_GOALS.get(each.name), each.rows_per_second
        work = f"batch prediction from text, {each.name}"
        lines.append(
            line(work, f"{goal:,} rows a second" if goal else "",
                 f"{rate:,.0f} rows a second ({rate / fasttext:.2f} of fastText by itself)",
                 None if goal is None else rate >= goal,
                 (work.replace(each.name, f"`{each.name}`"), f"{rate:,.0f} tweets a second",
                  f"fastText by itself: {fasttext:,.0f}") if goal else ())
        )  # fmt: skip
    return found(
        taken,
        *lines,
        note="In one process, models loaded; seconds are those of a round over all texts of a side "
        "(`texts`), a round over a tenth of them not counted. fastText is trained on plain lines, "
        "and its own time holds cutting texts at white space, but no cleaning.",
    )
