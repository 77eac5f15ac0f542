"""The verdict of the report: how the model compares with the baseline that it must beat.

`pipeline.evaluation` chooses the baseline and tests the difference; this module writes the text.
"""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from pipeline.store.run import FinishedRun

_MAJORITY = "majority"
_PATHS = {"macro_f1": ["macro", "f1"]}
_NAMES = {"accuracy": "accuracy", "macro_f1": "macro F1"}
_NUMBERS = {2: "two", 3: "three", 4: "four"}


class Verdict(NamedTuple):
    """How the model compares with a baseline."""

    baseline: str  # key in ``baselines`` of metrics.json
    level: str  # better, mixed, no better or worse
    title: str  # the verdict in one sentence
    metric: str  # name of the metric that decided
    key: str  # its key in ``difference`` of the baseline
    path: list[str]  # its keys in the metrics of one part
    p_value: float | None  # of the test that gave the level, if it is defined
    chosen_by: str  # why this baseline was chosen; empty if there is only one


def verdict(run: FinishedRun) -> Verdict:
    """Return the verdict in ``metrics.json`` with its texts."""
    entry: dict[str, Any] = run.metrics["verdict"]
    name, level, key = entry["baseline"], entry["level"], entry["metric"]
    reason = _reason(run.metrics["baselines"], entry.get("chosen_by", {}))
    title, path = _title(run, name, level, key), _PATHS.get(key, [key])
    return Verdict(name, level, title, _NAMES[key], key, path, entry["p_value"], reason)


def _title(run: FinishedRun, name: str, level: str, metric: str) -> str:
    """Return the verdict in one sentence."""
    against = (
        "a model that always predicts the largest class"
        if name == _MAJORITY
        else f"the baseline {name}"
    )
    if level == "mixed":
        differences = run.metrics["baselines"][name]["difference"]
        lower = [
            _NAMES[key]
            for key in ("accuracy", "macro_f1")
            if key != metric and (differences[key]["value"] or 0) < 0
        ]
        end = f"but a lower {lower[0]}" if lower else "and no other difference beyond chance"
        return f"{run.model} has a higher {_NAMES[metric]} than {against}, {end}."
    verb = {"better": "beats", "worse": "is worse than"}.get(level, "does not beat")
    return f"{run.model} {verb} {against}."


def _reason(baselines: Collection[str], chosen_by: Mapping[str, Any]) -> str:
    """Return why this baseline was chosen among several, empty if there is only one."""
    number = len(baselines) - (_MAJORITY in baselines)
    if number < 2:
        return ""
    if chosen_by.get("part") is None:
        return "the first of the baselines, without validation rows to choose one"
    degree = "stronger" if number == 2 else "strongest"
    by = f" by {_NAMES[chosen_by['metric']]}" if chosen_by.get("metric") else ""
    return f"the {degree} of {_NUMBERS.get(number, number)} baselines{by} on validation rows"
