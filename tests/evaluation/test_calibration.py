import numpy as np
import pytest

from pipeline.evaluation.calibration import fit_temperature, reliability, temper


def calibrated_rows(n_rows, n_classes, seed):
    """Labels drawn from the very probabilities that are predicted."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(n_classes), n_rows)
    labels = (probabilities.cumsum(axis=1) < rng.uniform(size=(n_rows, 1))).sum(axis=1)
    return np.minimum(labels, n_classes - 1), probabilities


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_a_known_temperature_is_found_again_and_undone(n_classes, temperature):
    labels, probabilities = calibrated_rows(20_000, n_classes, seed=3)
    # Raising to a power makes certain what was not: dividing by it again is the cure.
    spoilt = temper(probabilities, 1 / temperature)
    found = fit_temperature(labels, spoilt)
    assert found == pytest.approx(temperature, rel=0.05)
    before = reliability(labels, spoilt).error
    after = reliability(labels, temper(spoilt, found)).error
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


def test_expected_calibration_error_of_a_case_worked_by_hand():
    # Four rows at 0.9, of which 2 are right, and six at 0.6, of which 3 are right:
    # (4 * |0.5 - 0.9| + 6 * |0.5 - 0.6|) / 10 = 0.22
    first = np.array([0.9] * 4 + [0.6] * 6)
    labels = np.array([0, 0, 1, 1, 0, 0, 0, 1, 1, 1])
    found = reliability(labels, np.stack([first, 1 - first], axis=1))
    assert found.error == pytest.approx(0.22)
    assert found.rows.sum() == 10
    assert np.count_nonzero(found.rows) == 2
