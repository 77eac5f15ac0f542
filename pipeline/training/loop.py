"""Train a network: epochs, early stopping, and predictions in batches.

Kept apart from the models: it knows batches and weights, not what a layer is.
"""

import contextlib
import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.training.tensorflow_import import without_start_up_messages

with without_start_up_messages():
    import keras
    import tensorflow as tf

    CORES = len(os.sched_getaffinity(0))
    # Too late where a SavedModel encoder used TensorFlow before, in this process.
    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(CORES)
        tf.config.threading.set_inter_op_parallelism_threads(CORES)
    # The first operation looks for devices, and reports on them.
    tf.constant(0) + 0

from pipeline.errors import PipelineError
from pipeline.training import batches
from pipeline.training.adam import FusedAdam
from pipeline.training.checkpoint import Checkpoint, State
from pipeline.training.class_weights import class_weights
from pipeline.training.early_stopping import Stopper
from pipeline.training.losses import loss as loss_by_name
from pipeline.training.tensorboard import EventLog
from pipeline.training.validation_metrics import scores

PREDICTION_BATCH = 1024  # texts

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
        "cores": CORES,
        "intra_op_threads": tf.config.threading.get_intra_op_parallelism_threads(),
        "inter_op_threads": tf.config.threading.get_inter_op_parallelism_threads(),
        "deterministic_operations": True,
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "by default"),
    }


def optimizer(settings: Mapping[str, Any]) -> keras.Optimizer:
    """Return the optimizer that the settings name."""
    kinds = {
        "adam": FusedAdam if settings["fused"] else keras.optimizers.Adam,
        "adamw": keras.optimizers.AdamW,
        "nadam": keras.optimizers.Nadam,
        "rmsprop": keras.optimizers.RMSprop,
        "sgd": keras.optimizers.SGD,
    }
    return kinds[settings["optimizer"]](learning_rate=settings["learning_rate"])


@dataclass(frozen=True)
class Rows:
    """Vectors and classes to train on."""

    vectors: Any
    labels: np.ndarray


@dataclass(frozen=True)
class Trained:
    """A trained network and how it came to be.

    Attributes
    ----------
    model : keras.Model
        With its best weights.
    history : list of dict
        One entry an epoch.
    facts : dict
        ``best_epoch``, ``epochs``, ``parameters``.
    interruption : dict
        Empty, or ``resumed_after_epoch`` and ``seconds_before``, what it had taken until then.
    """

    model: keras.Model
    history: list[dict[str, float]]
    facts: dict[str, Any]
    interruption: dict[str, Any]


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
    rates: list[float] | None = None,
    checkpoint: Path | None = None,
) -> Trained:
    """Train a network, going on from the checkpoint that an interrupted call left.

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
    rates : list of float, optional
        Learning rate of each epoch: train exactly so many, without early stopping.
    checkpoint : Path, optional
        File, ends in ``.npz``. With it weights, history and facts are the same bit for bit, however
        often training is interrupted.
    """
    keras.utils.set_random_seed(settings["seed"])
    model = build()
    chosen = optimizer(settings)
    step = _training_step(model, chosen, loss_by_name(settings["loss"], len(class_names)))
    forward = forward_function(model)
    weights = class_weights(settings["class_weights"], rows.labels, class_names)
    most = len(rates) if rates else settings["epochs"]
    n_rows = [len(rows.labels), len(validation.labels)]
    state = State(_stopper(settings, stops=n_rows[1] > 0 and not rates))
    identity = {"settings": dict(settings), "rates": rates, "rows": n_rows}
    kept = Checkpoint(checkpoint, [*model.variables, *chosen.variables], identity)
    interruption = _taken_up(kept, state, most, "Refitting" if rates else "Training")
    log = EventLog(logs)
    for found, finished in zip(state.history, state.finished, strict=True):
        log.write(found, finished)
    while len(state.history) < most and not state.stopper.should_stop(len(state.history)):
        epoch = len(state.history) + 1
        if rates:
            chosen.learning_rate = rates[epoch - 1]
        rate = float(chosen.learning_rate)
        loss = _epoch(step, rows, weights, settings, epoch, most, progress, masked)
        found = {"epoch": epoch, "loss": loss, "learning_rate": rate}
        if len(validation.labels):
            probabilities = predict(forward, validation.vectors, masked=masked)
            found |= scores(validation.labels, probabilities)
            if state.stopper.improved(epoch, found) and state.stopper.patience:
                state.stopper.weights = model.get_weights()
            if settings["reduce_factor"] < 1 and not rates and state.stopper.should_reduce(epoch):
                chosen.learning_rate = rate * settings["reduce_factor"]
        state.add(found, time.time())
        kept.keep(state)
        log.write(found, state.finished[-1])
        progress(epoch / most, _line(found))
    if state.stopper.weights:
        model.set_weights(state.stopper.weights)
    facts = {
        "epochs": len(state.history),
        "best_epoch": state.stopper.best_epoch if state.stopper.weights else len(state.history),
        **_sizes(model),
        "class_weights": dict(zip(class_names, weights.tolist(), strict=True)),
    }
    return Trained(model, state.history, facts, interruption)


def _taken_up(kept: Checkpoint, state: State, most: int, what: str) -> dict[str, Any]:
    """Restore what an interrupted call left, and say so; return the facts of it."""
    if not kept.restore(state):
        return {}
    epoch = len(state.history)
    logger.info("%s resumed after epoch %d of %d.", what, epoch, most)
    return {"resumed_after_epoch": epoch, "seconds_before": round(kept.before, 3)}


def _sizes(model: keras.Model) -> dict[str, int]:
    """Count the numbers that the network holds, and those that are learned."""
    return {
        "parameters": model.count_params(),
        "trainable_parameters": sum(int(np.prod(w.shape)) for w in model.trainable_weights),
    }


def _stopper(settings: Mapping[str, Any], *, stops: bool) -> Stopper:
    """Return what follows the figure that the settings name."""
    return Stopper(
        settings["monitor"],
        settings["patience"] if stops else 0,
        settings["reduce_patience"],
        settings["min_change"],
    )


def predict(forward: Callable, vectors: Any, *, masked: bool) -> np.ndarray:
    """Return probabilities, float64, shape (n_rows, n_classes).

    Parameters
    ----------
    forward : callable
        From `forward_function`.
    vectors : ndarray or csr_matrix, shape (n_rows, ...)
    masked : bool
        Whether padding is masked: texts are then taken in the order of their lengths, and each
        batch cut to its longest.
    """
    n_rows = vectors.shape[0]
    order = np.argsort(batches.lengths(vectors), kind="stable") if masked else np.arange(n_rows)
    parts = []
    for start in range(0, max(n_rows, 1), PREDICTION_BATCH):
        rows = order[start : start + PREDICTION_BATCH]
        parts.append(forward(*batches.arrays(vectors, rows, cut=masked)).numpy())
    found = np.concatenate(parts)
    probabilities = np.empty_like(found)
    probabilities[order] = found
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
    def forward(*inputs: Any) -> Any:
        logits = tf.cast(_call(model, inputs, training=False), tf.float64)
        if logits.shape[1] == 1:
            second = tf.sigmoid(logits)
            return tf.concat([1 - second, second], axis=1)
        return tf.nn.softmax(logits)

    specifications = _specifications(model)
    compiled = forward.get_concrete_function(*specifications)
    return lambda *inputs: compiled(*_tensors(inputs, specifications))


def _call(model: keras.Model, inputs: Any, *, training: bool) -> Any:
    """Run the network; Keras warns when one input stands in a list."""
    return model(inputs[0] if len(inputs) == 1 else list(inputs), training=training)


def _specifications(model: keras.Model) -> list[tf.TensorSpec]:
    """Describe the network's inputs, for batches of any size."""
    return [tf.TensorSpec([None, *known.shape[1:]], known.dtype) for known in model.inputs]


def _tensors(inputs: Any, specifications: list[tf.TensorSpec]) -> list[Any]:
    """Turn a batch's arrays into tensors."""
    return [
        tf.constant(array, known.dtype) for array, known in zip(inputs, specifications, strict=True)
    ]


def _training_step(model: keras.Model, chosen: keras.Optimizer, losses: Callable) -> Callable:
    """Compile one step: loss, gradients, update."""
    variables = model.trainable_variables
    chosen.build(variables)

    @tf.function(reduce_retracing=True)
    def step(labels: Any, weights: Any, *inputs: Any) -> Any:
        with tf.GradientTape() as tape:
            logits = _call(model, inputs, training=True)
            loss = tf.reduce_mean(losses(labels, logits) * weights)
            total = tf.add_n([loss, *model.losses])
        chosen.apply(tape.gradient(total, variables), variables)
        return loss

    specifications = [
        tf.TensorSpec([None], tf.int64),
        tf.TensorSpec([None], tf.float32),
        *_specifications(model),
    ]
    compiled = step.get_concrete_function(*specifications)
    return lambda *inputs: compiled(*_tensors(inputs, specifications))


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
    size, seed = settings["batch_size"], settings["seed"]
    order = list(batches.order(rows.vectors, size, seed, epoch, by_length=masked))
    total = tf.constant(0.0)
    for number, chosen in enumerate(order):
        labels = rows.labels[chosen]
        total += step(labels, weights[labels], *batches.arrays(rows.vectors, chosen, cut=masked))
        if number % 20 == 0:
            progress((epoch - 1 + number / len(order)) / most, f"epoch {epoch} of {most}")
    loss = float(total) / len(order)
    if not np.isfinite(loss):
        raise PipelineError(
            f"training diverged in epoch {epoch}: the loss is {loss}; choose a learning_rate "
            f"below {settings['learning_rate']:g}."
        )
    return loss


def _line(found: Mapping[str, float]) -> str:
    """Write an epoch's figures in one line."""
    figures = (f"{name} {value:.4g}" for name, value in found.items() if name != "epoch")
    return f"epoch {found['epoch']}: {', '.join(figures)}"
