"""Whether a night's model takes the champion's place: a pure function of predictions."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isnan
from typing import Any

import numpy as np

from pipeline.errors import PipelineError
from pipeline.evaluation import bootstrap
from pipeline.evaluation.metrics import number
from pipeline.nightly import rules as held_to
from pipeline.nightly import spending
from pipeline.nightly.night import METRICS
from pipeline.nightly.rules import Limits, Predictions, Rule, Scored

__all__ = ["METRICS", "Limits", "Predictions", "Promotion", "Rule", "apply_rules", "decide"]


@dataclass(frozen=True)
class Promotion:
    """The decision, with everything it was made from.

    Attributes
    ----------
    promoted : bool
    reason : str
        One sentence.
    rules : sequence of Rule
    figures : dict
        ``metric``, ``lower_is_better``, ``rows``, ``samples``, ``seed``; ``values`` and
        ``intervals``: the metric of each model there is; ``challenger``, ``champion`` and
        ``baseline`` (layout of `pipeline.evaluation.metrics.evaluate` with intervals and
        ``expected_calibration_error``; None where there is none), ``difference`` (``value`` and
        ``interval`` of challenger minus champion, ``p_value``); ``confidence``, and with a champion
        ``comparison_number`` (1 for the first on these holdout rows) and ``level``.
    """

    promoted: bool
    reason: str
    rules: Sequence[Rule]
    figures: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Return what ``night.json`` holds under ``decision``."""
        return asdict(self)


def decide(
    labels: np.ndarray,
    challenger: Predictions,
    champion: Predictions | None,
    baseline: Predictions | None,
    class_names: Sequence[str],
    limits: Limits,
    seed: int,
    groups: np.ndarray | None = None,
    comparison: int = 1,
) -> Promotion:
    """Compare tonight's model with the champion on the holdout rows.

    Parameters
    ----------
    labels : ndarray of int, shape (n_rows,)
        True classes of the holdout rows, indices of ``class_names``.
    challenger : Predictions
    champion : Predictions or None
        Of the same rows in the same order; None where there is no champion yet: then beating the
        baseline is enough.
    baseline : Predictions or None
        None where the challenger is the baseline itself.
    class_names : sequence of str
    limits : Limits
    seed : int
        Of the bootstrap.
    groups : ndarray of int, shape (n_rows,), optional
        Duplicate group of each row; every row is its own group when left out.
    comparison : int
        How often these holdout rows were compared on, this time included.

    Returns
    -------
    Promotion

    Raises
    ------
    PipelineError
        If there is no row, the shapes differ, or the rows do not define the metric.
    """
    given = {"challenger": challenger, "champion": champion, "baseline": baseline}
    known = {name: found for name, found in given.items() if found is not None}
    _check(labels, known, class_names)
    scored = {
        name: Scored(labels, predictions, groups, limits, seed)
        for name, predictions in known.items()
    }
    for name, one in scored.items():
        if isnan(one.value):
            raise PipelineError(
                f"the frozen rows do not define the {limits.metric} of the {name}, for want of "
                f"rows of every class ({', '.join(class_names)}); add frozen rows or choose "
                "another metric."
            )
    mine, other = scored["challenger"], scored.get("champion")
    rules = apply_rules(scored, class_names, limits, comparison)
    figures = {
        "metric": limits.metric,
        "lower_is_better": METRICS[limits.metric],
        "rows": len(labels),
        "samples": limits.samples,
        "seed": seed,
        "confidence": limits.confidence,
        "comparison_number": comparison if other else None,
        "level": number(spending.level(limits.confidence, comparison)) if other else None,
        "values": {name: number(one.value) for name, one in scored.items()},
        "intervals": {name: number(bootstrap.interval(one.values)) for name, one in scored.items()},
        **{name: scored[name].as_json(class_names) if name in scored else None for name in given},
        "difference": _difference(mine, other, limits),
    }
    promoted = all(rule.passed for rule in rules)
    return Promotion(promoted, _reason(rules, promoted, other is None), rules, figures)


def apply_rules(
    scored: Mapping[str, Scored], class_names: Sequence[str], limits: Limits, comparison: int
) -> list[Rule]:
    """Hold the challenger to each rule; those about a champion only where there is one.

    Parameters
    ----------
    scored : mapping of str to Scored
        ``challenger``, and ``champion`` and ``baseline`` where there are any.
    class_names : sequence of str
    limits : Limits
    comparison : int
        See `decide`.
    """
    mine, other = scored["challenger"], scored.get("champion")
    rules = [held_to.baseline(mine, scored.get("baseline"), limits)]
    if other is not None:
        rules += [
            held_to.margin(mine, other, limits),
            held_to.significance(
                mine, other, limits, spending.level(limits.confidence, comparison)
            ),
            held_to.recall(mine, other, class_names, limits),
            held_to.calibration(mine, other, limits),
        ]
    return rules


def _check(
    labels: np.ndarray, known: Mapping[str, Predictions], class_names: Sequence[str]
) -> None:
    """Raise unless everything is about the same rows and classes."""
    if not len(labels):
        raise PipelineError(
            "there is no frozen row to decide on; freeze some with pipeline freeze."
        )
    wanted = (len(labels), len(class_names))
    for name, predictions in known.items():
        probabilities = predictions.probabilities
        if probabilities.shape != wanted:
            raise PipelineError(
                f"the {name}'s predictions must be of {wanted[0]} frozen rows and {wanted[1]} "
                f"classes, got {' x '.join(map(str, probabilities.shape))}; has the dataset other "
                "classes than it had?"
            )


def _difference(mine: Scored, other: Scored | None, limits: Limits) -> dict[str, Any] | None:
    """Return challenger minus champion with its paired interval."""
    if other is None:
        return None
    return {
        "value": number(mine.value - other.value),
        "interval": number(bootstrap.interval(mine.values - other.values)),
        "p_value": number(held_to.p_value(mine, other, limits)),
    }


def _reason(rules: Sequence[Rule], promoted: bool, is_first: bool) -> str:
    """Say in one sentence what decided."""
    if not promoted:
        return "; ".join(rule.sentence for rule in rules if not rule.passed)
    if is_first:
        return f"first champion: {rules[0].sentence}"
    wanted = {"margin", "significance"}
    return "; ".join(rule.sentence for rule in rules if rule.name in wanted)
