"""Baselines of a model: the same rows, their defaults, and one artifact for all models."""

import json

import pyarrow.parquet as pq
import pytest

from pipeline import PipelineError
from pipeline.predict.predictor import Predictor
from pipeline.tasks import baselines

SMALL = {"units": (2,), "embedding_size": 2, "epochs": 1, "batch_size": 256}


def evaluate_of(chain, **settings):
    """Return the evaluation of a run."""
    return chain.task(dataset="toy", **settings).requires().upstream()


def evaluations(chain, **settings):
    """Return the evaluation of a small network and those of its baselines."""
    evaluate = evaluate_of(chain, model="bilstm", **SMALL, **settings)
    return evaluate, evaluate.baseline_evaluations()


def cleaning_of(evaluate):
    """Return the settings of CleanText of an evaluation."""
    return next(step for step in evaluate.chain() if step.task_family == "CleanText").settings()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"urls": "remove", "case": "lower"},
        {"tokenizer": "regexp", "pattern": "[a-z]+"},
        {"test_fraction": 0.2, "split_seed": 3, "group_duplicates": "none"},
        {"positive_label": "bad", "bootstrap_samples": 50},
        {"threshold_goal": "recall_at_precision", "threshold_floor": 0.8},
    ],
    ids=["nothing", "cleaning", "tokens", "split", "evaluation", "threshold"],
)
def test_shared_settings_give_the_artifact_of_a_run_of_the_baseline(chain, settings):
    chain.add("toy")
    model, others = evaluations(chain, **settings)
    # Baselines have the cleaning of the model, also if it is a default of the model.
    shared = {**cleaning_of(model), **settings}
    assert list(others) == ["naive_bayes", "logistic_regression"]
    for name, other in others.items():
        assert other.path() == evaluate_of(chain, model=name, **shared).path()


@pytest.mark.parametrize(
    "settings",
    [{"units": (3,)}, {"max_words": 50}, {"sequence_length": 4}, {"seed": 9}],
    ids=lambda settings: next(iter(settings)),
)
def test_settings_of_the_model_do_not_change_the_baselines(chain, settings):
    chain.add("toy")
    model, others = evaluations(chain)
    changed = evaluate_of(chain, model="bilstm", **{**SMALL, **settings})
    assert changed.path() != model.path()
    again = changed.baseline_evaluations()
    assert [other.path() for other in again.values()] == [other.path() for other in others.values()]


@pytest.mark.parametrize(
    ("model", "choice", "names"),
    [
        ("bilstm", "auto", ("naive_bayes", "logistic_regression")),
        ("fasttext", "auto", ("naive_bayes", "logistic_regression")),
        ("nb_svm", "auto", ("naive_bayes",)),
        ("logistic_regression", "auto", ("naive_bayes",)),
        ("naive_bayes", "auto", ()),
        ("bilstm", ("nb_svm", "naive_bayes", "nb_svm"), ("nb_svm", "naive_bayes")),
        ("linear_svm", ("linear_svm", "nb_svm"), ("nb_svm",)),
        ("bilstm", "none", ()),
    ],
)
def test_baselines_of_a_model(model, choice, names):
    assert baselines.names_of(model, choice) == names


def test_naive_bayes_has_no_baseline_unless_one_is_listed(chain):
    chain.add("toy")
    evaluate = evaluate_of(chain, model="naive_bayes")
    assert evaluate.baseline() is None
    assert [step.task_family for step in evaluate.required] == ["TrainModel"]
    other = evaluate_of(chain, model="naive_bayes", baselines=["nb_svm"])
    assert other.baseline().label == "nb_svm"
    # The baseline is compared with naive Bayes, which has no baseline.
    assert other.baseline().baseline().path() == evaluate.path()


def test_listed_and_automatic_baselines_are_one_artifact(chain):
    chain.add("toy")
    by_default = evaluate_of(chain, model="nb_svm")
    listed = evaluate_of(chain, model="nb_svm", baselines=["naive_bayes", "nb_svm"])
    assert listed.path() == by_default.path()
    assert evaluate_of(chain, model="nb_svm", baselines="none").path() != by_default.path()


def test_model_is_complete_only_with_its_baselines(chain):
    chain.add("toy")
    evaluate, others = evaluations(chain)
    chain.run(dataset="toy", model="logistic_regression", **cleaning_of(evaluate))
    assert all(other.complete() for other in others.values())
    assert not evaluate.complete()
    families = [step.task_family for step in evaluate.required]
    assert families == ["TrainModel", "Evaluate", "Evaluate"]


def test_baseline_is_built_once_for_model_and_user(chain):
    chain.add("toy")
    chain.run("Evaluate", dataset="toy", model="naive_bayes", baselines=["logistic_regression"])
    before = chain.manifests()
    chain.run(dataset="toy", model="logistic_regression")
    assert chain.built_after(before) == ["Report"]


def test_linear_baseline_is_trained_on_a_sample_and_records_its_size(chain, monkeypatch):
    chain.add("toy")
    monkeypatch.setattr(baselines, "MOST_TRAIN_ROWS", 50)
    settings = {"dataset": "toy", "model": "naive_bayes", "baselines": ["logistic_regression"]}
    evaluate = chain.run("Evaluate", **settings)
    other = evaluate.baseline()
    training = json.loads((other.path_of("TrainModel") / "training.json").read_text())
    balance = json.loads((other.path_of("SplitStratified") / "balance.json").read_text())
    assert (training["trained_on_rows"], training["of_rows"]) == (50, balance["rows"]["train"])
    metrics = json.loads((evaluate.path() / "metrics.json").read_text())
    entry = metrics["baselines"]["logistic_regression"]
    assert (entry["trained_on_rows"], entry["of_rows"]) == (50, balance["rows"]["train"])
    assert evaluate.complete()
    # A run of the user is trained on all rows.
    alone = chain.run("Evaluate", dataset="toy", model="logistic_regression")
    assert alone.path() != other.path()
    assert "of_rows" not in json.loads((alone.path_of("TrainModel") / "training.json").read_text())


def test_limit_above_the_training_rows_changes_no_artifact(chain):
    chain.add("toy")
    chain.run("Evaluate", dataset="toy", model="nb_svm")
    before = chain.manifests()
    chain.run("Evaluate", dataset="toy", model="nb_svm", max_train_rows=100_000)
    assert chain.built_after(before) == []


@pytest.mark.parametrize(
    ("settings", "goal"),
    [
        ({}, "none"),
        ({"positive_label": "bad"}, "f1"),
        ({"threshold_goal": "f1"}, "f1"),
        ({"threshold_goal": "recall_at_precision", "threshold_floor": 0.3}, "recall_at_precision"),
    ],
    ids=["nothing", "class", "goal", "floor"],
)
def test_metrics_score_the_classes_of_a_predictor(chain, settings, goal):
    chain.add("toy", n_rows=300)
    weak = {"dataset": "toy", "model": "naive_bayes", "max_words": 15, "alpha": 5.0}
    evaluate = chain.run("Evaluate", **weak, test_fraction=0.4, **settings)
    metrics = json.loads((evaluate.path() / "metrics.json").read_text())
    assert metrics["threshold"]["goal"] == goal
    assert (metrics["threshold"]["threshold"] is None) == (goal == "none")
    assert metrics["positive_label"] == settings.get("positive_label", "good")
    table = pq.read_table(evaluate.path() / "predictions.parquet").to_pandas()
    is_test = table["part"] == "test"
    labels = table["label"][is_test]
    accuracy = metrics["test"]["accuracy"]
    assert (table["decided"][is_test] == labels).mean() == pytest.approx(accuracy)
    predictor = Predictor.load(evaluate.path_of("TrainModel"), evaluate.path())
    delivered = predictor.predict(table["text"][is_test])
    assert (delivered == labels).mean() == pytest.approx(accuracy)
    assert (table["decided"] == table["predicted"]).all() == (goal == "none")


def test_positive_label_without_a_goal_has_the_goal_f1(chain):
    chain.add("toy")
    with_label = evaluate_of(chain, model="naive_bayes", positive_label="bad")
    both = evaluate_of(chain, model="naive_bayes", positive_label="bad", threshold_goal="f1")
    assert with_label.path() == both.path()
    assert evaluate_of(chain, model="naive_bayes").path() != with_label.path()


def test_metrics_are_the_same_bytes_when_computed_again(chain):
    chain.add("toy")
    task = chain.run(dataset="toy", model="naive_bayes")
    folder = task.requires().upstream().path()
    names = ("metrics.json", "decision.json", "predictions.parquet", "curves.parquet")
    before = {name: (folder / name).read_bytes() for name in names}
    assert len(before["metrics.json"]) > 1000
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    chain.run(dataset="toy", model="naive_bayes")
    assert {name: (folder / name).read_bytes() for name in names} == before


def test_metrics_contain_the_largest_class_and_intervals(built):
    (path,) = built.outputs.glob("four/7_evaluate/*/metrics.json")
    metrics = json.loads(path.read_text())
    assert set(metrics["baselines"]) == {"majority"}
    low, high = metrics["test"]["intervals"]["accuracy"]
    assert low <= metrics["test"]["accuracy"] <= high
    assert metrics["threshold"]["not_chosen_because"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"positive_label": "god"}, "positive_label must be a class.*did you mean 'good'"),
        ({"threshold_floor": 0.5}, "threshold_floor is for the goals .*--threshold-goal"),
        ({"threshold_goal": "recall"}, "threshold_goal must be one of"),
    ],
)
def test_wrong_settings_are_errors_before_anything_runs(chain, settings, message):
    chain.add("toy")
    with pytest.raises(PipelineError, match=message):
        chain.task(dataset="toy", model="naive_bayes", **settings).requires()
    assert not chain.outputs.exists()
