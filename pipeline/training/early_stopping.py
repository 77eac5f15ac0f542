"""Early stopping and the reduction of the learning rate, by one figure on validation rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from pipeline.errors import PipelineError


@dataclass
class Stopper:
    """Follow one figure over epochs: keep the best weights, say when to stop or slow down.

    Attributes
    ----------
    monitor : str
        Name of the figure without ``val_``; ``loss`` is better when smaller, others when larger.
    patience, reduce_patience : int
        Epochs without improvement before stopping and before reducing the learning rate.
    min_change : float
        Least change that counts.
    """

    monitor: str
    patience: int
    reduce_patience: int
    min_change: float
    best_epoch: int = 0
    best: float = float("inf")
    weights: list[np.ndarray] = field(default_factory=list)
    reduced_at: int = 0

    def improved(self, epoch: int, found: Mapping[str, float]) -> bool:
        """Note an epoch's figure and say whether it is the best so far."""
        value = found[f"val_{self.monitor}"]
        value = value if self.monitor == "loss" else -value
        if not np.isfinite(value):
            raise PipelineError(
                f"monitor {self.monitor} is not defined on the validation rows, where a class is "
                "missing; use --monitor loss, or a larger validation_fraction."
            )
        better = value < self.best - self.min_change
        if better:
            self.best, self.best_epoch, self.reduced_at = value, epoch, epoch
        return better

    def should_reduce(self, epoch: int) -> bool:
        """Say whether the figure stood still long enough to reduce the learning rate."""
        if epoch - self.reduced_at < self.reduce_patience:
            return False
        self.reduced_at = epoch
        return True

    def should_stop(self, epoch: int) -> bool:
        """Say whether the figure stood still long enough to stop."""
        return self.patience > 0 and epoch - self.best_epoch >= self.patience
