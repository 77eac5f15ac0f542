"""The interface of all classifiers, and the data that they are trained on."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from pipeline.features.word_vectors import WordVectors
from pipeline.training.validation import validation_metrics

#: A trained classifier, and facts for ``training.json``.
Fitted = tuple[Any, dict[str, Any]]
#: Receives the fraction done (0 to 1) and a short text.
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Problem:
    """Sizes of the data, for functions that build a network.

    Attributes
    ----------
    width : int
        Size of the vocabulary, or of a text's vector.
    n_classes : int
    sequence_length : int or None
        Tokens of each row, if the representation has a length.
    embedding : ndarray of float32, shape (width, dimensions), or None
        Pretrained vectors of the vocabulary.
    """

    width: int
    n_classes: int
    sequence_length: int | None = None
    embedding: np.ndarray | None = None


@dataclass(frozen=True)
class TrainingData:
    """Rows of the training and validation parts.

    Attributes
    ----------
    train, validation : ndarray or sparse matrix, shape (n_rows, ...)
    train_labels, validation_labels : ndarray of int, shape (n_rows,)
        Index into ``class_names``.
    class_names : sequence of str
    width, embedding
        See `Problem`.
    word_vectors : WordVectors or None
        All pretrained vectors; a word index ``width + i`` is row ``i``.
    """

    train: Any
    train_labels: np.ndarray
    validation: Any
    validation_labels: np.ndarray
    class_names: Sequence[str]
    width: int
    embedding: np.ndarray | None = None
    word_vectors: WordVectors | None = None


@dataclass
class Training:
    """The record of a training.

    ``history`` has loss and validation metrics of each epoch, ``facts`` the content of
    ``training.json``, and ``interruption`` the epoch after which training was resumed; it is for
    the manifest only, because the model's files do not depend on it.
    """

    history: list[dict[str, float]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    interruption: dict[str, Any] = field(default_factory=dict)


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
