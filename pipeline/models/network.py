"""Keras networks whose outputs are logits: training, prediction and files are the same for all."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from scipy import sparse

from pipeline.features.word_vectors import WordVectors
from pipeline.models import specs
from pipeline.models.base import Classifier, Problem, Progress, TrainingData
from pipeline.training import loop
from pipeline.training.compiled import Forward
from pipeline.training.saved_epochs import PHASES
from pipeline.training.tensorflow_import import keras
from pipeline.training.validation import Training

_MODEL, _NOTES = "model.keras", "network.json"


class Network(Classifier):
    """A Keras network over one representation, with one logit for two classes, else one per class.

    ``masked`` is whether it masks padding; ``word_vectors`` are for words that are not in the
    vocabulary.
    """

    def __init__(
        self, model: keras.Model, masked: bool, word_vectors: WordVectors | None = None
    ) -> None:
        self.model = model
        self.masked = masked
        self.word_vectors = word_vectors
        self._forward: Any = None

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
        """Train on the training rows; with ``refit_on_validation`` again on both parts."""
        machine = loop.set_up(settings["seed"])
        # Training texts may contain words that are not in the vocabulary but have a vector.
        extra_vectors, parts = _extra_words(
            data.word_vectors, data.width, data.train, data.validation
        )
        train = loop.Rows(parts[0], data.train_labels)
        validation = loop.Rows(parts[1], data.validation_labels)
        spec = specs.MODELS[model]
        masked = spec.masks_padding and settings.get("mask_padding", True)
        trainer = loop.Trainer(
            _builder(spec, data, settings, extra_vectors),
            list(data.class_names),
            settings,
            progress,
            masked,
        )
        first, second = (partial / f"{phase}.npz" if partial else None for phase in PHASES)
        network, record = trainer.train(train, validation, logs, first)
        record.facts["machine"] = machine
        if settings["refit_on_validation"] and len(data.validation_labels):
            rates = [metrics["learning_rate"] for metrics in record.history]
            no_rows = loop.Rows(parts[1][:0], data.validation_labels[:0])
            best = rates[: record.facts["best_epoch"]]
            network, refit = trainer.train(_joined(train, validation), no_rows, None, second, best)
            record.facts["refitted_on_validation"] = len(refit.history)
            record.interruption = _interruptions(record.interruption, refit.interruption)
        return cls(network, masked, data.word_vectors), record

    def predict(self, vectors: Any) -> np.ndarray:
        """Return probabilities, float64, shape (n_rows, n_classes)."""
        if self.word_vectors is not None:
            embedding = self.model.get_layer("embedding")
            width = embedding.input_dim
            extra_vectors, (vectors,) = _extra_words(self.word_vectors, width, vectors)
            embedding.extra_vectors.assign(extra_vectors)
        if self._forward is None:
            self._forward = Forward(self.model, masked=self.masked)
        return self._forward(vectors)

    def learned_vectors(self) -> np.ndarray | None:
        """Return the weights of the layer ``embedding``, shape (n_words, embedding_size)."""
        for layer in self.model.layers:
            if layer.name == "embedding" and isinstance(layer, keras.layers.Embedding):
                return layer.embeddings.numpy()
        return None

    def architecture(self) -> list[dict[str, Any]]:
        """List the layers from input to logits."""
        return [
            {
                "layer": layer.name,
                "kind": type(layer).__name__,
                "output": [*getattr(layer.output, "shape", ())],
                "parameters": layer.count_params(),
            }
            for layer in self.model.layers
        ]

    def save(self, folder: Path) -> None:
        """Write the network in Keras' format."""
        self.model.save(folder / _MODEL)
        (folder / _NOTES).write_text(json.dumps({"masked": self.masked}) + "\n")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the network; Keras' safe mode refuses code in the file."""
        from pipeline.models import fused, layers  # noqa: F401  (registers the custom layers)

        notes = json.loads((folder / _NOTES).read_text(encoding="utf-8"))
        model = keras.models.load_model(folder / _MODEL, compile=False, safe_mode=True)
        return cls(model, notes["masked"], WordVectors.load(folder))


def _extra_words(
    word_vectors: WordVectors | None, width: int, *parts: np.ndarray
) -> tuple[np.ndarray | None, list[np.ndarray]]:
    """Gather the vectors of words that are not in the vocabulary, and renumber these words.

    In the texts of ``parts``, an index ``width + i`` is row i of ``word_vectors``; in the returned
    texts, it is row i of the gathered vectors, shape (n_words or 1, dimensions).
    """
    if word_vectors is None:
        return None, list(parts)
    arrays = [np.array(part) for part in parts]
    needed = np.unique(np.concatenate([array[array >= width] for array in arrays]))
    for array in arrays:
        is_extra = array >= width
        array[is_extra] = width + np.searchsorted(needed, array[is_extra])
    if not len(needed):
        return np.zeros((1, word_vectors.vectors.shape[1]), np.float32), arrays
    return np.asarray(word_vectors.vectors[needed - width]), arrays


def _builder(
    spec: specs.Model,
    data: TrainingData,
    settings: Mapping[str, Any],
    extra_vectors: np.ndarray | None,
) -> Callable[[], keras.Model]:
    """Return a function that builds the untrained network."""
    n_classes = len(data.class_names)
    length = data.train.shape[1] if spec.reads == "sequences" else None
    problem = Problem(data.width, n_classes, length, data.embedding)

    def build() -> keras.Model:
        network = spec.load_builder()(problem, settings)
        if extra_vectors is not None:
            network.get_layer("embedding").extra_vectors.assign(extra_vectors)
        if settings["output_bias"] == "frequencies":
            network.get_layer("logits").bias.assign(_log_odds(data.train_labels, n_classes))
        return network

    return build


def _log_odds(labels: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the logits of the class frequencies, with one added to each count."""
    shares = np.log(np.bincount(labels, minlength=n_classes) + 1) - np.log(len(labels) + n_classes)
    return shares[1:] - shares[:1] if n_classes == 2 else shares


def _joined(train: loop.Rows, validation: loop.Rows) -> loop.Rows:
    """Concatenate training and validation rows."""
    vectors = [train.vectors, validation.vectors]
    is_sparse = sparse.issparse(train.vectors)
    joined = sparse.vstack(vectors, format="csr") if is_sparse else np.concatenate(vectors)
    return loop.Rows(joined, np.concatenate([train.labels, validation.labels]))


def _interruptions(first: Mapping[str, Any], refit: Mapping[str, Any]) -> dict[str, Any]:
    """Combine the interruptions of training and refitting."""
    if not refit:
        return dict(first)
    return {
        **first,
        "refit_resumed_after_epoch": refit["resumed_after_epoch"],
        "seconds_before": first.get("seconds_before", 0.0) + refit["seconds_before"],
    }
