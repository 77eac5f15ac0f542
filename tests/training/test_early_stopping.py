"""The rules of early stopping and of reducing the learning rate."""

import pytest

from pipeline.errors import PipelineError
from pipeline.training.early_stopping import Stopper


def follow(values, monitor="loss", patience=2, reduce_patience=2, min_change=0.0):
    """Return the best epoch, the epoch of the stop (None without), and those of reductions."""
    stopper = Stopper(monitor, patience, reduce_patience, min_change)
    reduced = []
    for epoch, value in enumerate(values, start=1):
        stopper.improved(epoch, {f"val_{monitor}": value})
        if stopper.should_reduce(epoch):
            reduced.append(epoch)
        if stopper.should_stop(epoch):
            return stopper.best_epoch, epoch, reduced
    return stopper.best_epoch, None, reduced


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
    stopper = Stopper("loss", 2, 2, 0.0)
    assert [stopper.improved(at, {"val_loss": value}) for at, value in enumerate([2, 1, 1.5])] == [
        True,
        True,
        False,
    ]
    assert (stopper.best, stopper.best_epoch) == (1, 1)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_metric_that_is_not_defined_is_an_error_that_says_what_to_do(value):
    with pytest.raises(PipelineError, match="monitor auc is not defined.*--monitor loss"):
        Stopper("auc", 2, 2, 0.0).improved(1, {"val_auc": value})
