import pytest
from runs import SCORED, made_up_run, sibling

from pipeline.report.advice import OVERFIT, next_steps
from pipeline.report.suggestion import Suggestion, with_option

LINEAR = {"settings": {"cost": 4.0, "class_weights": "none"}, "training": {}}
WEAK = {"rows": 400, "recall": 0.3, "f1": 0.4}
SLICE = {"by": "mention", "value": "with", "rows": 100, "accuracy": 0.7}


def advice(run):
    return list(next_steps(run))


def trained_to(gap, model="bilstm", **changes):
    """Return a run whose accuracy on training rows is higher by a gap."""
    return made_up_run(model, **{"metrics.train.accuracy": 0.8 + gap, **changes}, **OF_TEST)


OF_TEST = {"metrics.test.accuracy": 0.8}


def test_a_run_without_faults_gets_no_advice():
    assert advice(made_up_run()) == []


def test_warnings_come_first():
    warning = Suggestion("Half of the words are unknown.")
    run = made_up_run(**{"profile.contradicting_texts": 1})
    assert [step.sentence[:4] for step in next_steps(run, [warning])] == ["Half", "Some"]


@pytest.mark.parametrize(("gap", "is_told"), [(OVERFIT - 0.001, False), (OVERFIT + 0.001, True)])
def test_overfitting_is_told_above_a_tenth_of_accuracy(gap, is_told):
    assert OVERFIT == 0.1
    assert any("over-fits" in step.sentence for step in advice(trained_to(gap))) == is_told


@pytest.mark.parametrize(
    ("model", "settings", "words", "option"),
    [
        ("bilstm", {"dropout": 0.5, "units": [64]}, "more dropout", "--dropout 0.7"),
        ("bilstm", {"dropout": 0.7}, "more dropout", "--dropout 0.8"),
        ("bilstm", {"dropout": 0.8, "units": [64, 9]}, "narrower layers", "--units '[32, 4]'"),
        ("logistic_regression", {"cost": 4.0}, "a stronger penalty", "--cost 1.0"),
        ("nb_svm", {"alpha": 1.0, "cost": 0.1}, "a stronger penalty", "--cost 0.025"),
        ("naive_bayes", {"alpha": 1.0}, "more smoothing", "--alpha 4.0"),
    ],
    ids=["dropout", "most dropout", "units", "cost", "cost before alpha", "alpha"],
)
def test_against_overfitting_each_model_gets_what_it_has(model, settings, words, option):
    steps = advice(trained_to(0.19, model, settings=settings))
    assert len(steps) == 1
    assert f"try {words}" in steps[0].sentence
    assert steps[0].command.endswith(option)
    assert "simpler" not in steps[0].sentence


def test_no_change_is_made_up_for_a_model_without_such_a_setting():
    assert advice(trained_to(0.19, "fasttext", settings={})) == []


def test_overfitted_network_is_told_which_linear_model_beats_it():
    others = [
        sibling("naive_bayes", 0.91),
        sibling("nb_svm", 0.93),
        sibling("logistic_regression", 0.92),
        sibling("lstm", 0.99),
    ]
    steps = advice(trained_to(0.19, siblings=others))
    told = next(step for step in steps if "over-fits" in step.sentence)
    assert (
        "nb_svm, a linear model, has accuracy 0.930 on validation rows and this run 0.900"
        in told.sentence
    )
    assert told.command.endswith("--model nb_svm")
    assert not any("dropout" in step.sentence for step in steps)


def test_overfitted_network_hears_of_the_linear_model_once():
    run = trained_to(0.19, siblings=[sibling("naive_bayes", 0.95)])
    run.metrics["verdict"]["level"] = "no better"
    assert len(advice(run)) == 1


def test_linear_model_is_not_sent_to_another_for_overfitting():
    run = trained_to(0.19, "logistic_regression", siblings=[sibling("nb_svm", 0.93)], **LINEAR)
    told = next(step for step in advice(run) if "over-fits" in step.sentence)
    assert "nb_svm" not in told.sentence
    assert told.command.endswith("--cost 1.0")


@pytest.mark.parametrize(
    ("others", "sentence"),
    [
        ([], None),
        ([sibling(accuracy=0.9)], None),
        ([sibling(accuracy=0.89)], None),
        ([sibling(accuracy=0.901)], "This can be chance (paired test of accuracy, p = 0.500), but"),
        (
            [sibling(accuracy=0.95, test={**SCORED, "accuracy": 0.5})],
            "has accuracy 0.950 and this run 0.900 (paired test of accuracy, p < 0.001): pr",
        ),
        ([sibling(accuracy=0.95), sibling("nb_svm", 0.96)], "prefer nb_svm"),
        ([sibling("bilstm", 0.95)], "prefer bilstm with other settings"),
        ([sibling("bilstm", 0.95, differs_by_seed=True)], None),
        ([sibling(accuracy=0.95, chose_on_validation=False)], None),
        # The test metric chooses nothing.
        ([sibling(accuracy=0.8, test={**SCORED, "accuracy": 0.99})], None),
    ],
    ids=[
        "alone",
        "equal",
        "worse",
        "chance",
        "better",
        "best of two",
        "other settings",
        "another seed",
        "trained on validation rows",
        "better on test rows",
    ],
)
def test_best_other_run_is_named_by_validation_rows(others, sentence):
    steps = advice(made_up_run(siblings=others))
    assert len(steps) == (sentence is not None)
    if sentence:
        assert sentence in steps[0].sentence
        assert "--model" in steps[0].command


def test_run_trained_on_validation_rows_is_compared_with_none():
    run = made_up_run(siblings=[sibling()], training={"refitted_on_validation": 3})
    assert advice(run) == []


def test_network_is_said_to_have_chosen_its_epochs_on_the_same_rows():
    run = made_up_run("naive_bayes", siblings=[sibling("bilstm", 0.95)], settings={"alpha": 1.0})
    assert "number of epochs was chosen on these rows" in advice(run)[0].sentence


def test_named_class_decides_by_its_f1():
    better = sibling(accuracy=0.5)
    better.metrics["validation"]["by_class"]["good"]["f1"] = 0.95
    steps = advice(made_up_run(siblings=[better], positive_named=True))
    assert "F1 of good 0.950 and this run 0.920" in steps[0].sentence


def test_best_other_run_is_tested_on_paired_rows():
    # Five rows of 1,000 better in one model alone: unpaired proportions would not tell it.
    (step,) = advice(made_up_run(siblings=[sibling(accuracy=0.906)]))
    assert "(paired test of accuracy, p = 0.016): prefer logistic_regression" in step.sentence


def test_copies_of_one_text_are_one_observation():
    run = made_up_run(siblings=[sibling(accuracy=0.906)])
    run.duplicate_groups[900:906] = 900
    (step,) = advice(run)
    assert "This can be chance (paired test of accuracy, p = 0.500)" in step.sentence


def test_best_of_several_runs_needs_more_evidence():
    others = [sibling(accuracy=0.906), *[sibling("nb_svm", 0.9)] * 3]
    (step,) = advice(made_up_run("linear_svm", siblings=others, **LINEAR))
    assert "This can be chance (paired test of accuracy, p = 0.062 for the best" in step.sentence


def test_run_whose_predictions_are_gone_is_worth_comparing():
    other = sibling(accuracy=0.95)
    vars(other)["right"] = None
    (step,) = advice(made_up_run(siblings=[other]))
    assert step.sentence.endswith("0.900: logistic_regression is worth comparing.")


@pytest.mark.parametrize(
    ("model", "baseline", "accuracy", "is_told"),
    [
        ("bilstm", "naive_bayes", 0.899, True),
        ("bilstm", "naive_bayes", 0.9, True),
        ("bilstm", "naive_bayes", 0.89, False),
        ("fasttext", "naive_bayes", 0.899, True),
        ("bilstm", "majority", 0.9, False),
        ("bilstm", "dense", 0.9, False),
        ("linear_svm", "naive_bayes", 0.9, False),
        ("logistic_regression", "naive_bayes", 0.9, False),
        ("nb_svm", "naive_bayes", 0.9, False),
    ],
)
@pytest.mark.parametrize("level", ["better", "mixed", "no better", "worse"])
def test_linear_baseline_is_advised_by_validation_rows_alone(
    level, model, baseline, accuracy, is_told
):
    found = {"baseline": baseline, "level": level, "metric": "accuracy", "p_value": 0.5}
    others = [] if baseline == "majority" else [sibling(baseline, accuracy)]
    steps = advice(made_up_run(model, siblings=others, **{"metrics.verdict": found}, **LINEAR))
    assert not any("test rows" in step.sentence for step in steps)
    start = f"Use {baseline}: it is cheaper, and on the 1,000 validation rows {model} is not more "
    assert [step.sentence.startswith(start) for step in steps] == [True] * is_told
    assert all("accurate beyond chance (paired test, p = " in step.sentence for step in steps)
    assert all(step.command.endswith(f"--model {baseline}") for step in steps)


def test_baseline_without_validation_metrics_is_not_advised():
    worse = {"baseline": "naive_bayes", "level": "worse", "metric": "accuracy", "p_value": 0.01}
    assert advice(made_up_run(**{"metrics.verdict": worse})) == []
    run = made_up_run(
        siblings=[sibling("naive_bayes", 0.9)], training={"refitted_on_validation": 3}
    )
    assert advice(run) == []


def test_run_that_gives_up_accuracy_for_a_class_is_not_sent_to_the_baseline():
    baseline = sibling("naive_bayes", 0.9)
    baseline.metrics["validation"]["by_class"]["good"]["f1"] = 0.8
    baseline.metrics["validation"]["macro"] = {"f1": 0.7}
    assert advice(made_up_run(siblings=[baseline], positive_named=True)) == []
    assert advice(made_up_run(siblings=[baseline], **{"decision.threshold": 0.3})) == []
    assert len(advice(made_up_run(siblings=[baseline]))) == 1


@pytest.mark.parametrize(
    ("grouped", "leaks", "partitions", "value"),
    [
        ("none", {"exact": 5}, {"labelled": 9}, "near"),
        ("none", {"exact": 0}, {"labelled": 9}, None),
        ("exact", {"near": 5, "without_exact_and_near": {"accuracy": 0.8951}}, {"labelled": 9}, ""),
        (
            "exact",
            {"near": 5, "without_exact_and_near": {"accuracy": 0.8949}},
            {"labelled": 9},
            "near",
        ),
        ("near", {"near": 5, "without_exact_and_near": {"accuracy": 0.8}}, {"labelled": 9}, ""),
        # Rows of a test part of the dataset's own stay where they are, however rows are grouped.
        ("none", {"exact": 5}, {"train": 5, "test": 5}, None),
    ],
    ids=["ungrouped", "no copies", "half a point", "more", "grouped", "official test half"],
)
def test_grouping_is_advised_where_it_changes_something(grouped, leaks, partitions, value):
    run = made_up_run(**{"profile.partitions": partitions})
    run.bundle["steps"]["Vectorize"]["group_duplicates"] = grouped
    run.metrics["leaks"] |= leaks
    commands = [step.command.split()[-2:] for step in advice(run)]
    assert commands == ([["--group-duplicates", value]] if value else [])


@pytest.mark.parametrize(
    ("training", "patience", "is_told"),
    [
        ({"epochs": 20, "best_epoch": 20}, 3, True),
        ({"epochs": 20, "best_epoch": 19}, 3, False),
        ({"epochs": 8, "best_epoch": 8}, 3, False),
        ({"epochs": 20, "best_epoch": 20}, 0, False),
    ],
    ids=["last is best", "last but one", "stopped early", "fixed number of epochs"],
)
def test_longer_training_is_advised_where_the_last_epoch_was_best(training, patience, is_told):
    steps = advice(made_up_run(training=training, **{"settings.patience": patience}))
    assert [step.command.endswith("--epochs 40") for step in steps] == [True] * is_told


@pytest.mark.parametrize(
    ("recall", "bounds", "is_told"),
    [
        (0.49, None, True),
        (0.5, None, False),
        (None, None, False),
        (0.4, [0.3, 0.49], True),
        (0.4, [0.3, 0.51], False),
    ],
    ids=["below half", "half", "no rows", "beyond chance", "chance"],
)
def test_weak_classes_are_told_beyond_chance(recall, bounds, is_told):
    run = made_up_run()
    run.metrics["test"]["by_class"]["bad"]["recall"] = recall
    if bounds:
        run.metrics["test"]["intervals"]["by_class"] = {"bad": {"recall": bounds}}
    assert any("fewer than half" in step.sentence for step in advice(run)) == is_told


@pytest.mark.parametrize(
    ("changes", "words", "command"),
    [
        ({"settings.class_weights": "none"}, "more weight", "--class-weights balanced"),
        ({"settings.class_weights": "balanced"}, "choose a threshold", "--positive-label bad"),
        ({"decision.threshold": 0.3}, "collect more rows of it", ""),
        ({"class_names": ["bad", "good", "odd"]}, "collect more rows of it", ""),
    ],
    ids=["weights", "threshold", "threshold is chosen", "three classes"],
)
def test_weak_class_gets_what_the_model_allows(changes, words, command):
    run = made_up_run(**{"metrics.test.by_class.bad": WEAK, **changes})
    (step,) = advice(run)
    assert "test rows of bad (30%)" in step.sentence
    assert words in step.sentence
    assert step.command.endswith(command)
    assert bool(step.command) == bool(command)


@pytest.mark.parametrize(
    ("chosen", "is_told"),
    [
        ({"threshold": 0.9, "reached": False, "goal": "recall_at_precision", "floor": 0.95}, True),
        ({"threshold": 0.9, "reached": True, "goal": "recall_at_precision", "floor": 0.95}, False),
        ({"threshold": None, "reached": False, "goal": "f1", "floor": None}, False),
    ],
)
def test_floor_that_no_threshold_reaches_is_told(chosen, is_told):
    steps = advice(made_up_run(**{"metrics.threshold": chosen}))
    assert ["a precision of 0.95" in step.sentence for step in steps] == [True] * is_told


@pytest.mark.parametrize(
    ("entry", "is_told"),
    [
        (SLICE, True),
        ({**SLICE, "accuracy": 0.88}, False),
        ({**SLICE, "accuracy": 0.95}, False),
        ({**SLICE, "rows": 200}, True),
        # Half of the rows are not rare: collecting more of them would not change their share.
        ({**SLICE, "rows": 201}, False),
        ({**SLICE, "rows": 20, "accuracy": 0.8}, False),
    ],
    ids=["rare and worse", "chance", "better", "just rare", "not rare", "few rows"],
)
def test_slices_are_told_where_rare_and_worse_beyond_chance(entry, is_told):
    steps = advice(made_up_run(**{"metrics.slices": [entry]}))
    assert ["of texts with mention correctly" in step.sentence for step in steps] == (
        [True] * is_told
    )


def test_the_more_slices_are_looked_at_the_more_evidence_one_needs():
    weak, plain = {**SLICE, "accuracy": 0.84}, {**SLICE, "by": "URL", "accuracy": 0.9}
    assert len(advice(made_up_run(**{"metrics.slices": [weak]}))) == 1
    assert advice(made_up_run(**{"metrics.slices": [weak, *[plain] * 11]})) == []


@pytest.mark.parametrize(
    ("command", "changed"),
    [
        ("luigi RunAll", "luigi RunAll --seed 1"),
        ("luigi RunAll --seed 0 --model m", "luigi RunAll --model m --seed 1"),
    ],
)
def test_option_is_replaced_or_added(command, changed):
    assert with_option(command, "seed", 1) == changed
