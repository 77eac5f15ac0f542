"""Loss functions of networks by name, and class weights."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipeline.errors import SettingError

_GAMMA = 2.0  # of the focal loss, the value of its authors


def class_weights(
    choice: str | Sequence[float], labels: np.ndarray, class_names: Sequence[str]
) -> np.ndarray:
    """Return the weight of each class in the loss.

    Parameters
    ----------
    choice : {"none", "balanced", "max"} or sequence of float
        ``balanced``: rows / (classes * rows of the class), so that the mean over rows is 1;
        ``max``: rows of the largest class / rows of the class; numbers: one per class.
    labels : ndarray of int, shape (n_rows,)
    class_names : sequence of str

    Returns
    -------
    ndarray of float64, shape (n_classes,)

    Raises
    ------
    SettingError
        If the number of weights is not the number of classes.

    Examples
    --------
    >>> class_weights("max", np.array([0, 0, 0, 1]), ["bad", "good"]).tolist()
    [1.0, 3.0]
    """
    counts = np.bincount(labels, minlength=len(class_names))
    if isinstance(choice, str):
        if choice == "balanced":
            return len(labels) / (len(class_names) * counts)
        return counts.max() / counts if choice == "max" else np.ones(len(class_names))
    if len(choice) != len(class_names):
        raise SettingError(
            f"class_weights must have {len(class_names)} numbers, one for each of "
            f"{', '.join(class_names)}; got {len(choice)}; give one number per class."
        )
    return np.asarray(choice, dtype=np.float64)


def loss_function(name: str, n_classes: int) -> Callable[[Any, Any], Any]:
    """Return a function that computes the loss of each text.

    Parameters
    ----------
    name : {"cross_entropy", "focal", "mse", "mae"}
        ``focal``: cross-entropy times (1 - p)^2 (Lin et al. 2017); ``mse`` and ``mae``: squared
        and absolute error of the probabilities.
    n_classes : int

    Returns
    -------
    callable
        Takes labels, int64, shape (batch,), and logits, shape (batch, 1) for two classes, else
        (batch, n_classes); returns losses, shape (batch,).
    """
    import tensorflow as tf

    binary = n_classes == 2

    def cross_entropy(labels: Any, logits: Any) -> Any:
        if binary:
            target = tf.cast(labels, logits.dtype)
            return tf.nn.sigmoid_cross_entropy_with_logits(target, logits[:, 0])
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)

    def focal(labels: Any, logits: Any) -> Any:
        entropy = cross_entropy(labels, logits)
        return entropy * (1 - tf.exp(-entropy)) ** _GAMMA

    def errors(labels: Any, logits: Any) -> Any:
        if binary:
            return tf.cast(labels, logits.dtype)[:, None] - tf.sigmoid(logits)
        return tf.one_hot(labels, n_classes, dtype=logits.dtype) - tf.nn.softmax(logits)

    def mse(labels: Any, logits: Any) -> Any:
        return tf.reduce_mean(errors(labels, logits) ** 2, axis=1)

    def mae(labels: Any, logits: Any) -> Any:
        return tf.reduce_mean(tf.abs(errors(labels, logits)), axis=1)

    return {"cross_entropy": cross_entropy, "focal": focal, "mse": mse, "mae": mae}[name]
