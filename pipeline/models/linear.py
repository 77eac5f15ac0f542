"""Linear models over sparse word and character values: one weight a column and class."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy import optimize, sparse
from scipy.special import expit, softmax

from pipeline.models.base import Classifier, Progress, Training, TrainingData
from pipeline.training.class_weights import class_weights
from pipeline.training.validation_metrics import scores

_ITERATIONS = 2000


class Linear(Classifier):
    """Probabilities from ``vectors @ weights + bias``.

    Parameters
    ----------
    weights : ndarray of float32, shape (n_columns, n_scores)
        One score for two classes (that of the second), else one a class.
    bias : ndarray of float64, shape (n_scores,)
    scale, shift : ndarray of float64, shape (n_scores,)
        A score s counts as ``scale * s + shift``: Platt's sigmoid, or 1 and 0.
    joint : bool
        Whether several scores become probabilities by softmax; else each by its own sigmoid, and
        the row is scaled to sum to one.
    presence : bool
        Whether a value of a vector counts as 1 when it is there.
    """

    def __init__(
        self,
        weights: np.ndarray,
        bias: np.ndarray,
        scale: np.ndarray | None = None,
        shift: np.ndarray | None = None,
        *,
        joint: bool,
        presence: bool = False,
    ) -> None:
        self.weights = np.ascontiguousarray(weights, dtype=np.float32)
        self.bias = bias
        self.scale = np.ones_like(bias) if scale is None else scale
        self.shift = np.zeros_like(bias) if shift is None else shift
        self.joint = joint
        self.presence = presence

    @classmethod
    def fit(
        cls,
        model: str,
        data: TrainingData,
        settings: Mapping[str, Any],
        progress: Progress,
        logs: Path,
        partial: Path | None = None,
    ) -> tuple["Linear", Training]:
        """Fit on the training rows; validation rows are only scored."""
        kind = {"logistic_regression": logistic, "linear_svm": svm, "nb_svm": nb_svm}[model]
        weights = class_weights(settings["class_weights"], data.train_labels, data.class_names)
        fitted, facts = kind(data, settings, dict(enumerate(weights)))
        progress(1.0, "fitted")
        facts["parameters"] = int(fitted.weights.size + fitted.bias.size)
        facts["class_weights"] = dict(zip(data.class_names, weights.tolist(), strict=True))
        training = Training(facts=facts)
        if len(data.validation_labels):
            found = scores(data.validation_labels, fitted.predict(data.validation))
            training.history.append({"epoch": 1, **found})
        return fitted, training

    def predict(self, vectors: Any) -> np.ndarray:
        """Return probabilities, float64, shape (n_rows, n_classes)."""
        if self.presence:
            vectors = _presence(vectors)
        found = (vectors @ self.weights + self.bias) * self.scale + self.shift
        if found.shape[1] == 1:
            return np.concatenate([expit(-found), expit(found)], axis=1)
        if self.joint:
            return softmax(found, axis=1)
        # A floor, so that a row that all classes refuse can still be scaled.
        each = np.maximum(expit(found), 1e-12)
        return each / each.sum(axis=1, keepdims=True)

    def save(self, folder: Path) -> None:
        """Write the numbers as arrays."""
        np.save(folder / "weights.npy", self.weights, allow_pickle=False)
        numbers = np.stack([self.bias, self.scale, self.shift])
        np.save(folder / "scores.npy", numbers, allow_pickle=False)
        notes = {"joint": self.joint, "presence": self.presence}
        (folder / "linear.json").write_text(json.dumps(notes) + "\n")

    @classmethod
    def load(cls, folder: Path) -> "Linear":
        """Read the arrays."""
        notes = json.loads((folder / "linear.json").read_text(encoding="utf-8"))
        weights = np.load(folder / "weights.npy", allow_pickle=False)
        return cls(weights, *np.load(folder / "scores.npy", allow_pickle=False), **notes)


def logistic(
    data: TrainingData, settings: Mapping[str, Any], weights: dict[int, float]
) -> tuple[Linear, dict[str, Any]]:
    """Fit logistic regression with an L2 penalty, multinomial where there are several classes."""
    fitted = _logistic(data.train, data.train_labels, settings["cost"], weights)
    facts = {"iterations": int(np.max(fitted.n_iter_))}
    return Linear(fitted.coef_.T, fitted.intercept_.astype(np.float64), joint=True), facts


def svm(
    data: TrainingData, settings: Mapping[str, Any], weights: dict[int, float]
) -> tuple[Linear, dict[str, Any]]:
    """Fit a linear support vector machine, one class against the rest.

    Its scores become probabilities by Platt's sigmoid (Platt 1999), fitted on rows of the training
    part that the machine which scored them had not seen: a cross-validation inside that part.
    """
    from sklearn.model_selection import StratifiedKFold
    from sklearn.svm import LinearSVC

    def machine() -> Any:
        return LinearSVC(
            C=settings["cost"], class_weight=weights, random_state=settings["seed"], max_iter=5000
        )

    rows, labels = data.train, data.train_labels
    n_classes = len(data.class_names)
    fitted = machine().fit(rows, labels)
    held_out = fitted.decision_function(rows)
    # A class too small to be in every fold is calibrated on the scores of its own training rows.
    folds = min(settings["calibration_folds"], int(np.bincount(labels).min()))
    if folds > 1:
        parts = StratifiedKFold(folds, shuffle=True, random_state=settings["seed"])
        for train, held in parts.split(rows, labels):
            held_out[held] = machine().fit(rows[train], labels[train]).decision_function(rows[held])
    held_out = held_out.reshape(len(labels), -1)
    targets = [labels == 1] if n_classes == 2 else [labels == k for k in range(n_classes)]
    sigmoids = [platt(held_out[:, k], target) for k, target in enumerate(targets)]
    scale, shift = np.array(sigmoids).T
    facts = {"calibration_folds": folds, "iterations": int(np.max(fitted.n_iter_))}
    return Linear(fitted.coef_.T, fitted.intercept_, scale, shift, joint=False), facts


def nb_svm(
    data: TrainingData, settings: Mapping[str, Any], weights: dict[int, float]
) -> tuple[Linear, dict[str, Any]]:
    """Fit a linear model on naive Bayes log-count ratios (Wang and Manning 2012).

    A word's presence counts as its log-count ratio; the linear model is a logistic regression, so
    that its scores are log-odds, interpolated with its mean magnitude as in the paper.
    """
    rows, labels = _presence(data.train), data.train_labels
    n_classes = len(data.class_names)
    found = []
    for label in [1] if n_classes == 2 else range(n_classes):
        of_class = labels == label
        ratio = _log_count_ratio(rows, of_class, settings["alpha"])
        scaled = sparse.csr_matrix(rows.multiply(ratio.astype(np.float32)))
        each = {0: weights[0], 1: weights[1]} if n_classes == 2 else {0: 1.0, 1: weights[label]}
        fitted = _logistic(scaled, of_class.astype(np.int64), settings["cost"], each)
        inner = fitted.coef_[0].astype(np.float64)
        mean = np.abs(inner).mean()
        inner = (1 - settings["beta"]) * mean + settings["beta"] * inner
        found.append((inner * ratio, float(fitted.intercept_[0])))
    columns = np.stack([column for column, _ in found], axis=1)
    bias = np.array([bias for _, bias in found])
    return Linear(columns, bias, joint=False, presence=True), {}


def platt(decisions: np.ndarray, positive: np.ndarray) -> tuple[float, float]:
    """Fit the sigmoid that turns decision values into probabilities.

    Platt (1999): maximum likelihood, the targets drawn in by one row for each class so that
    separable classes do not push the slope to infinity.

    Parameters
    ----------
    decisions : ndarray of float, shape (n_rows,)
    positive : ndarray of bool, shape (n_rows,)

    Returns
    -------
    scale, shift : float
        A decision value d has the log-odds ``scale * d + shift``.
    """
    n_positive = np.count_nonzero(positive)
    n_negative = len(positive) - n_positive
    target = np.where(positive, (n_positive + 1) / (n_positive + 2), 1 / (n_negative + 2))

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        log_odds = parameters[0] * decisions + parameters[1]
        value = np.logaddexp(0, log_odds) - target * log_odds
        slope = expit(log_odds) - target
        return float(value.mean()), np.array([(slope * decisions).mean(), slope.mean()])

    start = np.array([1.0, np.log((n_positive + 1) / (n_negative + 1))])
    found = optimize.minimize(loss, start, jac=True, method="BFGS")
    return float(found.x[0]), float(found.x[1])


def _logistic(rows: Any, labels: np.ndarray, cost: float, weights: dict[int, float]) -> Any:
    """Fit scikit-learn's logistic regression."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=cost, class_weight=weights, max_iter=_ITERATIONS).fit(rows, labels)


def _log_count_ratio(rows: sparse.csr_matrix, of_class: np.ndarray, alpha: float) -> np.ndarray:
    """Return ln of each column's share among the texts of a class over that among the others."""
    inside = np.asarray(rows[np.flatnonzero(of_class)].sum(axis=0)).ravel() + alpha
    external_inputs = np.asarray(rows[np.flatnonzero(~of_class)].sum(axis=0)).ravel() + alpha
    return np.log((inside / inside.sum()) / (external_inputs / external_inputs.sum()))


def _presence(vectors: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return 1 where a value is there."""
    ones = np.ones(len(vectors.data), dtype=np.float32)
    return sparse.csr_matrix((ones, vectors.indices, vectors.indptr), shape=vectors.shape)
