import numpy as np
import pytest

from pipeline.evaluation.calibration import (
    choose_temperature,
    error_by_chance,
    fit_temperature,
    reliability,
    temper,
)


def calibrated_rows(n_rows, n_classes, seed):
    """Return labels that were drawn from the predicted probabilities."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(n_classes), n_rows)
    labels = (probabilities.cumsum(axis=1) < rng.uniform(size=(n_rows, 1))).sum(axis=1)
    return np.minimum(labels, n_classes - 1), probabilities


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_temperature_of_distorted_probabilities_is_recovered(n_classes, temperature):
    labels, probabilities = calibrated_rows(20_000, n_classes, seed=3)
    distorted = temper(probabilities, 1 / temperature)
    result = fit_temperature(labels, distorted)
    assert result == pytest.approx(temperature, rel=0.05)
    before = reliability(labels, distorted).error
    after = reliability(labels, temper(distorted, result)).error
    assert after < 0.02
    assert temperature == 1.0 or before > 3 * after


def test_temperature_changes_no_prediction():
    _, probabilities = calibrated_rows(500, 3, seed=0)
    tempered = temper(probabilities, 2.5)
    assert np.array_equal(tempered.argmax(axis=1), probabilities.argmax(axis=1))
    assert np.allclose(tempered.sum(axis=1), 1)


def test_temperature_of_certain_predictions_is_finite():
    probabilities = np.array([[1.0, 0.0]] * 10)
    labels = np.array([0] * 9 + [1])
    assert np.isfinite(temper(probabilities, fit_temperature(labels, probabilities))).all()


def test_expected_calibration_error_equals_a_calculation_by_hand():
    # Four rows at 0.9, of which 2 are right, and six at 0.6, of which 3 are right:
    # (4 * |0.5 - 0.9| + 6 * |0.5 - 0.6|) / 10 = 0.22
    first = np.array([0.9] * 4 + [0.6] * 6)
    labels = np.array([0, 0, 1, 1, 0, 0, 0, 1, 1, 1])
    result = reliability(labels, np.stack([first, 1 - first], axis=1))
    assert result.error == pytest.approx(0.22)
    assert result.rows.sum() == 10
    assert np.count_nonzero(result.rows) == 2


def test_calibrated_model_exceeds_the_bound_in_one_of_twenty_samples():
    # With 200 rows, its error is above a fixed limit of 0.05 in most samples.
    above, above_fixed_limit = [], []
    for seed in range(300):
        labels, probabilities = calibrated_rows(200, 2, seed)
        error = reliability(labels, probabilities).error
        above.append(error > error_by_chance(probabilities, seed).upper)
        above_fixed_limit.append(error > 0.05)
    assert 0.02 <= np.mean(above) <= 0.09
    assert np.mean(above_fixed_limit) > 0.5


def test_error_by_chance_is_the_mean_error_of_calibrated_samples():
    errors = []
    _, probabilities = calibrated_rows(500, 3, seed=0)
    for seed in range(400):
        drawn = np.random.default_rng(seed).uniform(size=(500, 1))
        labels = (probabilities.cumsum(axis=1) < drawn).sum(axis=1)
        errors.append(reliability(np.minimum(labels, 2), probabilities).error)
    result = error_by_chance(probabilities)
    assert result.mean == pytest.approx(np.mean(errors), rel=0.05)
    assert result.upper == pytest.approx(np.quantile(errors, 0.95), rel=0.07)


def test_duplicate_groups_raise_the_error_by_chance():
    _, probabilities = calibrated_rows(100, 2, seed=0)
    copied, groups = np.repeat(probabilities, 4, axis=0), np.repeat(np.arange(100), 4)
    alone = error_by_chance(probabilities)
    assert error_by_chance(copied, groups=groups).mean == pytest.approx(alone.mean, rel=0.05)
    assert error_by_chance(copied).mean < 0.7 * alone.mean


def test_uncalibrated_model_exceeds_the_bound():
    labels, probabilities = calibrated_rows(1000, 2, seed=0)
    distorted = temper(probabilities, 0.3)
    assert reliability(labels, distorted).error > error_by_chance(distorted).upper


def test_calibrated_model_mostly_gets_no_temperature():
    temperatures, harm, harm_of_always = [], [], []
    for seed in range(200):
        labels, probabilities = calibrated_rows(300, 2, seed)
        temperature, reason = choose_temperature(labels, probabilities)
        assert bool(reason) == (temperature == 1.0)
        temperatures.append(temperature)
        truth, new = calibrated_rows(2000, 2, 1000 + seed)
        before = log_loss(truth, new)
        harm.append(log_loss(truth, temper(new, temperature)) - before)
        always = fit_temperature(labels, probabilities)
        harm_of_always.append(log_loss(truth, temper(new, always)) - before)
    assert np.mean(np.array(temperatures) == 1.0) > 0.75
    assert np.mean(harm) < 0.002
    assert np.mean(harm) < 0.8 * np.mean(harm_of_always)


def log_loss(labels, probabilities):
    return -np.log(probabilities[np.arange(len(labels)), labels]).mean()


def test_useful_temperature_is_used():
    labels, probabilities = calibrated_rows(500, 2, seed=1)
    temperature, reason = choose_temperature(labels, temper(probabilities, 0.5))
    assert temperature == pytest.approx(2, rel=0.2)
    assert reason == ""


def test_folds_do_not_split_duplicate_groups():
    labels, probabilities = calibrated_rows(12, 2, seed=4)
    copies = np.repeat(np.arange(12), 200)
    groups = copies.copy()
    alone = choose_temperature(labels, probabilities)
    together = choose_temperature(labels[copies], probabilities[copies], groups)
    assert together[0] == pytest.approx(alone[0], rel=1e-3)


@pytest.mark.parametrize("n_rows", [0, 1])
def test_no_temperature_without_validation_rows(n_rows):
    result = choose_temperature(np.zeros(n_rows, int), np.full((n_rows, 2), 0.5))
    assert result[0] == 1.0
    assert "validation rows" in result[1]
