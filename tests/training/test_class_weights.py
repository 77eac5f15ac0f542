import numpy as np
import pytest

from pipeline.errors import PipelineError
from pipeline.training.class_weights import class_weights
from pipeline.training.validation_metrics import scores

LABELS = np.repeat([0, 1, 2], [60, 30, 10])


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("none", [1, 1, 1]),
        ("balanced", [100 / 180, 100 / 90, 100 / 30]),
        ("max", [1, 2, 6]),
        ((1.0, 2.0, 0.5), [1, 2, 0.5]),
    ],
)
def test_class_weights(choice, expected):
    np.testing.assert_allclose(class_weights(choice, LABELS, "abc"), expected)


def test_number_of_weights_must_fit():
    with pytest.raises(PipelineError, match="must have 3 numbers, one for each of a, b, c; got 2"):
        class_weights((1.0, 2.0), LABELS, "abc")


def test_scores_of_certain_and_right_predictions():
    found = scores(LABELS, np.eye(3)[LABELS])
    assert found["val_loss"] == pytest.approx(0, abs=1e-9)
    assert found["val_accuracy"] == found["val_auc"] == found["val_f1"] == 1


def test_f1_is_of_the_second_of_two_classes():
    labels, second = np.array([0, 0, 1, 1]), np.array([0.6, 0.4, 0.7, 0.2])
    assert scores(labels, np.stack([1 - second, second], 1))["val_f1"] == pytest.approx(0.5)
