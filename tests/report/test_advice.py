import pytest
from runs import made_up_run, other_run

from pipeline.report.advice import OVERFIT, next_steps
from pipeline.report.suggestion import Suggestion

LINEAR = {"settings": {"cost": 4.0, "class_weights": "none"}, "training": {}}
WEAK = {"rows": 400, "recall": 0.3, "f1": 0.4}
SLICE = {"by": "mention", "value": "with", "rows": 100, "accuracy": 0.7}


def advice(run):
    return list(next_steps(run))


def overfitted(gap, model="bilstm", **changes):
    """Return a run whose accuracy is higher on training rows than on validation rows."""
    return made_up_run(model, **{"metrics.train.accuracy": 0.9 + gap, **changes})


def test_run_without_problems_gets_no_advice():
    assert advice(made_up_run()) == []


def test_warnings_come_first():
    warning = Suggestion("Half of the words are unknown.")
    run = made_up_run(**{"profile.contradicting_texts": 1})
    assert [step.sentence[:4] for step in next_steps(run, [warning])] == ["Half", "Some"]


@pytest.mark.parametrize(
    ("train", "validation", "test", "is_suggested"),
    [
        (0.9 + OVERFIT - 0.001, 0.9, 0.5, False),
        (0.9 + OVERFIT + 0.001, 0.9, 0.99, True),
    ],
    ids=["gap to test rows", "gap to validation rows"],
)
def test_overfitting_is_a_gap_of_a_tenth_to_validation_rows(train, validation, test, is_suggested):
    assert OVERFIT == 0.1
    run = made_up_run(
        **{
            "metrics.train.accuracy": train,
            "metrics.validation.accuracy": validation,
            "metrics.test.accuracy": test,
        }
    )
    sentences = [step.sentence for step in advice(run) if "over-fits" in step.sentence]
    assert len(sentences) == is_suggested
    assert all("0.900 on 1,000 validation rows" in sentence for sentence in sentences)


@pytest.mark.parametrize("lack", ["train", "validation"])
def test_overfitting_needs_training_and_validation_metrics(lack):
    run = overfitted(0.5)
    del run.metrics[lack]
    assert not any("over-fits" in step.sentence for step in advice(run))


def test_validation_rows_of_the_final_training_do_not_show_overfitting():
    assert advice(overfitted(0.11, trained_on_validation=True)) == []


@pytest.mark.parametrize(
    ("model", "settings", "text", "option"),
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
def test_suggestion_against_overfitting_is_a_setting_of_the_model(model, settings, text, option):
    steps = advice(overfitted(0.11, model, settings=settings))
    assert len(steps) == 1
    assert f"try {text}" in steps[0].sentence
    assert steps[0].command.endswith(option)
    assert "simpler" not in steps[0].sentence


def test_model_without_such_a_setting_gets_no_suggestion_against_overfitting():
    assert advice(overfitted(0.11, "fasttext", settings={})) == []


def test_overfitted_network_gets_the_best_linear_model_suggested():
    others = [
        other_run("naive_bayes", 0.91),
        other_run("nb_svm", 0.93),
        other_run("logistic_regression", 0.92),
        other_run("lstm", 0.99),
    ]
    steps = advice(overfitted(0.11, other_runs=others))
    step = next(step for step in steps if "over-fits" in step.sentence)
    assert (
        "nb_svm, a linear model, has accuracy 0.930 on validation rows and this run 0.900"
        in step.sentence
    )
    assert step.command.endswith("--model nb_svm")
    assert not any("dropout" in step.sentence for step in steps)


def test_linear_model_is_suggested_once():
    run = overfitted(0.11, other_runs=[other_run("naive_bayes", 0.95)])
    run.metrics["verdict"]["level"] = "no better"
    assert len(advice(run)) == 1


def test_overfitted_linear_model_gets_no_other_linear_model_suggested():
    run = overfitted(0.11, "logistic_regression", other_runs=[other_run("nb_svm", 0.93)], **LINEAR)
    step = next(step for step in advice(run) if "over-fits" in step.sentence)
    assert "nb_svm" not in step.sentence
    assert step.command.endswith("--cost 1.0")


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
        # Official test rows stay where they are, however rows are grouped.
        ("none", {"exact": 5}, {"train": 5, "test": 5}, None),
    ],
    ids=["ungrouped", "no copies", "half a point", "more", "grouped", "official test half"],
)
def test_grouping_is_suggested_where_copies_change_metrics(grouped, leaks, partitions, value):
    run = made_up_run(**{"profile.partitions": partitions})
    run.bundle["steps"]["Vectorize"]["group_duplicates"] = grouped
    run.metrics["leaks"] |= leaks
    commands = [step.command.split()[-2:] for step in advice(run)]
    assert commands == ([["--group-duplicates", value]] if value else [])


@pytest.mark.parametrize(
    ("training", "patience", "is_suggested"),
    [
        ({"epochs": 20, "best_epoch": 20}, 3, True),
        ({"epochs": 20, "best_epoch": 19}, 3, False),
        ({"epochs": 8, "best_epoch": 8}, 3, False),
        ({"epochs": 20, "best_epoch": 20}, 0, False),
    ],
    ids=["last is best", "last but one", "stopped early", "fixed number of epochs"],
)
def test_longer_training_is_suggested_where_the_last_epoch_was_best(
    training, patience, is_suggested
):
    steps = advice(made_up_run(training=training, **{"settings.patience": patience}))
    assert [step.command.endswith("--epochs 40") for step in steps] == [True] * is_suggested


@pytest.mark.parametrize(
    ("recall", "bounds", "is_suggested"),
    [
        (0.49, None, True),
        (0.5, None, False),
        (None, None, False),
        (0.4, [0.3, 0.49], True),
        (0.4, [0.3, 0.51], False),
    ],
    ids=["below half", "half", "no rows", "beyond chance", "chance"],
)
def test_weak_classes_are_named_beyond_chance(recall, bounds, is_suggested):
    run = made_up_run()
    run.metrics["test"]["by_class"]["bad"]["recall"] = recall
    if bounds:
        run.metrics["test"]["intervals"]["by_class"] = {"bad": {"recall": bounds}}
    assert any("fewer than half" in step.sentence for step in advice(run)) == is_suggested


@pytest.mark.parametrize(
    ("changes", "text", "command"),
    [
        ({"settings.class_weights": "none"}, "more weight", "--class-weights balanced"),
        ({"settings.class_weights": "balanced"}, "choose a threshold", "--positive-label bad"),
        ({"decision.threshold": 0.3}, "collect more rows of it", ""),
        ({"class_names": ["bad", "good", "odd"]}, "collect more rows of it", ""),
    ],
    ids=["weights", "threshold", "threshold is chosen", "three classes"],
)
def test_suggestion_for_a_weak_class_depends_on_the_settings(changes, text, command):
    run = made_up_run(**{"metrics.test.by_class.bad": WEAK, **changes})
    (step,) = advice(run)
    assert "test rows of bad (30%)" in step.sentence
    assert text in step.sentence
    assert step.command.endswith(command)
    assert bool(step.command) == bool(command)


@pytest.mark.parametrize(
    ("chosen", "is_suggested"),
    [
        ({"threshold": 0.9, "reached": False, "goal": "recall_at_precision", "floor": 0.95}, True),
        ({"threshold": 0.9, "reached": True, "goal": "recall_at_precision", "floor": 0.95}, False),
        ({"threshold": None, "reached": False, "goal": "f1", "floor": None}, False),
    ],
)
def test_floor_that_no_threshold_reaches_is_suggested(chosen, is_suggested):
    steps = advice(made_up_run(**{"metrics.threshold": chosen}))
    assert ["a precision of 0.95" in step.sentence for step in steps] == [True] * is_suggested


@pytest.mark.parametrize(
    ("entry", "is_suggested"),
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
def test_slices_are_named_where_rare_and_worse_beyond_chance(entry, is_suggested):
    steps = advice(made_up_run(**{"metrics.slices": [entry]}))
    assert ["of texts with mention correctly" in step.sentence for step in steps] == (
        [True] * is_suggested
    )


def test_more_slices_need_more_evidence():
    weak, plain = {**SLICE, "accuracy": 0.84}, {**SLICE, "by": "URL", "accuracy": 0.9}
    assert len(advice(made_up_run(**{"metrics.slices": [weak]}))) == 1
    assert advice(made_up_run(**{"metrics.slices": [weak, *[plain] * 11]})) == []
