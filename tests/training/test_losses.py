"""Losses are their formulas, for two classes and for more."""

import numpy as np
import pytest

pytestmark = pytest.mark.network

SCORES = np.array([[0.3], [-2.0], [4.0]])
LABELS = np.array([1, 1, 0])


def probabilities(scores):
    if scores.shape[1] == 1:
        second = 1 / (1 + np.exp(-scores))
        return np.concatenate([1 - second, second], axis=1)
    odds = np.exp(scores)
    return odds / odds.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("name", ["cross_entropy", "focal", "mse", "mae"])
def test_loss_is_its_formula(name, n_classes):
    import tensorflow as tf

    from pipeline.training.losses import loss

    rng = np.random.default_rng(0)
    scores = SCORES if n_classes == 2 else rng.normal(size=(3, 4))
    p = probabilities(scores)
    right = p[np.arange(3), LABELS]
    errors = p[:, 1:] - LABELS[:, None] if n_classes == 2 else p - np.eye(4)[LABELS]
    expected = {
        "cross_entropy": -np.log(right),
        "focal": -((1 - right) ** 2) * np.log(right),
        "mse": (errors**2).mean(axis=1),
        "mae": np.abs(errors).mean(axis=1),
    }[name]
    found = loss(name, n_classes)(tf.constant(LABELS), tf.constant(scores))
    np.testing.assert_allclose(found, expected, rtol=1e-9)
