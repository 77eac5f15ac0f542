"""Networks over one vector a text: words that are there, tf-idf values, sentence vectors."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import layers

from pipeline.models.base import Problem
from pipeline.models.layers import SparseDense, each, scores


def bag_dense(problem: Problem, settings: Mapping[str, Any]) -> keras.Model:
    """Build dense layers over sparse values, dropout after every one.

    Parameters
    ----------
    problem : Problem
    settings : mapping
        The hyper-parameters of the registry row.

    Returns
    -------
    keras.Model
        From columns and values, both of shape (batch, longest), to class scores, shape
        (batch, n_classes); with two classes, shape (batch, 1), the score of the second.
    """
    inputs, vector = _first(problem, settings, ones=settings["fused"])
    vector = _dense(vector, settings, dropout_after=len(settings["units"]))
    return keras.Model(inputs, scores(vector, problem.n_classes), name="bag_dense")


def tfidf_dense(problem: Problem, settings: Mapping[str, Any]) -> keras.Model:
    """Build dense layers over sparse values, dropout after the first; see `bag_dense`."""
    inputs, vector = _first(problem, settings, ones=False)
    vector = _dense(vector, settings, dropout_after=1)
    return keras.Model(inputs, scores(vector, problem.n_classes), name="tfidf_dense")


def sentence_dense(problem: Problem, settings: Mapping[str, Any]) -> keras.Model:
    """Build dense layers over sentence vectors, dropout after every one; see `bag_dense`.

    Reads vectors of shape (batch, width).
    """
    inputs = keras.Input((problem.width,), name="sentences")
    vector = layers.Dense(settings["units"][0], settings["activations"][0], name="dense_1")(inputs)
    vector = _dense(vector, settings, dropout_after=len(settings["units"]))
    return keras.Model(inputs, scores(vector, problem.n_classes), name="sentence_dense")


def _first(problem: Problem, settings: Mapping[str, Any], *, ones: bool) -> tuple[list[Any], Any]:
    """Return inputs and the first layer's activations."""
    columns = keras.Input((None,), dtype="int32", name="columns")
    values = keras.Input((None,), dtype="float32", name="values")
    first = SparseDense(
        problem.width, settings["units"][0], settings["activations"][0], ones, name="dense_1"
    )
    return [columns, values], first([columns, values])


def _dense(vector: Any, settings: Mapping[str, Any], dropout_after: int) -> Any:
    """Add dropout and the layers after the first."""
    units = settings["units"]
    activations = each(settings["activations"], len(units), "activations")
    for index, (width, activation) in enumerate(zip(units, activations, strict=True)):
        if index:
            vector = layers.Dense(width, activation, name=f"dense_{index + 1}")(vector)
        if index < dropout_after:
            vector = layers.Dropout(settings["dropout"], name=f"dropout_{index + 1}")(vector)
    return vector
