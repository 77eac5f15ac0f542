"""What a run prints when it ends: its metrics, the verdict, where the result is, and what next."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.report.headline import headlines, leading
from pipeline.report.verdict import verdict
from pipeline.store.run import FinishedRun, interval, metric_at


def of_report(report: Path, link: Path, positive_named: bool, options: str = "") -> str:
    """Return the last lines of a run with a report.

    Parameters
    ----------
    report : Path
        Folder of the report.
    link : Path
        The link to the newest report of the model, which another run can have replaced.
    positive_named : bool
        Whether the user chose the positive class.
    options : str
        Options that the next commands need to find the outputs.
    """
    run = FinishedRun(report)
    is_latest = link.resolve() == report.resolve()
    judged = verdict(run)
    second = leading(run, positive_named)[0] if positive_named else "macro F1"
    run_name = f"{run.dataset}/{run.model}" if is_latest else str(report)
    lines = [
        *_metrics(run, judged.baseline, ("accuracy", second)),
        judged.title,
        f"Report: {(link if is_latest else report) / 'report.html'}",
        *_next(
            f"pipeline show {shlex.quote(run_name)}{options}",
            f"pipeline ls --dataset {shlex.quote(run.dataset)}{options}",
        ),
    ]
    return "\n".join(lines)


def of_validation(folder: Path, options: str = "") -> str:
    """Return the last lines of a run without test: the metrics of the validation rows."""
    run = FinishedRun(folder)
    metrics = _validation(run)
    values = {"accuracy": ("accuracy",), "macro F1": ("macro", "f1")}
    lines = [
        f"{metrics['rows']:,} validation rows",
        *(f"  {name:<8}  {_number(metric_at(metrics, path))}" for name, path in values.items()),
        "The test rows were not read; the command without --no-test scores them.",
        f"Validation metrics: {folder / 'validation.json'}",
        *_next(f"pipeline show {shlex.quote(str(folder))}{options}"),
    ]
    return "\n".join(lines)


def leading_metric(evaluated: Path, positive_named: bool) -> str:
    """Return the metric that ranks runs, on test rows, with its interval."""
    run = FinishedRun(evaluated)
    title, path = leading(run, positive_named)
    return f"{_plain(title)} {_value(run.metrics['test'], path)}"


def validation_metric(folder: Path) -> str:
    """Return the accuracy on validation rows."""
    metrics = _validation(FinishedRun(folder))
    return f"validation accuracy {_number(metric_at(metrics, ('accuracy',)))}"


def _metrics(run: FinishedRun, baseline: str, titles: tuple[str, ...]) -> list[str]:
    """Return a line about the test rows, and one for each metric of the model and a baseline."""
    test, compared = run.metrics["test"], run.metrics["baselines"][baseline]
    width = max(len(_plain(title)) for title in titles)
    intervals = ", with 95 % intervals" if interval(test, ("accuracy",)) else ""
    lines = [f"{test['rows']:,} test rows{intervals}"]
    for title in titles:
        path = headlines(run)[title]
        value, other = _value(test, path), _number(metric_at(compared, path))
        lines.append(f"  {_plain(title):<{width}}  {value}; baseline {baseline} {other}")
    return lines


def _validation(run: FinishedRun) -> Mapping[str, Any]:
    metrics: Mapping[str, Any] = run.artifact.summary("validation.json")["validation"]
    return metrics


def _next(*commands: str) -> list[str]:
    """Return the lines that propose commands."""
    return [f"{'Next:' if not number else '':<5} {line}" for number, line in enumerate(commands)]


def _value(metrics: Mapping[str, Any], path: tuple[str, ...]) -> str:
    """Format a metric with its interval, if it has one."""
    ends = interval(metrics, path)
    low_to_high = f" ({_number(ends[0])} to {_number(ends[1])})" if ends else ""
    return f"{_number(metric_at(metrics, path))}{low_to_high}"


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


def _plain(text: str) -> str:
    """Return a name in one line, without characters that control a terminal."""
    return "".join(character if character.isprintable() else "�" for character in text)
