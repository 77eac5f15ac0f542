"""The five rules that a challenger is held to, each a pure function of two models' metrics."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isnan
from typing import Any

import numpy as np

from pipeline.errors import PipelineError, nearest
from pipeline.evaluation import paired
from pipeline.evaluation.calibration import error_by_chance, reliability
from pipeline.evaluation.metrics import format_metrics, number, replicate
from pipeline.evaluation.scorer import Scorer
from pipeline.nightly.night import METRICS

_RANGES = {
    "margin": (0.0, inf),
    "confidence": (0.5, 1.0),
    "recall_drop": (0.0, 1.0),
    "calibration_rise": (0.0, 1.0),
    "samples": (100, inf),
}
_CALIBRATION_LEVEL = 0.99
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
        1 minus the probability of any false promotion on one set of holdout rows, over all nights.
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
    name : {"baseline", "margin", "significance", "recall", "calibration"}
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
class Predictions:
    """What a model says of the holdout rows.

    Attributes
    ----------
    probabilities : ndarray of float64, shape (n_rows, n_classes)
        Calibrated, as users get them.
    decided : ndarray of int, shape (n_rows,)
        The class that users get: by the model's own threshold where it has one.
    """

    probabilities: np.ndarray
    decided: np.ndarray


class Scored:
    """A model's metrics on the holdout rows, and on bootstrap samples of them.

    Parameters
    ----------
    labels : ndarray of int, shape (n_rows,)
    predictions : Predictions
    groups : ndarray of int, shape (n_rows,), or None
        Duplicate group of each row.
    limits : Limits
    seed : int
        One seed draws the same groups for every model, so that differences are paired.

    Attributes
    ----------
    value : float
        The metric that decides.
    recalls : ndarray of float64, shape (n_classes,)
        nan for a class without rows.
    error : float
        Expected calibration error.
    """

    def __init__(
        self,
        labels: np.ndarray,
        predictions: Predictions,
        groups: np.ndarray | None,
        limits: Limits,
        seed: int,
    ) -> None:
        self.probabilities = predictions.probabilities
        self.scorer = Scorer(labels, predictions.probabilities, predictions.decided, groups)
        self._limits, self._seed = limits, seed
        metrics = self.scorer.score()
        self.value = float(metrics[limits.metric][0])
        self.recalls = metrics["class_recall"][0]
        self.error = reliability(labels, predictions.probabilities).error

    @functools.cached_property
    def replicates(self) -> dict[str, np.ndarray]:
        """Metrics of the bootstrap samples; drawn when they are first asked for."""
        return replicate(self.scorer, self._limits.samples, self._seed)

    @property
    def values(self) -> np.ndarray:
        """The metric that decides in each sample, shape (samples,)."""
        return self.replicates[self._limits.metric]

    def error_by_chance(self) -> float:
        """Return the calibration error that a calibrated model exceeds in 1 of 100 samples."""
        groups = self.scorer.groups
        return error_by_chance(self.probabilities, self._seed, groups, _CALIBRATION_LEVEL).upper

    def as_json(self, class_names: Sequence[str]) -> dict[str, Any]:
        """Return the metrics in the layout of ``metrics.json``."""
        metrics = format_metrics(self.scorer, class_names, replicates=self.replicates)
        return {**metrics, "expected_calibration_error": number(self.error)}


def _better_by(mine: Any, other: Any, limits: Limits) -> Any:
    """Return by how much the first figures are better, whichever direction is better."""
    return other - mine if METRICS[limits.metric] else mine - other


def baseline(mine: Scored, baseline: Scored | None, limits: Limits) -> Rule:
    """Demand that the baseline is beaten."""
    if baseline is None:
        text = "it is the baseline itself, which has none to beat"
        return Rule("baseline", True, None, None, text)
    passed = _better_by(mine.value, baseline.value, limits) > _ROUNDING
    verb = "beats" if passed else "does not beat"
    text = f"{limits.metric} of {mine.value:.4f} {verb} the baseline's {baseline.value:.4f}"
    return Rule("baseline", passed, number(mine.value), number(baseline.value), text)


def margin(mine: Scored, other: Scored, limits: Limits) -> Rule:
    """Demand that it is better by more than the margin."""
    gain = _better_by(mine.value, other.value, limits)
    passed = bool(gain > limits.margin + _ROUNDING)
    how = f"{gain:.4f} better than" if gain > _ROUNDING else f"{-gain:.4f} worse than"
    how = "no better than" if abs(gain) <= _ROUNDING else how
    text = (
        f"{limits.metric} of {mine.value:.4f} is {how} the champion's {other.value:.4f} (needs "
        f"more than {limits.margin:g} better)"
    )
    return Rule("margin", passed, number(gain), limits.margin, text)


def significance(mine: Scored, other: Scored, limits: Limits, level: float) -> Rule:
    """Demand that the gain is more than chance.

    Parameters
    ----------
    mine, other : Scored
    limits : Limits
    level : float
        The largest p-value that passes, see `pipeline.nightly.spending.level`.
    """
    chance = p_value(mine, other, limits)
    passed = chance <= level * (1 + 1e-9)
    text = (
        f"if both were equally good, a gain this large would come in {_percent(chance)} of cases "
        f"(needs {_percent(level)} or less)"
    )
    return Rule("significance", passed, number(chance), number(level), text)


def p_value(mine: Scored, other: Scored, limits: Limits) -> float:
    """Return the probability of a gain at least this large if both models were equally good."""
    samples = None
    if limits.metric in paired.AREAS:
        samples = mine.values - other.values
    return paired.p_value(mine.scorer, other.scorer, limits.metric, samples)


def _percent(share: float) -> str:
    """Show a probability that may be very small."""
    return f"{100 * share:.2g} %" if share >= 1e-6 else "less than 0.0001 %"


def recall(mine: Scored, other: Scored, class_names: Sequence[str], limits: Limits) -> Rule:
    """Demand that no class is found much less often."""
    drops = other.recalls - mine.recalls
    worst = int(np.nanargmax(drops))
    drop = float(drops[worst])
    name = class_names[worst]
    passed = drop <= limits.recall_drop + _ROUNDING
    change = "falls" if drop > _ROUNDING else "does not fall"
    text = (
        f"the recall of {name} {change}: {other.recalls[worst]:.4f} to {mine.recalls[worst]:.4f} "
        f"({limits.recall_drop:g} down is allowed for any class)"
    )
    missing = [name for name, value in zip(class_names, drops, strict=True) if isnan(value)]
    if missing:
        text += f"; the frozen rows have none of {', '.join(missing)}, which goes unchecked"
    return Rule("recall", passed, number(drop), limits.recall_drop, text)


def calibration(mine: Scored, other: Scored, limits: Limits) -> Rule:
    """Demand that probabilities can be trusted nearly as much.

    Even a calibrated model has an error on few rows. A rise counts only where the challenger's
    error is more than chance would give a calibrated model with the same probabilities.
    """
    rise = mine.error - other.error
    passed = bool(rise <= limits.calibration_rise + _ROUNDING)
    text = (
        f"the expected calibration error goes from {other.error:.4f} to {mine.error:.4f} "
        f"({limits.calibration_rise:g} up is allowed)"
    )
    if not passed:
        chance = mine.error_by_chance()
        passed = bool(mine.error <= chance)
        how = "within" if passed else "beyond"
        text += f", {how} the {chance:.4f} that so few rows come to by chance"
    return Rule("calibration", passed, number(rise), limits.calibration_rise, text)
