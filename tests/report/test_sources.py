"""Runs on the same split, and the commands that repeat them."""

import json
import shlex

import pytest

from pipeline.report.sources import Run
from pipeline.tasks.evaluate import Evaluate


def report_of(chain, **settings):
    return chain.task(dataset="toy", **settings).requires()


def run_of(chain, **settings):
    report = report_of(chain, **settings)
    return Run(report.path_of("Evaluate"), "luigi", report.command_of)


def others(chain, **settings):
    return [
        (one.model, one.settings.get("alpha", one.settings.get("cost")), one.differs_by_seed)
        for one in run_of(chain, **settings).other_runs
    ]


def test_runs_of_the_same_split_may_read_other_features(several):
    assert sorted(others(several, model="linear_svm")) == [
        ("linear_svm", 0.25, True),
        ("linear_svm", 2.0, False),
        ("naive_bayes", 0.1, False),
        ("naive_bayes", 1.0, False),
    ]
    assert len(others(several, model="naive_bayes")) == 4


def test_validation_predictions_have_the_accuracy_of_the_metrics(several):
    run = run_of(several, model="linear_svm")
    assert len(run.other_runs) == 4
    for one in (run, *run.other_runs):
        table, metrics = one.validation_predictions, one.metrics["validation"]
        assert len(table) == metrics["rows"]
        assert (table["label"] == table["decided"]).mean() == pytest.approx(metrics["accuracy"])
        assert run.duplicate_groups.loc[table.index].notna().all()


@pytest.mark.parametrize(
    ("task", "name"), [("Evaluate", "predictions.parquet"), ("TrainModel", "training.json")]
)
def test_incomplete_runs_are_not_compared(several, task, name):
    run = run_of(several, model="linear_svm")
    path = next(one for one in run.other_runs if one.model == "naive_bayes").path_of(task, name)
    moved = path.with_name("moved")
    path.rename(moved)
    try:
        assert len(others(several, model="linear_svm")) == 3
    finally:
        moved.rename(path)


def test_runs_of_another_split_are_not_compared(several):
    # The only other run of that split is the baseline that it was compared with.
    assert others(several, model="linear_svm", split_seed=1) == [("naive_bayes", 1.0, False)]


def test_runs_of_another_version_of_evaluate_are_not_compared(several):
    path = run_of(several, model="naive_bayes").path_of("Evaluate", "manifest.json")
    content = path.read_text()
    path.write_text(json.dumps({**json.loads(content), "version": Evaluate.version + 1}))
    try:
        assert others(several, model="naive_bayes") == []
    finally:
        path.write_text(content)


def test_same_model_with_another_threshold_goal_is_not_compared(several):
    several.run("Evaluate", **evaluated(several, threshold_goal="recall_at_accuracy"))
    assert ("naive_bayes", 1.0, False) not in others(several, model="naive_bayes")


def evaluated(chain, **settings):
    """Return the resolved settings of an evaluation of naive Bayes."""
    report = report_of(chain, model="naive_bayes", **settings)
    parameters = dict(Evaluate.get_params())
    return {name: value for name, value in report.param_kwargs.items() if name in parameters}


@pytest.mark.parametrize(
    ("settings", "options", "absent"),
    [
        (
            {"model": "naive_bayes", "alpha": 0.1},
            ["--model naive_bayes", "--alpha 0.1", "--max-words 20"],
            ["--cost", "--min-count"],
        ),
        ({"model": "linear_svm", "seed": 1}, ["--model linear_svm", "--seed 1"], ["--cost"]),
    ],
    ids=["other settings", "another seed"],
)
def test_command_of_another_run_repeats_it(several, settings, options, absent):
    report = report_of(several, model="linear_svm")
    other = next(
        one
        for one in run_of(several, model="linear_svm").other_runs
        if settings.items() <= one.settings.items() and one.settings.get("cost") != 2.0
    )
    command = report.command_of(other.settings)
    assert all(option in command for option in options), command
    assert not any(option in command for option in absent), command
    arguments = shlex.split(command)[4:]
    values = {
        name[2:].replace("-", "_"): value
        for name, value in zip(arguments[::2], arguments[1::2], strict=True)
    }
    parameters = dict(type(report).get_params())
    again = several.task(**{name: parameters[name].parse(text) for name, text in values.items()})
    trained = next(s for s in again.requires().chain() if s.task_family == "TrainModel")
    assert trained.complete()
    assert trained.path() == other.path_of("TrainModel")


def test_command_of_another_model_has_none_of_this_models_settings(several):
    report = report_of(several, model="linear_svm", cost=2.0, urls="remove")
    command = report.command_of({"model": "naive_bayes"})
    assert "--urls remove" in command
    assert "--model naive_bayes" in command
    assert "--cost" not in command


def test_spread_of_seeds_and_best_run_are_on_the_page(several):
    report = report_of(several, model="linear_svm")
    folder = report.path()
    folder.rename(folder.with_name("old"))
    several.run(dataset="toy", model="linear_svm")
    text = " ".join((folder / "report.html").read_text().split())
    assert "2 runs that differ only by seed have a standard deviation of" in text
    again = report_of(several, model="linear_svm", seed=1).path() / "report.html"
    assert "2 runs that differ only by seed" in again.read_text()
