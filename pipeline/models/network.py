"""Networks: any Keras model whose outputs are logits, trained and kept in the same way."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.features.word_vectors import WordVectors
from pipeline.models import specs
from pipeline.models.base import Classifier, Problem, Progress, Training, TrainingData
from pipeline.training import batches
from pipeline.training import loop as training

import keras  # isort: skip

_MODEL = "model.keras"
_NOTES = "network.json"


class Network(Classifier):
    """A Keras network over one representation.

    Parameters
    ----------
    model : keras.Model
        Ends in logits: one for two classes, else one a class.
    masked : bool
        Whether it masks padding, so that batches may be cut to their longest text.
    word_vectors : WordVectors or None
        Pretrained ones, for words that are not in the vocabulary.
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
    ) -> tuple["Network", Training]:
        """Train on the training rows; with ``refit_on_validation`` once more on both parts."""
        machine = training.prepare(settings["seed"])
        row = specs.MODELS[model]
        builder = row.load_builder()
        n_classes = len(data.class_names)
        length = data.train.shape[1] if row.reads == "sequences" else None
        problem = Problem(data.width, n_classes, length, data.embedding)
        # Words of training texts that max_words left out of the vocabulary have vectors as well.
        external_inputs, (train_vectors, validation_vectors) = vectors_outside(
            data.word_vectors, data.width, data.train, data.validation
        )

        def build() -> keras.Model:
            network = builder(problem, settings)
            if external_inputs is not None:
                network.get_layer("embedding").external_inputs.assign(external_inputs)
            if settings["output_bias"] == "frequencies":
                network.get_layer("logits").bias.assign(log_odds(data.train_labels, n_classes))
            return network

        train = training.Rows(train_vectors, data.train_labels)
        validation = training.Rows(validation_vectors, data.validation_labels)
        names = list(data.class_names)
        masked = row.masks_padding and settings.get("mask_padding", True)
        trained = training.train(
            build,
            train,
            validation,
            names,
            settings,
            progress,
            logs,
            masked=masked,
            checkpoint=partial / "training.npz" if partial else None,
        )
        done = Training(trained.history, {**trained.facts, "machine": machine})
        done.interruption = trained.interruption
        if settings["refit_on_validation"] and len(data.validation_labels):
            both = training.Rows(
                batches.join(train_vectors, validation_vectors),
                np.concatenate([data.train_labels, data.validation_labels]),
            )
            nothing = training.Rows(validation_vectors[:0], data.validation_labels[:0])
            best = trained.facts["best_epoch"]
            trained = training.train(
                build,
                both,
                nothing,
                names,
                settings,
                progress,
                None,
                masked=masked,
                rates=[found["learning_rate"] for found in trained.history[:best]],
                checkpoint=partial / "refit.npz" if partial else None,
            )
            done.facts["refitted_on_validation"] = len(trained.history)
            done.interruption = _joined(done.interruption, trained.interruption)
        return cls(trained.model, masked, data.word_vectors), done

    def predict(self, vectors: Any) -> np.ndarray:
        """Return probabilities, float64, shape (n_rows, n_classes)."""
        if self.word_vectors is not None:
            embedding = self.model.get_layer("embedding")
            external_inputs, (vectors,) = vectors_outside(
                self.word_vectors, embedding.input_dim, vectors
            )
            embedding.external_inputs.assign(external_inputs)
        if self._forward is None:
            self._forward = training.forward_function(self.model)
        return training.predict(self._forward, vectors, masked=self.masked)

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
        """Write the network in Keras' own form."""
        self.model.save(folder / _MODEL)
        (folder / _NOTES).write_text(json.dumps({"masked": self.masked}) + "\n")

    @classmethod
    def load(cls, folder: Path) -> "Network":
        """Read the network; Keras' safe mode refuses code in the file."""
        # Registers our own layers.
        from pipeline.models import fused, layers  # noqa: F401

        notes = json.loads((folder / _NOTES).read_text(encoding="utf-8"))
        model = keras.models.load_model(folder / _MODEL, compile=False, safe_mode=True)
        return cls(model, notes["masked"], WordVectors.load(folder))


def _joined(first: Mapping[str, Any], refit: Mapping[str, Any]) -> dict[str, Any]:
    """Say of both phases of training where they were taken up, and what they had taken."""
    if not refit:
        return dict(first)
    return {
        **first,
        "refit_resumed_after_epoch": refit["resumed_after_epoch"],
        "seconds_before": first.get("seconds_before", 0.0) + refit["seconds_before"],
    }


def vectors_outside(
    word_vectors: WordVectors | None, width: int, *parts: np.ndarray
) -> tuple[np.ndarray | None, list[np.ndarray]]:
    """Gather the vectors of the words outside of the vocabulary that some texts need.

    Parameters
    ----------
    word_vectors : WordVectors or None
        Without any, nothing is outside.
    width : int
        Size of the vocabulary; an index i from there on is row ``i - width`` of ``word_vectors``.
    *parts : ndarray of int, shape (n_texts, tokens)

    Returns
    -------
    outside : ndarray of float32, shape (n_words or 1, dimensions), or None
    parts : list of ndarray of int
        The same texts, in which an index i from ``width`` on is row ``i - width`` of ``outside``.
    """
    if word_vectors is None:
        return None, list(parts)
    arrays = [np.array(part) for part in parts]
    needed = np.unique(np.concatenate([array[array >= width] for array in arrays]))
    for array in arrays:
        beyond = array >= width
        array[beyond] = width + np.searchsorted(needed, array[beyond])
    if not len(needed):
        return np.zeros((1, word_vectors.vectors.shape[1]), np.float32), arrays
    return np.asarray(word_vectors.vectors[needed - width]), arrays


def log_odds(labels: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the scores that give each class its share of the rows, one added to each count.

    Parameters
    ----------
    labels : ndarray of int, shape (n_rows,)
    n_classes : int

    Returns
    -------
    ndarray of float64, shape (1,) for two classes, else (n_classes,)
    """
    shares = np.log(np.bincount(labels, minlength=n_classes) + 1) - np.log(len(labels) + n_classes)
    return shares[1:] - shares[:1] if n_classes == 2 else shares
