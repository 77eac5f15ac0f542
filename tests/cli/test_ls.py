"""Rows of `pipeline ls`: which runs, in which order, with which metrics."""

import json

import pytest
from click.testing import CliRunner

from pipeline.cli import cli
from pipeline.cli.ls import RUN_COLUMNS
from pipeline.store.outputs import Store
from pipeline.store.overview import listing
from pipeline.store.run import headline, interval, metric_at

METRICS = {
    "rows": 50,
    "accuracy": 0.9,
    "macro": {"f1": 0.8, "precision": 0.1},
    "roc_auc": 0.7,
    "log_loss": 0.6,
    "intervals": {"accuracy": [0.85, 0.95], "macro": {"f1": [0.7, 0.9]}},
}


SCORED = {"macro": {"f1": 0.6}, "accuracy": 0.7}


def write_artifact(outputs, step, task, upstream=None, dataset="toy", **keys):
    """Write a folder with a manifest and JSON files."""
    files = keys.pop("content", {})
    name = keys.pop("name")
    path = outputs / dataset / step / name
    path.mkdir(parents=True)
    above = upstream and {
        "task": upstream.parent.name[2:],
        "digest": upstream.name.rsplit("-", 1)[-1],
        "place": f"../../{upstream.parent.name}/{upstream.name}",
    }
    manifest = {
        "task": task,
        "digest": name.rsplit("-", 1)[-1],
        "upstream": above,
        "files": {},
        "settings": {},
        **keys,
    }
    for file, content in files.items():
        (path / file).write_text(json.dumps(content))
    (path / "manifest.json").write_text(json.dumps(manifest))
    return path


def write_run(
    outputs,
    number,
    model,
    finished,
    metrics=METRICS,
    validation=None,
    split="same",
    training=None,
    version=1,
    **keys,
):
    """Write the last four steps of a run."""
    digest = f"{number}" * 16
    parted = write_artifact(
        outputs,
        "5_split",
        "SplitStratified",
        name=f"split-{digest}",
        **{**keys, "files": {"split.parquet": {"sha256": split, "size": 1}} if split else {}},
    )
    trained = write_artifact(
        outputs,
        "6_train",
        "TrainModel",
        parted,
        name=f"{model}-{digest}",
        content={"training.json": training or {}},
        settings={"model": model},
        seconds=1.5 * number,
        **keys,
    )
    scored = {} if validation is None else {"validation": validation}
    evaluated = write_artifact(
        outputs,
        "7_evaluate",
        "Evaluate",
        trained,
        name=f"{model}-{digest}",
        content={"metrics.json": {"test": metrics, **scored}},
        version=version,
        **keys,
    )
    return write_artifact(
        outputs,
        "8_report",
        "Report",
        evaluated,
        name=f"{model}-{digest}",
        finished=finished,
        **keys,
    )


@pytest.fixture
def outputs(tmp_path):
    """Return three runs of two datasets; the order of finishing is not that of the names."""
    folder = tmp_path / "outputs"
    write_run(
        folder, 1, "naive_bayes", "2026-01-02T10:00:00+0000", validation={"macro": {"f1": 0.9}}
    )
    better = {**METRICS, "accuracy": 0.7, "macro": {"f1": 0.85}, "rows": 40}
    newest = write_run(folder, 2, "bilstm", "2026-01-03T10:00:00+0000", better, SCORED)
    write_run(folder, 3, "nb_svm", "2026-01-01T10:00:00+0000", {"rows": 9}, dataset="four")
    write_artifact(
        folder,
        "2_clean",
        "CleanText",
        name="rows-aaaa",
        content={"profile.json": {"kept": 500, "labels": {"bad": 200, "good": 300}}},
    )
    link = folder / "latest" / "toy" / "bilstm"
    link.parent.mkdir(parents=True)
    link.symlink_to(newest)
    (link.parent / "lstm").symlink_to(folder / "toy" / "8_report" / "lstm-gone")
    return folder


def test_runs_are_listed_newest_first(outputs):
    runs = listing(Store(outputs))["runs"]
    assert [row["model"] for row in runs] == ["bilstm", "naive_bayes", "nb_svm"]
    assert [row["finished"][:10] for row in runs] == ["2026-01-03", "2026-01-02", "2026-01-01"]


def test_a_row_has_the_metrics_of_its_own_test_rows(outputs):
    newest, older, unscored = listing(Store(outputs))["runs"]
    assert newest == {
        "run": "22222222",
        "dataset": "toy",
        "model": "bilstm",
        "accuracy": 0.7,
        "macro_f1": 0.85,
        "roc_auc": 0.7,
        "log_loss": 0.6,
        "test_rows": 40,
        "training_seconds": 3.0,
        "finished": "2026-01-03T10:00:00+0000",
        "is_latest": True,
        "is_complete": True,
        "place": "toy/8_report/bilstm-2222222222222222",
    }
    assert (older["accuracy"], older["is_latest"]) == (0.9, False)
    assert (unscored["accuracy"], unscored["macro_f1"], unscored["test_rows"]) == (None, None, 9)


def test_a_dataset_is_listed_with_its_best_run_by_validation_macro_f1(outputs):
    four, toy = listing(Store(outputs))["datasets"]
    assert toy == {
        "dataset": "toy",
        "rows": 500,
        "labels": {"bad": 200, "good": 300},
        "runs": 2,
        "best_run": "11111111",  # the other one is better on test rows
        "best_model": "naive_bayes",
        "best_macro_f1": 0.8,
        "best_validation_macro_f1": 0.9,
        "best_validation_accuracy": None,
    }
    assert (four["dataset"], four["rows"], four["labels"], four["runs"]) == ("four", None, {}, 1)
    assert (four["best_run"], four["best_macro_f1"]) == (None, None)  # no validation rows


@pytest.mark.parametrize(
    ("older", "newer", "best"),
    [
        ({"validation": {"macro": {"f1": 0.9}}}, {}, 1),
        ({"validation": {"macro": {"f1": 0.5}}}, {}, 2),
        ({"validation": {"macro": {"f1": 0.6}}}, {}, 2),
        ({"validation": {"macro": {"f1": 0.9}}, "split": "other"}, {}, 2),
        ({"validation": {"macro": {"f1": 0.9}}, "split": None}, {"split": None}, 2),
        ({"validation": {"macro": {"f1": 0.9}}, "version": 2}, {}, 2),
        (
            {
                "validation": {"macro": {"f1": 0.9}},
                "training": {"refitted_on_validation": 3},
            },
            {},
            2,
        ),
        ({"validation": {"accuracy": 0.8}}, {}, 1),
        ({"validation": {"accuracy": 0.65}}, {}, 2),
        ({"validation": {"macro": {"f1": 0.5}}}, {"validation": None}, 1),
    ],
    ids=[
        "better",
        "worse",
        "equal",
        "another split",
        "splits gone",
        "another version of Evaluate",
        "trained on validation rows",
        "accuracy where macro F1 is missing",
        "lower accuracy",
        "newest without validation rows",
    ],
)
def test_best_run_is_that_of_validation_rows_among_comparable_runs(tmp_path, older, newer, best):
    first, second = "2026-01-01T10:00:00+0000", "2026-01-02T10:00:00+0000"
    write_run(tmp_path, 1, "naive_bayes", first, {**METRICS, "macro": {"f1": 0.99}}, **older)
    write_run(tmp_path, 2, "nb_svm", second, **{"validation": SCORED, **newer})
    (row,) = listing(Store(tmp_path))["datasets"]
    assert row["best_run"] == f"{best}" * 8


def test_newest_models_are_those_of_the_links_also_without_target(outputs):
    newest, missing = listing(Store(outputs))["models"]
    assert newest["run"] == "22222222"
    assert missing == {"dataset": "toy", "model": "lstm", "place": None}


@pytest.mark.parametrize(("dataset", "runs", "models"), [("toy", 2, 2), ("four", 1, 0)])
def test_one_dataset_alone(outputs, dataset, runs, models):
    result = listing(Store(outputs), dataset)
    assert [row["dataset"] for row in result["datasets"]] == [dataset]
    assert (len(result["runs"]), len(result["models"])) == (runs, models)
    assert {row["dataset"] for row in result["runs"]} == {dataset}


def test_columns_and_cells_of_the_table(outputs):
    rows = listing(Store(outputs))["models"]
    cells = [[column.cell(row).plain for column in RUN_COLUMNS] for row in rows]
    assert [column.title for column in RUN_COLUMNS] == [
        "run",
        "dataset",
        "model",
        "accuracy",
        "macro F1",
        "ROC AUC",
        "log loss",
        "test rows",
        "training",
        "finished",
        "",
    ]
    newest = ["22222222", "toy", "bilstm", "0.700", "0.850", "0.700", "0.600", "40"]
    assert cells[0] == [*newest, "3.0 s", "2026-01-03 10:00", "newest"]
    assert cells[1] == ["gone", "toy", "lstm", *[""] * 8]


def test_ls_prints_the_newest_run_first(outputs):
    done = CliRunner().invoke(cli, ["ls", "--paths-outputs", str(outputs)], env={"COLUMNS": "200"})
    lines = done.output[done.output.index("Runs, newest first") :].splitlines()
    models = [
        name for line in lines for name in ("bilstm", "naive_bayes", "nb_svm") if name in line
    ]
    assert models == ["bilstm", "naive_bayes", "nb_svm"]


@pytest.mark.parametrize(
    ("path", "value", "bounds"),
    [
        (("accuracy",), 0.9, [0.85, 0.95]),
        (("macro", "f1"), 0.8, [0.7, 0.9]),
        (("roc_auc",), 0.7, None),
        (("macro",), None, None),
        (("no", "such"), None, None),
    ],
    ids=["top", "nested", "without interval", "no number", "missing"],
)
def test_metric_and_interval_at_a_path_of_keys(path, value, bounds):
    assert metric_at(METRICS, path) == value
    assert interval(METRICS, path) == bounds


def test_headline_metrics_have_a_fixed_order():
    assert list(headline(METRICS).items()) == [
        ("accuracy", 0.9),
        ("macro_f1", 0.8),
        ("roc_auc", 0.7),
        ("log_loss", 0.6),
    ]
    assert headline({"accuracy": float("nan")})["accuracy"] is None
