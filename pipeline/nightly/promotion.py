"""Whether a night's model takes the champion's place: a pure function of predictions."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

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
    raise NotImplementedError
