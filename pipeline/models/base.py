"""The interface of all classifiers, and the data that they are trained on."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from pipeline.features.word_vectors import WordVectors
from pipeline.training.validation import Training, validation_metrics

#: A trained classifier, and facts for ``training.json``.
Fitted = tuple[Any, dict[str, Any]]
#: Receives the fraction done (0 to 1) and a short text.
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Problem:
    """Sizes of the data, for functions that build a network."""

    width: int  # size of the vocabulary, or of a text's vector
    n_classes: int
    sequence_length: int | None = None  # tokens of each row, if the representation has a length
    embedding: np.ndarray | None = None  # pretrained vectors, float32, shape (width, dimensions)


@dataclass(frozen=True)
class TrainingData:
    """Rows of the training and validation parts; `Problem` explains width and embedding."""

    train: Any  # array or sparse matrix, shape (n_rows, ...)
    train_labels: np.ndarray  # int, shape (n_rows,): index into the names of the classes
    validation: Any
    validation_labels: np.ndarray
    class_names: Sequence[str]
    width: int
    embedding: np.ndarray | None = None
    word_vectors: WordVectors | None = None  # a word index width + i is row i


class Classifier(ABC):
    """A model that learns classes from vectors."""

    @classmethod
    def fit(
        cls,
        model: str,
        data: TrainingData,
        settings: Mapping[str, Any],
        progress: Progress,
        logs: Path,
        partial: Path | None = None,
    ) -> tuple[Self, Training]:
        """Train on the training rows.

        Parameters
        ----------
        model : str
            Name of the model.
        data : TrainingData
        settings : mapping
            The model's hyper-parameters.
        progress : callable
        logs : Path
            Folder for TensorBoard's files, created only if something is written.
        partial : Path, optional
            Folder for checkpoints; models that are trained within seconds write none.
        """
        fitted, facts = cls._fit(model, data, settings)
        progress(1.0, "fitted")
        training = Training(facts=facts)
        if len(data.validation_labels):
            metrics = validation_metrics(data.validation_labels, fitted.predict(data.validation))
            training.history.append({"epoch": 1, **metrics})
        return fitted, training

    @classmethod
    def _fit(cls, model: str, data: TrainingData, settings: Mapping[str, Any]) -> Fitted:
        """Train a model without epochs and return facts about it."""
        raise NotImplementedError

    @abstractmethod
    def predict(self, vectors: Any) -> np.ndarray:
        """Return probabilities, float64, shape (n_rows, n_classes); rows sum to one."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write the model's files, without pickles."""

    @classmethod
    @abstractmethod
    def load(cls, folder: Path) -> Self:
        """Read the files that `save` wrote."""

    def learned_vectors(self) -> np.ndarray | None:
        """Return the learned vector of each word of the vocabulary, or None."""
        return None

    def architecture(self) -> list[dict[str, Any]]:
        """Describe the layers: ``layer``, ``kind``, ``output`` shape, ``parameters``."""
        return []
