"""The verdict: how a model compares with the baseline that it must beat."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.report.sources import Run

MAJORITY = "majority"
_PATHS = {"macro_f1": ["macro", "f1"]}
_LABELS = {"accuracy": "accuracy", "macro_f1": "macro F1", "f1": "F1"}
_NUMBERS = {2: "two", 3: "three", 4: "four"}


@dataclass(frozen=True)
class Verdict:
    """How a model compares with a baseline; level and p-value are those of Evaluate.

    Attributes
    ----------
    baseline : str
        Key in ``metrics.json``'s ``baselines``.
    level : {"better", "mixed", "no better", "worse"}
    title : str
    metric : str
        Name of the metric that decided.
    key : str
        Its key in ``metrics.json``'s differences.
    path : list of str
        Its path in the metrics of some rows.
    p_value : float or None
        Of the test that gave the level; None where it is not defined.
    chosen_by : str
        Why this baseline, as words after its name; empty where there is one alone.
    """

    baseline: str
    level: str
    title: str
    metric: str
    key: str
    path: list[str]
    p_value: float | None
    chosen_by: str


def verdict(run: Run) -> Verdict:
    """Word the verdict of ``metrics.json``."""
    found: dict[str, Any] = run.metrics["verdict"]
    name, level = found["baseline"], found["level"]
    key = str(found["metric"])
    metric, path = _LABELS.get(key, key.replace("_", " ")), _PATHS.get(key, [key])
    why = _why(name, run.metrics["baselines"], found.get("chosen_by", {}))
    title = _title(run, name, level, metric)
    return Verdict(name, level, title, metric, key, path, found["p_value"], why)


def _title(run: Run, name: str, level: str, metric: str) -> str:
    """Return the verdict in one sentence."""
    against = "always predicting the largest class" if name == MAJORITY else f"the baseline {name}"
    if level == "worse":
        return f"{run.model} is worse than {against}."
    if level == "better":
        return f"{run.model} beats {against}."
    if level == "mixed":
        lower = [
            _LABELS[key]
            for key in ("accuracy", "macro_f1")
            if _LABELS[key] != metric
            and (run.metrics["baselines"][name]["difference"][key]["value"] or 0) < 0
        ]
        but = f"but a lower {lower[0]}" if lower else "and no other difference beyond chance"
        return f"{run.model} has a higher {metric} than {against}, {but}."
    return f"{run.model} does not beat {against}."


def _why(name: str, baselines: Collection[str], chosen_by: Mapping[str, Any]) -> str:
    """Say why this baseline was chosen among several."""
    others = [key for key in baselines if key != MAJORITY]
    if len(others) < 2:
        return ""
    if chosen_by.get("part") is None:
        return "the first of the baselines, as no validation rows can choose one"
    degree = "stronger" if len(others) == 2 else "strongest"
    by = _LABELS.get(str(chosen_by.get("metric")))
    return (
        f"the {degree} of {_NUMBERS.get(len(others), len(others))} baselines"
        f"{f' by {by}' if by else ''} on validation rows"
    )
