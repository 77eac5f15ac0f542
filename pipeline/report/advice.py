"""What to change next: each piece of advice has a reason, and is given only where it can help."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.report.headline import changed_by_copies, headline, value_at
from pipeline.report.other_runs import about_baseline, about_best, best_other, better_linear
from pipeline.report.siblings import Sibling
from pipeline.report.sources import Run
from pipeline.report.suggestion import Suggestion, with_option

OVERFIT = 0.1  # accuracy on training rows above that on test rows
_WEAK_RECALL = 0.5
_RARE = 0.2  # share of the test rows that a slice to collect more of holds at most
_LEVEL = 0.05
_MOST_DROPOUT = 0.8
_UNSEEN = ("unseen words", "more than a fifth")


def next_steps(run: Run, warnings: Sequence[Suggestion] = ()) -> Iterator[Suggestion]:
    """Yield what to change next: first the warnings, then what helps most."""
    yield from warnings
    best, linear = best_other(run), better_linear(run) if _overfits(run) else None
    if best and best is not linear:
        yield about_best(run, best)
    yield from about_baseline(run, [best, linear])
    yield from _about_training(run, linear)
    yield from _about_copies(run)
    yield from _about_weak_classes(run)
    yield from _about_threshold(run)
    yield from _about_slices(run)
    if run.profile["contradicting_texts"]:
        yield Suggestion(
            "Some texts have contradicting labels, which no model can all predict: correct those "
            "listed under Data, or remove the rows."
        )


def _about_copies(run: Run) -> Iterator[Suggestion]:
    """Yield how to keep copies of a text on one side; a test part of the dataset's own stays."""
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
        f"{reason}: split again so that copies stay on one side.",
        with_option(run.command, "group_duplicates", "near"),
    )


def _about_training(run: Run, linear: Sibling | None) -> Iterator[Suggestion]:
    """Yield what the course of training suggests."""
    if _overfits(run):
        yield from _about_overfitting(run, linear)
    epochs, last = run.training.get("epochs"), run.settings.get("epochs")
    if epochs and run.training.get("best_epoch") == epochs == last and run.settings.get("patience"):
        yield Suggestion(
            f"The last of {epochs} epochs was the best on validation rows: train longer.",
            with_option(run.command, "epochs", 2 * epochs),
        )


def _overfits(run: Run) -> bool:
    """Return whether training rows are predicted far better than test rows."""
    train, test = run.metrics.get("train"), run.metrics["test"]
    return train is not None and train["accuracy"] - test["accuracy"] > OVERFIT


def _about_overfitting(run: Run, linear: Sibling | None) -> Iterator[Suggestion]:
    """Yield a linear model that is better, or what may narrow the gap to the training rows."""
    train, test = run.metrics["train"], run.metrics["test"]
    start = (
        f"The accuracy is {train['accuracy']:.3f} on {train['rows']:,} training rows and "
        f"{test['accuracy']:.3f} on test rows, so the model over-fits"
    )
    change = _against_overfitting(run.settings)
    if linear:
        name, path = headline(run)
        theirs, mine = (
            value_at(metrics["validation"], path) for metrics in (linear.metrics, run.metrics)
        )
        yield Suggestion(
            f"{start}. {linear.model}, a linear model, has {name} {theirs:.3f} on validation rows "
            f"and this run {mine:.3f}: prefer it to the network.",
            run.command_of(linear.settings),
        )
    elif change:
        words, option, value = change
        yield Suggestion(
            f"{start}: try {words}, and compare the metrics on validation rows.",
            with_option(run.command, option, value),
        )


def _against_overfitting(settings: Mapping[str, Any]) -> tuple[str, str, Any] | None:
    """Return the change that the model's hyper-parameters allow: words, option, value."""
    dropout = settings.get("dropout")
    if dropout is not None and dropout < _MOST_DROPOUT:
        return "more dropout", "dropout", round(min(dropout + 0.2, _MOST_DROPOUT), 3)
    if "cost" in settings:
        return "a stronger penalty", "cost", settings["cost"] / 4
    if "alpha" in settings:
        return "more smoothing", "alpha", settings["alpha"] * 4
    if settings.get("units"):
        units = [max(width // 2, 1) for width in settings["units"]]
        return "narrower layers", "units", str(units)
    return None


def _about_weak_classes(run: Run) -> Iterator[Suggestion]:
    """Yield the classes of which the model finds fewer than half of the rows, beyond chance."""
    test = run.metrics["test"]
    bounds = test.get("intervals", {}).get("by_class", {})
    weak = {}
    for name, row in test["by_class"].items():
        interval = bounds.get(name, {}).get("recall")
        # The interval's upper end, where there is one, is what the recall may be by chance.
        highest = interval[1] if interval else row["recall"]
        if row["recall"] is not None and highest < _WEAK_RECALL:
            weak[name] = row["recall"]
    if not weak:
        return
    listed = ", ".join(f"{name} ({recall:.0%})" for name, recall in weak.items())
    start = f"The model finds fewer than half of the test rows of {listed}"
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
    """Yield what to do where no threshold reaches the floor."""
    chosen = run.metrics["threshold"]
    if chosen["threshold"] is not None and not chosen["reached"]:
        what = chosen["goal"].rsplit("_", 1)[-1]
        yield Suggestion(
            f"No threshold reaches a {what} of {chosen['floor']:g} on validation rows: lower the "
            "floor, or choose another goal.",
            with_option(run.command, "threshold_goal", "f1"),
        )


def _about_slices(run: Run) -> Iterator[Suggestion]:
    """Yield rare kinds of texts on which the model is worse than on the others, beyond chance."""
    test = run.metrics["test"]
    entries = run.metrics["slices"]
    for entry in entries:
        # Several slices are looked at: the level is divided among them (Bonferroni).
        is_rare = entry["rows"] <= _RARE * test["rows"]
        if not is_rare or _chance(_others(entry, test), entry) * len(entries) >= _LEVEL:
            continue
        if (entry["by"], entry["value"]) == _UNSEEN:
            kind = "texts in which more than a fifth of the words are in no training row"
        elif entry["value"] in ("with", "without"):
            kind = f"texts {entry['value']} {entry['by']}"
        else:
            kind = f"texts with {entry['by']} {entry['value']}"
        yield Suggestion(
            f"The model predicts {entry['accuracy']:.1%} of {kind} correctly, and "
            f"{_others(entry, test)['accuracy']:.1%} of the others. Such texts are rare "
            f"({entry['rows']:,} of {test['rows']:,} test rows): collect more for training."
        )
        return


def _chance(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """Return the one-sided p-value that one accuracy is not above another, of separate rows.

    The two-proportion z-test with pooled variance. For two models on the same rows, see
    `pipeline.report.other_runs`.

    Parameters
    ----------
    one, other : mapping
        ``rows`` and ``accuracy``.
    """
    rows, others = one["rows"], other["rows"]
    pooled = (one["accuracy"] * rows + other["accuracy"] * others) / (rows + others)
    deviation = math.sqrt(pooled * (1 - pooled) * (1 / rows + 1 / others))
    if not deviation:
        return 1.0
    return 0.5 * math.erfc((one["accuracy"] - other["accuracy"]) / deviation / math.sqrt(2))


def _others(entry: Mapping[str, Any], test: Mapping[str, Any]) -> dict[str, Any]:
    """Return rows and accuracy of the test rows that are not in a slice."""
    rows = test["rows"] - entry["rows"]
    right = test["accuracy"] * test["rows"] - entry["accuracy"] * entry["rows"]
    return {"rows": rows, "accuracy": right / rows}
