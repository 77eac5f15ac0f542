"""Recurrent networks over sequences of word indices."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import layers


def bilstm(n_words: int, n_classes: int, settings: Mapping[str, Any]) -> keras.Model:
    """Build bidirectional LSTM layers (Graves and Schmidhuber 2005) over a learned embedding.

    Parameters
    ----------
    n_words : int
        Size of the vocabulary, padding (index 0, masked) and unknown included.
    n_classes : int
    settings : mapping
        The hyper-parameters of the registry row ``bilstm``.

    Returns
    -------
    keras.Model
        From indices, shape (batch, tokens), to class scores, shape (batch, n_classes); with two
        classes, shape (batch, 1), the score of the second.
    """
    # Layers
    units = settings["units"]
    embedding = layers.Embedding(
        n_words, settings["embedding_size"], mask_zero=True, name="embedding"
    )
    spatial_dropout = layers.SpatialDropout1D(settings["spatial_dropout"], name="spatial_dropout")
    pools = settings["pooling"] != "last"
    recurrent = [
        layers.Bidirectional(
            layers.LSTM(width, return_sequences=pools or index < len(units) - 1),
            name=f"bilstm_{index + 1}",
        )
        for index, width in enumerate(units)
    ]

    # Graph
    indices = keras.Input((None,), dtype="int32", name="indices")
    mask = embedding.compute_mask(indices)
    states = spatial_dropout(embedding(indices))
    for layer in recurrent:
        states = layer(states, mask=mask)
    pooled = pool(states, mask, settings["pooling"])
    pooled = layers.Dropout(settings["dropout"], name="dropout")(pooled)
    return keras.Model(indices, scores(pooled, n_classes), name="bilstm")


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
        parts.append(layers.GlobalAveragePooling1D(name="mean_pooling")(states, mask=mask))
    return parts[0] if len(parts) == 1 else layers.Concatenate(name="max_mean")(parts)


def scores(vector: Any, n_classes: int) -> Any:
    """Add the output layer: logits of the classes, or of the second when there are two."""
    width = 1 if n_classes == 2 else n_classes
    return layers.Dense(width, name="logits")(vector)


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
        # States of an LSTM lie in (-1, 1), so -1 never wins where a token is there.
        pooled = keras.ops.max(keras.ops.where(seen, states, -1.0), axis=1)
        return keras.ops.where(keras.ops.any(seen, axis=1), pooled, 0.0)

    def compute_mask(self, states: Any, previous_mask: Any = None) -> None:
        """Pass no mask on."""

    def compute_output_shape(self, shape: Any) -> Any:
        """Drop the axis of tokens."""
        return (shape[0], shape[2])
