"""Metrics of many weighted copies of the same rows at once, as a bootstrap needs them."""

from typing import Any

import numpy as np

#: Probabilities below count as this in the log loss, so that one certain error is not infinite.
SMALLEST = 1e-15
BY_CLASS = ("precision", "recall", "specificity", "f1", "roc_auc", "average_precision")


class Scorer:
    """Score predictions under weights of the rows; sorting is done once for all weights.

    Parameters
    ----------
    labels : ndarray of int, shape (n_rows,)
        True classes.
    probabilities : ndarray of float, shape (n_rows, n_classes)
    predicted : ndarray of int, shape (n_rows,), optional
        The most probable class when left out.
    groups : ndarray of int, shape (n_rows,), optional
        Duplicate group of each row, which bootstrap and tests treat as one observation; every row
        is its own group when left out.
    """

    def __init__(
        self,
        labels: np.ndarray,
        probabilities: np.ndarray,
        predicted: np.ndarray | None = None,
        groups: np.ndarray | None = None,
    ) -> None:
        self.n_rows, self.n_classes = probabilities.shape
        self.labels = labels
        self.probabilities = probabilities
        self.groups = groups
        self.predicted = probabilities.argmax(axis=1) if predicted is None else predicted
        width = self.n_classes
        cells = labels * width + self.predicted
        self._cells = np.eye(width * width)[cells]  # (n_rows, n_classes ** 2)
        truth = np.eye(width)[labels]
        certain = np.clip(probabilities, SMALLEST, 1)
        losses = -np.log(certain[np.arange(self.n_rows), labels])
        squares = ((probabilities - truth) ** 2).sum(axis=1)
        # With two classes the sum counts the same error twice.
        self._losses = np.stack([losses, squares / (2 if width == 2 else 1)], axis=1)
        # Either class of two ranks the rows alike; rounding of 1 - p could only make false ties.
        ranked = [1] if width == 2 else range(width)
        self._rankings = [_Ranking(probabilities[:, k], labels == k) for k in ranked]
        if width == 2:
            self._other = _Ranking(-probabilities[:, 1], labels == 0)
        self._pairs = _Ranking(probabilities.ravel(), truth.ravel() > 0)

    @property
    def losses(self) -> tuple[np.ndarray, np.ndarray]:
        """Log loss and squared error of each row, two of float64, shape (n_rows,)."""
        return self._losses[:, 0], self._losses[:, 1]

    @property
    def is_right(self) -> np.ndarray:
        """Whether the predicted class is the true one, bool, shape (n_rows,)."""
        return self.predicted == self.labels

    def score(self, weights: np.ndarray | None = None) -> dict[str, np.ndarray]:
        """Return every figure for each set of weights.

        Parameters
        ----------
        weights : ndarray of float, shape (n_sets, n_rows), optional
            How often each row counts; every row once when left out.

        Returns
        -------
        dict of str to ndarray
            Shape (n_sets,): ``accuracy``, ``balanced_accuracy``, ``matthews``, ``kappa``,
            ``log_loss``, ``brier``, ``roc_auc``, ``roc_auc_pairs``, ``average_precision``; shape
            (n_sets, n_classes), as ``class_<name>``: those of `BY_CLASS`; shape (n_sets,), as
            ``macro_<name>`` and ``weighted_<name>``: means of the first four of `BY_CLASS`, over
            the classes that have rows. ``matrix``, shape (n_sets, n_classes, n_classes). What
            the rows do not define is nan.
        """
        if weights is None:
            weights = np.ones((1, self.n_rows))
        matrix = (weights @ self._cells).reshape(-1, self.n_classes, self.n_classes)
        losses = weights @ self._losses / weights.sum(axis=1, keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            figures = {"log_loss": losses[:, 0], "brier": losses[:, 1]}
            figures |= of_matrix(matrix)
            figures |= self._areas(weights)
        return {**figures, "matrix": matrix}

    def _areas(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        """Return areas under ROC and precision-recall curves."""
        areas = [ranking.areas(weights) for ranking in self._rankings]
        if self.n_classes == 2:
            areas.insert(0, self._other.areas(weights))
        roc = np.stack([area[0] for area in areas], axis=1)
        precision = np.stack([area[1] for area in areas], axis=1)
        pairs = np.repeat(weights, self.n_classes, axis=1)
        return {
            "class_roc_auc": roc,
            "class_average_precision": precision,
            "roc_auc": roc[:, 1] if self.n_classes == 2 else roc.mean(axis=1),
            "roc_auc_pairs": self._pairs.areas(pairs)[0],
            "average_precision": (
                precision[:, 1] if self.n_classes == 2 else precision.mean(axis=1)
            ),
        }


class _Ranking:
    """Rows in the order of a score, best first; rows of equal score are one step."""

    def __init__(self, score: np.ndarray, is_positive: np.ndarray) -> None:
        self.order = np.argsort(-score, kind="stable")
        self.positive = is_positive[self.order].astype(float)
        sorted_score = score[self.order]
        self.starts = np.flatnonzero(np.diff(sorted_score, prepend=np.inf))

    def areas(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return ROC AUC and average precision, each of shape (n_sets,).

        The ROC AUC counts pairs (Mann and Whitney 1947), ties half; the average precision is the
        sum of precisions weighted by gains in recall, without interpolation.
        """
        weights = weights[:, self.order]
        positive = weights * self.positive
        negative = weights - positive
        if len(self.starts) < len(self.order):
            positive = np.add.reduceat(positive, self.starts, axis=1)
            negative = np.add.reduceat(negative, self.starts, axis=1)
        found = np.cumsum(positive, axis=1)
        wrong = np.cumsum(negative, axis=1)
        pairs = (negative * (found - positive / 2)).sum(axis=1)
        total = found[:, -1]
        gains = positive * (found / np.maximum(found + wrong, 1e-300))
        return pairs / (total * wrong[:, -1]), gains.sum(axis=1) / total


def of_matrix(matrix: np.ndarray) -> dict[str, Any]:
    """Return the figures that follow from confusion matrices.

    Parameters
    ----------
    matrix : ndarray, shape (n_sets, n_classes, n_classes)
        Rows true, columns predicted.

    Returns
    -------
    dict of str to ndarray
        See `Scorer.score`. The Matthews correlation is Gorodkin's (2004) for any number of
        classes.
    """
    right = np.diagonal(matrix, axis1=1, axis2=2)
    true, predicted = matrix.sum(axis=2), matrix.sum(axis=1)
    total = true.sum(axis=1)
    others = total[:, None] - true
    has_rows = true > 0
    figures = {
        "precision": np.where(predicted > 0, right / predicted, 0.0),
        "recall": right / true,
        "specificity": (others - (predicted - right)) / others,
        "f1": np.where(has_rows, 2 * right / (true + predicted), np.nan),
    }
    means = {}
    for name, values in figures.items():
        known = np.where(has_rows, values, 0.0)
        means[f"macro_{name}"] = known.sum(axis=1) / has_rows.sum(axis=1)
        means[f"weighted_{name}"] = (known * true).sum(axis=1) / total
    chance = (true * predicted).sum(axis=1)
    spread = np.sqrt((total**2 - (predicted**2).sum(axis=1)) * (total**2 - (true**2).sum(axis=1)))
    agreed = right.sum(axis=1)
    return {
        "accuracy": agreed / total,
        "balanced_accuracy": means["macro_recall"],
        "matthews": np.where(spread > 0, (agreed * total - chance) / spread, 0.0),
        "kappa": (agreed * total - chance) / (total**2 - chance),
        **{f"class_{name}": values for name, values in figures.items()},
        **means,
    }
