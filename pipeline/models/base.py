"""What every classifier can do, and what it is trained on."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.features.word_vectors import WordVectors

#: Called with the share done (0 to 1) and a short text.
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Problem:
    """What the builder of a network must know of the data.

    Attributes
    ----------
    width : int
        Size of the vocabulary, or numbers in a text's vector.
    n_classes : int
    sequence_length : int or None
        Tokens of each row, where the representation has a length.
    embedding : ndarray of float32, shape (width, dimensions), or None
        Pretrained vectors of the vocabulary's words.
    """

    width: int
    n_classes: int
    sequence_length: int | None = None
    embedding: np.ndarray | None = None


@dataclass(frozen=True)
class TrainingData:
    """Rows to fit on and rows to choose by.

    Attributes
    ----------
    train, validation : ndarray or sparse matrix, shape (n_rows, ...)
        Vectors of the model's representation.
    train_labels, validation_labels : ndarray of int, shape (n_rows,)
        Index into ``class_names``.
    class_names : sequence of str
    width : int
        Size of the vocabulary, or numbers in a text's vector.
    embedding : ndarray of float32, shape (width, dimensions), or None
        Pretrained vectors of the vocabulary's words.
    word_vectors : WordVectors or None
        All pretrained vectors, to which indices from ``width`` on point.
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
    """What training left behind besides the model.

    Attributes
    ----------
    history : list of dict
        One entry an epoch: ``epoch``, losses and scores on validation rows.
    facts : dict
        Epoch kept, number of parameters, and the like, for ``training.json``.
    interruption : dict
        After which epoch an interrupted training was taken up again, for the manifest alone: the
        model's own files are the same as without.
    """

    history: list[dict[str, float]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    interruption: dict[str, Any] = field(default_factory=dict)


class Classifier(ABC):
    """A model that learns classes from vectors; all models share these five verbs."""

    @classmethod
    @abstractmethod
    def fit(
        cls,
        model: str,
        data: TrainingData,
        settings: Mapping[str, Any],
        progress: Progress,
        logs: Path,
        partial: Path | None = None,
    ) -> tuple["Classifier", Training]:
        """Train.

        Parameters
        ----------
        model : str
            Row of the registry.
        data : TrainingData
        settings : mapping
            The row's hyper-parameters.
        progress : callable
        logs : Path
            Folder for TensorBoard logs, made only when something is written.
        partial : Path, optional
            Folder for what an interrupted call leaves and the next takes up; models that are
            trained within seconds leave nothing.
        """

    @abstractmethod
    def predict(self, vectors: Any) -> np.ndarray:
        """Return probabilities, float64, shape (n_rows, n_classes); rows sum to one."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write the model's files; nothing is pickled."""

    def learned_vectors(self) -> np.ndarray | None:
        """Return the vector learned for each word of the vocabulary, None where there is none."""
        return None

    def architecture(self) -> list[dict[str, Any]]:
        """Describe the layers: ``layer``, ``kind``, ``output`` shape, ``parameters``."""
        return []

    @classmethod
    @abstractmethod
    def load(cls, folder: Path) -> "Classifier":
        """Read the files that `save` wrote."""
