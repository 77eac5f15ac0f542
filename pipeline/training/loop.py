"""Train a network over epochs, with early stopping and exact resumption."""

import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import TrainingError
from pipeline.training import batches
from pipeline.training.adam import FusedAdam
from pipeline.training.checkpoint import Checkpoint, State
from pipeline.training.compiled import Forward, call, compiled
from pipeline.training.losses import class_weights, loss_function
from pipeline.training.tensorboard import EventLog
from pipeline.training.tensorflow_import import CORES, keras, tf
from pipeline.training.validation import EarlyStopping, Training, validation_metrics

logger = logging.getLogger(__name__)
_LARGE = 10.0  # a loss that would make the line of an epoch too long
# How the metrics of an epoch are called in its line.
_NAMES = {
    "loss": "loss",
    "val_loss": "val loss",
    "val_accuracy": "val accuracy",
    "val_auc": "val AUC",
    "val_f1": "val F1",
}


def set_up(seed: int) -> dict[str, Any]:
    """Seed all random generators, make TensorFlow deterministic, and return its settings."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    return {
        "cores": CORES,
        "intra_op_threads": tf.config.threading.get_intra_op_parallelism_threads(),
        "inter_op_threads": tf.config.threading.get_inter_op_parallelism_threads(),
        "deterministic_operations": True,
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "by default"),
    }


@dataclass(frozen=True)
class Rows:
    """Vectors, shape (n_rows, ...), and labels, int, shape (n_rows,)."""

    vectors: Any
    labels: np.ndarray


@dataclass(frozen=True)
class _Network:
    """A network with its optimizer and its compiled functions."""

    model: keras.Model
    optimizer: keras.Optimizer
    step: Callable
    forward: Forward


@dataclass(frozen=True)
class Trainer:
    """Trains networks; the training of an interrupted process is continued from its checkpoint.

    Why not ``keras.Model.fit``: with its callbacks resumed training has other weights, because they
    do not save the state of early stopping and of dropout. Measured on two cores, it also takes at
    least 15 % longer per epoch of ``bag_dense`` (as long for ``bilstm``).
    """

    build: Callable[[], keras.Model]  # returns a new network whose outputs are logits
    class_names: list[str]
    settings: Mapping[str, Any]
    progress: Callable[[float, str], None]  # receives the fraction done and a short text
    masked: bool  # whether the network masks padding: batches are truncated to their longest text

    def train(
        self,
        rows: Rows,
        validation: Rows,
        logs: Path | None,
        checkpoint: Path | None,
        rates: list[float] | None = None,
    ) -> tuple[keras.Model, Training]:
        """Train a network; return it with its best weights.

        Parameters
        ----------
        rows, validation : Rows
            Without validation rows there is no early stopping, and the last weights are kept.
        logs : Path or None
            Folder for TensorBoard's event file.
        checkpoint : Path or None
            File that ends in ``.npz``.
        rates : list of float, optional
            Learning rate of each epoch: train exactly so many epochs, without early stopping.
        """
        network = self._compile()
        weights = class_weights(self.settings["class_weights"], rows.labels, self.class_names)
        n_rows = [len(rows.labels), len(validation.labels)]
        state = State(self._early_stopping(enabled=n_rows[1] > 0 and not rates))
        identity = {"settings": dict(self.settings), "rates": rates, "rows": n_rows}
        variables = [*network.model.variables, *network.optimizer.variables]
        saved = Checkpoint(checkpoint, variables, identity)
        n_epochs = len(rates) if rates else self.settings["epochs"]
        interruption = _resume(saved, state, n_epochs, "Refitting" if rates else "Training")
        log = EventLog(logs)
        for metrics, finished in zip(state.history, state.finished, strict=True):
            log.write(metrics, finished)
        while len(state.history) < n_epochs and not state.stopping.should_stop(len(state.history)):
            self._epoch(network, rows, validation, weights, state, rates)
            saved.save(state)
            log.write(state.history[-1], state.finished[-1])
            line = _line(state.history[-1], self.settings["monitor"])
            self.progress(len(state.history) / n_epochs, line)
        if 0 < len(state.history) < n_epochs:
            monitor, best = _NAMES[f"val_{state.stopping.monitor}"], state.stopping.best_epoch
            self.progress(1.0, f"stopped early: no better {monitor} since epoch {best}")
        if state.stopping.weights:
            network.model.set_weights(state.stopping.weights)
        class_weight = dict(zip(self.class_names, weights.tolist(), strict=True))
        facts = {**_facts(network.model, state), "class_weights": class_weight}
        return network.model, Training(state.history, facts, interruption)

    def _compile(self) -> _Network:
        """Build a network from the seed, and compile its functions."""
        keras.utils.set_random_seed(self.settings["seed"])
        model, optimizer = self.build(), _optimizer(self.settings)
        losses = loss_function(self.settings["loss"], len(self.class_names))
        step = _step(model, optimizer, losses)
        return _Network(model, optimizer, step, Forward(model, masked=self.masked))

    def _early_stopping(self, *, enabled: bool) -> EarlyStopping:
        """Return the early stopping of the settings."""
        settings = self.settings
        patience = settings["patience"] if enabled else 0
        limits = settings["reduce_patience"], settings["min_change"]
        return EarlyStopping(settings["monitor"], patience, *limits)

    def _epoch(
        self,
        network: _Network,
        rows: Rows,
        validation: Rows,
        weights: np.ndarray,
        state: State,
        rates: list[float] | None,
    ) -> None:
        """Train on all rows once, validate, and add the metrics to the state."""
        epoch, optimizer = len(state.history) + 1, network.optimizer
        if rates:
            optimizer.learning_rate = rates[epoch - 1]
        rate = float(optimizer.learning_rate)
        n_epochs = len(rates) if rates else self.settings["epochs"]
        loss = self._mean_loss(network.step, rows, weights, epoch, n_epochs)
        metrics = {"epoch": epoch, "loss": loss, "learning_rate": rate}
        if len(validation.labels):
            probabilities = network.forward(validation.vectors)
            metrics |= validation_metrics(validation.labels, probabilities)
            if state.stopping.improved(epoch, metrics) and state.stopping.patience:
                state.stopping.weights = network.model.get_weights()
            factor = self.settings["reduce_factor"]
            if factor < 1 and not rates and state.stopping.should_reduce(epoch):
                optimizer.learning_rate = rate * factor
        state.history.append(metrics)
        state.finished.append(time.time())

    def _mean_loss(
        self, step: Callable, rows: Rows, weights: np.ndarray, epoch: int, n_epochs: int
    ) -> float:
        """Train on all rows once and return the mean loss of the batches."""
        size, seed = self.settings["batch_size"], self.settings["seed"]
        order = list(batches.order(rows.vectors, size, seed, epoch, by_length=self.masked))
        total = tf.constant(0.0)
        for number, batch in enumerate(order):
            labels = rows.labels[batch]
            inputs = batches.arrays(rows.vectors, batch, truncate=self.masked)
            total += step(labels, weights[labels], *inputs)
            if number % 20 == 0:
                done = (epoch - 1 + number / len(order)) / n_epochs
                self.progress(done, f"epoch {epoch} of {n_epochs}")
        loss = float(total) / len(order)
        if not np.isfinite(loss):
            raise TrainingError(
                f"training diverged in epoch {epoch}: the loss is {loss}; use a learning_rate "
                f"below {self.settings['learning_rate']:g}."
            )
        return loss


def _optimizer(settings: Mapping[str, Any]) -> keras.Optimizer:
    """Return the optimizer that the settings name."""
    if settings["optimizer"] == "adam" and settings["fused"]:
        return FusedAdam(settings["learning_rate"])
    optimizer = keras.optimizers.get(settings["optimizer"])
    optimizer.learning_rate = settings["learning_rate"]
    return optimizer


def _step(model: keras.Model, optimizer: keras.Optimizer, losses: Callable) -> Callable:
    """Compile one training step: loss, gradients, update."""
    variables = model.trainable_variables
    optimizer.build(variables)

    def step(labels: Any, weights: Any, *inputs: Any) -> Any:
        with tf.GradientTape() as tape:
            logits = call(model, inputs, training=True)
            loss = tf.reduce_mean(losses(labels, logits) * weights)
            total = tf.add_n([loss, *model.losses])
        optimizer.apply(tape.gradient(total, variables), variables)
        return loss

    rows = tf.TensorSpec([None], tf.int64), tf.TensorSpec([None], tf.float32)
    return compiled(step, model, *rows)


def _resume(saved: Checkpoint, state: State, n_epochs: int, phase: str) -> dict[str, Any]:
    """Restore the state of an interrupted call, log it, and return facts about it."""
    if not saved.restore(state):
        return {}
    epoch = len(state.history)
    logger.info("%s resumed after epoch %d of %d.", phase, epoch, n_epochs)
    return {"resumed_after_epoch": epoch, "seconds_before": round(saved.seconds_before, 3)}


def _facts(model: keras.Model, state: State) -> dict[str, Any]:
    """Return numbers of epochs and of parameters."""
    n_epochs = len(state.history)
    return {
        "epochs": n_epochs,
        "best_epoch": state.stopping.best_epoch if state.stopping.weights else n_epochs,
        "parameters": model.count_params(),
        "trainable_parameters": sum(int(np.prod(w.shape)) for w in model.trainable_weights),
    }


def _line(metrics: Mapping[str, float], monitor: str) -> str:
    """Format the metrics of an epoch in one line that fits a terminal of 80 characters."""
    left_out = "val_f1" if monitor == "auc" else "val_auc"
    shown = {name: text for name, text in _NAMES.items() if name in metrics and name != left_out}
    values = (
        f"{text} {value:.4f}" if (value := metrics[name]) < _LARGE else f"{text} {value:.4g}"
        for name, text in shown.items()
    )
    return f"epoch {metrics['epoch']}: {', '.join(values)}"
