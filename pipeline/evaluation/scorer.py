"""Compute all metrics for many sets of row weights at once.

The bootstrap uses one set of weights per sample.

scikit-learn scores one set of weights per call and sorts the rows in each. This module sorts once
and scores all sets of weights by matrix products; tests compare the values with scikit-learn's.
"""

import functools
from typing import Any

import numpy as np

#: Lower bound of probabilities in the log loss, so that one certain error is not infinite.
SMALLEST = 1e-15
#: Metrics of a class that follow from the confusion matrix.
MATRIX_METRICS = ("precision", "recall", "specificity", "f1")
BY_CLASS = (*MATRIX_METRICS, "roc_auc", "average_precision")


class Scorer:
    """Score predictions under weights of the rows; by default the most probable class is predicted.

    Examples
    --------
    >>> scorer = Scorer(np.array([0, 1]), np.array([[0.9, 0.1], [0.6, 0.4]]))
    >>> scorer.score()["accuracy"].tolist()
    [0.5]
    """

    def __init__(
        self,
        labels: np.ndarray,
        probabilities: np.ndarray,
        predicted: np.ndarray | None = None,
        groups: np.ndarray | None = None,
    ) -> None:
        self.n_rows, width = probabilities.shape
        self.n_classes = width
        self.labels = labels
        self.probabilities = probabilities
        self.groups = groups
        self.predicted = probabilities.argmax(axis=1) if predicted is None else predicted
        # One-hot cell of the confusion matrix of each row: weights @ cells sums to the matrix of
        # each set of weights.
        self._cells = np.eye(width * width)[labels * width + self.predicted]
        truth = np.eye(width)[labels]
        log_losses = -np.log(np.clip(probabilities, SMALLEST, 1)[np.arange(self.n_rows), labels])
        squares = ((probabilities - truth) ** 2).sum(axis=1)
        squares /= 2 if width == 2 else 1  # the sum over two classes counts the same error twice
        self._losses = np.stack([log_losses, squares], axis=1)
        scores = [probabilities[:, k] for k in range(width)]
        if width == 2:
            # Both classes rank the rows alike; rounding of 1 - p could make false ties.
            scores[0] = -probabilities[:, 1]
        self._rankings = [_Ranking(score, labels == k) for k, score in enumerate(scores)]
        self._micro = _Ranking(probabilities.ravel(), truth.ravel() > 0)

    @property
    def losses(self) -> tuple[np.ndarray, np.ndarray]:
        """Log loss and Brier score of each row, two of float64, shape (n_rows,)."""
        return self._losses[:, 0], self._losses[:, 1]

    @property
    def is_right(self) -> np.ndarray:
        """Whether the predicted class is the true one, bool, shape (n_rows,)."""
        return self.predicted == self.labels

    def score(self, weights: np.ndarray | None = None) -> dict[str, np.ndarray]:
        """Compute all metrics for each set of weights.

        Parameters
        ----------
        weights : ndarray of float, shape (n_sets, n_rows), optional
            How often each row counts; by default once.

        Returns
        -------
        dict of str to ndarray
            Those of `score_classes`; ``log_loss`` (nats), ``brier`` (Brier 1950), ``roc_auc``,
            ``roc_auc_micro``, ``average_precision``, shape (n_sets,); ``class_roc_auc``,
            ``class_average_precision``, shape (n_sets, n_classes). A metric is nan if the
            rows do not define it.
        """
        if weights is None:
            return self._unweighted
        losses = weights @ self._losses / weights.sum(axis=1, keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            areas = [ranking.areas(weights) for ranking in self._rankings]
            micro = self._micro.areas(np.repeat(weights, self.n_classes, axis=1))[0]
        roc, precision = (np.stack(columns, axis=1) for columns in zip(*areas, strict=True))
        is_binary = self.n_classes == 2
        return {
            **self.score_classes(weights),
            "log_loss": losses[:, 0],
            "brier": losses[:, 1],
            "class_roc_auc": roc,
            "class_average_precision": precision,
            "roc_auc": roc[:, 1] if is_binary else roc.mean(axis=1),
            "roc_auc_micro": micro,
            "average_precision": precision[:, 1] if is_binary else precision.mean(axis=1),
        }

    @functools.cached_property
    def _unweighted(self) -> dict[str, np.ndarray]:
        """The metrics with each row counted once; callers ask for them often."""
        return self.score(np.ones((1, self.n_rows)))

    def score_classes(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        """Compute ``matrix`` and the metrics of `matrix_metrics` for each set of weights."""
        matrix = (weights @ self._cells).reshape(-1, self.n_classes, self.n_classes)
        return {**matrix_metrics(matrix), "matrix": matrix}


class _Ranking:
    """Rows in descending order of a score; rows with equal scores form one step."""

    def __init__(self, score: np.ndarray, is_positive: np.ndarray) -> None:
        self._order = np.argsort(-score, kind="stable")
        self._positive = is_positive[self._order].astype(float)
        self._starts = np.flatnonzero(np.diff(score[self._order], prepend=np.inf))

    def areas(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return ROC AUC and average precision, each of shape (n_sets,).

        The ROC AUC counts pairs of rows (Mann and Whitney 1947), ties half. The average precision
        is the mean of precisions weighted by gains in recall, without interpolation.
        """
        weights = weights[:, self._order]
        positive = weights * self._positive
        negative = weights - positive
        if len(self._starts) < len(self._order):
            positive = np.add.reduceat(positive, self._starts, axis=1)
            negative = np.add.reduceat(negative, self._starts, axis=1)
        true_positive = np.cumsum(positive, axis=1)
        false_positive = np.cumsum(negative, axis=1)
        pairs = (negative * (true_positive - positive / 2)).sum(axis=1)
        n_positive, n_negative = true_positive[:, -1], false_positive[:, -1]
        gains = positive * (true_positive / np.maximum(true_positive + false_positive, 1e-300))
        return pairs / (n_positive * n_negative), gains.sum(axis=1) / n_positive


def matrix_metrics(matrix: np.ndarray) -> dict[str, Any]:
    """Compute the metrics that follow from confusion matrices (rows true, columns predicted).

    Parameters
    ----------
    matrix : ndarray, shape (n_sets, n_classes, n_classes)

    Returns
    -------
    dict of str to ndarray
        ``accuracy``, ``balanced_accuracy``, ``matthews`` (for any number of classes: Gorodkin
        2004), ``kappa`` (Cohen 1960), shape (n_sets,); for each name of `MATRIX_METRICS`
        ``class_<name>``, shape (n_sets, n_classes), and ``macro_<name>`` and ``weighted_<name>``,
        means over the classes that have rows, shape (n_sets,).
    """
    right = np.diagonal(matrix, axis1=1, axis2=2)
    true, predicted = matrix.sum(axis=2), matrix.sum(axis=1)
    total = true.sum(axis=1)
    others = total[:, None] - true
    has_rows = true > 0
    chance = (true * predicted).sum(axis=1)
    agreed = right.sum(axis=1)
    spread = np.sqrt((total**2 - (predicted**2).sum(axis=1)) * (total**2 - (true**2).sum(axis=1)))
    with np.errstate(invalid="ignore", divide="ignore"):
        by_class = {
            "precision": np.where(predicted > 0, right / predicted, 0.0),
            "recall": right / true,
            "specificity": (others - (predicted - right)) / others,
            "f1": np.where(has_rows, 2 * right / (true + predicted), np.nan),
        }
        metrics = {
            "accuracy": agreed / total,
            "matthews": np.where(spread > 0, (agreed * total - chance) / spread, 0.0),
            "kappa": (agreed * total - chance) / (total**2 - chance),
        }
        for name, values in by_class.items():
            defined = np.where(has_rows, values, 0.0)
            metrics[f"class_{name}"] = values
            metrics[f"macro_{name}"] = defined.sum(axis=1) / has_rows.sum(axis=1)
            metrics[f"weighted_{name}"] = (defined * true).sum(axis=1) / total
    return {**metrics, "balanced_accuracy": metrics["macro_recall"]}
