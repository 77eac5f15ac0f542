"""Naive Bayes on sparse word values."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.naive_bayes import ComplementNB, MultinomialNB

from pipeline.models.base import Classifier, Progress, Training, TrainingData
from pipeline.training.validation_metrics import scores

_FILE = "model.skops"


class NaiveBayes(Classifier):
    """Multinomial naive Bayes (McCallum and Nigam 1998) or complement (Rennie et al. 2003)."""

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    @classmethod
    def fit(
        cls,
        model: str,
        data: TrainingData,
        settings: Mapping[str, Any],
        progress: Progress,
        logs: Path,
        partial: Path | None = None,
    ) -> tuple["NaiveBayes", Training]:
        """Fit on the training rows; validation rows are only scored."""
        kind = {"multinomial": MultinomialNB, "complement": ComplementNB}[settings["variant"]]
        fitted = cls(kind(alpha=settings["alpha"]).fit(data.train, data.train_labels))
        progress(1.0, "fitted")
        training = Training(facts={"parameters": int(fitted.estimator.feature_count_.size)})
        if len(data.validation_labels):
            found = scores(data.validation_labels, fitted.predict(data.validation))
            training.history.append({"epoch": 1, **found})
        return fitted, training

    def predict(self, vectors: Any) -> np.ndarray:
        """Return probabilities, float64, shape (n_rows, n_classes)."""
        return np.asarray(self.estimator.predict_proba(vectors), dtype=np.float64)

    def save(self, folder: Path) -> None:
        """Write the estimator in skops' form."""
        import skops.io

        skops.io.dump(self.estimator, folder / _FILE)

    @classmethod
    def load(cls, folder: Path) -> "NaiveBayes":
        """Read the estimator; skops refuses types that it does not know to be safe."""
        import skops.io

        return cls(skops.io.load(folder / _FILE))
