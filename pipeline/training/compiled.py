"""Compiled functions of a network: its training step, and its probabilities in batches."""

from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline.training import batches
from pipeline.training.tensorflow_import import keras, tf

PREDICTION_BATCH = 1024  # texts


def training_step(model: keras.Model, optimizer: keras.Optimizer, losses: Callable) -> Callable:
    """Compile one training step: loss, gradients, update.

    Parameters
    ----------
    model : keras.Model
        Network whose outputs are logits.
    optimizer : keras.Optimizer
        Is built for the variables of the network.
    losses : callable
        From labels and logits to the loss of each text.

    Returns
    -------
    callable
        From labels, weights of the texts, and the arrays of a batch to the mean loss.
    """
    variables = model.trainable_variables
    optimizer.build(variables)

    @tf.function(reduce_retracing=True)
    def step(labels: Any, weights: Any, *inputs: Any) -> Any:
        with tf.GradientTape() as tape:
            logits = _call(model, inputs, training=True)
            loss = tf.reduce_mean(losses(labels, logits) * weights)
            total = tf.add_n([loss, *model.losses])
        optimizer.apply(tape.gradient(total, variables), variables)
        return loss

    row_values = [tf.TensorSpec([None], tf.int64), tf.TensorSpec([None], tf.float32)]
    return _compiled(step, [*row_values, *_specifications(model)])


def forward_function(model: keras.Model) -> Callable:
    """Compile the forward pass of a network, from arrays of a batch to probabilities.

    Parameters
    ----------
    model : keras.Model
        Network whose outputs are logits.

    Returns
    -------
    callable
        From the arrays of a batch to probabilities, float64, shape (batch, n_classes).
    """

    @tf.function(reduce_retracing=True)
    def forward(*inputs: Any) -> Any:
        logits = tf.cast(_call(model, inputs, training=False), tf.float64)
        if logits.shape[1] == 1:
            second = tf.sigmoid(logits)
            return tf.concat([1 - second, second], axis=1)
        return tf.nn.softmax(logits)

    return _compiled(forward, _specifications(model))


def predict(forward: Callable, vectors: Any, *, masked: bool) -> np.ndarray:
    """Return probabilities, float64, shape (n_rows, n_classes).

    Parameters
    ----------
    forward : callable
        From `forward_function`.
    vectors : ndarray or csr_matrix, shape (n_rows, ...)
    masked : bool
        Whether the network masks padding: batches then have texts of similar lengths and are
        truncated to the longest.
    """
    n_rows = vectors.shape[0]
    order = np.argsort(batches.lengths(vectors), kind="stable") if masked else np.arange(n_rows)
    parts = []
    for start in range(0, max(n_rows, 1), PREDICTION_BATCH):
        rows = order[start : start + PREDICTION_BATCH]
        parts.append(forward(*batches.arrays(vectors, rows, truncate=masked)).numpy())
    in_order = np.concatenate(parts)
    probabilities = np.empty_like(in_order)
    probabilities[order] = in_order
    return probabilities


def _call(model: keras.Model, inputs: Any, *, training: bool) -> Any:
    """Call the network; Keras warns about a list of one input."""
    return model(inputs[0] if len(inputs) == 1 else list(inputs), training=training)


def _specifications(model: keras.Model) -> list[tf.TensorSpec]:
    """Describe the inputs of the network for batches of any size."""
    return [tf.TensorSpec([None, *tensor.shape[1:]], tensor.dtype) for tensor in model.inputs]


def _compiled(function: Any, specifications: list[tf.TensorSpec]) -> Callable:
    """Compile a function once for all shapes; it converts its arrays to tensors."""
    compiled = function.get_concrete_function(*specifications)
    types = [specification.dtype for specification in specifications]
    return lambda *arrays: compiled(
        *(tf.constant(array, dtype) for array, dtype in zip(arrays, types, strict=True))
    )
