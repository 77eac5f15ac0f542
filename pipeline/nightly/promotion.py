"""Whether a night's model takes the champion's place: a pure function of predictions."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import inf, isnan
from typing import Any

import numpy as np

from pipeline.errors import PipelineError, nearest
from pipeline.evaluation import bootstrap
from pipeline.evaluation.calibration import reliability
from pipeline.evaluation.metrics import lay_out, number, replicate
from pipeline.evaluation.scorer import Scorer

#: Metrics that can decide, by name, and whether lower is better.
METRICS = {
    "accuracy": False,
    "balanced_accuracy": False,
    "macro_f1": False,
    "weighted_f1": False,
    "matthews": False,
    "kappa": False,
    "roc_auc": False,
    "average_precision": False,
    "log_loss": True,
    "brier": True,
}
_RANGES = {
    "margin": (0.0, inf),
    "confidence": (0.5, 1.0),
    "recall_drop": (0.0, 1.0),
    "calibration_rise": (0.0, 1.0),
    "samples": (100, inf),
}
_ROUNDING = 1e-12  # of differences of figures: what is equal must not differ by its last bit


@dataclass(frozen=True)
class Limits:
    """What a challenger must keep to.

    Attributes
    ----------
    metric : str
        One of `METRICS`.
    margin : float
        By how much more than this it must be better, in units of the metric.
    confidence : float
        Share of paired bootstrap samples in which it must not be worse.
    recall_drop : float
        The most by which the recall of any class may fall.
    calibration_rise : float
        The most by which the expected calibration error may rise.
    samples : int
        Of the bootstrap.
    """

    metric: str = "macro_f1"
    margin: float = 0.0
    confidence: float = 0.95
    recall_drop: float = 0.05
    calibration_rise: float = 0.02
    samples: int = 1000

    def __post_init__(self) -> None:
        """Raise where a limit cannot be meant."""
        if self.metric not in METRICS:
            raise PipelineError(
                f"metric must be one that can decide, got {self.metric!r}; "
                f"{nearest(self.metric, METRICS)}."
            )
        for name, (least, most) in _RANGES.items():
            value = getattr(self, name)
            if not least <= value <= most:
                bounds = f"at least {least:g}" + (f" and at most {most:g}" if most < inf else "")
                raise PipelineError(f"{name} must be {bounds}, got {value:g}.")


@dataclass(frozen=True)
class Rule:
    """One rule and how the challenger fared.

    Attributes
    ----------
    name : {"baseline", "margin", "bootstrap", "recall", "calibration"}
    passed : bool
    measured, allowed : float or None
        None where there was nothing to compare with; such a rule counts as passed.
    sentence : str
    """

    name: str
    passed: bool
    measured: float | None
    allowed: float | None
    sentence: str


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
        ``metric``, ``rows``, ``samples``, ``seed``; ``challenger``, ``champion`` and ``baseline``
        (layout of `pipeline.evaluation.metrics.evaluate` with intervals and
        ``expected_calibration_error``; None where there is none), ``difference`` (``value``,
        ``interval``, ``not_worse``: challenger minus champion).
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
    challenger: np.ndarray,
    champion: np.ndarray | None,
    baseline: np.ndarray | None,
    class_names: Sequence[str],
    limits: Limits,
    seed: int,
) -> Promotion:
    """Compare tonight's model with the champion on the frozen rows.

    Parameters
    ----------
    labels : ndarray of int, shape (n_rows,)
        True classes of the frozen rows, indices of ``class_names``.
    challenger : ndarray of float64, shape (n_rows, n_classes)
        Probabilities as users get them, calibrated.
    champion : ndarray of float64, shape (n_rows, n_classes), or None
        Of the same rows in the same order; None where there is no champion yet: then beating the
        baseline is enough.
    baseline : ndarray of float64, shape (n_rows, n_classes), or None
        None where the challenger is the baseline itself.
    class_names : sequence of str
    limits : Limits
    seed : int
        Of the bootstrap.

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
        name: _Scored.of(labels, probabilities, limits, seed)
        for name, probabilities in known.items()
    }
    for name, one in scored.items():
        if isnan(one.value):
            raise PipelineError(
                f"the frozen rows do not define the {limits.metric} of the {name}, for want of "
                f"rows of every class ({', '.join(class_names)}); add frozen rows or choose "
                "another metric."
            )
    mine, other = scored["challenger"], scored.get("champion")
    rules = [_baseline(mine, scored.get("baseline"), limits)]
    if other is not None:
        rules += [
            _margin(mine, other, limits),
            _bootstrap(mine, other, limits),
            _recall(mine, other, class_names, limits),
            _calibration(mine, other, limits),
        ]
    figures = {
        "metric": limits.metric,
        "lower_is_better": METRICS[limits.metric],
        "rows": len(labels),
        "samples": limits.samples,
        "seed": seed,
        **{name: scored[name].as_json(class_names) if name in scored else None for name in given},
        "difference": _difference(mine, other, limits),
    }
    promoted = all(rule.passed for rule in rules)
    return Promotion(promoted, _reason(rules, promoted, other is None), rules, figures)


@dataclass(frozen=True)
class _Scored:
    """A model's figures on the frozen rows, and on bootstrap samples of them."""

    scorer: Scorer
    value: float
    recalls: np.ndarray  # (n_classes,), nan without rows
    error: float  # expected calibration error
    replicates: dict[str, np.ndarray]
    values: np.ndarray  # (samples,)

    @classmethod
    def of(
        cls, labels: np.ndarray, probabilities: np.ndarray, limits: Limits, seed: int
    ) -> "_Scored":
        """Score; one seed draws the same rows for every model, so that differences are paired."""
        scorer = Scorer(labels, probabilities)
        found = scorer.score()
        replicates = replicate(scorer, limits.samples, seed)
        return cls(
            scorer,
            float(found[limits.metric][0]),
            found["class_recall"][0],
            reliability(labels, probabilities).error,
            replicates,
            replicates[limits.metric],
        )

    def as_json(self, class_names: Sequence[str]) -> dict[str, Any]:
        """Lay the figures out as ``metrics.json`` does."""
        figures = lay_out(self.scorer, class_names, replicates=self.replicates)
        return {**figures, "expected_calibration_error": number(self.error)}


def _check(labels: np.ndarray, known: Mapping[str, np.ndarray], class_names: Sequence[str]) -> None:
    """Raise unless everything is about the same rows and classes."""
    if not len(labels):
        raise PipelineError(
            "there is no frozen row to decide on; freeze some with pipeline freeze."
        )
    wanted = (len(labels), len(class_names))
    for name, probabilities in known.items():
        if probabilities.shape != wanted:
            raise PipelineError(
                f"the {name}'s predictions must be of {wanted[0]} frozen rows and {wanted[1]} "
                f"classes, got {' x '.join(map(str, probabilities.shape))}; has the dataset other "
                "classes than it had?"
            )


def _better_by(mine: Any, other: Any, limits: Limits) -> Any:
    """Return by how much the first figures are better, whichever direction is better."""
    return other - mine if METRICS[limits.metric] else mine - other


def _baseline(mine: _Scored, baseline: _Scored | None, limits: Limits) -> Rule:
    """Demand that the baseline is beaten."""
    if baseline is None:
        text = "it is the baseline itself, which has none to beat"
        return Rule("baseline", True, None, None, text)
    passed = _better_by(mine.value, baseline.value, limits) > _ROUNDING
    verb = "beats" if passed else "does not beat"
    text = f"{limits.metric} of {mine.value:.4f} {verb} the baseline's {baseline.value:.4f}"
    return Rule("baseline", passed, number(mine.value), number(baseline.value), text)


def _margin(mine: _Scored, other: _Scored, limits: Limits) -> Rule:
    """Demand that it is better by more than the margin."""
    gain = _better_by(mine.value, other.value, limits)
    passed = bool(gain > limits.margin + _ROUNDING)
    how = f"better by {gain:.4f}" if gain > _ROUNDING else f"worse by {-gain:.4f}"
    how = "as good as the champion's" if abs(gain) <= _ROUNDING else f"{how} than the champion's"
    text = (
        f"{limits.metric} of {mine.value:.4f} is {how} ({other.value:.4f}); more than "
        f"{limits.margin:g} better is needed"
    )
    return Rule("margin", passed, number(gain), limits.margin, text)


def _bootstrap(mine: _Scored, other: _Scored, limits: Limits) -> Rule:
    """Demand that it is not worse in nearly all paired samples."""
    share = _not_worse(mine, other, limits)
    passed = share >= limits.confidence - _ROUNDING
    text = (
        f"it is not worse in {share:.1%} of {limits.samples:,} paired bootstrap samples; "
        f"{limits.confidence:.1%} are needed"
    )
    return Rule("bootstrap", passed, number(share), limits.confidence, text)


def _not_worse(mine: _Scored, other: _Scored, limits: Limits) -> float:
    """Return the share of paired samples in which the first is not worse."""
    gains = _better_by(mine.values, other.values, limits)
    gains = gains[~np.isnan(gains)]
    return float(np.mean(gains >= -_ROUNDING))


def _recall(mine: _Scored, other: _Scored, class_names: Sequence[str], limits: Limits) -> Rule:
    """Demand that no class is found much less often."""
    drops = other.recalls - mine.recalls
    worst = int(np.nanargmax(drops))
    drop = float(drops[worst])
    name = class_names[worst]
    passed = drop <= limits.recall_drop + _ROUNDING
    change = "falls" if drop > _ROUNDING else "does not fall"
    text = (
        f"the recall of {name} {change} ({other.recalls[worst]:.4f} to {mine.recalls[worst]:.4f}); "
        f"a fall of {limits.recall_drop:g} is allowed for any class"
    )
    missing = [name for name, value in zip(class_names, drops, strict=True) if isnan(value)]
    if missing:
        text += f"; the frozen rows have none of {', '.join(missing)}, which goes unchecked"
    return Rule("recall", passed, number(drop), limits.recall_drop, text)


def _calibration(mine: _Scored, other: _Scored, limits: Limits) -> Rule:
    """Demand that probabilities can be trusted nearly as much."""
    rise = mine.error - other.error
    passed = rise <= limits.calibration_rise + _ROUNDING
    text = (
        f"the expected calibration error goes from {other.error:.4f} to {mine.error:.4f}; a rise "
        f"of {limits.calibration_rise:g} is allowed"
    )
    return Rule("calibration", passed, number(rise), limits.calibration_rise, text)


def _difference(mine: _Scored, other: _Scored | None, limits: Limits) -> dict[str, Any] | None:
    """Return challenger minus champion with its paired interval."""
    if other is None:
        return None
    return {
        "value": number(mine.value - other.value),
        "interval": number(bootstrap.interval(mine.values - other.values)),
        "not_worse": number(_not_worse(mine, other, limits)),
    }


def _reason(rules: Sequence[Rule], promoted: bool, is_first: bool) -> str:
    """Say in one sentence what decided."""
    if not promoted:
        return "; ".join(rule.sentence for rule in rules if not rule.passed)
    if is_first:
        return f"first champion: {rules[0].sentence}"
    wanted = {"margin", "bootstrap"}
    return "; ".join(rule.sentence for rule in rules if rule.name in wanted)
