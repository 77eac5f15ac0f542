"""Losses equal their formulas for two and for more classes; class weights follow frequencies."""

import numpy as np
import pytest

from pipeline.errors import SettingError
from pipeline.training.losses import class_weights, loss_function

LOGITS = np.array([[0.3], [-2.0], [4.0]])
LABELS = np.array([1, 1, 0])
SKEWED = np.repeat([0, 1, 2], [60, 30, 10])


def probabilities(logits):
    if logits.shape[1] == 1:
        second = 1 / (1 + np.exp(-logits))
        return np.concatenate([1 - second, second], axis=1)
    odds = np.exp(logits)
    return odds / odds.sum(axis=1, keepdims=True)


@pytest.mark.network
@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("name", ["cross_entropy", "focal", "mse", "mae"])
def test_loss_equals_its_formula(name, n_classes):
    import tensorflow as tf

    rng = np.random.default_rng(0)
    logits = LOGITS if n_classes == 2 else rng.normal(size=(3, 4))
    p = probabilities(logits)
    right = p[np.arange(3), LABELS]
    errors = p[:, 1:] - LABELS[:, None] if n_classes == 2 else p - np.eye(4)[LABELS]
    expected = {
        "cross_entropy": -np.log(right),
        "focal": -((1 - right) ** 2) * np.log(right),
        "mse": (errors**2).mean(axis=1),
        "mae": np.abs(errors).mean(axis=1),
    }[name]
    losses = loss_function(name, n_classes)(tf.constant(LABELS), tf.constant(logits))
    np.testing.assert_allclose(losses, expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("none", [1, 1, 1]),
        ("balanced", [100 / 180, 100 / 90, 100 / 30]),
        ("max", [1, 2, 6]),
        ((1.0, 2.0, 0.5), [1, 2, 0.5]),
    ],
)
def test_class_weights_follow_frequencies(choice, expected):
    np.testing.assert_allclose(class_weights(choice, SKEWED, "abc"), expected)


def test_class_weights_need_one_number_per_class():
    with pytest.raises(SettingError, match="class_weights must have 3 numbers.*a, b, c; got 2"):
        class_weights((1.0, 2.0), SKEWED, "abc")
