"""Validation metrics, early stopping and reduction of the learning rate."""

import numpy as np
import pytest

from pipeline.errors import TrainingError
from pipeline.training.validation import EarlyStopping, validation_metrics

LABELS = np.repeat([0, 1, 2], [60, 30, 10])


def follow(values, monitor="loss", patience=2, reduce_patience=2, min_change=0.0):
    """Return the best epoch, the epoch of the stop (None without), and those of reductions."""
    stopping = EarlyStopping(monitor, patience, reduce_patience, min_change)
    reduced = []
    for epoch, value in enumerate(values, start=1):
        stopping.improved(epoch, {f"val_{monitor}": value})
        if stopping.should_reduce(epoch):
            reduced.append(epoch)
        if stopping.should_stop(epoch):
            return stopping.best_epoch, epoch, reduced
    return stopping.best_epoch, None, reduced


@pytest.mark.parametrize(
    ("values", "settings", "best", "stop"),
    [
        pytest.param([3, 2, 1], {}, 3, None, id="improves to the end"),
        pytest.param([3, 2, 2.5, 2.4, 1], {}, 2, 4, id="patience of two epochs"),
        pytest.param([3, 2, 2.5, 2.4, 1], {"patience": 3}, 5, None, id="patience of three"),
        pytest.param([3, 2, 9, 9, 9], {"patience": 0}, 2, None, id="no patience never stops"),
        pytest.param([3, 3, 3], {}, 1, 3, id="a tie is no improvement"),
        pytest.param([3, 2.95, 2.9], {"min_change": 0.2}, 1, 3, id="too small a change"),
        pytest.param([3, 2.8], {"min_change": 0.2}, 1, None, id="change of exactly the least"),
        pytest.param([3, 2.7], {"min_change": 0.2}, 2, None, id="large enough a change"),
        pytest.param([0.1, 0.2, 0.3], {"monitor": "f1"}, 3, None, id="larger is better"),
        pytest.param([0.3, 0.2, 0.1], {"monitor": "auc"}, 1, 3, id="smaller is worse"),
    ],
)
def test_training_stops_after_its_patience_and_keeps_the_best_epoch(values, settings, best, stop):
    assert follow(values, **settings)[:2] == (best, stop)


def test_learning_rate_is_reduced_each_time_the_metric_stood_still_long_enough():
    values = [3, 2, 2, 2, 2, 2, 1, 1, 1]
    assert follow(values, patience=0, reduce_patience=2)[2] == [4, 6, 9]
    assert follow(values, patience=0, reduce_patience=3)[2] == [5]


def test_improvement_is_reported_with_its_epoch():
    stopping = EarlyStopping("loss", 2, 2, 0.0)
    assert [stopping.improved(at, {"val_loss": value}) for at, value in enumerate([2, 1, 1.5])] == [
        True,
        True,
        False,
    ]
    assert (stopping.best, stopping.best_epoch) == (1, 1)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_undefined_metric_is_an_error(value):
    with pytest.raises(TrainingError, match="monitor auc is not defined.*--monitor loss"):
        EarlyStopping("auc", 2, 2, 0.0).improved(1, {"val_auc": value})


def test_metrics_of_certain_and_right_predictions():
    metrics = validation_metrics(LABELS, np.eye(3)[LABELS])
    assert metrics["val_loss"] == pytest.approx(0, abs=1e-9)
    assert metrics["val_accuracy"] == metrics["val_auc"] == metrics["val_f1"] == 1


def test_f1_is_of_the_second_of_two_classes():
    labels, second = np.array([0, 0, 1, 1]), np.array([0.6, 0.4, 0.7, 0.2])
    assert validation_metrics(labels, np.stack([1 - second, second], 1))["val_f1"] == pytest.approx(
        0.5
    )
