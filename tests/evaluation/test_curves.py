import numpy as np
import pytest
from sklearn import metrics as sk

from pipeline.evaluation.calibration import reliability
from pipeline.evaluation.curves import curve_table, sweep


def test_sweep_counts_equal_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    labels, scores = rng.integers(0, 2, 300), np.round(rng.uniform(size=300), 2)
    counts = sweep(labels == 1, scores)
    rates, recalls, _ = sk.roc_curve(labels, scores, drop_intermediate=False)
    assert np.allclose(counts.false_positive_rate, rates)
    assert np.allclose(counts.recall, recalls)
    for step in (1, 20, 50):
        predicted = scores >= counts.thresholds[step]
        assert counts.precision[step] == pytest.approx(sk.precision_score(labels, predicted))
        assert counts.f1[step] == pytest.approx(sk.f1_score(labels, predicted))
        assert counts.accuracy[step] == pytest.approx(sk.accuracy_score(labels, predicted))


def test_long_curves_are_thinned_in_the_file():
    rng = np.random.default_rng(0)
    counts = sweep(rng.uniform(size=20_000) < 0.5, rng.uniform(size=20_000))
    table = curve_table({"yes": counts}, {})
    roc = table.filter(table["curve"].to_numpy(zero_copy_only=False) == "roc")
    assert roc.num_rows == 1000
    assert (roc["x"][0].as_py(), roc["x"][-1].as_py()) == (0.0, 1.0)


def test_table_has_rows_of_bins_but_no_thresholds_for_reliability():
    probabilities = np.array([[0.75, 0.25], [0.75, 0.25], [0.1, 0.9]])
    table = curve_table({}, {"raw": reliability(np.array([0, 1, 1]), probabilities)})
    assert table["of"].to_pylist() == ["raw", "raw"]
    assert table["y"].to_pylist() == [0.5, 1.0]
    assert table["rows"].to_pylist() == [2, 1]
    assert table["threshold"].null_count == 2
