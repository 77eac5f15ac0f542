"""Naive Bayes on tf-idf values."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from sklearn.naive_bayes import ComplementNB, MultinomialNB

from pipeline.models.base import Classifier, Fitted, TrainingData

_FILE = "model.skops"


class NaiveBayes(Classifier):
    """Multinomial naive Bayes (McCallum and Nigam 1998) or complement (Rennie et al. 2003)."""

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    @classmethod
    def _fit(cls, model: str, data: TrainingData, settings: Mapping[str, Any]) -> Fitted:
        kind = {"multinomial": MultinomialNB, "complement": ComplementNB}[settings["variant"]]
        fitted = cls(kind(alpha=settings["alpha"]).fit(data.train, data.train_labels))
        facts = {"parameters": int(fitted.estimator.feature_count_.size)}
        return fitted, facts

    def predict(self, vectors: Any) -> np.ndarray:
        """Return probabilities, float64, shape (n_rows, n_classes)."""
        return np.asarray(self.estimator.predict_proba(vectors), dtype=np.float64)

    def save(self, folder: Path) -> None:
        """Write the estimator in the format of skops."""
        import skops.io

        skops.io.dump(self.estimator, folder / _FILE)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the estimator; skops refuses types that it does not trust."""
        import skops.io

        return cls(skops.io.load(folder / _FILE))
