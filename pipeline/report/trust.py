"""How far to trust the metrics: what speaks for them, and what against."""

from collections.abc import Iterator

import numpy as np

from pipeline.report.headline import (
    WITHOUT_COPIES,
    changed_by_copies,
    headline,
    headlines,
    value_at,
)
from pipeline.report.sources import Run

_MOST_WIDTH = 10  # points of the accuracy's interval
_SAMPLING = "intervals cover the sampling of test rows only"


def trust(run: Run) -> Iterator[tuple[str, str]]:
    """Yield what speaks for and against the metrics: ``good`` or ``bad``, and a sentence."""
    yield from _about_intervals(run)
    yield _about_seeds(run)
    yield from _about_copies(run)
    yield _about_calibration(run)
    if run.profile["contradicting_texts"]:
        yield (
            "bad",
            f"Texts whose labels contradict each other: {run.profile['contradicting_texts']:,}. No "
            "model can be right about all of them.",
        )


def chosen_on(run: Run) -> str:
    """Say which choices of this run rest on which rows, and nothing that is not known."""
    choices = []
    if run.training.get("best_epoch") and "patience" in run.settings:
        choices.append("the number of epochs")
    if run.decision["temperature"] != 1:
        choices.append("the temperature")
    if run.decision["threshold"] is not None and not run.decision["not_chosen_because"]:
        choices.append("the threshold")
    has_validation = bool(run.balance["rows"]["validation"])
    sentence = "This run chose nothing on its test rows"
    if choices and has_validation:
        listed = ", ".join(choices[:-1]) + (" and " if choices[1:] else "") + choices[-1]
        sentence += f"; it chose {listed} on validation rows"
    if "test" in run.profile["partitions"]:
        return (
            f"{sentence}. They are the dataset's own test rows: whether earlier runs, or the "
            "authors of published settings, chose something on them is not known."
        )
    return f"{sentence}. Choosing between runs by their test metrics would make these too good."


def _about_intervals(run: Run) -> Iterator[tuple[str, str]]:
    """Yield how far the test rows fix the accuracy."""
    test = run.metrics["test"]
    bounds = test.get("intervals", {}).get("accuracy")
    if not bounds:
        return
    width, rows = 100 * (bounds[1] - bounds[0]), f"{test['rows']:,} test rows"
    if width:
        sentence = f"On {rows}, the 95 % interval of the accuracy is {width:.1f} points wide."
    else:
        # Resampling rows that are all right, or all wrong, can show no spread.
        kind = "correct" if test["accuracy"] else "wrong"
        sentence = f"All predictions on {rows} are {kind}: too few rows for an interval."
    yield "good" if 0 < width <= _MOST_WIDTH else "bad", sentence


def _about_seeds(run: Run) -> tuple[str, str]:
    """Say how much the seed of training changes, where runs show it."""
    if "seed" not in run.settings:
        return "good", (
            f"{_SAMPLING.capitalize()}. Training has no randomness, but other training rows "
            "(another --split-seed) would also change the metrics."
        )
    name, path = headline(run)
    others = [sibling.metrics for sibling in run.siblings if sibling.differs_by_seed]
    values = [value_at(metrics.get("test"), path) for metrics in (run.metrics, *others)]
    defined = [value for value in values if value is not None]
    if len(defined) < 2:
        return "bad", (
            f"{_SAMPLING.capitalize()}: training again with another seed would also change the "
            f"metrics (try --seed {run.settings['seed'] + 1})."
        )
    points = 100 * float(np.std(defined, ddof=1))
    return "good", (
        f"{_SAMPLING.capitalize()}; {len(defined)} runs that differ only by seed have a standard "
        f"deviation of {points:.1f} points of {name}."
    )


def _about_copies(run: Run) -> Iterator[tuple[str, str]]:
    """Yield how many test texts training has seen, and what the metrics are without them."""
    leaks = run.metrics["leaks"]
    if leaks["exact"]:
        yield (
            "bad",
            f"Test rows whose clean text is also in training: {leaks['exact']:,}"
            f"{_without(run, 'without_exact')}.",
        )
    else:
        yield "good", "No test row has the clean text of a training row."
    if leaks["near"]:
        yield (
            "bad" if changed_by_copies(run) else "good",
            f"Test rows whose text is nearly that of a training row: {leaks['near']:,}"
            f"{_without(run, WITHOUT_COPIES[1])}.",
        )


def _without(run: Run, name: str) -> str:
    """Say what the headline metrics are without the test rows that training has seen."""
    test, without = run.metrics["test"], run.metrics["leaks"][name]
    changes = []
    for label, path in headlines(run).items():
        before, after = value_at(test, path), value_at(without, path)
        if before is not None and after is not None and label != "macro F1":
            changes.append(f"{label} is {after:.3f}, not {before:.3f}")
    return f"; without them {' and '.join(changes)}" if changes else ""


def _about_calibration(run: Run) -> tuple[str, str]:
    """Compare the calibration error with that of a calibrated model by chance."""
    found = run.metrics["calibration"]
    calibrated, raw = found["calibrated"], found["raw"]
    error, upper = calibrated["expected_calibration_error"], calibrated["by_chance"]["upper"]
    start = f"Probabilities are off by {error:.3f} on average"
    if found["temperature"] != 1 and error <= raw["expected_calibration_error"]:
        before = raw["expected_calibration_error"]
        start += f" (by {before:.3f} before the temperature, which was fitted on validation rows)"
    if error <= upper:
        return "good", (
            f"{start}. This is no miscalibration beyond chance: on these rows a perfectly "
            f"calibrated model would be off by up to {upper:.3f}."
        )
    return "bad", (
        f"{start}, where a perfectly calibrated model would be off by up to {upper:.3f}: use them "
        "to rank texts, not as probabilities."
    )
