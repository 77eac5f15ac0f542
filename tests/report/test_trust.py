import pytest
from runs import SCORED, made_up_run, other_run

from pipeline.report.trust import chosen_on, findings

NEAR = {**SCORED, "accuracy": 0.89}
TEMPERED = {"metrics.calibration.temperature": 1.3}


def finding(run, text):
    """Return the one finding whose sentence has a text."""
    matching = [pair for pair in findings(run) if text in pair[1]]
    assert len(matching) == 1, list(findings(run))
    return matching[0]


@pytest.mark.parametrize(
    ("bounds", "kind", "sentence"),
    [
        ([0.88, 0.92], "good", "On 1,000 test rows, the 95 % interval of the accuracy is 4.0"),
        ([0.80, 0.8999], "good", "10.0 points wide"),
        ([0.80, 0.9001], "bad", "10.0 points wide"),
        ([1.0, 1.0], "bad", "All predictions on 1,000 test rows are correct"),
    ],
    ids=["narrow", "just narrow enough", "just too wide", "no spread"],
)
def test_wide_interval_is_bad(bounds, kind, sentence):
    run = made_up_run(**{"metrics.test.intervals": {"accuracy": bounds}})
    assert finding(run, "All pred" if bounds == [1.0, 1.0] else "interval of")[0] == kind
    assert sentence in " ".join(text for _, text in findings(run))


def test_run_without_intervals_has_no_finding_about_them():
    run = made_up_run(**{"metrics.test.intervals": {}})
    assert not any("95 %" in sentence for _, sentence in findings(run))


def test_single_seed_is_bad():
    assert finding(made_up_run(), "seed") == (
        "bad",
        "Intervals cover the sampling of test rows only: training again with another seed would "
        "also change the metrics (try --seed 1).",
    )


def test_spread_of_seeds_is_shown_where_runs_differ_only_by_seed():
    others = [
        other_run("bilstm", 0.92, differs_by_seed=True),
        other_run("bilstm", 0.94, differs_by_seed=True),
        other_run("lstm", 0.5),
    ]
    kind, sentence = finding(made_up_run(other_runs=others), "seed")
    assert kind == "good"
    assert "3 runs that differ only by seed have a standard deviation of 2.0 points" in sentence


def test_model_without_randomness_depends_on_the_split_seed():
    run = made_up_run("naive_bayes", settings={"alpha": 1.0})
    assert "Training has no randomness" in finding(run, "--split-seed")[1]


@pytest.mark.parametrize(
    ("leaks", "kind", "sentence"),
    [
        ({}, "good", "No test row has the clean text of a training row."),
        (
            {"exact": 3, "without_exact": NEAR},
            "bad",
            "Test rows with the clean text of a training row: 3; without them accuracy is 0.890 "
            "instead of 0.900 and F1 of good is 0.920 instead of 0.920.",
        ),
        (
            {"near": 30, "without_exact_and_near": NEAR},
            "bad",
            "nearly the text of a training row: 30",
        ),
        (
            {"near": 300, "without_exact_and_near": {**SCORED, "accuracy": 0.8951}},
            "good",
            "nearly the text of a training row: 300",
        ),
        ({"near": 1}, "good", "nearly the text of a training row: 1."),
    ],
    ids=["none", "exact", "near, metric moves", "near, metric stays", "nothing without them"],
)
def test_copies_of_training_texts_are_bad_where_they_change_metrics(leaks, kind, sentence):
    run = made_up_run()
    run.metrics["leaks"] |= leaks
    assert finding(run, sentence)[0] == kind


@pytest.mark.parametrize(
    ("error", "upper", "kind", "sentence"),
    [
        (0.03, 0.03, "good", "This is no miscalibration beyond chance"),
        (0.0301, 0.03, "bad", "use the probabilities to rank texts"),
        # On few rows even a calibrated model has a large error.
        (0.09, 0.11, "good", "calibrated model would have an error of up to 0.110"),
    ],
    ids=["at the bound", "just above", "few rows"],
)
def test_calibration_is_compared_with_chance(error, upper, kind, sentence):
    calibrated = {"expected_calibration_error": error, "by_chance": {"upper": upper}}
    run = made_up_run(**{"metrics.calibration.calibrated": calibrated})
    assert finding(run, sentence)[0] == kind


@pytest.mark.parametrize(
    ("raw", "is_shown"), [(0.028, False), (0.035, True), (0.05, True)], ids=str
)
def test_error_before_temperature_scaling_is_shown_where_it_was_not_lower(raw, is_shown):
    calibrated = {"expected_calibration_error": 0.035, "by_chance": {"upper": 0.05}}
    run = made_up_run(**TEMPERED, **{"metrics.calibration.calibrated": calibrated})
    run.metrics["calibration"]["raw"]["expected_calibration_error"] = raw
    assert (
        "before temperature scaling" in finding(run, "expected calibration error")[1]
    ) == is_shown


@pytest.mark.parametrize(("texts", "is_shown"), [(0, False), (2, True)])
def test_contradicting_labels_are_finding(texts, is_shown):
    run = made_up_run(**{"profile.contradicting_texts": texts})
    assert any("contradicting labels: 2" in sentence for _, sentence in findings(run)) == is_shown


CHOSEN = {"threshold": 0.4, "temperature": 1.2, "not_chosen_because": None}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "; it chose the number of epochs on validation rows."),
        (
            {"decision": CHOSEN},
            "; it chose the number of epochs, the temperature and the threshold on validation",
        ),
        ({"training": {}}, "This run chose nothing on its test rows. A choice between"),
        (
            {"balance.rows.validation": 0, "decision": CHOSEN},
            "This run chose nothing on its test rows. A choice",
        ),
        (
            {"profile.partitions": {"train": 50, "test": 50}},
            "They are the official test rows of the dataset: earlier runs, or the authors of "
            "published settings, may have chosen something on them.",
        ),
    ],
    ids=["epochs", "all", "nothing", "no validation rows", "official test half"],
)
def test_choices_on_validation_rows_are_listed(changes, sentence):
    assert sentence in chosen_on(made_up_run(**changes))
