"""Networks that read one vector per text: words, tf-idf values, or a sentence vector."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import layers

from pipeline.models.base import Problem
from pipeline.models.layers import SparseDense, logits, per_layer


def bag_dense(problem: Problem, settings: Mapping[str, Any]) -> keras.Model:
    """Build dense layers over columns and values, both of shape (batch, longest).

    Dropout follows each layer. For two classes the output is the logit of the second.
    """
    inputs, vector = _sparse_layer(problem, settings, ones=settings["fused"])
    vector = _dense_layers(vector, settings, n_dropouts=len(settings["units"]))
    return keras.Model(inputs, logits(vector, problem.n_classes), name="bag_dense")


def tfidf_dense(problem: Problem, settings: Mapping[str, Any]) -> keras.Model:
    """Build dense layers over sparse values, with dropout after the first; see `bag_dense`."""
    inputs, vector = _sparse_layer(problem, settings, ones=False)
    vector = _dense_layers(vector, settings, n_dropouts=1)
    return keras.Model(inputs, logits(vector, problem.n_classes), name="tfidf_dense")


def sentence_dense(problem: Problem, settings: Mapping[str, Any]) -> keras.Model:
    """Build dense layers over sentence vectors, shape (batch, width), else as `bag_dense`."""
    inputs = keras.Input((problem.width,), name="sentences")
    vector = layers.Dense(settings["units"][0], settings["activations"][0], name="dense_1")(inputs)
    vector = _dense_layers(vector, settings, n_dropouts=len(settings["units"]))
    return keras.Model(inputs, logits(vector, problem.n_classes), name="sentence_dense")


def _sparse_layer(problem: Problem, settings: Mapping[str, Any], *, ones: bool) -> tuple:
    """Return the inputs, and the first layer applied to them."""
    columns = keras.Input((None,), dtype="int32", name="columns")
    values = keras.Input((None,), dtype="float32", name="values")
    units, activation = settings["units"][0], settings["activations"][0]
    first = SparseDense(problem.width, units, activation, ones, name="dense_1")
    return [columns, values], first([columns, values])


def _dense_layers(vector: Any, settings: Mapping[str, Any], n_dropouts: int) -> Any:
    """Add the layers after the first, and dropout after the first layers."""
    units = settings["units"]
    activations = per_layer(settings["activations"], len(units), "activations")
    for index, width in enumerate(units):
        if index:
            dense = layers.Dense(width, activations[index], name=f"dense_{index + 1}")
            vector = dense(vector)
        if index < n_dropouts:
            vector = layers.Dropout(settings["dropout"], name=f"dropout_{index + 1}")(vector)
    return vector
