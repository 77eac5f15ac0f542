"""Networks: any Keras model whose outputs are logits, trained and kept in the same way."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.models import registry
from pipeline.models.base import Classifier, Progress, Training, TrainingData
from pipeline.training import network as training  # before keras: it quiets TensorFlow

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
    """

    def __init__(self, model: keras.Model, masked: bool) -> None:
        self.model = model
        self.masked = masked
        self._forward: Any = None

    @classmethod
    def fit(
        cls,
        model: str,
        data: TrainingData,
        settings: Mapping[str, Any],
        progress: Progress,
        logs: Path,
    ) -> tuple["Network", Training]:
        """Train on the training rows; with ``refit_on_validation`` once more on both parts."""
        machine = training.prepare(settings["seed"])
        row = registry.MODELS[model]
        builder = row.load_builder()

        def build() -> keras.Model:
            return builder(data.n_words, len(data.class_names), settings)

        train = training.Rows(data.train, data.train_labels)
        validation = training.Rows(data.validation, data.validation_labels)
        names = list(data.class_names)
        masked = row.masks_padding
        network, history, facts = training.train(
            build, train, validation, names, settings, progress, logs, masked=masked
        )
        if settings["refit_on_validation"] and len(data.validation_labels):
            both = training.Rows(
                np.concatenate([data.train, data.validation]),
                np.concatenate([data.train_labels, data.validation_labels]),
            )
            nothing = training.Rows(data.validation[:0], data.validation_labels[:0])
            epochs = facts["best_epoch"]
            network, again, facts = training.train(
                build,
                both,
                nothing,
                names,
                settings,
                progress,
                None,
                masked=masked,
                epochs=epochs,
            )
            facts["refitted_on_validation"] = len(again)
        return cls(network, masked), Training(history, {**facts, "machine": machine})

    def predict(self, vectors: Any) -> np.ndarray:
        """Return probabilities, float64, shape (n_rows, n_classes)."""
        if self._forward is None:
            self._forward = training.forward_function(self.model)
        return training.predict(self._forward, vectors, masked=self.masked)

    def word_vectors(self) -> np.ndarray | None:
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
        from pipeline.models import recurrent  # noqa: F401

        notes = json.loads((folder / _NOTES).read_text())
        model = keras.models.load_model(folder / _MODEL, compile=False, safe_mode=True)
        return cls(model, notes["masked"])
