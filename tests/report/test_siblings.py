"""Runs on the same split: which are found, and the commands that run them."""

import json
import shlex

import pytest
from conftest import Chain

from pipeline.report.siblings import find_siblings, right_on_validation
from pipeline.report.sources import Run
from pipeline.tasks.evaluate import Evaluate


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    """Return a chain with runs that differ by model, setting, seed and split."""
    chain = Chain(tmp_path_factory.mktemp("several"))
    chain.add("toy", n_rows=300)
    for settings in (
        {"model": "naive_bayes"},
        {"model": "naive_bayes", "alpha": 0.1, "max_words": 20},
        {"model": "linear_svm"},
        {"model": "linear_svm", "seed": 1},
        {"model": "linear_svm", "seed": 1, "cost": 2.0},
        {"model": "linear_svm", "split_seed": 1},
    ):
        chain.run(dataset="toy", **settings)
    return chain


def report_of(chain, **settings):
    """Return the report's task of a run, and the folders that it reads."""
    report = chain.task(dataset="toy", **settings).requires()
    places = {step.task_family: step.path() for step in report.chain() if step is not report}
    return report, places


def found(chain, **settings):
    return [
        (one.model, one.settings.get("alpha", one.settings.get("cost")), one.differs_by_seed)
        for one in find_siblings(report_of(chain, **settings)[1])
    ]


def test_runs_of_the_same_split_are_found_whatever_they_read(several):
    assert sorted(found(several, model="linear_svm")) == [
        ("linear_svm", 0.25, True),
        ("linear_svm", 2.0, False),
        ("naive_bayes", 0.1, False),
        ("naive_bayes", 1.0, False),
    ]
    assert len(found(several, model="naive_bayes")) == 4


def test_right_rows_of_runs_are_their_decided_classes_on_validation_rows(several):
    _, places = report_of(several, model="linear_svm")
    run = Run(places, "luigi", positive_named=False)
    assert len(run.siblings) == 4
    for one, place in [(run, places["Evaluate"]), *((one, one.place) for one in run.siblings)]:
        metrics = json.loads((place / "metrics.json").read_text())["validation"]
        assert len(one.right) == metrics["rows"]
        assert one.right.mean() == pytest.approx(metrics["accuracy"])
        assert run.duplicate_groups.loc[one.right.index].notna().all()
    assert right_on_validation(places["Evaluate"] / "gone") is None


def test_runs_of_another_split_are_not_compared(several):
    # The only other run of that split is the baseline that it was compared with.
    assert found(several, model="linear_svm", split_seed=1) == [("naive_bayes", 1.0, False)]


def test_runs_of_another_version_of_evaluate_are_not_compared(several):
    _, places = report_of(several, model="naive_bayes")
    file = places["Evaluate"] / "manifest.json"
    before = file.read_text()
    file.write_text(json.dumps({**json.loads(before), "version": Evaluate.version + 1}))
    try:
        assert find_siblings(places) == []
    finally:
        file.write_text(before)


def test_same_model_evaluated_for_another_goal_is_no_other_run(several):
    several.run("Evaluate", **evaluated(several, threshold_goal="recall_at_accuracy"))
    assert ("naive_bayes", 1.0, False) not in found(several, model="naive_bayes")


def evaluated(chain, **settings):
    """Return the resolved settings of an evaluation of naive Bayes."""
    report, _ = report_of(chain, model="naive_bayes", **settings)
    known = dict(Evaluate.get_params())
    return {name: value for name, value in report.param_kwargs.items() if name in known}


@pytest.mark.parametrize(
    ("settings", "named", "left"),
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
def test_command_of_a_run_makes_that_run_again(several, settings, named, left):
    report, places = report_of(several, model="linear_svm")
    sibling = next(
        one
        for one in find_siblings(places)
        if settings.items() <= one.settings.items() and one.settings.get("cost") != 2.0
    )
    command = report.command_of(sibling.settings)
    assert all(words in command for words in named), command
    assert not any(words in command for words in left), command
    words = shlex.split(command)[4:]
    given = {
        name[2:].replace("-", "_"): value
        for name, value in zip(words[::2], words[1::2], strict=True)
    }
    known = dict(type(report).get_params())
    again = several.task(**{name: known[name].parse(value) for name, value in given.items()})
    trained = next(s for s in again.requires().chain() if s.task_family == "TrainModel")
    assert trained.complete()
    assert json.loads((trained.path() / "manifest.json").read_text())["settings"] == {
        name: sibling.settings[name]
        for name in json.loads((trained.path() / "manifest.json").read_text())["settings"]
    }


def test_command_of_another_model_has_none_of_this_models_settings(several):
    report, _ = report_of(several, model="linear_svm", cost=2.0, urls="remove")
    command = report.command_of({"model": "naive_bayes"})
    assert "--urls remove" in command
    assert "--model naive_bayes" in command
    assert "--cost" not in command


def test_spread_of_seeds_and_best_run_are_on_the_page(several):
    report, _ = report_of(several, model="linear_svm")
    place = report.path()
    place.rename(place.with_name("old"))
    several.run(dataset="toy", model="linear_svm")
    text = " ".join((place / "report.html").read_text().split())
    assert "2 runs that differ only by seed have a standard deviation of" in text
    again = report_of(several, model="linear_svm", seed=1)[0].path() / "report.html"
    assert "2 runs that differ only by seed" in again.read_text()
