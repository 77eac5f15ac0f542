"""The record of a training: metrics on the validation part, and early stopping by one of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pipeline.errors import TrainingError


def validation_metrics(labels: np.ndarray, probabilities: np.ndarray) -> dict[str, float]:
    """Compute the metrics that are followed during training.

    Parameters
    ----------
    labels : ndarray of int, shape (n_rows,)
    probabilities : ndarray of float, shape (n_rows, n_classes)

    Returns
    -------
    dict
        Mean cross-entropy in nats, accuracy, AUC (macro, one class against the rest; nan if a class
        is missing), and F1 (of the second of two classes, else macro).

    Examples
    --------
    >>> metrics = validation_metrics(np.array([0, 1]), np.array([[0.9, 0.1], [0.2, 0.8]]))
    >>> metrics["val_accuracy"], round(metrics["val_loss"], 3)
    (1.0, 0.164)
    """
    from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

    of_class = probabilities[np.arange(len(labels)), labels]
    predicted = probabilities.argmax(axis=1)
    n_classes = probabilities.shape[1]
    auc = float("nan")
    if len(np.unique(labels)) == n_classes:
        score = probabilities[:, 1] if n_classes == 2 else probabilities
        auc = roc_auc_score(labels, score, multi_class="ovr")
    f1 = f1_score(labels, predicted, average="binary" if n_classes == 2 else "macro")
    return {
        "val_loss": float(-np.log(np.maximum(of_class, 1e-12)).mean()),
        "val_accuracy": float(accuracy_score(labels, predicted)),
        "val_auc": float(auc),
        "val_f1": float(f1),
    }


@dataclass
class Training:
    """The record of a training."""

    history: list[dict[str, float]] = field(default_factory=list)  # loss and metrics by epoch
    facts: dict[str, Any] = field(default_factory=dict)  # the content of training.json
    # The epoch after which training was resumed. It is for the manifest only, because the files of
    # the model do not depend on it.
    interruption: dict[str, Any] = field(default_factory=dict)


@dataclass
class EarlyStopping:
    """Follow one validation metric: the best epoch, when to stop, when to reduce the rate."""

    monitor: str  # metric without val_; a smaller loss is better, larger values of the others
    patience: int  # epochs without improvement before stopping; 0: never stop
    reduce_patience: int  # epochs without improvement before reducing the learning rate
    min_change: float  # smallest change that is an improvement
    best_epoch: int = 0
    best: float = float("inf")
    weights: list[np.ndarray] = field(default_factory=list)  # of the best epoch
    reduced_at: int = 0  # epoch

    def improved(self, epoch: int, metrics: Mapping[str, float]) -> bool:
        """Record an epoch's metric and return whether it is the best so far."""
        value = metrics[f"val_{self.monitor}"]
        value = value if self.monitor == "loss" else -value
        if not np.isfinite(value):
            raise TrainingError(
                f"monitor {self.monitor} is not defined on the validation rows, because a class "
                "is missing there; use --monitor loss, or a larger validation_fraction."
            )
        better = value < self.best - self.min_change
        if better:
            self.best, self.best_epoch, self.reduced_at = value, epoch, epoch
        return better

    def should_reduce(self, epoch: int) -> bool:
        """Return whether the learning rate must be reduced after this epoch."""
        if epoch - self.reduced_at < self.reduce_patience:
            return False
        self.reduced_at = epoch
        return True

    def should_stop(self, epoch: int) -> bool:
        """Return whether training must stop after this epoch."""
        return self.patience > 0 and epoch - self.best_epoch >= self.patience
