"""Train a network: epochs, early stopping, and predictions in batches.

Kept apart from the models: it knows batches and weights, not what a layer is.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.training.quiet import without_start_up_messages

with without_start_up_messages():
    import keras
    import tensorflow as tf

    # The first operation looks for devices, and reports on them.
    tf.constant(0) + 0

from pipeline.errors import PipelineError
from pipeline.training.scores import scores
from pipeline.training.weights import class_weights

PREDICTION_BATCH = 1024  # texts
# Batches whose texts are sorted by length among themselves: enough for batches of like lengths,
# few enough that an epoch's order stays random.
_SORTED_TOGETHER = 32

logger = logging.getLogger("luigi-interface")


def prepare(seed: int) -> dict[str, Any]:
    """Seed every source of chance and ask for repeatable operations.

    Returns
    -------
    dict
        How TensorFlow is set, for the manifest.
    """
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    return {
        "cores": len(os.sched_getaffinity(0)),
        "intra_op_threads": tf.config.threading.get_intra_op_parallelism_threads(),
        "inter_op_threads": tf.config.threading.get_inter_op_parallelism_threads(),
        "deterministic_operations": True,
    }


def optimizer(settings: Mapping[str, Any]) -> keras.Optimizer:
    """Return the optimizer that the settings name."""
    kinds = {
        "adam": keras.optimizers.Adam,
        "adamw": keras.optimizers.AdamW,
        "nadam": keras.optimizers.Nadam,
        "rmsprop": keras.optimizers.RMSprop,
        "sgd": keras.optimizers.SGD,
    }
    return kinds[settings["optimizer"]](learning_rate=settings["learning_rate"])


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


@dataclass(frozen=True)
class Rows:
    """Vectors and classes to train on."""

    vectors: np.ndarray
    labels: np.ndarray


def train(
    build: Callable[[], keras.Model],
    rows: Rows,
    validation: Rows,
    class_names: list[str],
    settings: Mapping[str, Any],
    progress: Callable[[float, str], None],
    logs: Path | None,
    *,
    masked: bool,
    epochs: int | None = None,
) -> tuple[keras.Model, list[dict[str, float]], dict[str, Any]]:
    """Train a network and return it with its best weights.

    Parameters
    ----------
    build : callable
        Returns a new network whose outputs are logits.
    rows, validation : Rows
        Without validation rows nothing is stopped early and the last weights are kept.
    class_names : list of str
    settings : mapping
        Training settings of the registry.
    progress : callable
        Called once a batch or less with the share done.
    logs : Path or None
        Folder for TensorBoard's scalars.
    masked : bool
        Whether the network masks padding, so that batches may be cut to their longest text.
    epochs : int, optional
        Train exactly so many epochs, without early stopping.

    Returns
    -------
    model : keras.Model
    history : list of dict
        One entry an epoch.
    facts : dict
        ``best_epoch``, ``epochs``, ``parameters``.
    """
    keras.utils.set_random_seed(settings["seed"])
    model = build()
    chosen = optimizer(settings)
    step = _training_step(model, chosen, len(class_names))
    forward = forward_function(model)
    weights = class_weights(settings["class_weights"], rows.labels, class_names)
    stopper = Stopper(
        settings["monitor"],
        0 if epochs else settings["patience"],
        settings["reduce_patience"],
        settings["min_change"],
    )
    writer = _event_writer(logs) if logs else None
    most = epochs or settings["epochs"]
    history: list[dict[str, float]] = []
    for epoch in range(1, most + 1):
        rate = float(chosen.learning_rate)
        loss = _epoch(step, rows, weights, settings, epoch, most, progress, masked)
        found = {"epoch": epoch, "loss": loss, "learning_rate": rate}
        if len(validation.labels):
            probabilities = predict(forward, validation.vectors, masked=masked)
            found |= scores(validation.labels, probabilities)
            if stopper.improved(epoch, found) and stopper.patience:
                stopper.weights = model.get_weights()
            if settings["reduce_factor"] < 1 and not epochs and stopper.should_reduce(epoch):
                chosen.learning_rate = rate * settings["reduce_factor"]
        history.append(found)
        _log(writer, found)
        progress(epoch / most, _line(found))
        if len(validation.labels) and stopper.should_stop(epoch):
            break
    if stopper.weights:
        model.set_weights(stopper.weights)
    facts = {
        "epochs": len(history),
        "best_epoch": stopper.best_epoch if stopper.weights else len(history),
        "parameters": model.count_params(),
        "trainable_parameters": sum(int(np.prod(w.shape)) for w in model.trainable_weights),
        "class_weights": dict(zip(class_names, weights.tolist(), strict=True)),
    }
    return model, history, facts


def predict(forward: Callable, vectors: np.ndarray, *, masked: bool) -> np.ndarray:
    """Return probabilities, float64, shape (n_rows, n_classes).

    Parameters
    ----------
    forward : callable
        From `forward_function`.
    vectors : ndarray, shape (n_rows, ...)
    masked : bool
        Whether padding is masked: texts are then taken in the order of their lengths, and each
        batch cut to its longest.
    """
    order = np.argsort(_lengths(vectors), kind="stable") if masked else np.arange(len(vectors))
    parts = []
    for start in range(0, len(order), PREDICTION_BATCH):
        batch = np.asarray(vectors[order[start : start + PREDICTION_BATCH]])
        parts.append(forward(_cut(batch) if masked else batch).numpy())
    width = parts[0].shape[1] if parts else 2
    probabilities = np.empty((len(order), width))
    if parts:
        probabilities[order] = np.concatenate(parts)
    return probabilities


def forward_function(model: keras.Model) -> Callable:
    """Compile the network's forward pass, logits turned into probabilities.

    Parameters
    ----------
    model : keras.Model
        Network whose outputs are logits.

    Returns
    -------
    callable
        From a batch of vectors to float64 probabilities, shape (batch, n_classes).
    """

    @tf.function(reduce_retracing=True)
    def forward(batch: Any) -> Any:
        logits = tf.cast(model(batch, training=False), tf.float64)
        if logits.shape[1] == 1:
            second = tf.sigmoid(logits)
            return tf.concat([1 - second, second], axis=1)
        return tf.nn.softmax(logits)

    specification = tf.TensorSpec([None, *model.input_shape[1:]], model.input.dtype)
    compiled = forward.get_concrete_function(specification)
    return lambda batch: compiled(tf.constant(batch, specification.dtype))


def _training_step(model: keras.Model, chosen: keras.Optimizer, n_classes: int) -> Callable:
    """Compile one step: loss, gradients, update."""
    variables = model.trainable_variables
    chosen.build(variables)

    @tf.function(reduce_retracing=True)
    def step(batch: Any, labels: Any, weights: Any) -> Any:
        with tf.GradientTape() as tape:
            logits = model(batch, training=True)
            if n_classes == 2:
                target = tf.cast(labels, logits.dtype)
                losses = tf.nn.sigmoid_cross_entropy_with_logits(target, logits[:, 0])
            else:
                losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
            loss = tf.reduce_mean(losses * weights)
            total = tf.add_n([loss, *model.losses])
        chosen.apply(tape.gradient(total, variables), variables)
        return loss

    specification = tf.TensorSpec([None, *model.input_shape[1:]], model.input.dtype)
    return step.get_concrete_function(
        specification, tf.TensorSpec([None], tf.int64), tf.TensorSpec([None], tf.float32)
    )


def _epoch(
    step: Callable,
    rows: Rows,
    weights: np.ndarray,
    settings: Mapping[str, Any],
    epoch: int,
    most: int,
    progress: Callable[[float, str], None],
    masked: bool,
) -> float:
    """Pass once over the rows and return the mean loss of its batches."""
    batches = list(_batches(rows.vectors, settings["batch_size"], settings["seed"], epoch, masked))
    total = tf.constant(0.0)
    for number, chosen in enumerate(batches):
        batch = np.asarray(rows.vectors[chosen])
        labels = rows.labels[chosen]
        total += step(
            tf.constant(_cut(batch) if masked else batch),
            tf.constant(labels, tf.int64),
            tf.constant(weights[labels], tf.float32),
        )
        if number % 20 == 0:
            progress((epoch - 1 + number / len(batches)) / most, f"epoch {epoch} of {most}")
    loss = float(total) / len(batches)
    if not np.isfinite(loss):
        raise PipelineError(
            f"training diverged in epoch {epoch}: the loss is {loss}; choose a learning_rate "
            f"below {settings['learning_rate']:g}."
        )
    return loss


def _batches(
    vectors: np.ndarray, size: int, seed: int, epoch: int, masked: bool
) -> Iterator[np.ndarray]:
    """Order rows by chance, by seed and epoch; where padding is masked, in like lengths."""
    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(len(vectors))
    if masked:
        lengths = _lengths(vectors)
        together = size * _SORTED_TOGETHER
        order = np.concatenate(
            [
                part[np.argsort(lengths[part], kind="stable")]
                for part in (order[at : at + together] for at in range(0, len(order), together))
            ]
        )
    starts = np.arange(0, len(order), size)
    for start in rng.permutation(starts) if masked else starts:
        yield order[start : start + size]


def _lengths(indices: np.ndarray) -> np.ndarray:
    """Count the tokens of padded texts."""
    return np.count_nonzero(indices, axis=1)


def _cut(batch: np.ndarray) -> np.ndarray:
    """Cut away the columns in which all texts are padded, on whichever side; one column stays."""
    used = np.flatnonzero(batch.any(axis=0))
    if not len(used):
        return batch[:, :1]
    return batch[:, used[0] : used[-1] + 1]


def _event_writer(folder: Path) -> tf.io.TFRecordWriter:
    """Open a file of TensorBoard events; TensorFlow alone can write it, TensorBoard reads it."""
    folder.mkdir(parents=True, exist_ok=True)
    writer = tf.io.TFRecordWriter(str(folder / "events.out.tfevents.training"))
    writer.write(tf.compat.v1.Event(file_version="brain.Event:2").SerializeToString())
    return writer


def _log(writer: Any, found: Mapping[str, float]) -> None:
    """Write an epoch's figures for TensorBoard."""
    if writer is None:
        return
    values = [
        tf.compat.v1.Summary.Value(tag=name, simple_value=value)
        for name, value in found.items()
        if name != "epoch"
    ]
    event = tf.compat.v1.Event(
        wall_time=time.time(),
        step=int(found["epoch"]),
        summary=tf.compat.v1.Summary(value=values),
    )
    writer.write(event.SerializeToString())
    writer.flush()


def _line(found: Mapping[str, float]) -> str:
    """Write an epoch's figures in one line."""
    figures = (f"{name} {value:.4g}" for name, value in found.items() if name != "epoch")
    return f"epoch {found['epoch']}: {', '.join(figures)}"
