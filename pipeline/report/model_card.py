"""The model card, after Mitchell et al. 2019, "Model Cards for Model Reporting"."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from pipeline.report.sources import Run
from pipeline.report.suggestion import Suggestion
from pipeline.report.trust import chosen_on, trust
from pipeline.report.verdict import verdict

Section = tuple[str, list[str]]


def card(run: Run, steps: Sequence[Suggestion] = ()) -> list[Section]:
    """Write the card's sections.

    Parameters
    ----------
    run : Run
    steps : sequence of Suggestion
        What to change next.

    Returns
    -------
    list of (str, list of str)
        Headings and their paragraphs, plain text.
    """
    return [
        ("Model details", list(_details(run))),
        ("Intended use", list(_use(run))),
        ("Factors", list(_factors(run))),
        ("Metrics", list(_metrics(run))),
        ("Training and evaluation data", list(_data(run))),
        ("Quantitative analyses", list(_analyses(run))),
        ("Ethical considerations", list(_ethics(run))),
        (
            "Caveats and recommendations",
            [sentence for _, sentence in trust(run)] + [f"Next: {step}" for step in steps],
        ),
    ]


def markdown(run: Run, sections: list[Section]) -> str:
    """Write the card as Markdown; what could be markup in names and texts is escaped."""
    lines = [f"# Model card: {_plain(run.model)} on {_plain(run.dataset)}", ""]
    for heading, paragraphs in sections:
        lines += [f"## {heading}", ""]
        lines += [f"- {_plain(paragraph)}" for paragraph in paragraphs]
        lines.append("")
    lines += ["Made again by:", "", *(f"    {line}" for line in run.command.splitlines()), ""]
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Escape what Markdown or HTML would take for markup."""
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", " ".join(text.split()))


def _details(run: Run) -> Iterator[str]:
    """Say what the model is."""
    yield f"{run.model}, reading {run.bundle['representation']}."
    if run.training.get("parameters"):
        yield f"{run.training['parameters']:,} parameters."
    settings = ", ".join(
        f"{name} {value}" for name, value in run.bundle["steps"]["TrainModel"].items()
    )
    yield f"Trained with {settings}."
    yield f"Trained on {run.manifests['TrainModel']['finished']}."


def _use(run: Run) -> Iterator[str]:
    """Say what it is for, and what not."""
    classes = ", ".join(repr(name) for name in run.class_names)
    title = run.source["title"] or run.dataset
    yield f"To sort short texts like those of {title} into the classes {classes}, many at a time."
    yield (
        "Not for texts of another language, place or time without a new evaluation, and not for "
        "decisions about single people that nobody looks at."
    )


def _factors(run: Run) -> Iterator[str]:
    """Say along what lines the model was looked at."""
    kinds = list(dict.fromkeys(one["by"] for one in run.metrics["slices"]))
    yield f"Scored apart by {', '.join(kinds)}." if kinds else "Not scored apart by any factor."
    yield "What the authors' age, gender, dialect or place does to the figures is not known."


def _metrics(run: Run) -> Iterator[str]:
    """Say how it was measured."""
    samples = run.metrics["bootstrap"]["samples"]
    yield (
        "Accuracy, balanced accuracy, precision, recall, specificity, F1, Matthews correlation, "
        "Cohen's kappa, log loss, Brier score, areas under ROC and precision-recall curves."
    )
    if samples:
        yield (
            f"Intervals are 95 % percentile intervals of {samples:,} bootstrap samples, which "
            "draw rows with the same text together. They cover the sampling of test rows only."
        )
    decision = run.decision
    if decision["threshold"] is not None and not decision["not_chosen_because"]:
        yield (
            f"{decision['positive_label']!r} has a threshold of {decision['threshold']:.3f} on "
            f"the calibrated probability (temperature {decision['temperature']:.3f}), chosen on "
            f"validation rows for {decision['goal']}."
        )


def _data(run: Run) -> Iterator[str]:
    """Say what it was trained and scored on."""
    rows = run.balance["rows"]
    yield (
        f"{run.source['title'] or run.dataset}: {rows['train']:,} rows for training, "
        f"{rows['validation']:,} for validation, {rows['test']:,} for testing. {chosen_on(run)}"
    )
    yield f"{run.profile['set_aside']:,} of {run.profile['records']:,} records were set aside."
    if run.source["citation"]:
        yield f"Citation: {run.source['citation']}"
    yield f"Licence: {run.source['licence'] or 'not stated'}."


def _analyses(run: Run) -> Iterator[str]:
    """Give the main figures."""
    test = run.metrics["test"]
    yield verdict(run).title
    for name in ("accuracy", "balanced_accuracy", "matthews", "roc_auc", "log_loss"):
        yield f"{name.replace('_', ' ')}: {_with_interval(test, name)}."
    for name, row in test["by_class"].items():
        figures = ", ".join(
            f"{figure} {row[figure]:.3f}"
            for figure in ("precision", "recall", "f1")
            if row[figure] is not None
        )
        yield f"{name} ({row['rows']:,} rows): {figures}."
    for name, entry in run.metrics["baselines"].items():
        yield f"{name} on the same rows: accuracy {_with_interval(entry, 'accuracy')}."


def _with_interval(figures: dict[str, Any], name: str) -> str:
    """Write a figure and its interval."""
    value = figures[name]
    if value is None:
        return "not defined"
    bounds = figures.get("intervals", {}).get(name)
    return f"{value:.3f}" + (f" ({bounds[0]:.3f} to {bounds[1]:.3f})" if bounds else "")


def _ethics(run: Run) -> Iterator[str]:
    """Say what people should have in mind."""
    yield (
        "Texts were written by people who did not ask to be training data; labels are the "
        "judgement of raters. Errors fall on people: read the most wrong rows before use."
    )
    if run.profile["with_mention"]:
        yield "Raw texts name accounts; the artifacts hold them and are not to be passed on."
