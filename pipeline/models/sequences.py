"""Networks that read sequences of word indices: recurrent, convolutional, and a plain mean."""

from collections.abc import Callable, Mapping
from typing import Any

import keras
from keras import layers

from pipeline.errors import SettingError
from pipeline.models.base import Problem
from pipeline.models.fused import FusedLSTM
from pipeline.models.layers import PretrainedEmbedding, head, pool

#: From units, whether all states are returned, and a name to a recurrent layer.
_Recurrent = Callable[[int, bool, str], Any]


def bilstm(problem: Problem, settings: Mapping[str, Any]) -> keras.Model:
    """Build bidirectional LSTM layers (Graves and Schmidhuber 2005).

    ``top_units`` adds an LSTM that only reads forward. Indices have the shape (batch, tokens); for
    two classes the output is the logit of the second.
    """
    forward = _recurrent(_lstm_class(settings), settings)

    def both(width: int, returns: bool, name: str) -> Any:
        return layers.Bidirectional(forward(width, returns, name), name=f"bi{name}")

    units = [*settings["units"]]
    makers: list[_Recurrent] = [both] * len(units)
    if settings["top_units"]:
        makers.append(forward)
        units.append(settings["top_units"])
    return _stack("bilstm", makers, units, "lstm", problem, settings)


def lstm(problem: Problem, settings: Mapping[str, Any]) -> keras.Model:
    """Build LSTM layers (Hochreiter and Schmidhuber 1997) that read forward; see `bilstm`."""
    units = settings["units"]
    makers = [_recurrent(_lstm_class(settings), settings)] * len(units)
    return _stack("lstm", makers, units, "lstm", problem, settings)


def gru(problem: Problem, settings: Mapping[str, Any]) -> keras.Model:
    """Build GRU layers (Cho et al. 2014) that read forward; see `bilstm`."""
    units = settings["units"]
    makers = [_recurrent(layers.GRU, settings)] * len(units)
    return _stack("gru", makers, units, "gru", problem, settings)


def dense(problem: Problem, settings: Mapping[str, Any]) -> keras.Model:
    """Build dense layers on pooled word vectors; see `bilstm`."""
    if settings["pooling"] == "last":
        raise SettingError(
            "pooling must be mean, max or max_mean for model 'dense', which ignores word order, "
            "got last; leave it out for mean."
        )
    indices, states, mask = embedded(problem, settings)
    pooled = pool(states, mask, settings["pooling"])
    return keras.Model(indices, head(pooled, problem.n_classes, settings), name="dense")


def conv1d(problem: Problem, settings: Mapping[str, Any]) -> keras.Model:
    """Build a convolution over tokens and the maximum over them (Kim 2014); see `bilstm`."""
    width, length = settings["filter_width"], problem.sequence_length
    if length is not None and length < width:
        raise SettingError(
            f"filter_width must be at most the sequence length, {length} tokens, got {width}; "
            f"use a sequence_length of at least {width}, or a smaller filter_width."
        )
    indices, states, _ = embedded(problem, settings)
    states = layers.Conv1D(settings["filters"], width, activation="relu", name="conv1d")(states)
    pooled = layers.GlobalMaxPooling1D(name="max_pooling")(states)
    return keras.Model(indices, head(pooled, problem.n_classes, settings), name="conv1d")


def embedded(problem: Problem, settings: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    """Return the input, word vectors, shape (batch, tokens, width), and the mask or None."""
    # Layers
    masks = settings.get("mask_padding", False)
    vectors = problem.embedding
    size = settings["embedding_size"] if vectors is None else vectors.shape[1]
    kind = layers.Embedding if vectors is None else PretrainedEmbedding
    trainable = not settings["freeze_embedding"]
    embedding = kind(problem.width, size, mask_zero=masks, trainable=trainable, name="embedding")
    if vectors is not None:
        embedding.build()
        embedding.set_weights([vectors])
    dropout = layers.SpatialDropout1D(settings["spatial_dropout"], name="spatial_dropout")
    # Graph
    indices = keras.Input((None,), dtype="int32", name="indices")
    mask = embedding.compute_mask(indices) if masks else None
    return indices, dropout(embedding(indices)), mask


def _stack(
    name: str,
    makers: list[_Recurrent],
    units: Any,
    kind: str,
    problem: Problem,
    settings: Mapping[str, Any],
) -> keras.Model:
    """Stack recurrent layers between embedding and head."""
    indices, states, mask = embedded(problem, settings)
    pools = settings["pooling"] != "last"
    for index, (make, width) in enumerate(zip(makers, units, strict=True)):
        returns = pools or index < len(units) - 1
        states = make(width, returns, f"{kind}_{index + 1}")(states, mask=mask)
        if settings["batch_normalization"]:
            normalize = layers.BatchNormalization(name=f"normalization_{index + 1}")
            states = normalize(states, mask=mask) if returns else normalize(states)
    pooled = pool(states, mask, settings["pooling"])
    return keras.Model(indices, head(pooled, problem.n_classes, settings), name=name)


def _lstm_class(settings: Mapping[str, Any]) -> Any:
    """Return Keras' LSTM layer or the faster one."""
    return FusedLSTM if settings["fused"] else layers.LSTM


def _recurrent(kind: Any, settings: Mapping[str, Any]) -> _Recurrent:
    """Return a function that makes a recurrent layer that reads forward."""
    return lambda width, returns, name: kind(
        width,
        return_sequences=returns,
        dropout=settings["input_dropout"],
        recurrent_dropout=settings["recurrent_dropout"],
        name=name,
    )
