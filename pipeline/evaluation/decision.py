"""The threshold from which a class is predicted, chosen on validation rows for a goal."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import PipelineError
from pipeline.evaluation import bootstrap
from pipeline.evaluation.curves import Sweep, sweep
from pipeline.evaluation.metrics import number
from pipeline.evaluation.scorer import of_matrix

FILE = "decision.json"
NO_GOAL = "none"
_SCORED = ("precision", "recall", "specificity", "f1")


@dataclass(frozen=True)
class Decision:
    """How probabilities become a class.

    Attributes
    ----------
    positive : int or None
        The class with a threshold; None: the most probable class is predicted.
    threshold : float
        On the calibrated probability of that class.
    temperature : float
        Of `pipeline.evaluation.calibration.temper`.
    reached : bool
        Whether a threshold meets the goal's floor on validation rows.
    reason : str
        Why no threshold was chosen, empty where one was.
    temperature_reason : str
        Why no temperature is used, empty where one is.
    """

    positive: int | None
    threshold: float
    temperature: float
    reached: bool = True
    reason: str = ""
    temperature_reason: str = ""

    @property
    def is_chosen(self) -> bool:
        """Whether a threshold was chosen; otherwise the most probable class is decided."""
        return self.positive is not None and not self.reason

    def classes(self, calibrated: np.ndarray) -> np.ndarray:
        """Decide on classes; below the threshold, the most probable of the others."""
        if self.positive is None or self.reason:
            return calibrated.argmax(axis=1)
        others = calibrated.copy()
        others[:, self.positive] = -1
        taken = calibrated[:, self.positive] >= self.threshold
        return np.where(taken, self.positive, others.argmax(axis=1))


#: What holds where nothing was chosen.
MOST_PROBABLE = Decision(None, 0.5, 1.0)


def read_decision(folder: Path, class_names: Sequence[str]) -> Decision:
    """Read the ``decision.json`` of an Evaluate artifact.

    Parameters
    ----------
    folder : Path
    class_names : sequence of str
        Of the model that it is for.

    Raises
    ------
    PipelineError
        If the folder holds none, or one for other classes.
    """
    try:
        found = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PipelineError(
            f"{folder} holds no decision: {FILE} cannot be read ({error}); name the folder of an "
            "Evaluate artifact."
        ) from error
    name, theirs = found["positive_label"], found.get("class_names", list(class_names))
    if theirs != list(class_names) or (name is not None and name not in class_names):
        raise PipelineError(
            f"{folder / FILE} is for a model with the classes {', '.join(theirs)}"
            f"{'' if name is None else f' and a threshold for {name!r}'}; this model has "
            f"{', '.join(class_names)}. Name the Evaluate artifact of this model."
        )
    return Decision(
        None if name is None else list(class_names).index(name),
        0.5 if found["threshold"] is None else found["threshold"],
        found["temperature"],
        found["reached"],
        found["not_chosen_because"] or "",
        found.get("temperature_not_used_because") or "",
    )


def choose_threshold(one: Sweep, goal: str, floor: float) -> tuple[float, bool]:
    """Choose the threshold that is best for a goal.

    Parameters
    ----------
    one : Sweep
        Of validation rows.
    goal : {"f1", "recall_at_precision", "recall_at_accuracy"}
        Highest F1; or highest recall where precision or accuracy is not below the floor.
    floor : float

    Returns
    -------
    threshold : float
        The nearest to 0.5 of equally good ones.
    reached : bool
        False where no threshold keeps to the floor; then it is the one that comes nearest to it.
    """
    usable = np.isfinite(one.thresholds)
    if goal == "f1":
        worth, reached = one.f1, True
    else:
        kept = one.precision if goal == "recall_at_precision" else one.accuracy
        meets = usable & (kept >= floor)
        reached = bool(meets.any())
        worth = np.where(meets, one.recall, -1.0) if reached else kept
    worth = np.where(usable, worth, -np.inf)
    best = np.flatnonzero(worth >= worth.max() - 1e-12)
    nearest = best[np.abs(one.thresholds[best] - 0.5).argmin()]
    return round(float(one.thresholds[nearest]), 10), reached


def decide(
    labels: np.ndarray,
    calibrated: np.ndarray,
    positive: int | None,
    temperature: float,
    settings: Mapping[str, Any],
) -> Decision:
    """Choose a threshold on validation rows, where one is asked for.

    Metrics of the decided classes on validation rows are optimistic where a threshold was chosen,
    since the same rows chose it.

    Parameters
    ----------
    labels : ndarray of int, shape (n_rows,)
        Of validation rows.
    calibrated : ndarray of float64, shape (n_rows, n_classes)
    positive : int or None
        The class that the threshold is for.
    temperature : float
    settings : mapping
        ``threshold_goal``: none chooses no threshold; and for goals that have one
        ``threshold_floor``.

    Returns
    -------
    Decision
    """
    if settings["threshold_goal"] == NO_GOAL:
        reason = (
            "neither positive_label nor threshold_goal was given: the most probable class is "
            "predicted"
        )
        return Decision(None, 0.5, temperature, reason=reason)
    if positive is None:
        reason = "several classes and no positive_label: the most probable class is predicted"
        return Decision(None, 0.5, temperature, reason=reason)
    if not (labels == positive).any():
        reason = (
            "no validation row of that class that the model was not trained on: the most probable "
            "class is predicted"
        )
        return Decision(positive, 0.5, temperature, reason=reason)
    one = sweep(labels == positive, calibrated[:, positive])
    threshold, reached = choose_threshold(
        one, settings["threshold_goal"], settings.get("threshold_floor", 0.0)
    )
    return Decision(positive, threshold, temperature, reached)


def score_decision(
    labels: np.ndarray,
    predicted: np.ndarray,
    positive: int,
    class_names: Sequence[str],
    samples: int,
    seed: int,
    groups: np.ndarray | None = None,
) -> dict[str, Any]:
    """Score decided classes: accuracy, and precision, recall, specificity, F1 of the one class.

    Returns
    -------
    dict
        Figures, and with samples their ``intervals``.
    """
    width = len(class_names)
    cells = np.eye(width * width)[labels * width + predicted]

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        with np.errstate(invalid="ignore", divide="ignore"):
            found = of_matrix((weights @ cells).reshape(-1, width, width))
        chosen = {name: found[f"class_{name}"][:, positive] for name in _SCORED}
        return {"accuracy": found["accuracy"], **chosen}

    figures = {name: number(values[0]) for name, values in score(np.ones((1, len(labels)))).items()}
    if not samples:
        return figures
    replicates = bootstrap.replicate(score, len(labels), samples, seed, groups=groups)
    intervals = {name: number(bootstrap.interval(values)) for name, values in replicates.items()}
    return {**figures, "intervals": intervals}
