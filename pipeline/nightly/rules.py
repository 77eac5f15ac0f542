"""The five rules that a challenger is held to, each a pure function of two models' figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isnan
from typing import Any

import numpy as np

from pipeline.errors import PipelineError, nearest
from pipeline.evaluation.calibration import reliability
from pipeline.evaluation.metrics import lay_out, number, replicate
from pipeline.evaluation.scorer import Scorer
from pipeline.nightly.night import METRICS

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
class Scored:
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
    ) -> "Scored":
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


def bootstrap(mine: Scored, other: Scored, limits: Limits) -> Rule:
    """Demand that it is not worse in nearly all paired samples."""
    share = not_worse(mine, other, limits)
    passed = share >= limits.confidence - _ROUNDING
    text = (
        f"not worse in {share:.1%} of {limits.samples:,} paired bootstrap samples "
        f"(needs {100 * limits.confidence:g}%)"
    )
    return Rule("bootstrap", passed, number(share), limits.confidence, text)


def not_worse(mine: Scored, other: Scored, limits: Limits) -> float:
    """Return the share of paired samples in which the first is not worse."""
    gains = _better_by(mine.values, other.values, limits)
    gains = gains[~np.isnan(gains)]
    return float(np.mean(gains >= -_ROUNDING))


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
    """Demand that probabilities can be trusted nearly as much."""
    rise = mine.error - other.error
    passed = rise <= limits.calibration_rise + _ROUNDING
    text = (
        f"the expected calibration error goes from {other.error:.4f} to {mine.error:.4f} "
        f"({limits.calibration_rise:g} up is allowed)"
    )
    return Rule("calibration", passed, number(rise), limits.calibration_rise, text)
