"""What the figures say: the verdict, how far to trust it, and what to change next."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.report.sources import Run

_OVERFIT = 0.1  # accuracy on training rows above that on test rows
_WEAK_RECALL = 0.5
_CALIBRATED = 0.05
_FEW = 0.05  # share of the test rows that may be nearly those of training rows


@dataclass(frozen=True)
class Verdict:
    """How a model compares with what it must beat.

    Attributes
    ----------
    baseline : str
        Key in ``metrics.json``'s ``baselines``.
    level : {"better", "mixed", "no better", "worse"}
    title : str
    """

    baseline: str
    level: str
    title: str


def verdict(run: Run) -> Verdict:
    """Compare with naive Bayes, or for naive Bayes itself with naming the largest class."""
    baselines = run.metrics["baselines"]
    name = "naive_bayes" if "naive_bayes" in baselines else "majority"
    called = "always naming the largest class" if name == "majority" else f"the baseline {name}"
    accuracy = _direction(baselines[name], "accuracy")
    f1 = _direction(baselines[name], "macro_f1")
    if accuracy < 0 or (accuracy == 0 and f1 < 0):
        return Verdict(name, "worse", f"{run.model} is worse than {called}.")
    if accuracy > 0 and f1 >= 0:
        return Verdict(name, "better", f"{run.model} beats {called}.")
    if accuracy > 0:
        title = f"{run.model} is right more often than {called}, but less even over the classes."
        return Verdict(name, "mixed", title)
    if f1 > 0:
        title = f"{run.model} is right no more often than {called}, but more even over the classes."
        return Verdict(name, "mixed", title)
    return Verdict(name, "no better", f"{run.model} does not beat {called}.")


def _direction(compared: dict[str, Any], figure: str) -> int:
    """Return 1 or -1 where a difference is more than chance, else 0."""
    difference = compared["difference"][figure]
    value, interval = difference["value"], difference.get("interval")
    if interval:
        return (interval[0] > 0) - (interval[1] < 0)
    # Without bootstrap samples McNemar's test stands in for every figure.
    is_real = compared["mcnemar"]["p_value"] < 0.05
    return ((value > 0) - (value < 0)) if is_real else 0


def trust(run: Run) -> Iterator[tuple[str, str]]:
    """Yield what speaks for and against the figures: ``good`` or ``bad``, and a sentence."""
    test, leaks = run.metrics["test"], run.metrics["leaks"]
    bounds = test.get("intervals", {}).get("accuracy")
    if bounds:
        width = 100 * (bounds[1] - bounds[0])
        if width:
            sentence = f"fix the accuracy to within {width:.1f} points (95 % interval)."
        else:
            # Resampling rows that are all right, or all wrong, can show no spread.
            sentence = "are all right or all wrong: too few to tell how far new ones would be."
        yield "good" if 0 < width <= 10 else "bad", f"{test['rows']:,} test rows {sentence}"
    if leaks["exact"]:
        yield (
            "bad",
            f"Test rows that stand in training word for word: {leaks['exact']:,}"
            f"{_without(run, 'without_exact')}.",
        )
    else:
        yield "good", "No test text stands in training word for word."
    if leaks["near"]:
        yield (
            "bad" if leaks["near"] > _FEW * test["rows"] else "good",
            f"Test rows whose text is nearly that of a training row: {leaks['near']:,}"
            f"{_without(run, 'without_exact_and_near')}.",
        )
    error = run.metrics["calibration"]["calibrated"]["expected_calibration_error"]
    uncalibrated = run.metrics["calibration"]["temperature"] == 1
    if error <= _CALIBRATED:
        sentence = "probabilities can be taken at their word"
    else:
        sentence = "take probabilities as a ranking, not at their word"
    yield (
        "good" if error <= _CALIBRATED else "bad",
        f"{'Probabilities' if uncalibrated else 'Calibrated probabilities'} are off by {error:.3f} "
        f"on average: {sentence}.",
    )
    if run.profile["contradicting_texts"]:
        yield (
            "bad",
            f"Texts whose labels contradict each other: {run.profile['contradicting_texts']:,}. No "
            "model can be right about all of them.",
        )


def _without(run: Run, name: str) -> str:
    """Say what the figures are without the test rows that training has seen."""
    test, without = run.metrics["test"], run.metrics["leaks"][name]
    positive = run.metrics["positive_label"]
    if not without:
        return ""
    text = f"; without them accuracy is {without['accuracy']:.3f}, not {test['accuracy']:.3f}"
    if positive and without["by_class"][positive]["f1"] is not None:
        before, after = (figures["by_class"][positive]["f1"] for figures in (test, without))
        text += f", and the F1 of {positive} {after:.3f}, not {before:.3f}"
    return text


def next_steps(run: Run) -> Iterator[str]:
    """Yield what to change next, what helps most first."""
    test = run.metrics["test"]
    found = verdict(run)
    if found.baseline == "naive_bayes" and found.level in ("no better", "worse"):
        yield (
            f"Use naive_bayes, which is cheaper: on {test['rows']:,} test rows nothing better was "
            "shown, unless one of the following changes the picture."
        )
    if run.metrics["leaks"]["exact"] and _groups_are_split(run):
        yield "Split again with --group-duplicates near, so that no text is on two sides."
    yield from _about_training(run)
    weak_classes = [
        f"{name} ({row['recall']:.0%})"
        for name, row in test["by_class"].items()
        if row["recall"] is not None and row["recall"] < _WEAK_RECALL
    ]
    if weak_classes:
        weights = "try --class-weights balanced, or " if "class_weights" in _used(run) else ""
        yield (
            f"Fewer than half of the rows of {', '.join(weak_classes)} are found: {weights}"
            "collect more of them."
        )
    yield from _about_threshold(run)
    weak = _weakest_slice(run)
    if weak:
        yield (
            f"The model is weakest on texts with {weak['by']}: {weak['value']}; it gets "
            f"{weak['accuracy']:.1%} of those {weak['rows']:,} rows right, against "
            f"{test['accuracy']:.1%} of all. Read them, and collect more like them."
        )
    if run.profile["contradicting_texts"]:
        yield "Correct the contradicting labels listed under Data, or take those texts out."


def _about_training(run: Run) -> Iterator[str]:
    """Yield what the course of training suggests."""
    train = run.metrics.get("train")
    test = run.metrics["test"]
    settings = _used(run)
    if train and train["accuracy"] - test["accuracy"] > _OVERFIT:
        means = "more --dropout, fewer --units" if "dropout" in settings else "a larger --alpha"
        if not {"dropout", "alpha"} & settings.keys():
            means = "a simpler model"
        yield (
            f"It fits its training rows far better ({train['accuracy']:.3f}) than new ones "
            f"({test['accuracy']:.3f}): try {means}, or more rows."
        )
    epochs, best = run.training.get("epochs"), run.training.get("best_epoch")
    patience = settings.get("patience")
    if epochs and best == epochs and epochs == settings.get("epochs") and patience:
        yield f"The last of {epochs} epochs was the best: train longer with --epochs {2 * epochs}."


def _about_threshold(run: Run) -> Iterator[str]:
    """Yield what the chosen threshold gains."""
    chosen = run.metrics["threshold"]
    if not chosen.get("test"):
        return
    before, after = chosen["test_most_probable"], chosen["test"]
    if not chosen["reached"]:
        yield (
            f"No threshold reaches the floor of {chosen['floor']:g} on validation rows: lower "
            "--threshold-floor or choose another --threshold-goal."
        )
    elif chosen["goal"] == "f1" and after["f1"] - before["f1"] > 0.01:
        yield (
            f"Name {chosen['positive_label']!r} from a calibrated probability of "
            f"{chosen['threshold']:.3f} on: its F1 is then {after['f1']:.3f} instead of "
            f"{before['f1']:.3f}, at an accuracy of {after['accuracy']:.3f} instead of "
            f"{before['accuracy']:.3f}."
        )


def _weakest_slice(run: Run) -> dict[str, Any] | None:
    """Return the least accurate slice, where that is more than chance."""
    accuracy = run.metrics["test"]["accuracy"]
    for entry in run.metrics["slices"]:
        interval = entry.get("accuracy_interval")
        if interval and interval[1] < accuracy:
            return entry
    return None


def _groups_are_split(run: Run) -> bool:
    """Say whether rows of equal texts were free to fall on two sides."""
    return run.bundle["steps"]["Vectorize"]["group_duplicates"] == "none"


def _used(run: Run) -> dict[str, Any]:
    """Return the hyper-parameters that the model was trained with."""
    return run.bundle["steps"]["TrainModel"]
