"""The linear models follow their papers."""

import numpy as np
import pytest
from scipy import sparse
from scipy.special import expit

from pipeline.errors import PipelineError
from pipeline.models import linear
from pipeline.models.base import TrainingData

NAMES = ("no", "yes")
SVM = {"cost": 1.0, "seed": 0, "calibration_folds": 5}


def data_of(rows, labels, names=NAMES):
    rows = sparse.csr_matrix(np.asarray(rows, dtype=np.float32))
    labels = np.asarray(labels)
    return TrainingData(rows, labels, rows[:0], labels[:0], names, rows.shape[1])


def noisy(n_rows=600, n_columns=20, seed=0):
    rng = np.random.default_rng(seed)
    rows = rng.random((n_rows, n_columns)) * (rng.random((n_rows, n_columns)) < 0.3)
    log_odds = 3 * rows[:, 0] - 3 * rows[:, 1]
    return rows, (rng.random(n_rows) < expit(log_odds)).astype(int)


def test_log_count_ratio_equals_that_of_the_paper():
    rows = sparse.csr_matrix(np.array([[1, 0, 1], [1, 1, 0], [0, 1, 1.0]]))
    ratio = linear._log_count_ratio(rows, np.array([True, True, False]), alpha=1.0)
    p, q = np.array([3, 2, 2]), np.array([1, 2, 2])
    np.testing.assert_allclose(ratio, np.log((p / 7) / (q / 5)))


def test_svm_probabilities_are_calibrated():
    rows, labels = noisy(4000)
    fitted, _ = linear._svm(data_of(rows, labels), SVM, {0: 1.0, 1: 1.0})
    probability = fitted.predict(sparse.csr_matrix(rows))[:, 1]
    for low, high in ((0.2, 0.4), (0.4, 0.6), (0.6, 0.8)):
        inside = (probability >= low) & (probability < high)
        assert labels[inside].mean() == pytest.approx(probability[inside].mean(), abs=0.08)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_svm_probabilities_equal_those_of_scikit_learns_calibration(n_classes):
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.model_selection import StratifiedKFold
    from sklearn.svm import LinearSVC

    rows, labels = noisy()
    if n_classes == 3:
        labels = labels + (rows[:, 2] > 0.5)
    data = data_of(rows, labels, "abc"[:n_classes])
    fitted, _ = linear._svm(data, SVM, dict.fromkeys(range(n_classes), 1.0))
    calibrated = CalibratedClassifierCV(
        LinearSVC(random_state=0),
        cv=StratifiedKFold(5, shuffle=True, random_state=0),
        ensemble=False,
    ).fit(data.train, labels)
    expected = calibrated.predict_proba(data.train)
    np.testing.assert_allclose(fitted.predict(data.train), expected, atol=1e-6)


def test_sigmoid_is_platts_maximum_likelihood_fit():
    rows, labels = noisy()
    data = data_of(rows, labels)
    fitted, _ = linear._svm(data, SVM, {0: 1.0, 1: 1.0})
    # At the optimum, the mean probability of held-out rows is the mean of Platt's targets. The
    # scores of training rows are similar, because there are 30 times as many rows as columns.
    n_positive = labels.sum()
    targets = np.where(labels, (n_positive + 1) / (n_positive + 2), 1 / (600 - n_positive + 2))
    assert fitted.predict(data.train)[:, 1].mean() == pytest.approx(targets.mean(), abs=0.01)


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


def test_nb_svm_with_beta_zero_gives_all_ratios_the_same_weight():
    rows, labels = noisy()
    settings = {"cost": 1.0, "alpha": 1.0, "beta": 0.0}
    fitted, _ = linear._nb_svm(data_of(rows, labels), settings, {0: 1.0, 1: 1.0})
    ratio = linear._log_count_ratio(
        linear._presence(sparse.csr_matrix(rows)), labels == 1, settings["alpha"]
    )
    factors = fitted.weights[:, 0] / ratio
    np.testing.assert_allclose(factors, factors[0], rtol=1e-4)


def test_class_of_one_row_is_calibrated_on_training_scores():
    rows = np.eye(9)[[0] * 6 + [1] * 6 + [2]]
    labels = [0] * 6 + [1] * 6 + [2]
    data = data_of(rows, labels, ("a", "b", "c"))
    fitted, facts = linear._svm(data, SVM, {0: 1.0, 1: 1.0, 2: 1.0})
    assert facts["calibration_folds"] == 1
    assert fitted.predict(data.train).argmax(axis=1).tolist() == labels


@pytest.mark.parametrize(
    ("model", "name"),
    [("nb_svm", "char_ngrams"), ("nb_svm", "word_ngrams"), ("fasttext", "subwords")],
)
def test_ngram_limits_in_the_wrong_order_are_an_error(chain, model, name):
    chain.add()
    with pytest.raises(PipelineError, match=rf"{name} must be .*\[3, 5\]"):
        chain.task(dataset="toy", model=model, **{name: (5, 3)})
