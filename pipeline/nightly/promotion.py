"""The decision of a night: whether its model, the challenger, replaces the champion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

import numpy as np

from pipeline.errors import NightError
from pipeline.evaluation import bootstrap
from pipeline.evaluation.metrics import number
from pipeline.nightly import rules, spending
from pipeline.nightly.night import METRICS
from pipeline.nightly.rules import Limits, Predictions, Rule, Scored


@dataclass(frozen=True)
class Promotion:
    """The key ``decision`` of ``night.json``; ``figures`` has all numbers, see `decide`."""

    promoted: bool
    reason: str
    rules: Sequence[Rule]
    figures: dict[str, Any]


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
    """Compare the challenger with the champion on the holdout rows.

    Without a champion the challenger is promoted if it beats the baseline, which is None if the
    challenger is the baseline itself. ``labels`` are indices of ``class_names``, ``groups`` the
    duplicate group of each row (by default its own), both of shape (n_rows,); ``comparison`` counts
    the comparisons on these rows, this one included. Intervals are those of the bootstrap; metrics
    of each model are those of `pipeline.evaluation.metrics.evaluate`.
    """
    models = {"challenger": challenger, "champion": champion, "baseline": baseline}
    predictions = {name: model for name, model in models.items() if model is not None}
    _check_shapes(labels, predictions, class_names)
    scored = {
        name: Scored(labels, model, groups, limits, seed) for name, model in predictions.items()
    }
    _check_metric(scored, class_names, limits)
    results = apply_rules(scored, class_names, limits, comparison)
    promoted = all(rule.passed for rule in results)
    figures: dict[str, Any] = {
        "metric": limits.metric,
        "lower_is_better": METRICS[limits.metric],
        "rows": len(labels),
        "samples": limits.samples,
        "seed": seed,
        "confidence": limits.confidence,
        "comparison_number": comparison if champion else None,
        "level": number(spending.level(limits.confidence, comparison)) if champion else None,
        "values": {name: number(model.value) for name, model in scored.items()},
        "intervals": {
            name: number(bootstrap.interval(model.values)) for name, model in scored.items()
        },
        **{name: scored[name].as_json(class_names) if name in scored else None for name in models},
        "difference": _difference(scored, limits) if champion else None,
    }
    return Promotion(promoted, _reason(results, promoted, champion is None), results, figures)


def apply_rules(
    scored: Mapping[str, Scored], class_names: Sequence[str], limits: Limits, comparison: int
) -> list[Rule]:
    """Return the result of each rule; without a champion, of the rule about the baseline only.

    ``scored`` has the ``challenger``, and ``champion`` and ``baseline`` if there are any.
    """
    challenger, champion = scored["challenger"], scored.get("champion")
    baseline = rules.baseline(challenger, scored.get("baseline"), limits)
    if champion is None:
        return [baseline]
    level = spending.level(limits.confidence, comparison)
    return [
        baseline,
        rules.margin(challenger, champion, limits),
        rules.significance(challenger, champion, limits, level),
        rules.recall(challenger, champion, class_names, limits),
        rules.calibration(challenger, champion, limits),
    ]


def _check_shapes(
    labels: np.ndarray, predictions: Mapping[str, Predictions], class_names: Sequence[str]
) -> None:
    """Raise unless all predictions are of the same rows and classes."""
    if not len(labels):
        raise NightError("there are no holdout rows to decide on; draw some with pipeline freeze.")
    shape = len(labels), len(class_names)
    for name, model in predictions.items():
        received = model.probabilities.shape
        if received != shape:
            raise NightError(
                f"the {name}'s predictions must be of {shape[0]} holdout rows and {shape[1]} "
                f"classes, got {' x '.join(map(str, received))}; check whether the classes of the "
                "dataset have changed."
            )


def _check_metric(scored: Mapping[str, Scored], class_names: Sequence[str], limits: Limits) -> None:
    """Raise unless the deciding metric of every model is defined."""
    for name, model in scored.items():
        if isnan(model.value):
            raise NightError(
                f"{limits.metric} of the {name} is not defined on the holdout rows, which need "
                f"rows of every class ({', '.join(class_names)}); add holdout rows or use another "
                "metric."
            )


def _difference(scored: Mapping[str, Scored], limits: Limits) -> dict[str, Any]:
    """Return challenger minus champion with its paired interval."""
    challenger, champion = scored["challenger"], scored["champion"]
    return {
        "value": number(challenger.value - champion.value),
        "interval": number(bootstrap.interval(challenger.values - champion.values)),
        "p_value": number(rules.p_value(challenger, champion, limits)),
    }


def _reason(results: Sequence[Rule], promoted: bool, is_first: bool) -> str:
    """Return the sentences of the rules that decided."""
    if not promoted:
        return "; ".join(rule.sentence for rule in results if not rule.passed)
    if is_first:
        return f"first champion: {results[0].sentence}"
    return "; ".join(rule.sentence for rule in results if rule.name in ("margin", "significance"))
