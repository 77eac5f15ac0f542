"""Networks over sequences of word indices: recurrent, convolutional, and a plain mean."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import layers

from pipeline.errors import PipelineError
from pipeline.models.base import Problem
from pipeline.models.fused import FusedLSTM
from pipeline.models.layers import PretrainedEmbedding, head, pool


def bilstm(problem: Problem, settings: Mapping[str, Any]) -> keras.Model:
    """Build bidirectional LSTM layers (Graves and Schmidhuber 2005).

    Parameters
    ----------
    problem : Problem
    settings : mapping
        The hyper-parameters of the registry row. ``top_units`` adds an LSTM that reads forward
        alone.

    Returns
    -------
    keras.Model
        From indices, shape (batch, tokens), to class scores, shape (batch, n_classes); with two
        classes, shape (batch, 1), the score of the second.
    """
    recurrent = [
        lambda width, returns, name: layers.Bidirectional(
            _lstm(settings)(width, return_sequences=returns, **_dropouts(settings)),
            name=f"bi{name}",
        )
    ] * len(settings["units"])
    widths = [*settings["units"]]
    if settings["top_units"]:
        recurrent.append(_one_way(_lstm(settings), settings))
        widths.append(settings["top_units"])
    return _recurrent("bilstm", recurrent, widths, "lstm", problem, settings)


def lstm(problem: Problem, settings: Mapping[str, Any]) -> keras.Model:
    """Build LSTM layers (Hochreiter and Schmidhuber 1997) that read forward; see `bilstm`."""
    widths = settings["units"]
    recurrent = [_one_way(_lstm(settings), settings)] * len(widths)
    return _recurrent("lstm", recurrent, widths, "lstm", problem, settings)


def gru(problem: Problem, settings: Mapping[str, Any]) -> keras.Model:
    """Build GRU layers (Cho et al. 2014) that read forward; see `bilstm`."""
    widths = settings["units"]
    recurrent = [_one_way(layers.GRU, settings)] * len(widths)
    return _recurrent("gru", recurrent, widths, "gru", problem, settings)


def dense(problem: Problem, settings: Mapping[str, Any]) -> keras.Model:
    """Build the mean of the words' vectors and dense layers on it; see `bilstm`.

    Raises
    ------
    PipelineError
        If the pooling needs states that follow each other.
    """
    if settings["pooling"] == "last":
        raise PipelineError(
            "pooling must be mean, max or max_mean for model 'dense', which reads no order, got "
            "last; leave it out for mean."
        )
    indices, states, mask = embedded(problem, settings)
    pooled = pool(states, mask, settings["pooling"])
    return keras.Model(indices, head(pooled, problem.n_classes, settings), name="dense")


def conv1d(problem: Problem, settings: Mapping[str, Any]) -> keras.Model:
    """Build a convolution over tokens and the maximum over them (Kim 2014); see `bilstm`.

    Raises
    ------
    PipelineError
        If texts are shorter than a filter.
    """
    width, length = settings["filter_width"], problem.sequence_length
    if length is not None and length < width:
        raise PipelineError(
            f"filter_width must be at most the sequence length, {length} tokens, got {width}; "
            f"choose sequence_length of at least {width}, or a smaller filter_width."
        )
    indices, states, _ = embedded(problem, settings)
    states = layers.Conv1D(settings["filters"], width, activation="relu", name="conv1d")(states)
    pooled = layers.GlobalMaxPooling1D(name="max_pooling")(states)
    return keras.Model(indices, head(pooled, problem.n_classes, settings), name="conv1d")


def embedded(problem: Problem, settings: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    """Return input, word vectors, shape (batch, tokens, width), and mask or None."""
    masks = settings.get("mask_padding", False)
    vectors = problem.embedding
    size = settings["embedding_size"] if vectors is None else vectors.shape[1]
    kind = layers.Embedding if vectors is None else PretrainedEmbedding
    trainable = not settings["freeze_embedding"]
    embedding = kind(problem.width, size, mask_zero=masks, trainable=trainable, name="embedding")
    if vectors is not None:
        embedding.build()
        embedding.set_weights([vectors])
    indices = keras.Input((None,), dtype="int32", name="indices")
    mask = embedding.compute_mask(indices) if masks else None
    dropout = layers.SpatialDropout1D(settings["spatial_dropout"], name="spatial_dropout")
    return indices, dropout(embedding(indices)), mask


def _recurrent(
    name: str,
    makers: list[Any],
    widths: Any,
    kind: str,
    problem: Problem,
    settings: Mapping[str, Any],
) -> keras.Model:
    """Stack recurrent layers between embedding and head."""
    indices, states, mask = embedded(problem, settings)
    pools = settings["pooling"] != "last"
    for index, (make, width) in enumerate(zip(makers, widths, strict=True)):
        returns = pools or index < len(widths) - 1
        states = make(width, returns, f"{kind}_{index + 1}")(states, mask=mask)
        if settings["batch_normalization"]:
            normalize = layers.BatchNormalization(name=f"normalization_{index + 1}")
            states = normalize(states, mask=mask) if returns else normalize(states)
    pooled = pool(states, mask, settings["pooling"])
    return keras.Model(indices, head(pooled, problem.n_classes, settings), name=name)


def _lstm(settings: Mapping[str, Any]) -> Any:
    """Return the kind of LSTM layer: Keras' own, or ours with the same numbers in less time."""
    return FusedLSTM if settings["fused"] else layers.LSTM


def _one_way(kind: Any, settings: Mapping[str, Any]) -> Any:
    """Return what makes a recurrent layer that reads forward."""
    return lambda width, returns, name: kind(
        width, return_sequences=returns, name=name, **_dropouts(settings)
    )


def _dropouts(settings: Mapping[str, Any]) -> dict[str, float]:
    """Return the dropout inside a recurrent layer, of its inputs and of its state."""
    return {
        "dropout": settings["input_dropout"],
        "recurrent_dropout": settings["recurrent_dropout"],
    }
