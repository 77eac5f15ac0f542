import numpy as np
import pytest
from runs import SCORED, made_up_run, other_run
from sklearn.metrics import f1_score

from pipeline.report.advice import next_steps
from pipeline.report.other_runs import f1_gains, paired_p_value

LINEAR = {"settings": {"cost": 4.0, "class_weights": "none"}, "training": {}}


def advice(run):
    return list(next_steps(run))


@pytest.mark.parametrize(
    ("others", "sentence"),
    [
        ([], None),
        ([other_run(accuracy=0.9)], None),
        ([other_run(accuracy=0.89)], None),
        (
            [other_run(accuracy=0.901)],
            "This can be chance (paired test of accuracy, p = 0.500)",
        ),
        (
            [other_run(accuracy=0.95, test={**SCORED, "accuracy": 0.5})],
            "has accuracy 0.950 and this run 0.900 (paired test of accuracy, p < 0.001): pr",
        ),
        ([other_run(accuracy=0.95), other_run("nb_svm", 0.96)], "prefer nb_svm"),
        ([other_run("bilstm", 0.95)], "prefer bilstm with other settings"),
        ([other_run("bilstm", 0.95, differs_by_seed=True)], None),
        ([other_run(accuracy=0.95, trained_on_validation=True)], None),
        # Test metrics choose nothing.
        ([other_run(accuracy=0.8, test={**SCORED, "accuracy": 0.99})], None),
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
    steps = advice(made_up_run(other_runs=others))
    assert len(steps) == (sentence is not None)
    if sentence:
        assert sentence in steps[0].sentence
        assert "--model" in steps[0].command


def test_run_trained_on_validation_rows_is_compared_with_none():
    assert advice(made_up_run(other_runs=[other_run()], trained_on_validation=True)) == []


def test_epochs_of_a_network_were_chosen_on_the_same_rows():
    run = made_up_run(
        "naive_bayes", other_runs=[other_run("bilstm", 0.95)], settings={"alpha": 1.0}
    )
    assert "number of epochs was chosen on these rows" in advice(run)[0].sentence


def f1_run(run, f1, n_right_good):
    """Set the F1 of the class good, and predict the first rows of this class correctly."""
    run.metrics["validation"]["by_class"]["good"]["f1"] = f1
    table = run.validation_predictions
    good = table.index[table["label"] == "good"]
    table["decided"] = "bad"
    table.loc[good[:n_right_good], "decided"] = "good"
    return run


@pytest.mark.parametrize(
    ("n_right", "end"),
    [(520, "p < 0.001): prefer logistic_regression."), (501, "is worth comparing.")],
    ids=["better", "chance"],
)
def test_f1_of_the_class_that_the_user_chose_ranks_and_is_tested(n_right, end):
    run = f1_run(made_up_run(positive_named=True), 0.9, 500)
    other = f1_run(other_run(accuracy=0.5), 0.95, n_right)
    run.other_runs = [other]
    (step,) = advice(run)
    assert "F1 of good 0.950 and this run 0.900" in step.sentence
    assert "paired test of F1 of good" in step.sentence
    assert step.sentence.endswith(end)


def test_f1_is_tested_where_accuracy_is_equal():
    # 30 rows of good gained and 30 rows of bad lost: accuracy is equal, F1 of good is higher.
    run = f1_run(made_up_run(positive_named=True), 0.5, 200)
    other = f1_run(other_run(accuracy=0.9), 0.55, 260)
    bad = other.validation_predictions.index[other.validation_predictions["label"] == "bad"]
    other.validation_predictions.loc[bad[:60], "decided"] = "good"
    run.other_runs = [other]
    assert paired_p_value(run, other, run) < 0.05 < paired_p_value(run, run, other)
    run.positive_named = False
    assert paired_p_value(run, other, run) > 0.5


def test_gains_add_up_to_the_difference_of_f1():
    rng = np.random.default_rng(0)
    true, first, second = (rng.random((3, 500)) < 0.4).astype(float)
    difference = f1_score(true, first) - f1_score(true, second)
    assert f1_gains(true, first, second).sum() == pytest.approx(difference, abs=1e-4)


def test_best_other_run_is_tested_on_paired_rows():
    # Six rows of 1,000 differ: a test of unpaired proportions would not detect it.
    (step,) = advice(made_up_run(other_runs=[other_run(accuracy=0.906)]))
    assert "(paired test of accuracy, p = 0.016): prefer logistic_regression" in step.sentence


def test_copies_of_one_text_are_one_observation():
    run = made_up_run(other_runs=[other_run(accuracy=0.906)])
    run.duplicate_groups[900:906] = 900
    (step,) = advice(run)
    assert "This can be chance (paired test of accuracy, p = 0.500)" in step.sentence


def test_best_of_several_runs_needs_more_evidence():
    others = [other_run(accuracy=0.906), *[other_run("nb_svm", 0.9)] * 3]
    (step,) = advice(made_up_run("linear_svm", other_runs=others, **LINEAR))
    assert "This can be chance (paired test of accuracy, p = 0.062 for the best" in step.sentence


@pytest.mark.parametrize(
    ("model", "baseline", "accuracy", "is_suggested"),
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
def test_linear_baseline_is_suggested_by_validation_rows_only(
    level, model, baseline, accuracy, is_suggested
):
    found = {"baseline": baseline, "level": level, "metric": "accuracy", "p_value": 0.5}
    others = [] if baseline == "majority" else [other_run(baseline, accuracy)]
    steps = advice(made_up_run(model, other_runs=others, **{"metrics.verdict": found}, **LINEAR))
    assert not any("test rows" in step.sentence for step in steps)
    start = f"Use {baseline}: it is cheaper, and on the 1,000 validation rows {model} has no higher"
    assert [step.sentence.startswith(start) for step in steps] == [True] * is_suggested
    assert all("accuracy beyond chance (paired test, p = " in step.sentence for step in steps)
    assert all(step.command.endswith(f"--model {baseline}") for step in steps)


def test_baseline_without_validation_metrics_is_not_suggested():
    worse = {"baseline": "naive_bayes", "level": "worse", "metric": "accuracy", "p_value": 0.01}
    assert advice(made_up_run(**{"metrics.verdict": worse})) == []
    run = made_up_run(other_runs=[other_run("naive_bayes", 0.9)], trained_on_validation=True)
    assert advice(run) == []


def test_run_with_less_accuracy_but_more_f1_gets_no_baseline_suggested():
    baseline = other_run("naive_bayes", 0.9)
    baseline.metrics["validation"]["macro"] = {"f1": 0.7}
    assert advice(made_up_run(other_runs=[baseline], **{"decision.threshold": 0.3})) == []
    assert len(advice(made_up_run(other_runs=[baseline]))) == 1
    run = f1_run(made_up_run(positive_named=True), 0.92, 520)
    run.other_runs = [f1_run(baseline, 0.8, 480)]
    assert advice(run) == []
