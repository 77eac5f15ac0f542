from types import SimpleNamespace

import pytest

from pipeline.report.advice import verdict


def run_with(accuracy, macro_f1, name="naive_bayes"):
    """Return what `verdict` reads of a run: differences with their intervals."""
    entries = {"accuracy": accuracy, "macro_f1": macro_f1}
    difference = {
        key: {"value": sum(bounds) / 2, "interval": bounds} for key, bounds in entries.items()
    }
    compared = {"difference": difference, "mcnemar": {"p_value": 0.5}}
    return SimpleNamespace(model="bilstm", metrics={"baselines": {"majority": {}, name: compared}})


ABOVE, AROUND, BELOW = [0.01, 0.05], [-0.02, 0.03], [-0.06, -0.01]


@pytest.mark.parametrize(
    ("accuracy", "macro_f1", "level"),
    [
        (ABOVE, ABOVE, "better"),
        (ABOVE, AROUND, "better"),
        (ABOVE, BELOW, "mixed"),
        (AROUND, ABOVE, "mixed"),
        (AROUND, AROUND, "no better"),
        (AROUND, BELOW, "worse"),
        (BELOW, ABOVE, "worse"),
    ],
)
def test_verdict_follows_the_intervals_of_the_differences(accuracy, macro_f1, level):
    assert verdict(run_with(accuracy, macro_f1)).level == level


def test_a_model_that_does_not_beat_the_baseline_is_told_so_in_the_first_words():
    assert verdict(run_with(AROUND, AROUND)).title == (
        "bilstm does not beat the baseline naive_bayes."
    )


@pytest.mark.parametrize(
    ("value", "p_value", "level"),
    [(0.1, 0.01, "better"), (-0.1, 0.01, "worse"), (0.1, 0.2, "no better")],
)
def test_without_bootstrap_samples_the_paired_test_decides(value, p_value, level):
    difference = {"accuracy": {"value": value}, "macro_f1": {"value": value}}
    compared = {"difference": difference, "mcnemar": {"p_value": p_value}}
    run = SimpleNamespace(model="m", metrics={"baselines": {"naive_bayes": compared}})
    assert verdict(run).level == level
