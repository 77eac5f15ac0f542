"""The five rules that a night's model, the challenger, must pass to replace the champion."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.evaluation import paired
from pipeline.evaluation.calibration import error_by_chance, reliability
from pipeline.evaluation.metrics import format_metrics, number, replicate
from pipeline.evaluation.scorer import Scorer
from pipeline.nightly.night import METRICS

_CALIBRATION_LEVEL = 0.99
_TOLERANCE = 1e-12  # rounding errors of differences of metrics


@dataclass(frozen=True)
class Limits:
    """Limits of the rules; the parameters of the task ``Nightly`` check their ranges.

    ``confidence`` is 1 minus the probability of any false promotion on one set of holdout rows,
    over all nights.
    """

    metric: str = "macro_f1"  # the deciding metric, one of `METRICS`
    margin: float = 0.0  # the challenger must be better by more than this
    confidence: float = 0.95
    recall_drop: float = 0.05  # largest decrease of the recall of any class
    calibration_rise: float = 0.02  # largest increase of the expected calibration error
    samples: int = 1000  # of the bootstrap


@dataclass(frozen=True)
class Rule:
    """The result of one rule, with a sentence for the user.

    ``measured`` and ``allowed`` are None without a model to compare with; such a rule is passed.
    """

    name: str
    passed: bool
    measured: float | None
    allowed: float | None
    sentence: str


@dataclass(frozen=True)
class Predictions:
    """A model's predictions of the holdout rows."""

    probabilities: np.ndarray  # float64, shape (n_rows, n_classes), calibrated
    decided: np.ndarray  # int, shape (n_rows,): classes by the model's own threshold, if any


class Scored:
    """A model's metrics on the holdout rows and on bootstrap samples of them.

    One seed draws the same duplicate groups for every model, so that differences are paired.
    """

    def __init__(
        self,
        labels: np.ndarray,
        predictions: Predictions,
        groups: np.ndarray | None,
        limits: Limits,
        seed: int,
    ) -> None:
        self._probabilities, self._limits, self._seed = predictions.probabilities, limits, seed
        self.scorer = Scorer(labels, predictions.probabilities, predictions.decided, groups)
        metrics = self.scorer.score()
        self.value = float(metrics[limits.metric][0])
        self.recalls = metrics["class_recall"][0]
        self.error = reliability(labels, predictions.probabilities).error

    @functools.cached_property
    def _replicates(self) -> dict[str, np.ndarray]:
        return replicate(self.scorer, self._limits.samples, self._seed)

    @property
    def values(self) -> np.ndarray:
        """The deciding metric of each bootstrap sample, shape (samples,)."""
        return self._replicates[self._limits.metric]

    def error_by_chance(self) -> float:
        """Return the calibration error that a calibrated model exceeds in 1 of 100 samples."""
        groups = self.scorer.groups
        return error_by_chance(self._probabilities, self._seed, groups, _CALIBRATION_LEVEL).upper

    def as_json(self, class_names: Sequence[str]) -> dict[str, Any]:
        """Return the metrics in the layout of ``metrics.json``."""
        metrics = format_metrics(self.scorer, class_names, replicates=self._replicates)
        return {**metrics, "expected_calibration_error": number(self.error)}


def baseline(challenger: Scored, baseline: Scored | None, limits: Limits) -> Rule:
    """Require a better metric than the baseline's."""
    if baseline is None:
        sentence = "the challenger is the baseline itself, so there is none to beat"
        return Rule("baseline", True, None, None, sentence)
    passed = _gain(challenger, baseline, limits) > _TOLERANCE
    values = challenger.value, baseline.value
    verb = "beats" if passed else "does not beat"
    sentence = f"{limits.metric} of {values[0]:.4f} {verb} the baseline's {values[1]:.4f}"
    return Rule("baseline", passed, number(values[0]), number(values[1]), sentence)


def margin(challenger: Scored, champion: Scored, limits: Limits) -> Rule:
    """Require a metric that is better than the champion's by more than the margin."""
    gain = _gain(challenger, champion, limits)
    comparison = "no better than"
    if abs(gain) > _TOLERANCE:
        comparison = f"{abs(gain):.4f} {'better' if gain > 0 else 'worse'} than"
    sentence = (
        f"{limits.metric} of {challenger.value:.4f} is {comparison} the champion's "
        f"{champion.value:.4f} (needs more than {limits.margin:g} better)"
    )
    passed = gain > limits.margin + _TOLERANCE
    return Rule("margin", passed, number(gain), limits.margin, sentence)


def significance(challenger: Scored, champion: Scored, limits: Limits, level: float) -> Rule:
    """Require a p-value of the gain of at most a level, see `pipeline.nightly.spending.level`."""
    chance = p_value(challenger, champion, limits)
    passed = chance <= level * (1 + 1e-9)
    sentence = (
        f"if both models were equally good, a gain this large would come in {_percent(chance)} of "
        f"cases (needs {_percent(level)} or less)"
    )
    return Rule("significance", passed, number(chance), number(level), sentence)


def recall(
    challenger: Scored, champion: Scored, class_names: Sequence[str], limits: Limits
) -> Rule:
    """Require that the recall of no class decreases by more than the limit."""
    drops = champion.recalls - challenger.recalls
    worst = int(np.nanargmax(drops))
    drop = float(drops[worst])
    sentence = (
        f"the recall of {class_names[worst]} {'falls' if drop > _TOLERANCE else 'does not fall'}: "
        f"{champion.recalls[worst]:.4f} to {challenger.recalls[worst]:.4f} (a drop of "
        f"{limits.recall_drop:g} is allowed for any class)"
    )
    unchecked = [name for name, value in zip(class_names, drops, strict=True) if np.isnan(value)]
    if unchecked:
        sentence += f"; not checked without holdout rows of it: {', '.join(unchecked)}"
    passed = drop <= limits.recall_drop + _TOLERANCE
    return Rule("recall", passed, number(drop), limits.recall_drop, sentence)


def calibration(challenger: Scored, champion: Scored, limits: Limits) -> Rule:
    """Require that the expected calibration error does not rise by more than the limit.

    On few rows a calibrated model has an error too. A rise counts only if the challenger's error is
    larger than that of a calibrated model with the same probabilities would be by chance.
    """
    rise = challenger.error - champion.error
    passed = rise <= limits.calibration_rise + _TOLERANCE
    sentence = (
        f"the expected calibration error goes from {champion.error:.4f} to {challenger.error:.4f} "
        f"(a rise of {limits.calibration_rise:g} is allowed)"
    )
    if not passed:
        chance = challenger.error_by_chance()
        passed = challenger.error <= chance
        side = "within" if passed else "beyond"
        sentence += f", {side} the {chance:.4f} that chance alone explains on so few rows"
    return Rule("calibration", bool(passed), number(rise), limits.calibration_rise, sentence)


def p_value(challenger: Scored, champion: Scored, limits: Limits) -> float:
    """Return the probability of a gain at least this large if both models were equally good."""
    samples = None
    if limits.metric in paired.AREAS:
        samples = challenger.values - champion.values
    return paired.p_value(challenger.scorer, champion.scorer, limits.metric, samples)


def _gain(challenger: Scored, other: Scored, limits: Limits) -> float:
    """Return by how much the challenger's metric is better."""
    difference = challenger.value - other.value
    return -difference if METRICS[limits.metric] else difference


def _percent(share: float) -> str:
    """Format a probability that may be very small."""
    return f"{100 * share:.2g} %" if share >= 1e-6 else "less than 0.0001 %"
