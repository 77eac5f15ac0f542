"""Networks: any Keras model whose outputs are logits, trained and kept in the same way."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.models import registry
from pipeline.models.base import Classifier, Problem, Progress, Training, TrainingData
from pipeline.training import batches
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
        n_classes = len(data.class_names)
        length = data.train.shape[1] if row.reads == "sequences" else None
        problem = Problem(data.width, n_classes, length)

        def build() -> keras.Model:
            network = builder(problem, settings)
            if settings["output_bias"] == "frequencies":
                network.get_layer("logits").bias.assign(log_odds(data.train_labels, n_classes))
            return network

        train = training.Rows(data.train, data.train_labels)
        validation = training.Rows(data.validation, data.validation_labels)
        names = list(data.class_names)
        masked = row.masks_padding and settings.get("mask_padding", True)
        network, history, facts = training.train(
            build, train, validation, names, settings, progress, logs, masked=masked
        )
        if settings["refit_on_validation"] and len(data.validation_labels):
            both = training.Rows(
                batches.join(data.train, data.validation),
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

    def save(self, folder: Path) -> None:
        """Write the network in Keras' own form."""
        self.model.save(folder / _MODEL)
        (folder / _NOTES).write_text(json.dumps({"masked": self.masked}) + "\n")

    @classmethod
    def load(cls, folder: Path) -> "Network":
        """Read the network; Keras' safe mode refuses code in the file."""
        # Registers our own layers.
        from pipeline.models import layers  # noqa: F401

        notes = json.loads((folder / _NOTES).read_text())
        model = keras.models.load_model(folder / _MODEL, compile=False, safe_mode=True)
        return cls(model, notes["masked"])


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
