"""Custom layers, and the parts that several networks share."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import layers

from pipeline.errors import SettingError
from pipeline.models.fused import word_sum

_LOWEST = -1e30  # below any state, so that padding never has the maximum


@keras.saving.register_keras_serializable("pipeline")
class SparseDense(layers.Layer):
    """A dense layer over sparse values, equal to Dense without dense rows.

    Reads columns, int32, and values, float32, both of shape (batch, longest), from
    `pipeline.training.batches.arrays`. With ``ones`` all values are 1, or 0 at padding, which is
    faster.
    """

    def __init__(
        self, width: int, units: int, activation: str, ones: bool = False, **options: Any
    ) -> None:
        super().__init__(**options)
        self.width, self.units, self.ones = width, units, ones
        self.activation = keras.activations.get(activation)

    def build(self, input_shape: Any) -> None:
        """Create the weights of a Dense layer."""
        self.kernel = self.add_weight(name="kernel", shape=(self.width, self.units))
        self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")

    def call(self, inputs: Any) -> Any:
        """Return activations, shape (batch, units), of columns and values."""
        columns, values = inputs
        total = word_sum if self.ones else _weighted_sum
        return self.activation(total(self.kernel, columns, values) + self.bias)

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, int]:
        """Replace the axis of columns by the units."""
        return (input_shape[0][0], self.units)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        config = {"width": self.width, "units": self.units, "ones": self.ones}
        config["activation"] = keras.activations.serialize(self.activation)
        return {**super().get_config(), **config}


def _weighted_sum(kernel: Any, columns: Any, values: Any) -> Any:
    """Sum the kernel's rows, each times its value, with a dense gradient."""
    # Without a tensor of shape (batch, longest, units), which takes gigabytes for long texts.
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
    """An embedding of the vocabulary, with pretrained vectors of further words.

    An index ``input_dim + i`` is row i of ``extra_vectors``. These are no weights: before each use
    they are set to the vectors that the texts need.
    """

    def build(self, input_shape: Any = None) -> None:
        """Create the weights of the vocabulary and a variable for the further words."""
        super().build(input_shape)
        zeros = tf.zeros((1, self.output_dim))
        self.extra_vectors = tf.Variable(zeros, shape=(None, self.output_dim), trainable=False)

    def call(self, inputs: Any) -> Any:
        """Return vectors, shape (batch, tokens, dimensions)."""
        is_extra = inputs >= self.input_dim
        vocabulary = super().call(keras.ops.where(is_extra, 0, inputs))
        extra = tf.gather(self.extra_vectors, tf.where(is_extra, inputs - self.input_dim, 0))
        return tf.where(is_extra[..., None], extra, vocabulary)


@keras.saving.register_keras_serializable("pipeline")
class MaskedMaxPooling(layers.Layer):
    """Maximum of the states over all tokens but padding; 0 for an empty text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.supports_masking = True

    def call(self, states: Any, mask: Any = None) -> Any:
        """Pool states, shape (batch, tokens, width), to shape (batch, width)."""
        if mask is None:
            return keras.ops.max(states, axis=1)
        is_token = keras.ops.expand_dims(keras.ops.cast(mask, "bool"), -1)
        pooled = keras.ops.max(keras.ops.where(is_token, states, _LOWEST), axis=1)
        return keras.ops.where(keras.ops.any(is_token, axis=1), pooled, 0.0)

    def compute_mask(self, states: Any, previous_mask: Any = None) -> None:
        """Return no mask."""


@keras.saving.register_keras_serializable("pipeline")
class MaskedMeanPooling(MaskedMaxPooling):
    """Mean of the states over all tokens but padding; 0 for an empty text, where Keras has nan."""

    def call(self, states: Any, mask: Any = None) -> Any:
        """Pool states, shape (batch, tokens, width), to shape (batch, width)."""
        if mask is None:
            return keras.ops.mean(states, axis=1)
        is_token = keras.ops.expand_dims(keras.ops.cast(mask, states.dtype), -1)
        total = keras.ops.sum(states * is_token, axis=1)
        return total / keras.ops.maximum(keras.ops.sum(is_token, axis=1), 1)


def pool(states: Any, mask: Any, pooling: str) -> Any:
    """Combine the states of all tokens but padding, shape (batch, tokens, width), per text.

    For ``last`` states already have the shape (batch, width).
    """
    if pooling == "last":
        return states
    parts = []
    if pooling in ("max", "max_mean"):
        parts.append(MaskedMaxPooling(name="max_pooling")(states, mask=mask))
    if pooling in ("mean", "max_mean"):
        parts.append(MaskedMeanPooling(name="mean_pooling")(states, mask=mask))
    return parts[0] if len(parts) == 1 else layers.Concatenate(name="max_mean")(parts)


def head(vector: Any, n_classes: int, settings: Mapping[str, Any]) -> Any:
    """Add dense layers, dropout and the output layer to a vector, shape (batch, width).

    Dropout follows the first dense layer, or precedes the output if there is no dense layer.
    """
    units = () if settings["dense_units"] == "none" else settings["dense_units"]
    activations = per_layer(settings["activations"], len(units), "activations")
    penalties = per_layer(settings["l2"], len(units), "l2")
    dropout = layers.Dropout(settings["dropout"], name="dropout")
    if not units:
        vector = dropout(vector)
    for index, width in enumerate(units):
        penalty = penalties[index]
        dense = layers.Dense(
            width,
            activations[index],
            kernel_regularizer=keras.regularizers.L2(penalty) if penalty else None,
            name=f"dense_{index + 1}",
        )
        vector = dense(vector)
        if index == 0:
            vector = dropout(vector)
    return logits(vector, n_classes)


def logits(vector: Any, n_classes: int) -> Any:
    """Add the output layer: logits of the classes, or of the second of two classes."""
    return layers.Dense(1 if n_classes == 2 else n_classes, name="logits")(vector)


def per_layer(values: Sequence[Any], n_layers: int, name: str) -> Sequence[Any]:
    """Return one value per layer; a single value applies to all layers."""
    if len(values) == 1:
        return list(values) * n_layers
    if len(values) != n_layers:
        raise SettingError(
            f"{name} must have one value for each of the {n_layers} dense layers, or one for all, "
            f"got {len(values)}; give as many values as widths."
        )
    return values
