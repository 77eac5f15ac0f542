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
    settings=None,
    parted=None,
    no_test=False,
    **keys,
):
    """Write the last four steps of a run, or those of a run of --no-test."""
    digest = f"{number}" * 16
    parted = parted or write_artifact(
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
        settings={"model": model, **(settings or {})},
        version=1,
        seconds=1.5 * number,
        **keys,
    )
    if no_test:
        return write_artifact(
            outputs,
            "7_validate",
            "Validate",
            trained,
            name=f"{model}-{digest}",
            content={"validation.json": {"validation": validation}},
            version=1,
            finished=finished,
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
        "validation_macro_f1": 0.6,
        "validation_accuracy": 0.7,
        "seed": None,
        "no_test": False,
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


def scored(value):
    return {"macro": {"f1": value}, "accuracy": value}


def printed(outputs, width=200):
    """Return what `pipeline ls` prints below each heading, by heading."""
    arguments = ["ls", "--paths-outputs", str(outputs)]
    done = CliRunner().invoke(cli, arguments, env={"COLUMNS": f"{width}"})
    assert done.exit_code == 0, done.output
    assert max(map(len, done.output.splitlines())) <= width
    blocks = (block.splitlines() for block in done.output.split("\n\n"))
    return {heading: [line.split() for line in lines[1:]] for heading, *lines in blocks}


@pytest.fixture
def compared(tmp_path):
    """Return runs of one split: three seeds, other settings, another model; and another split."""
    times = (f"2026-01-0{day}T10:00:00+0000" for day in range(1, 9))
    vectors = write_artifact(
        tmp_path, "4_vectorize", "Vectorize", name="words-aa", settings={"split_seed": 0}
    )
    files = {"split.parquet": {"sha256": "aaaaaaaaaa", "size": 1}}
    split = write_artifact(
        tmp_path, "5_split", "SplitStratified", vectors, name="seed-0-aa", files=files
    )
    for number, (model, seed, units, value) in enumerate(
        [
            ("bilstm", 0, [128], 0.70),
            ("bilstm", 1, [128], 0.76),
            ("bilstm", 2, [128], 0.73),
            ("bilstm", 0, [256], 0.75),
            ("nb_svm", None, None, 0.74),
        ],
        start=1,
    ):
        settings = {"seed": seed, "units": units, "l2": 0.0} if seed is not None else {"l2": 0.1}
        test = {**METRICS, "macro": {"f1": 1 - value}}
        keys = {"no_test": number == 4, "settings": settings, "parted": split}
        write_run(tmp_path, number, model, next(times), test, scored(value), **keys)
    write_run(tmp_path, 6, "bilstm", next(times), METRICS, scored(0.99), split="bbbbbbbbbb")
    return tmp_path


def test_runs_are_ranked_by_validation_rows_within_a_split(compared):
    other, ranking = listing(Store(compared))["rankings"]
    assert [len(ranking["candidates"]), len(other["candidates"])] == [3, 1]
    assert [(c["rank"], c["model"], c["settings"]) for c in ranking["candidates"]] == [
        (1, "bilstm", {"units": [256]}),
        (2, "nb_svm", {}),
        (3, "bilstm", {"units": [128]}),
    ]
    # Worst on test rows, and best on validation rows.
    assert ranking["candidates"][0]["test"]["mean"] is None
    assert ranking["metric"] == "macro_f1"
    assert (ranking["split"], ranking["rows"]) == ({"split_seed": 0}, "aaaaaaaa")


def test_runs_that_differ_only_by_seed_are_one_candidate_with_mean_and_range(compared):
    candidate = listing(Store(compared))["rankings"][1]["candidates"][2]
    assert [run["seed"] for run in candidate["runs"]] == [0, 1, 2]
    spread = candidate["validation"]
    assert spread == {"mean": pytest.approx(0.73), "least": 0.70, "most": 0.76}
    assert candidate["test"]["mean"] == pytest.approx(0.27)


@pytest.mark.parametrize("width", [80, 200])
def test_ls_shows_differing_settings_seeds_and_splits(compared, width):
    blocks = printed(compared, width)
    first, second = (heading for heading in blocks if heading.startswith("Runs of"))
    assert first == "Runs of toy, rows bbbbbbbb, best validation macro F1 first"
    assert second == "Runs of toy, split_seed=0, best validation macro F1 first"
    rows = [row[:6] for row in blocks[second][:6]]
    assert rows[0][:5] == ["44444444", "bilstm", "units=[256]", "0.750", "–"]
    assert rows[1][:4] == ["55555555", "nb_svm", "0.740", "0.260"]
    assert " ".join(blocks[second][2]) == ("3 seeds bilstm units=[128] 0.730 ± 0.030 0.270 ± 0.030")
    assert [row[:3] for row in rows[3:]] == [
        ["11111111", "seed=0", "0.700"],
        ["22222222", "seed=1", "0.760"],
        ["33333333", "seed=2", "0.730"],
    ]


def test_run_of_no_test_is_listed_with_its_validation_metrics_alone(compared):
    run = next(row for row in listing(Store(compared))["runs"] if row["no_test"])
    assert (run["validation_macro_f1"], run["macro_f1"]) == (0.75, None)
    assert run["is_complete"]


def test_run_of_no_test_with_a_later_report_is_listed_once(tmp_path):
    first, second = "2026-01-01T10:00:00+0000", "2026-01-02T10:00:00+0000"
    write_run(tmp_path, 1, "nb_svm", second, validation=scored(0.8))
    trained = tmp_path / "toy" / "6_train" / "nb_svm-1111111111111111"
    content = {"validation.json": {"validation": scored(0.8)}}
    keys = {"name": "nb_svm-22", "content": content, "version": 1, "finished": first}
    write_artifact(tmp_path, "7_validate", "Validate", trained, **keys)
    assert [row["no_test"] for row in listing(Store(tmp_path))["runs"]] == [False]


def test_runs_whose_split_was_deleted_are_compared_with_none(tmp_path):
    for number in (1, 2):
        time = f"2026-01-0{number}T10:00:00+0000"
        write_run(tmp_path, number, "nb_svm", time, validation=scored(0.5), split=None)
    assert [len(group["candidates"]) for group in listing(Store(tmp_path))["rankings"]] == [1, 1]
    assert "Runs of toy, split deleted, best validation macro F1 first" in printed(tmp_path)


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
