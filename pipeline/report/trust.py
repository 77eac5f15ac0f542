"""Whether the metrics can be trusted: findings for and against."""

import statistics
from collections.abc import Iterator

from pipeline.report.headline import WITHOUT_COPIES, changed_by_copies, headline, without_copies
from pipeline.report.sources import Run
from pipeline.store.run import interval, metric_at

_WIDEST = 10  # points, of the interval of the accuracy

Finding = tuple[str, str]


def findings(run: Run) -> Iterator[Finding]:
    """Yield findings for (``good``) and against (``bad``) the metrics, each with a sentence."""
    yield from _about_intervals(run)
    yield _about_seeds(run)
    yield from _about_copies(run)
    yield _about_calibration(run)
    if run.profile["contradicting_texts"]:
        yield (
            "bad",
            f"Texts with contradicting labels: {run.profile['contradicting_texts']:,}. No model "
            "can predict all their labels.",
        )


def chosen_on(run: Run) -> str:
    """Return a sentence on what this run chose on validation rows, and nothing on test rows."""
    choices = []
    if run.training.get("best_epoch") and "patience" in run.settings:
        choices.append("the number of epochs")
    if run.decision["temperature"] != 1:
        choices.append("the temperature")
    if run.decision["threshold"] is not None and not run.decision["not_chosen_because"]:
        choices.append("the threshold")
    sentence = "This run chose nothing on its test rows"
    if choices and run.balance["rows"]["validation"]:
        start = f"{', '.join(choices[:-1])} and " if choices[1:] else ""
        sentence += f"; it chose {start}{choices[-1]} on validation rows"
    if "test" in run.profile["partitions"]:
        return (
            f"{sentence}. They are the official test rows of the dataset: earlier runs, or the "
            "authors of published settings, may have chosen something on them."
        )
    return f"{sentence}. A choice between runs by test metrics would make these too good."


def _about_intervals(run: Run) -> Iterator[Finding]:
    """Yield the width of the interval of the accuracy."""
    test = run.metrics["test"]
    ends = interval(test, ["accuracy"])
    if not ends:
        return
    width, rows = 100 * (ends[1] - ends[0]), f"{test['rows']:,} test rows"
    if width:
        sentence = f"On {rows}, the 95 % interval of the accuracy is {width:.1f} points wide."
    else:
        # Bootstrap samples of rows that are all correct, or all wrong, have no spread.
        kind = "correct" if test["accuracy"] else "wrong"
        sentence = f"All predictions on {rows} are {kind}: too few rows for an interval."
    yield "good" if 0 < width <= _WIDEST else "bad", sentence


def _about_seeds(run: Run) -> Finding:
    """Return the spread over runs that differ only by seed, if there are any."""
    start = "Intervals cover the sampling of test rows only"
    if "seed" not in run.settings:
        return "good", (
            f"{start}. Training has no randomness, but other training rows (another --split-seed) "
            "would also change the metrics."
        )
    name, keys = headline(run)
    metrics = [run.metrics, *(other.metrics for other in run.other_runs if other.differs_by_seed)]
    values = [metric_at(run_metrics.get("test"), keys) for run_metrics in metrics]
    defined = [value for value in values if value is not None]
    if len(defined) < 2:
        return "bad", (
            f"{start}: training again with another seed would also change the metrics (try --seed "
            f"{run.settings['seed'] + 1})."
        )
    points = 100 * statistics.stdev(defined)
    return "good", (
        f"{start}; {len(defined)} runs that differ only by seed have a standard deviation of "
        f"{points:.1f} points of {name}."
    )


def _about_copies(run: Run) -> Iterator[Finding]:
    """Yield the numbers of copies of training texts, and the metrics without them."""
    leaks = run.metrics["leaks"]
    if leaks["exact"]:
        yield (
            "bad",
            f"Test rows with the clean text of a training row: {leaks['exact']:,}"
            f"{_without(run, 'without_exact')}.",
        )
    else:
        yield "good", "No test row has the clean text of a training row."
    if leaks["near"]:
        yield (
            "bad" if changed_by_copies(run) else "good",
            f"Test rows with nearly the text of a training row: {leaks['near']:,}"
            f"{_without(run, WITHOUT_COPIES[1])}.",
        )


def _without(run: Run, key: str) -> str:
    """Return the headline metrics without the copies of training texts."""
    changes = [
        f"{name} is {rest:.3f} instead of {all_rows:.3f}"
        for name, (all_rows, rest) in without_copies(run, key).items()
        if name != "macro F1"
    ]
    return f"; without them {' and '.join(changes)}" if changes else ""


def _about_calibration(run: Run) -> Finding:
    """Compare the calibration error with that of a calibrated model by chance."""
    calibration = run.metrics["calibration"]
    error = calibration["calibrated"]["expected_calibration_error"]
    upper = calibration["calibrated"]["by_chance"]["upper"]
    raw = calibration["raw"]["expected_calibration_error"]
    start = f"The mean error of probabilities (expected calibration error) is {error:.3f}"
    if calibration["temperature"] != 1 and error <= raw:
        start += f" ({raw:.3f} before temperature scaling, fitted on validation rows)"
    if error <= upper:
        return "good", (
            f"{start}. This is no miscalibration beyond chance: on these rows, a perfectly "
            f"calibrated model would have an error of up to {upper:.3f}."
        )
    return "bad", (
        f"{start}; a perfectly calibrated model would have an error of up to {upper:.3f}: use the "
        "probabilities to rank texts, not as probabilities."
    )
