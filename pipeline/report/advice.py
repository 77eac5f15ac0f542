"""What to change next: each suggestion has a reason, and is made only if it can help."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.evaluation.paired import SIGNIFICANT
from pipeline.report.headline import changed_by_copies, headline
from pipeline.report.other_runs import (
    best_other,
    better_linear,
    suggest_baseline,
    suggest_best,
    validation_metric,
)
from pipeline.report.sources import OtherRun, Run
from pipeline.report.suggestion import Suggestion, with_option

OVERFIT = 0.1  # accuracy of training rows minus accuracy of validation rows
_WEAK_RECALL = 0.5
_RARE = 0.2  # largest share of the test rows of a slice for which more rows are suggested
_LARGEST_DROPOUT = 0.8
_UNSEEN = ("unseen words", "more than a fifth")


def next_steps(run: Run, warnings: Sequence[Suggestion] = ()) -> Iterator[Suggestion]:
    """Yield what to change next: first the warnings, then what helps most."""
    yield from warnings
    best = best_other(run)
    linear = better_linear(run) if _overfits(run) else None
    if best and best is not linear:
        yield suggest_best(run, best)
    yield from suggest_baseline(run, [best, linear])
    yield from _about_training(run, linear)
    yield from _about_copies(run)
    yield from _about_weak_classes(run)
    yield from _about_threshold(run)
    yield from _about_slices(run)
    if run.profile["contradicting_texts"]:
        yield Suggestion(
            "Some texts have contradicting labels, and no model can predict all of them: correct "
            "the labels that the section Data lists, or remove the rows."
        )


def _about_copies(run: Run) -> Iterator[Suggestion]:
    """Suggest a split by duplicate groups; the official test part of a dataset is never split."""
    grouped = run.bundle["steps"]["Vectorize"]["group_duplicates"]
    if "test" in run.profile["partitions"] or grouped == "near":
        return
    if grouped == "none" and run.metrics["leaks"]["exact"]:
        reason = "Some test rows repeat training rows, which makes the metrics too good"
    elif changed_by_copies(run):
        reason = "Near copies of training texts change the metrics by more than half a point"
    else:
        return
    yield Suggestion(
        f"{reason}: split again so that all copies of a text are in the same part.",
        with_option(run.command, "group_duplicates", "near"),
    )


def _about_training(run: Run, linear: OtherRun | None) -> Iterator[Suggestion]:
    """Suggest what prevents over-fitting, or more epochs."""
    if _overfits(run):
        yield from _about_overfitting(run, linear)
    epochs, last = run.training.get("epochs"), run.settings.get("epochs")
    if epochs and run.training.get("best_epoch") == epochs == last and run.settings.get("patience"):
        yield Suggestion(
            f"The last of {epochs} epochs was the best on validation rows: train longer.",
            with_option(run.command, "epochs", 2 * epochs),
        )


def _overfits(run: Run) -> bool:
    """Return whether training rows are predicted far better than unseen validation rows."""
    train, validation = run.metrics.get("train"), run.metrics.get("validation")
    if not train or not validation or run.trained_on_validation:
        return False
    return train["accuracy"] - validation["accuracy"] > OVERFIT


def _about_overfitting(run: Run, linear: OtherRun | None) -> Iterator[Suggestion]:
    """Suggest a better linear model, or a setting that reduces over-fitting."""
    train, validation = run.metrics["train"], run.metrics["validation"]
    start = (
        f"The accuracy is {train['accuracy']:.3f} on {train['rows']:,} training rows and "
        f"{validation['accuracy']:.3f} on {validation['rows']:,} validation rows, so the model "
        "over-fits"
    )
    change = _against_overfitting(run.settings)
    if linear:
        name, keys = headline(run)
        yield Suggestion(
            f"{start}. {linear.model}, a linear model, has {name} "
            f"{validation_metric(linear, keys):.3f} on validation rows and this run "
            f"{validation_metric(run, keys):.3f}: prefer it to the network.",
            run.command_of(linear.settings),
        )
    elif change:
        text, option, value = change
        yield Suggestion(
            f"{start}: try {text}, and compare the metrics on validation rows.",
            with_option(run.command, option, value),
        )


def _against_overfitting(settings: Mapping[str, Any]) -> tuple[str, str, Any] | None:
    """Return text, option and value of the change that the hyper-parameters of a model allow."""
    dropout = settings.get("dropout")
    if dropout is not None and dropout < _LARGEST_DROPOUT:
        return "more dropout", "dropout", round(min(dropout + 0.2, _LARGEST_DROPOUT), 3)
    if "cost" in settings:
        return "a stronger penalty", "cost", settings["cost"] / 4
    if "alpha" in settings:
        return "more smoothing", "alpha", settings["alpha"] * 4
    if settings.get("units"):
        units = [max(width // 2, 1) for width in settings["units"]]
        return "narrower layers", "units", str(units)
    return None


def _about_weak_classes(run: Run) -> Iterator[Suggestion]:
    """Name the classes with a recall below one half, beyond chance."""
    test = run.metrics["test"]
    intervals = test.get("intervals", {}).get("by_class", {})
    weak = {}
    for name, row in test["by_class"].items():
        interval = intervals.get(name, {}).get("recall")
        # Where there is an interval, its upper end must be below one half.
        highest = interval[1] if interval else row["recall"]
        if row["recall"] is not None and highest < _WEAK_RECALL:
            weak[name] = row["recall"]
    if not weak:
        return
    classes = ", ".join(f"{name} ({recall:.0%})" for name, recall in weak.items())
    start = f"The model finds fewer than half of the test rows of {classes}"
    if run.settings.get("class_weights") == "none":
        yield Suggestion(
            f"{start}: give errors on rare classes more weight in training.",
            with_option(run.command, "class_weights", "balanced"),
        )
    elif len(run.class_names) == 2 and run.decision["threshold"] is None:
        yield Suggestion(
            f"{start}: let the pipeline choose a threshold for it on validation rows.",
            with_option(run.command, "positive_label", next(iter(weak))),
        )
    else:
        yield Suggestion(f"{start}: collect more rows of {'it' if len(weak) == 1 else 'them'}.")


def _about_threshold(run: Run) -> Iterator[Suggestion]:
    """Suggest another goal where no threshold reaches the floor."""
    chosen = run.metrics["threshold"]
    if chosen["threshold"] is not None and not chosen["reached"]:
        metric = chosen["goal"].rsplit("_", 1)[-1]
        yield Suggestion(
            f"No threshold has a {metric} of {chosen['floor']:g} on validation rows: lower the "
            "floor, or choose another goal.",
            with_option(run.command, "threshold_goal", "f1"),
        )


def _about_slices(run: Run) -> Iterator[Suggestion]:
    """Name the worst rare slice in which the model is worse than elsewhere, beyond chance."""
    test, slices = run.metrics["test"], run.metrics["slices"]
    for entry in slices:
        rows, n_rest = entry["rows"], test["rows"] - entry["rows"]
        if rows > _RARE * test["rows"]:
            continue
        accuracy = entry["accuracy"]
        rest = (test["accuracy"] * test["rows"] - accuracy * rows) / n_rest
        # Several slices are tested: each p-value is multiplied by their number (Bonferroni).
        p_value = _p_value_below(accuracy, rest, test["accuracy"], 1 / rows + 1 / n_rest)
        if p_value * len(slices) >= SIGNIFICANT:
            continue
        if (entry["by"], entry["value"]) == _UNSEEN:
            kind = "texts in which more than a fifth of the words are in no training row"
        elif entry["value"] in ("with", "without"):
            kind = f"texts {entry['value']} {entry['by']}"
        else:
            kind = f"texts with {entry['by']} {entry['value']}"
        yield Suggestion(
            f"The model predicts {accuracy:.1%} of {kind} correctly, and "
            f"{rest:.1%} of the other texts. Such texts are rare "
            f"({rows:,} of {test['rows']:,} test rows): collect more for training."
        )
        return


def _p_value_below(accuracy: float, other: float, pooled: float, inverse_rows: float) -> float:
    """Return the one-sided p-value of the two-proportion z-test with pooled variance."""
    deviation = math.sqrt(pooled * (1 - pooled) * inverse_rows)
    return 0.5 * math.erfc((other - accuracy) / deviation / math.sqrt(2)) if deviation else 1.0
