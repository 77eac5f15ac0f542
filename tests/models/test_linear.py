"""The linear models do what their papers say."""

import numpy as np
import pytest
from scipy import sparse
from scipy.special import expit

from pipeline.errors import PipelineError
from pipeline.models import linear
from pipeline.models.base import TrainingData

NAMES = ("no", "yes")


def data_of(rows, labels, names=NAMES):
    rows = sparse.csr_matrix(np.asarray(rows, dtype=np.float32))
    labels = np.asarray(labels)
    return TrainingData(rows, labels, rows[:0], labels[:0], names, rows.shape[1])


def noisy(n_rows=600, n_columns=20, seed=0):
    rng = np.random.default_rng(seed)
    rows = rng.random((n_rows, n_columns)) * (rng.random((n_rows, n_columns)) < 0.3)
    log_odds = 3 * rows[:, 0] - 3 * rows[:, 1]
    return rows, (rng.random(n_rows) < expit(log_odds)).astype(int)


def test_log_count_ratio_is_that_of_the_paper():
    rows = sparse.csr_matrix(np.array([[1, 0, 1], [1, 1, 0], [0, 1, 1.0]]))
    ratio = linear._log_count_ratio(rows, np.array([True, True, False]), alpha=1.0)
    p, q = np.array([3, 2, 2]), np.array([1, 2, 2])
    np.testing.assert_allclose(ratio, np.log((p / 7) / (q / 5)))


def test_platt_finds_the_sigmoid_that_made_the_labels():
    rng = np.random.default_rng(0)
    decisions = rng.normal(size=50_000)
    positive = rng.random(50_000) < expit(2 * decisions - 1)
    scale, shift = linear.platt(decisions, positive)
    assert scale == pytest.approx(2, abs=0.1)
    assert shift == pytest.approx(-1, abs=0.1)


def test_platt_stays_finite_where_classes_are_apart():
    scale, shift = linear.platt(np.array([-2.0, -1, 1, 2]), np.array([False, False, True, True]))
    assert 0.5 < expit(scale * 2 + shift) < 1


def test_platt_draws_targets_in_by_one_row_of_each_class():
    # All decision values are alike, so that the best probability is the mean of the targets.
    positive = np.array([True] * 3 + [False] * 7)
    scale, shift = linear.platt(np.ones(10), positive)
    targets = np.where(positive, (3 + 1) / (3 + 2), 1 / (7 + 2))
    assert expit(scale + shift) == pytest.approx(targets.mean(), abs=1e-4)


def test_platt_reaches_its_targets_where_classes_are_apart():
    # Two decision values, one a class: the sigmoid goes through both targets.
    positive = np.array([True] * 4 + [False] * 9)
    scale, shift = linear.platt(np.where(positive, 1.0, -1.0), positive)
    assert expit(scale + shift) == pytest.approx(5 / 6, abs=1e-3)
    assert expit(-scale + shift) == pytest.approx(1 / 11, abs=1e-3)


def test_svm_probabilities_are_calibrated():
    rows, labels = noisy(4000)
    settings = {"cost": 1.0, "seed": 0, "calibration_folds": 5}
    fitted, _ = linear.svm(data_of(rows, labels), settings, {0: 1.0, 1: 1.0})
    probability = fitted.predict(sparse.csr_matrix(rows))[:, 1]
    for low, high in ((0.2, 0.4), (0.4, 0.6), (0.6, 0.8)):
        inside = (probability >= low) & (probability < high)
        assert labels[inside].mean() == pytest.approx(probability[inside].mean(), abs=0.08)


def test_class_weights_move_predictions_towards_the_heavier_class():
    rows, labels = noisy()
    settings = {
        "cost": 1.0, "seed": 0, "calibration_folds": 3, "alpha": 1.0, "beta": 1.0,
        "class_weights": "none",
    }  # fmt: skip
    for model in ("logistic_regression", "nb_svm"):
        shares = [
            linear.Linear.fit(
                model, data_of(rows, labels), settings | {"class_weights": weights}, print, None
            )[0].predict(sparse.csr_matrix(rows))[:, 1].mean()
            for weights in ((1.0, 1.0), (1.0, 8.0))
        ]  # fmt: skip
        assert shares[1] > shares[0] + 0.05, model


def test_nb_svm_with_beta_zero_weighs_every_ratio_alike():
    rows, labels = noisy()
    settings = {"cost": 1.0, "alpha": 1.0, "beta": 0.0}
    fitted, _ = linear.nb_svm(data_of(rows, labels), settings, {0: 1.0, 1: 1.0})
    ratio = linear._log_count_ratio(
        linear._presence(sparse.csr_matrix(rows)), labels == 1, settings["alpha"]
    )
    factors = fitted.weights[:, 0] / ratio
    np.testing.assert_allclose(factors, factors[0], rtol=1e-4)


def test_a_class_smaller_than_the_folds_is_still_calibrated():
    rows = np.eye(9)[[0] * 6 + [1] * 6 + [2]]
    labels = [0] * 6 + [1] * 6 + [2]
    settings = {"cost": 1.0, "seed": 0, "calibration_folds": 5}
    data = data_of(rows, labels, ("a", "b", "c"))
    fitted, facts = linear.svm(data, settings, {0: 1.0, 1: 1.0, 2: 1.0})
    assert facts["calibration_folds"] == 1
    assert fitted.predict(data.train).argmax(axis=1).tolist() == labels


@pytest.mark.parametrize(
    ("model", "name"),
    [("nb_svm", "char_ngrams"), ("nb_svm", "word_ngrams"), ("fasttext", "subwords")],
)
def test_runs_whose_least_is_above_their_most_are_refused(chain, model, name):
    chain.add()
    with pytest.raises(
        PipelineError, match=rf"{name} must be the shortest and the longest.*\[3, 5\]"
    ):
        chain.task(dataset="toy", model=model, **{name: (5, 3)})
