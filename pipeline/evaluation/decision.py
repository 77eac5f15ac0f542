"""How probabilities become a class: the temperature and the threshold of a class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from pipeline.errors import NotFoundError, SettingConflictError
from pipeline.evaluation import bootstrap
from pipeline.evaluation.curves import Sweep, sweep
from pipeline.evaluation.metrics import number
from pipeline.evaluation.scorer import MATRIX_METRICS, Scorer

FILE = "decision.json"
NO_GOAL = "none"


@dataclass(frozen=True)
class Decision:
    """How probabilities become a class.

    ``reason`` and ``temperature_reason`` explain why no threshold or temperature is used; they are
    empty if one is used.
    """

    positive: int | None  # class with a threshold; None: the most probable class is predicted
    threshold: float  # on the calibrated probability of that class
    temperature: float  # see `pipeline.evaluation.calibration.temper`
    reached: bool = True  # whether a threshold reaches the goal's floor on validation rows
    reason: str = ""
    temperature_reason: str = ""

    @property
    def is_chosen(self) -> bool:
        """Whether a threshold is used."""
        return self.positive is not None and not self.reason

    def classes(self, calibrated: np.ndarray) -> np.ndarray:
        """Predict the positive class from its threshold on, else the most probable other class.

        Examples
        --------
        >>> Decision(1, 0.3, 1.0).classes(np.array([[0.6, 0.4], [0.8, 0.2]])).tolist()
        [1, 0]
        """
        if self.positive is None or self.reason:
            return calibrated.argmax(axis=1)
        others = calibrated.copy()
        others[:, self.positive] = -1
        decided: np.ndarray = others.argmax(axis=1)
        decided[calibrated[:, self.positive] >= self.threshold] = self.positive
        return decided

    def as_json(self, class_names: Sequence[str], settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the decision as ``decision.json`` and ``metrics.json`` have it."""
        return {
            "temperature": self.temperature,
            "positive_label": None if self.positive is None else class_names[self.positive],
            "threshold": self.threshold if self.is_chosen else None,
            "goal": settings["threshold_goal"],
            "floor": settings.get("threshold_floor"),
            "reached": self.reached,
            "not_chosen_because": self.reason or None,
        }


#: The decision of a model without an evaluation.
MOST_PROBABLE = Decision(None, 0.5, 1.0)


class _File(msgspec.Struct):
    """The content of ``decision.json``; earlier versions wrote neither of the last two keys."""

    positive_label: str | None
    threshold: float | None
    temperature: float
    reached: bool
    not_chosen_because: str | None
    class_names: list[str] | None = None
    temperature_not_used_because: str | None = None


def read_decision(folder: Path, class_names: Sequence[str]) -> Decision:
    """Read the ``decision.json`` of an Evaluate artifact, for a model with these classes.

    Raises
    ------
    NotFoundError
        If the folder has no valid file.
    SettingConflictError
        If the decision is for other classes.
    """
    names = list(class_names)
    try:
        file = msgspec.json.decode((folder / FILE).read_bytes(), type=_File)
    except (OSError, msgspec.MsgspecError) as error:
        raise NotFoundError(
            f"{folder} contains no decision: {FILE} cannot be read ({error}); give the folder of "
            "an Evaluate artifact."
        ) from error
    decided = names if file.class_names is None else file.class_names
    name = file.positive_label
    if decided != names or (name is not None and name not in names):
        raise SettingConflictError(
            f"{folder / FILE} is for a model with the classes {', '.join(decided)}"
            f"{'' if name is None else f' and a threshold for {name!r}'}; this model has "
            f"{', '.join(names)}. Give the folder of this model's Evaluate artifact."
        )
    return Decision(
        None if name is None else names.index(name),
        0.5 if file.threshold is None else file.threshold,
        file.temperature,
        file.reached,
        file.not_chosen_because or "",
        file.temperature_not_used_because or "",
    )


def choose_threshold(validation: Sweep, goal: str, floor: float) -> tuple[float, bool]:
    """Return the best threshold for a goal, and whether it reaches the floor.

    The best threshold has the highest F1, or the highest recall of those with precision or accuracy
    not below the floor; if all are below, it is the nearest to the floor. Of equally good
    thresholds, the one nearest to 0.5 is chosen.
    """
    usable = np.isfinite(validation.thresholds)
    if goal == "f1":
        value, reached = validation.f1, True
    else:
        limited = validation.precision if goal == "recall_at_precision" else validation.accuracy
        meets = usable & (limited >= floor)
        reached = bool(meets.any())
        value = np.where(meets, validation.recall, -1.0) if reached else limited
    value = np.where(usable, value, -np.inf)
    best = np.flatnonzero(value >= value.max() - 1e-12)
    nearest = best[np.abs(validation.thresholds[best] - 0.5).argmin()]
    return round(float(validation.thresholds[nearest]), 10), reached


def decide(
    labels: np.ndarray,
    calibrated: np.ndarray,
    positive: int | None,
    temperature: float,
    settings: Mapping[str, Any],
) -> Decision:
    """Choose a threshold on validation rows if ``threshold_goal`` is not "none".

    Validation metrics are then optimistic, since the same rows chose the threshold.
    """
    goal, reason = settings["threshold_goal"], ""
    if goal == NO_GOAL:
        positive, reason = None, "neither positive_label nor threshold_goal was given"
    elif positive is None:
        reason = "several classes and no positive_label"
    elif not (labels == positive).any():
        reason = "no validation row of that class that the model was not trained on"
    if positive is None or reason:
        reason += ": the most probable class is predicted"
        return Decision(positive, 0.5, temperature, reason=reason)
    validation = sweep(labels == positive, calibrated[:, positive])
    threshold, reached = choose_threshold(validation, goal, settings.get("threshold_floor", 0.0))
    return Decision(positive, threshold, temperature, reached)


def score_decision(
    scorer: Scorer, replicates: Mapping[str, np.ndarray], positive: int
) -> dict[str, Any]:
    """Return accuracy, and precision, recall, specificity and F1 of one class, with intervals."""

    def select(metrics: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        class_metrics = {name: metrics[f"class_{name}"][:, positive] for name in MATRIX_METRICS}
        return {"accuracy": metrics["accuracy"], **class_metrics}

    scores = {name: number(values[0]) for name, values in select(scorer.score()).items()}
    if not replicates:
        return scores
    intervals = {
        name: number(bootstrap.interval(values)) for name, values in select(replicates).items()
    }
    return {**scores, "intervals": intervals}
