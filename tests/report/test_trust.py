import pytest
from runs import SCORED, made_up_run, sibling

from pipeline.report.headline import changed_by_copies
from pipeline.report.trust import chosen_on, trust

NEAR = {**SCORED, "accuracy": 0.89}
TEMPERED = {"metrics.calibration.temperature": 1.3}


def said(run, about):
    """Return the mark and sentence of the one sentence that holds a text."""
    found = [pair for pair in trust(run) if about in pair[1]]
    assert len(found) == 1, list(trust(run))
    return found[0]


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
def test_width_of_the_interval_is_judged(bounds, kind, sentence):
    run = made_up_run(**{"metrics.test.intervals": {"accuracy": bounds}})
    assert said(run, "All pred" if bounds == [1.0, 1.0] else "interval of")[0] == kind
    assert sentence in " ".join(text for _, text in trust(run))


def test_without_intervals_nothing_is_said_of_them():
    run = made_up_run(**{"metrics.test.intervals": {}})
    assert not any("95 %" in sentence for _, sentence in trust(run))


def test_one_seed_is_no_certainty():
    assert said(made_up_run(), "seed") == (
        "bad",
        "Intervals cover the sampling of test rows only: training again with another seed would "
        "also change the metrics (try --seed 1).",
    )


def test_spread_of_seeds_is_shown_where_runs_differ_by_it_alone():
    others = [
        sibling("bilstm", 0.92, differs_by_seed=True),
        sibling("bilstm", 0.94, differs_by_seed=True),
        sibling("lstm", 0.5),
    ]
    kind, sentence = said(made_up_run(siblings=others), "seed")
    assert kind == "good"
    assert "3 runs that differ only by seed have a standard deviation of 2.0 points" in sentence


def test_model_without_randomness_is_told_of_other_rows():
    run = made_up_run("naive_bayes", settings={"alpha": 1.0})
    assert "Training has no randomness" in said(run, "--split-seed")[1]


@pytest.mark.parametrize(
    ("leaks", "kind", "sentence"),
    [
        ({}, "good", "No test row has the clean text of a training row."),
        (
            {"exact": 3, "without_exact": NEAR},
            "bad",
            "Test rows whose clean text is also in training: 3; without them accuracy is 0.890, "
            "not 0.900 and F1 of good is 0.920, not 0.920.",
        ),
        ({"near": 30, "without_exact_and_near": NEAR}, "bad", "nearly that of a training row: 30"),
        (
            {"near": 300, "without_exact_and_near": {**SCORED, "accuracy": 0.8951}},
            "good",
            "nearly that of a training row: 300",
        ),
        ({"near": 1}, "good", "nearly that of a training row: 1."),
    ],
    ids=["none", "exact", "near, metric moves", "near, metric stays", "nothing without them"],
)
def test_copies_of_training_texts_are_bad_where_they_change_metrics(leaks, kind, sentence):
    run = made_up_run()
    run.metrics["leaks"] |= leaks
    assert said(run, sentence)[0] == kind


@pytest.mark.parametrize(
    ("error", "upper", "kind", "sentence"),
    [
        (0.03, 0.03, "good", "This is no miscalibration beyond chance"),
        (0.0301, 0.03, "bad", "use them to rank texts, not as probabilities"),
        # On few rows even a calibrated model is off by much.
        (0.09, 0.11, "good", "a perfectly calibrated model would be off by up to 0.110"),
    ],
    ids=["at the bound", "just above", "few rows"],
)
def test_calibration_is_compared_with_chance(error, upper, kind, sentence):
    calibrated = {"expected_calibration_error": error, "by_chance": {"upper": upper}}
    run = made_up_run(**{"metrics.calibration.calibrated": calibrated})
    assert said(run, sentence)[0] == kind


@pytest.mark.parametrize(
    ("raw", "is_praised"), [(0.028, False), (0.035, True), (0.05, True)], ids=str
)
def test_temperature_is_praised_only_where_the_error_did_not_rise(raw, is_praised):
    calibrated = {"expected_calibration_error": 0.035, "by_chance": {"upper": 0.05}}
    run = made_up_run(**TEMPERED, **{"metrics.calibration.calibrated": calibrated})
    run.metrics["calibration"]["raw"]["expected_calibration_error"] = raw
    assert ("before the temperature" in said(run, "Probabilities are off")[1]) == is_praised


@pytest.mark.parametrize(("texts", "is_said"), [(0, False), (2, True)])
def test_contradicting_labels_are_said(texts, is_said):
    run = made_up_run(**{"profile.contradicting_texts": texts})
    assert any("contradict each other: 2" in sentence for _, sentence in trust(run)) == is_said


CHOSEN = {"threshold": 0.4, "temperature": 1.2, "not_chosen_because": None}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "; it chose the number of epochs on validation rows."),
        (
            {"decision": CHOSEN},
            "; it chose the number of epochs, the temperature and the threshold on validation",
        ),
        ({"training": {}}, "This run chose nothing on its test rows. Choosing between runs"),
        (
            {"balance.rows.validation": 0, "decision": CHOSEN},
            "This run chose nothing on its test rows. Choosing",
        ),
        (
            {"profile.partitions": {"train": 50, "test": 50}},
            "They are the dataset's own test rows: whether earlier runs, or the authors of "
            "published settings, chose something on them is not known.",
        ),
    ],
    ids=["epochs", "all", "nothing", "no validation rows", "official test half"],
)
def test_what_chose_what_is_said_as_far_as_it_is_known(changes, sentence):
    assert sentence in chosen_on(made_up_run(**changes))


@pytest.mark.parametrize(
    ("positive_named", "first"), [(False, "accuracy"), (True, "F1 of good")], ids=str
)
def test_metrics_without_copies_begin_with_the_headline(positive_named, first):
    without = {**SCORED, "accuracy": 0.8, "macro": {"f1": 0.7}, "by_class": {"good": {"f1": 0.6}}}
    run = made_up_run(positive_named=positive_named)
    run.metrics["leaks"]["without_exact_and_near"] = without
    assert next(iter(changed_by_copies(run))) == first
    assert len(changed_by_copies(run)) == 3


@pytest.mark.parametrize(("after", "changed"), [(0.8951, []), (0.8949, ["accuracy"])])
def test_half_a_point_is_the_bound(after, changed):
    run = made_up_run()
    run.metrics["leaks"]["without_exact_and_near"] = {**SCORED, "accuracy": after}
    assert list(changed_by_copies(run)) == changed
