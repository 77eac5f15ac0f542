"""Losses by name, from a network's scores."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

_FOCUS = 2.0  # gamma of the focal loss, as its authors chose it


def loss(name: str, n_classes: int) -> Callable[[Any, Any], Any]:
    """Return the loss of each text.

    Parameters
    ----------
    name : {"cross_entropy", "focal", "mse", "mae"}
        ``focal``: cross-entropy times (1 - p)^2 (Lin et al. 2017); ``mse`` and ``mae``: squared
        and absolute error of the probabilities.
    n_classes : int

    Returns
    -------
    callable
        From labels, int64, shape (batch,), and scores, shape (batch, 1) with two classes or
        (batch, n_classes), to losses, shape (batch,).
    """
    binary = n_classes == 2

    def cross_entropy(labels: Any, scores: Any) -> Any:
        if binary:
            target = tf.cast(labels, scores.dtype)
            return tf.nn.sigmoid_cross_entropy_with_logits(target, scores[:, 0])
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, scores)

    def focal(labels: Any, scores: Any) -> Any:
        found = cross_entropy(labels, scores)
        return found * (1 - tf.exp(-found)) ** _FOCUS

    def errors(labels: Any, scores: Any) -> Any:
        if binary:
            return tf.cast(labels, scores.dtype)[:, None] - tf.sigmoid(scores)
        return tf.one_hot(labels, n_classes, dtype=scores.dtype) - tf.nn.softmax(scores)

    def mse(labels: Any, scores: Any) -> Any:
        return tf.reduce_mean(errors(labels, scores) ** 2, axis=1)

    def mae(labels: Any, scores: Any) -> Any:
        return tf.reduce_mean(tf.abs(errors(labels, scores)), axis=1)

    return {"cross_entropy": cross_entropy, "focal": focal, "mse": mse, "mae": mae}[name]
