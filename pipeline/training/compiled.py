"""Functions of a network that are compiled once, for batches of any size."""

from collections.abc import Callable
from typing import Any

import numpy as np

from pipeline.training import batches
from pipeline.training.tensorflow_import import keras, tf

_BATCH = 1024  # texts


class Forward:
    """The forward pass of a network whose outputs are logits, from vectors to probabilities.

    If it masks padding, batches have texts of similar lengths and are truncated to the longest.
    """

    def __init__(self, model: keras.Model, *, masked: bool) -> None:
        def probabilities(*inputs: Any) -> Any:
            logits = tf.cast(call(model, inputs, training=False), tf.float64)
            if logits.shape[1] == 1:
                second = tf.sigmoid(logits)
                return tf.concat([1 - second, second], axis=1)
            return tf.nn.softmax(logits)

        self._probabilities = compiled(probabilities, model)
        self._masked = masked

    def __call__(self, vectors: Any) -> np.ndarray:
        """Return probabilities, float64, shape (n_rows, n_classes)."""
        order = np.arange(vectors.shape[0])
        if self._masked:
            order = np.argsort(batches.lengths(vectors), kind="stable")
        parts = []
        for start in range(0, max(len(order), 1), _BATCH):
            rows = order[start : start + _BATCH]
            inputs = batches.arrays(vectors, rows, truncate=self._masked)
            parts.append(self._probabilities(*inputs).numpy())
        in_order = np.concatenate(parts)
        probabilities = np.empty_like(in_order)
        probabilities[order] = in_order
        return probabilities


def call(model: keras.Model, inputs: Any, *, training: bool) -> Any:
    """Call a network with a list of inputs; Keras warns about a list of one."""
    return model(inputs[0] if len(inputs) == 1 else list(inputs), training=training)


def compiled(function: Callable, model: keras.Model, *leading: tf.TensorSpec) -> Callable:
    """Compile a function of leading tensors and a network's inputs; it then accepts arrays."""
    inputs = [tf.TensorSpec([None, *tensor.shape[1:]], tensor.dtype) for tensor in model.inputs]
    specifications = [*leading, *inputs]
    traced = tf.function(function, reduce_retracing=True).get_concrete_function(*specifications)
    types = [specification.dtype for specification in specifications]
    return lambda *arrays: traced(
        *(tf.constant(array, dtype) for array, dtype in zip(arrays, types, strict=True))
    )
