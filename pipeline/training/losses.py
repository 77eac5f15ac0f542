"""Loss functions of networks by name, and class weights."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pipeline.errors import SettingError

_GAMMA = 2.0  # of the focal loss, the value of its authors


def class_weights(
    choice: str | Sequence[float], labels: np.ndarray, class_names: Sequence[str]
) -> np.ndarray:
    """Return the weight of each class in the loss, float64, shape (n_classes,).

    Parameters
    ----------
    choice : {"none", "balanced", "max"} or sequence of float
        ``balanced``: rows / (classes * rows of the class), so that the mean over rows is 1;
        ``max``: rows of the largest class / rows of the class; numbers: one per class.
    labels : ndarray of int, shape (n_rows,)
    class_names : sequence of str

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
    """Return a function from labels, int64, and logits to the loss of each text, shape (batch,).

    Focal loss is cross-entropy times (1 - p)^2 (Lin et al. 2017); ``mse`` and ``mae`` are errors of
    the probabilities. Logits have the shape (batch, 1) for two classes, else (batch, n_classes).
    """
    import tensorflow as tf

    binary = n_classes == 2

    def losses(labels: Any, logits: Any) -> Any:
        if name in ("cross_entropy", "focal"):
            if binary:
                target = tf.cast(labels, logits.dtype)
                entropy = tf.nn.sigmoid_cross_entropy_with_logits(target, logits[:, 0])
            else:
                entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
            return entropy * (1 - tf.exp(-entropy)) ** _GAMMA if name == "focal" else entropy
        if binary:
            errors = tf.cast(labels, logits.dtype)[:, None] - tf.sigmoid(logits)
        else:
            errors = tf.one_hot(labels, n_classes, dtype=logits.dtype) - tf.nn.softmax(logits)
        return tf.reduce_mean(errors**2 if name == "mse" else tf.abs(errors), axis=1)

    return losses
