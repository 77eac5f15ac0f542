"""Layers of our own, and the parts that several networks share."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import layers

from pipeline.models.fused import word_sum

# Far below any state, so that it never wins where a token is there.
_LOWEST = -1e30


@keras.saving.register_keras_serializable("pipeline")
class SparseDense(layers.Layer):
    """A dense layer over sparse values: the same numbers as Dense, no dense rows in between.

    Reads columns, int32, and values, float32, both of shape (batch, longest), as
    `pipeline.training.batches.arrays` lays them out. With ``ones`` every value is 1, or 0 at
    padding, which takes less time.
    """

    def __init__(
        self, width: int, units: int, activation: str, ones: bool = False, **options: Any
    ) -> None:
        super().__init__(**options)
        self.width, self.units, self.ones = width, units, ones
        self.activation = keras.activations.get(activation)

    def build(self, input_shape: Any) -> None:
        """Make the weights that Dense would have."""
        self.kernel = self.add_weight(name="kernel", shape=(self.width, self.units))
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")

    def call(self, inputs: Any) -> Any:
        """Return activations, shape (batch, units), of columns and values."""
        columns, values = inputs
        total = word_sum if self.ones else _weighted_sum
        return self.activation(total(self.kernel, columns, values) + self.bias)

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, int]:
        """Drop the axis of columns for the units."""
        return (input_shape[0][0], self.units)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        activation = keras.activations.serialize(self.activation)
        mine = {
            "width": self.width,
            "units": self.units,
            "activation": activation,
            "ones": self.ones,
        }
        return {**super().get_config(), **mine}


def _weighted_sum(kernel: Any, columns: Any, values: Any) -> Any:
    """Sum the kernel's rows, each times its value, with a dense gradient.

    As sparse products both ways: looked-up rows, of shape (batch, longest, units), would take
    gigabytes for long texts, and their gradient is a list that optimizers bring together slowly.
    """
    shape = tf.shape(columns)
    rows = tf.repeat(tf.range(shape[0]), shape[1])
    indices = tf.cast(tf.stack([rows, tf.reshape(columns, [-1])], axis=1), tf.int64)
    size = tf.cast(tf.stack([shape[0], tf.shape(kernel)[0]]), tf.int64)
    texts = tf.SparseTensor(indices, tf.reshape(values, [-1]), size)

    @tf.custom_gradient
    def product(weights: Any) -> Any:
        def gradient(upstream: Any) -> Any:
            return tf.sparse.sparse_dense_matmul(texts, upstream, adjoint_a=True)

        return tf.sparse.sparse_dense_matmul(texts, weights), gradient

    return product(tf.convert_to_tensor(kernel))


@keras.saving.register_keras_serializable("pipeline")
class PretrainedEmbedding(layers.Embedding):
    """An embedding of the vocabulary, and beside it vectors of words outside of it.

    Indices from ``input_dim`` on point into ``outside``, which is no weight: it is set before each
    use to the vectors of the words that the texts at hand need.
    """

    def build(self, input_shape: Any = None) -> None:
        """Make the vocabulary's weights, and room for the other words."""
        super().build(input_shape)
        none = tf.zeros((1, self.output_dim))
        self.external_inputs = tf.Variable(none, shape=(None, self.output_dim), trainable=False)

    def call(self, inputs: Any) -> Any:
        """Return vectors, shape (batch, tokens, dimensions)."""
        is_outside = inputs >= self.input_dim
        known = super().call(keras.ops.where(is_outside, 0, inputs))
        others = tf.gather(self.external_inputs, tf.where(is_outside, inputs - self.input_dim, 0))
        return tf.where(is_outside[..., None], others, known)


@keras.saving.register_keras_serializable("pipeline")
class MaskedMaxPooling(layers.Layer):
    """Largest state over the tokens that are not padding; 0 for an empty text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.supports_masking = True

    def call(self, states: Any, mask: Any = None) -> Any:
        """Pool states, shape (batch, tokens, width), to shape (batch, width)."""
        if mask is None:
            return keras.ops.max(states, axis=1)
        seen = keras.ops.expand_dims(keras.ops.cast(mask, "bool"), -1)
        pooled = keras.ops.max(keras.ops.where(seen, states, _LOWEST), axis=1)
        return keras.ops.where(keras.ops.any(seen, axis=1), pooled, 0.0)

    def compute_mask(self, states: Any, previous_mask: Any = None) -> None:
        """Pass no mask on."""

    def compute_output_shape(self, shape: Any) -> Any:
        """Drop the axis of tokens."""
        return (shape[0], shape[2])


@keras.saving.register_keras_serializable("pipeline")
class MaskedMeanPooling(MaskedMaxPooling):
    """Mean state over the tokens that are not padding; 0 for an empty text.

    Keras' own divides by the number of tokens, and so makes an empty text not a number.
    """

    def call(self, states: Any, mask: Any = None) -> Any:
        """Pool states, shape (batch, tokens, width), to shape (batch, width)."""
        if mask is None:
            return keras.ops.mean(states, axis=1)
        seen = keras.ops.expand_dims(keras.ops.cast(mask, states.dtype), -1)
        total = keras.ops.sum(states * seen, axis=1)
        return total / keras.ops.maximum(keras.ops.sum(seen, axis=1), 1)


def pool(states: Any, mask: Any, how: str) -> Any:
    """Make one vector of the states of all tokens, padding left out.

    ``last`` takes what the recurrent layer returned; ``max``, ``mean`` and ``max_mean`` (both,
    joined) run over tokens, shape (batch, tokens, width) to (batch, width).
    """
    if how == "last":
        return states
    parts = []
    if how in ("max", "max_mean"):
        parts.append(MaskedMaxPooling(name="max_pooling")(states, mask=mask))
    if how in ("mean", "max_mean"):
        parts.append(MaskedMeanPooling(name="mean_pooling")(states, mask=mask))
    return parts[0] if len(parts) == 1 else layers.Concatenate(name="max_mean")(parts)


def head(vector: Any, n_classes: int, settings: Mapping[str, Any]) -> Any:
    """Add dense layers, dropout and the output layer.

    ``dropout`` stands after the first dense layer; with ``dense_units`` none, before the output.

    Parameters
    ----------
    vector : keras tensor, shape (batch, width)
    n_classes : int
    settings : mapping
        ``dense_units``, ``activations``, ``l2`` and ``dropout``.
    """
    units = settings["dense_units"]
    units = () if units == "none" else units
    activations = each(settings["activations"], len(units), "activations")
    penalties = each(settings["l2"], len(units), "l2")
    dropout = layers.Dropout(settings["dropout"], name="dropout")
    if not units:
        vector = dropout(vector)
    for index, (width, activation, penalty) in enumerate(
        zip(units, activations, penalties, strict=True)
    ):
        vector = layers.Dense(
            width,
            activation,
            kernel_regularizer=keras.regularizers.L2(penalty) if penalty else None,
            name=f"dense_{index + 1}",
        )(vector)
        if index == 0:
            vector = dropout(vector)
    return scores(vector, n_classes)


def scores(vector: Any, n_classes: int) -> Any:
    """Add the output layer: logits of the classes, or of the second when there are two."""
    width = 1 if n_classes == 2 else n_classes
    return layers.Dense(width, name="logits")(vector)


def each(values: Sequence[Any], n_layers: int, name: str) -> Sequence[Any]:
    """Return one value a layer; one alone stands for all.

    Raises
    ------
    PipelineError
        If there are neither as many values as layers, nor one.
    """
    from pipeline.errors import PipelineError

    if len(values) == 1:
        return list(values) * n_layers
    if len(values) != n_layers:
        raise PipelineError(
            f"{name} must have one value for each of the {n_layers} dense layers, or one for all, "
            f"got {len(values)}; give as many as there are widths."
        )
    return values
