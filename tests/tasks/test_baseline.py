"""The baseline beside a model: the same rows, its own defaults, and one artifact for all."""

import json

import pytest

from pipeline import PipelineError

SMALL = {"units": (2,), "embedding_size": 2, "epochs": 1, "batch_size": 256}


def evaluations(chain, **settings):
    """Return the evaluation of a small network and of the baseline beside it."""
    evaluate = chain.task(dataset="toy", model="bilstm", **SMALL, **settings).requires().upstream()
    return evaluate, evaluate.baseline()


def cleaning_of(evaluate):
    """Return the settings of the step that cleaned what a model read."""
    return next(step for step in evaluate.chain() if step.task_family == "CleanText").settings()


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"urls": "remove", "case": "lower"},
        {"tokenizer": "regexp", "pattern": "[a-z]+"},
        {"test_fraction": 0.2, "split_seed": 3, "group_duplicates": "none"},
        {"positive_label": "bad", "bootstrap_samples": 50},
    ],
    ids=["nothing", "cleaning", "tokens", "split", "evaluation"],
)
def test_shared_settings_give_the_artifact_of_a_run_of_the_baseline(chain, settings):
    chain.add("toy")
    model, beside = evaluations(chain, **settings)
    # Rows are the model's: a model that cleans otherwise by default has a baseline that does too.
    shared = {**cleaning_of(model), **settings}
    alone = chain.task(dataset="toy", model="naive_bayes", **shared).requires().upstream()
    assert beside.place() == alone.place()


@pytest.mark.parametrize(
    "settings",
    [{"units": (3,)}, {"max_words": 50}, {"sequence_length": 4}, {"seed": 9}],
    ids=lambda settings: next(iter(settings)),
)
def test_settings_of_the_model_leave_the_baseline_alone(chain, settings):
    chain.add("toy")
    model, beside = evaluations(chain)
    given = {**SMALL, **settings}
    changed = chain.task(dataset="toy", model="bilstm", **given).requires().upstream()
    assert changed.place() != model.place()
    assert changed.baseline().place() == beside.place()


def test_baseline_has_none_beside_itself(chain):
    chain.add("toy")
    evaluate = chain.task(dataset="toy", model="naive_bayes").requires().upstream()
    assert evaluate.baseline() is None
    assert [step.task_family for step in evaluate.required()] == ["TrainModel"]


def test_model_is_complete_only_with_its_baseline(chain):
    chain.add("toy")
    evaluate, beside = evaluations(chain)
    chain.run(dataset="toy", model="naive_bayes", **cleaning_of(evaluate))
    assert beside.complete()
    assert not evaluate.complete()
    assert [step.task_family for step in evaluate.required()] == ["TrainModel", "Evaluate"]


def test_metrics_are_the_same_bytes_when_computed_again(chain):
    chain.add("toy")
    task = chain.run(dataset="toy", model="naive_bayes")
    place = task.requires().upstream().place()
    names = ("metrics.json", "decision.json", "predictions.parquet", "curves.parquet")
    before = {name: (place / name).read_bytes() for name in names}
    assert len(before["metrics.json"]) > 1000
    for path in place.iterdir():
        path.unlink()
    place.rmdir()
    chain.run(dataset="toy", model="naive_bayes")
    assert {name: (place / name).read_bytes() for name in names} == before


def test_metrics_hold_the_largest_class_and_intervals(built):
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
        chain.task(dataset="toy", model="naive_bayes", **settings)
    assert not chain.outputs.exists()
