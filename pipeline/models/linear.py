"""Linear models over tf-idf values of n-grams: one weight per column and class."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from scipy import sparse
from scipy.special import expit, softmax

from pipeline.models.base import Classifier, Fitted, TrainingData
from pipeline.training.losses import class_weights

_Weights = dict[int, float]  # of the classes in the loss

_MAX_ITERATIONS = 2000  # of logistic regression
_MAX_ITERATIONS_SVM = 5000


class Linear(Classifier):
    """Probabilities from the scores ``vectors @ weights + bias``.

    Weights have the shape (n_columns, n_scores), all others (n_scores,): one score for two classes
    (that of the second), else one per class. The log-odds of a score s are ``scale * s + shift``.
    With ``joint`` a softmax turns several scores into probabilities; else each has a sigmoid, and
    the rows are scaled to sum to one. With ``presence`` all nonzero values of a vector count as 1.
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
    def _fit(cls, model: str, data: TrainingData, settings: Mapping[str, Any]) -> Fitted:
        kind = {"logistic_regression": _logistic, "linear_svm": _svm, "nb_svm": _nb_svm}[model]
        weights = class_weights(settings["class_weights"], data.train_labels, data.class_names)
        fitted, facts = kind(data, settings, dict(enumerate(weights)))
        facts["parameters"] = int(fitted.weights.size + fitted.bias.size)
        facts["class_weights"] = dict(zip(data.class_names, weights.tolist(), strict=True))
        return fitted, facts

    def predict(self, vectors: Any) -> np.ndarray:
        """Return probabilities, float64, shape (n_rows, n_classes)."""
        if self.presence:
            vectors = _presence(vectors)
        log_odds = (vectors @ self.weights + self.bias) * self.scale + self.shift
        if log_odds.shape[1] == 1:
            return np.concatenate([expit(-log_odds), expit(log_odds)], axis=1)
        if self.joint:
            return softmax(log_odds, axis=1)
        # The floor allows scaling where all sigmoids are 0.
        odds = np.maximum(expit(log_odds), 1e-12)
        return odds / odds.sum(axis=1, keepdims=True)

    def save(self, folder: Path) -> None:
        """Write the numbers as arrays."""
        np.save(folder / "weights.npy", self.weights, allow_pickle=False)
        numbers = np.stack([self.bias, self.scale, self.shift])
        np.save(folder / "scores.npy", numbers, allow_pickle=False)
        notes = {"joint": self.joint, "presence": self.presence}
        (folder / "linear.json").write_text(json.dumps(notes) + "\n")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the arrays."""
        notes = json.loads((folder / "linear.json").read_text(encoding="utf-8"))
        weights = np.load(folder / "weights.npy", allow_pickle=False)
        return cls(weights, *np.load(folder / "scores.npy", allow_pickle=False), **notes)


def _logistic(data: TrainingData, settings: Mapping[str, Any], weights: _Weights) -> Fitted:
    """Fit logistic regression with an L2 penalty, multinomial for more than two classes."""
    fitted = _regression(data.train, data.train_labels, settings["cost"], weights)
    facts = {"iterations": int(np.max(fitted.n_iter_))}
    return Linear(fitted.coef_.T, fitted.intercept_.astype(np.float64), joint=True), facts


def _svm(data: TrainingData, settings: Mapping[str, Any], weights: _Weights) -> Fitted:
    """Fit a linear support vector machine, calibrated by cross-validation (Platt 1999)."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.model_selection import StratifiedKFold
    from sklearn.svm import LinearSVC

    rows, labels, seed = data.train, data.train_labels, settings["seed"]
    limits = {"max_iter": _MAX_ITERATIONS_SVM, "random_state": seed}
    machine = LinearSVC(C=settings["cost"], class_weight=weights, **limits)
    folds = min(settings["calibration_folds"], int(np.bincount(labels).min()))
    if folds > 1:
        parts: Any = StratifiedKFold(folds, shuffle=True, random_state=seed)
    else:  # a class with one row: calibrate on the scores of the rows that the machine is fitted to
        parts = [(np.arange(len(labels)), np.arange(len(labels)))]
    calibrated = CalibratedClassifierCV(machine, method="sigmoid", cv=parts, ensemble=False)
    (fitted,) = calibrated.fit(rows, labels).calibrated_classifiers_
    # scikit-learn's sigmoid of a score s is 1 / (1 + exp(a s + b)).
    scale = np.array([-sigmoid.a_ for sigmoid in fitted.calibrators])
    shift = np.array([-sigmoid.b_ for sigmoid in fitted.calibrators])
    machine = fitted.estimator
    facts = {"calibration_folds": folds, "iterations": int(np.max(machine.n_iter_))}
    return Linear(machine.coef_.T, machine.intercept_, scale, shift, joint=False), facts


def _nb_svm(data: TrainingData, settings: Mapping[str, Any], weights: _Weights) -> Fitted:
    """Fit logistic regression to naive Bayes log-count ratios (Wang and Manning 2012)."""
    rows, labels = _presence(data.train), data.train_labels
    n_classes = len(data.class_names)
    columns, bias = [], []
    for label in [1] if n_classes == 2 else range(n_classes):
        of_class = labels == label
        ratio = _log_count_ratio(rows, of_class, settings["alpha"])
        scaled = sparse.csr_matrix(rows.multiply(ratio.astype(np.float32)))
        pair = {0: weights[0], 1: weights[1]} if n_classes == 2 else {0: 1.0, 1: weights[label]}
        fitted = _regression(scaled, of_class.astype(np.int64), settings["cost"], pair)
        inner = fitted.coef_[0].astype(np.float64)
        mean = np.abs(inner).mean()  # interpolation as in the paper
        inner = (1 - settings["beta"]) * mean + settings["beta"] * inner
        columns.append(inner * ratio)
        bias.append(float(fitted.intercept_[0]))
    return Linear(np.stack(columns, axis=1), np.array(bias), joint=False, presence=True), {}


def _regression(rows: Any, labels: np.ndarray, cost: float, weights: _Weights) -> Any:
    """Fit scikit-learn's logistic regression."""
    from sklearn.linear_model import LogisticRegression

    regression = LogisticRegression(C=cost, class_weight=weights, max_iter=_MAX_ITERATIONS)
    return regression.fit(rows, labels)


def _log_count_ratio(rows: sparse.csr_matrix, of_class: np.ndarray, alpha: float) -> np.ndarray:
    """Return ln of each column's share in the texts of a class over that in all other texts."""
    counts, other_counts = (
        np.asarray(rows[np.flatnonzero(mask)].sum(axis=0)).ravel() + alpha
        for mask in (of_class, ~of_class)
    )
    return np.log((counts / counts.sum()) / (other_counts / other_counts.sum()))


def _presence(vectors: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return 1 for each nonzero value."""
    ones = np.ones(len(vectors.data), dtype=np.float32)
    return sparse.csr_matrix((ones, vectors.indices, vectors.indptr), shape=vectors.shape)
