"""The next run does what `pipeline plan` predicted, whatever was changed before."""

import json
import os
import shutil

import numpy as np
import pytest
from click.testing import CliRunner
from conftest import STEPS

from pipeline import Tokenize
from pipeline.cli import cli, gc
from pipeline.cli.plan import plan_command, plan_task
from pipeline.store.outputs import Store


def planned(chain, **settings):
    return plan_task(chain.task(**settings))


def runs(plan):
    return {step["task"] for step in plan["steps"] if step["action"] == "run"} - {"RunAll"}


def places_to_build(chain, plan):
    is_run = [
        step for step in plan["steps"] if step["action"] == "run" and step["task"] != "RunAll"
    ]
    return {chain.outputs / step["place"] for step in is_run}


def places_built(chain, before):
    return {path for path, made in chain.manifests().items() if before.get(path) != made}


def step_of(plan, task):
    return next(step for step in plan["steps"] if step["task"] == task)


def assert_run_does_as_planned(chain, first, dataset="toy", **settings):
    """Plan, run, and compare; return the plan."""
    settings = {"dataset": dataset, "model": "naive_bayes", **settings}
    before = chain.manifests()
    plan = planned(chain, **settings)
    chain.run(**settings)
    assert places_to_build(chain, plan) == places_built(chain, before)
    assert runs(plan) == set(STEPS[STEPS.index(first) :])
    assert planned(chain, **settings)["runs"] == 0
    return plan


def artifact(chain, task, dataset="toy"):
    return next(
        path
        for path, manifest in chain.manifests().items()
        if manifest["task"] == task and path.parent.parent.name == dataset
    )


@pytest.mark.parametrize("dataset", ["toy", "four"])
def test_plan_has_nothing_to_do_where_all_is_built(built, dataset):
    plan = planned(built, dataset=dataset, model="naive_bayes")
    assert [step["task"] for step in plan["steps"]] == [*STEPS, "RunAll"]
    assert {step["action"] for step in plan["steps"]} == {"skip"}
    assert plan["seconds"] == 0


@pytest.mark.parametrize(
    ("settings", "first", "changes"),
    [
        ({"case": "lower"}, "CleanText", [("case", "keep", "lower")]),
        ({"tokenizer": "tweet"}, "Tokenize", [("tokenizer", "words", "tweet")]),
        ({"max_words": 50}, "Vectorize", [("max_words", "all", 50)]),
        ({"split_seed": 1}, "Vectorize", [("split_seed", 0, 1)]),
        ({"alpha": 0.5}, "TrainModel", [("alpha", 1.0, 0.5)]),
        ({"bootstrap_samples": 5}, "Evaluate", [("bootstrap_samples", 1000, 5)]),
    ],
    ids=["cleaning", "tokenizer", "vectors", "split", "model", "evaluation"],
)
@pytest.mark.parametrize("dataset", ["toy", "four"])
def test_plan_of_a_changed_parameter(mine, dataset, settings, first, changes):
    plan = assert_run_does_as_planned(mine, first, dataset, **settings)
    step = step_of(plan, first)
    assert step["kind"] == "parameter"
    result = [(change["name"], change["from"], change["to"]) for change in step["changes"]]
    assert result == changes
    below = STEPS[STEPS.index(first) + 1 :]
    assert {step_of(plan, name)["kind"] for name in below} == {"upstream"}


def test_plan_of_a_model_with_a_baseline(mine):
    settings = {"dataset": "toy", "model": "logistic_regression", "max_words": 200}
    before = mine.manifests()
    plan = planned(mine, **settings)
    mine.run(**settings)
    assert places_to_build(mine, plan) == places_built(mine, before)
    tasks = [step["task"] for step in plan["steps"]]
    assert tasks.count("Evaluate") == 2
    assert tasks.index("TrainModel") < tasks.index("Report")
    assert planned(mine, **settings)["runs"] == 0
    store = Store(mine.outputs)
    assert gc.unreferenced(store, keep=0) == []
    lineage = store.lineage(store.find("toy/logistic_regression"))
    assert [item.task for item in lineage].count("Evaluate") == 2


def test_plan_of_another_dataset(mine):
    mine.add("other", seed=3)
    plan = assert_run_does_as_planned(mine, "DownloadData", "other")
    assert {step_of(plan, name)["kind"] for name in STEPS} == {"new"}


def test_plan_of_a_changed_raw_file(mine):
    with open(mine.data / "toy" / "rows.csv", "a") as file:
        file.write("such a sunny day,good\n")
    plan = assert_run_does_as_planned(mine, "DownloadData")
    step = step_of(plan, "DownloadData")
    assert step["kind"] == "raw file"
    assert "rows.csv" in step["why"]


def test_plan_of_a_changed_row_of_the_catalogue(mine):
    with open(mine.data / "toy" / "dataset.toml", "a") as file:
        file.write('licence = "MIT"\n')
    plan = assert_run_does_as_planned(mine, "DownloadData")
    assert [c["name"] for c in step_of(plan, "DownloadData")["changes"]] == ["dataset.licence"]


def test_plan_of_a_raised_version(mine, monkeypatch):
    monkeypatch.setattr(Tokenize, "version", Tokenize.version + 1)
    plan = assert_run_does_as_planned(mine, "Tokenize")
    assert step_of(plan, "Tokenize")["kind"] == "version"


@pytest.mark.parametrize("task", STEPS)
def test_plan_of_a_deleted_artifact_is_that_artifact_alone(mine, task):
    shutil.rmtree(artifact(mine, task))
    before = mine.manifests()
    plan = planned(mine, dataset="toy", model="naive_bayes")
    assert runs(plan) == {task}
    if task != "Report":
        assert step_of(plan, task)["kind"] == "file"
        assert "is gone" in step_of(plan, task)["why"]
    mine.run(dataset="toy", model="naive_bayes")
    assert mine.built_after(before) == [task]


@pytest.mark.parametrize(
    ("task", "name", "harm", "why"),
    [
        ("Tokenize", "tokens.parquet", lambda p: os.truncate(p, 9), "9 bytes"),
        ("Evaluate", "metrics.json", lambda p: p.unlink(), "metrics.json is missing"),
        ("CleanText", "manifest.json", lambda p: p.unlink(), "manifest.json is missing"),
        ("Vectorize", "manifest.json", lambda p: os.truncate(p, 9), "cannot be read"),
    ],
    ids=["truncated", "missing", "without manifest", "broken manifest"],
)
def test_plan_of_a_damaged_artifact_is_that_artifact_alone(mine, task, name, harm, why):
    harm(artifact(mine, task) / name)
    before = mine.manifests() if name != "manifest.json" or task == "CleanText" else {}
    plan = planned(mine, dataset="toy", model="naive_bayes")
    assert runs(plan) == {task}
    assert step_of(plan, task)["kind"] == "file"
    assert why in step_of(plan, task)["why"]
    mine.run(dataset="toy", model="naive_bayes")
    if before:
        assert mine.built_after(before) == [task]
    assert planned(mine, dataset="toy", model="naive_bayes")["runs"] == 0


def test_plan_of_a_link_to_another_run_is_the_link_alone(mine):
    settings = {"dataset": "toy", "model": "naive_bayes"}
    mine.run(**settings, alpha=0.5)
    plan = planned(mine, **settings)
    assert runs(plan) == set()
    assert (step_of(plan, "RunAll")["action"], step_of(plan, "RunAll")["kind"]) == ("run", "link")
    mine.run(**settings)
    assert planned(mine, **settings)["runs"] == 0
    (mine.outputs / "latest" / "toy" / "naive_bayes").unlink()
    assert step_of(planned(mine, **settings), "RunAll")["kind"] == "file"


def test_plan_reports_a_raw_file_that_must_be_added_by_hand(mine):
    (mine.data / "toy" / "rows.csv").unlink()
    plan = planned(mine, dataset="toy", model="naive_bayes")
    assert step_of(plan, "DownloadData")["action"] == "fail"
    assert "needs the file 'rows.csv'" in step_of(plan, "DownloadData")["why"]
    assert {step["action"] for step in plan["steps"][1:]} == {"wait"}


def test_plan_of_a_download_assumes_the_same_content_as_before(chain):
    chain.add("toy")
    row = chain.data / "toy" / "dataset.toml"
    source = 'source = { kind = "url", address = "http://localhost:9/rows.csv" }'
    entry = f'files = [{{ name = "rows.csv", {source} }}]'
    row.write_text(row.read_text().replace('files = ["rows.csv"]', entry))
    settings = {"dataset": "toy", "model": "naive_bayes"}
    aside = chain.folder / "rows.csv"
    os.rename(chain.data / "toy" / "rows.csv", aside)
    assert runs(planned(chain, **settings)) == set(STEPS)
    os.rename(aside, chain.data / "toy" / "rows.csv")
    chain.run(**settings)
    os.rename(chain.data / "toy" / "rows.csv", aside)
    plan = planned(chain, **settings)
    assert step_of(plan, "DownloadData")["action"] == "fetch"
    assert runs(plan) == set()
    assert runs(planned(chain, **settings, alpha=0.5)) == {"TrainModel", "Evaluate", "Report"}


def test_plan_expects_the_time_of_the_same_step_and_model(mine):
    path = artifact(mine, "TrainModel")
    manifest = json.loads((path / "manifest.json").read_text())
    (path / "manifest.json").write_text(json.dumps({**manifest, "seconds": 123.0}))
    plan = planned(mine, dataset="toy", model="naive_bayes", alpha=0.5)
    assert step_of(plan, "TrainModel")["seconds"] == 123.0
    assert 123 <= plan["seconds"] < 200
    other = planned(mine, dataset="toy", model="bilstm")
    assert step_of(other, "TrainModel")["seconds"] is None
    assert "TrainModel" in other["unknown"]


@pytest.mark.parametrize(
    ("cores", "resumes"), [(None, "after epoch 2 of 5"), (999, "")], ids=["same", "more cores"]
)
def test_plan_says_that_interrupted_training_resumes(mine, monkeypatch, cores, resumes):
    settings = {"dataset": "toy", "model": "bilstm", "epochs": 5}
    steps = mine.task(**settings).requires().chain()
    train = next(step for step in steps if step.task_family == "TrainModel")
    notes = np.frombuffer(json.dumps({"history": [{}, {}]}).encode(), np.uint8)
    with pytest.raises(KeyboardInterrupt), train.partial_folder() as partial:
        np.savez(partial / "training.npz", notes=notes)
        raise KeyboardInterrupt
    if cores:  # the interrupted work would then be removed
        monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(cores)))
    assert step_of(planned(mine, **settings), "TrainModel")["resumes"] == resumes
    arguments = ["--dataset", "toy", "--epochs", "5", "--paths-data", str(mine.data)]
    arguments += ["--paths-outputs", str(mine.outputs)]
    done = CliRunner().invoke(cli, ["plan", "RunAll", *arguments])
    assert ("TrainModel resumes after epoch 2 of 5." in done.output) is bool(resumes)


@pytest.mark.parametrize("start", [[], ["RunAll"], ["luigi", "--module", "pipeline", "RunAll"]])
def test_plan_accepts_the_arguments_of_luigi(built, start):
    built.set_paths()
    arguments = ["--dataset", "four", "--model", "naive_bayes", "--alpha", "2", "--workers", "2"]
    paths = ["--paths-data", str(built.data), "--paths-outputs", str(built.outputs)]
    plan = plan_command([*start, *arguments, *paths])
    assert runs(plan) == {"TrainModel", "Evaluate", "Report"}
    assert step_of(plan, "TrainModel")["changes"] == [{"name": "alpha", "from": 1.0, "to": 2.0}]


def test_planning_does_not_change_tasks(built):
    task = built.task(dataset="toy", model="naive_bayes", alpha=3.0)
    plan_task(task)
    report = task.requires()
    assert not {"digest", "place", "outside", "complete", "requires"} & vars(report).keys()
