"""Changed input files, the link to the latest run, vocabularies, leaks, training history."""

import json

import pyarrow.parquet as pq
import pytest
from conftest import made_up_rows, write_dataset

from pipeline import CleanText, PipelineError
from pipeline.features import specs as features


def test_result_is_discarded_if_an_input_file_changed(chain, monkeypatch):
    folder = chain.add("toy")
    raw = folder / "rows.csv"
    before = raw.read_bytes()
    chain.run("DownloadData", dataset="toy")
    build = CleanText.build

    def build_and_change(self, out):
        raw.write_bytes(before + b"a row that comes too late,good\r\n")
        build(self, out)

    monkeypatch.setattr(CleanText, "build", build_and_change)
    with pytest.raises(PipelineError, match="changed while it ran"):
        chain.task("CleanText", dataset="toy").run()
    assert not list(chain.outputs.glob("toy/2_clean/*"))
    raw.write_bytes(before)
    monkeypatch.undo()
    chain.run("CleanText", dataset="toy")
    (rows,) = chain.outputs.glob("toy/2_clean/*/profile.json")
    assert json.loads(rows.read_text())["records"] == 240


def test_run_is_complete_if_another_run_replaces_the_link(chain):
    chain.add("toy")
    mine = chain.run(dataset="toy", model="naive_bayes", alpha=1.0)
    other = chain.run(dataset="toy", model="naive_bayes", alpha=2.0)
    mine.run()
    other.run()
    assert mine.complete()
    assert other.complete()
    again = chain.task(dataset="toy", model="naive_bayes", alpha=1.0)
    assert not again.complete()


TOKENS_IN_FILES = ("sequences", "tfidf", "multi_hot", "ngrams")


def test_every_representation_with_a_vocabulary_is_tested():
    without = {"sentences", "lines"}
    assert set(TOKENS_IN_FILES) | without == set(features.REPRESENTATIONS)


@pytest.mark.parametrize("representation", TOKENS_IN_FILES)
def test_vocabulary_contains_only_words_of_training_rows(chain, representation):
    rows = [
        (f"{text} mark{number}x", label)
        for number, (text, label) in enumerate(made_up_rows(("bad", "good")))
    ]
    write_dataset(chain.data / "toy", rows, ["bad", "good"])
    task = chain.run("SplitStratified", dataset="toy", representation=representation, min_count=1)
    split = pq.read_table(task.path() / "split.parquet").to_pylist()
    words = " ".join(
        path.read_text(encoding="utf-8") for path in task.upstream().path().glob("*.txt")
    ).split()
    for row in split:
        assert (f"mark{row['id']}x" in words) == (row["part"] == "train"), row
    assert {row["part"] for row in split} == {"train", "validation", "test"}


def test_command_in_the_report_contains_settings_of_luigi_cfg(chain):
    chain.add("toy")
    report = chain.task(dataset="toy", model="naive_bayes", test_fraction=0.1).requires()
    assert "--test-fraction 0.1" in report.command()
    assert "--dataset toy" in report.command()
    assert "--alpha" not in report.command()


@pytest.mark.network
def test_training_history_is_not_that_of_the_refit(chain):
    chain.add("toy")
    settings = {"units": (2,), "embedding_size": 2, "epochs": 4, "patience": 2}
    task = chain.run(
        "TrainModel",
        dataset="toy",
        model="bilstm",
        refit_on_validation=True,
        reduce_factor=0.5,
        reduce_patience=1,
        learning_rate=1.0,
        monitor="accuracy",
        **settings,
    )
    training = json.loads((task.path() / "training.json").read_text())
    epochs = (task.path() / "history.csv").read_text().strip().splitlines()[1:]
    assert training["epochs"] == len(epochs)
    assert training["refitted_on_validation"] == training["best_epoch"]


@pytest.mark.network
def test_undefined_monitor_is_an_error(chain):
    rows = made_up_rows(("bad", "good"))
    folder = write_dataset(chain.data / "toy", rows, ["bad", "good"])
    lines = ["text,label,set"]
    for number, (text, label) in enumerate(rows):
        part = "validation" if number % 8 == 1 and label == "good" else "train"
        lines.append(f"{text} w{number},{label},{part if number % 8 != 2 else 'test'}")
    (folder / "rows.csv").write_text("\n".join(lines))
    toml = folder / "dataset.toml"
    toml.write_text(
        toml.read_text() + 'partition_column = "set"\npartitions = { train = "train", '
        'validation = "validation", test = "test" }\n'
    )
    task = chain.task("TrainModel", dataset="toy", model="bilstm", monitor="auc", epochs=2)
    for step in reversed(list(task.upstream().chain())):
        step.run()
    with pytest.raises(PipelineError, match="monitor auc is not defined"):
        task.run()


def test_report_can_have_no_intervals(chain):
    chain.add("toy", n_rows=600)
    task = chain.run(dataset="toy", model="naive_bayes", bootstrap_samples=0)
    assert (task.requires().path() / "report.html").stat().st_size > 10_000


@pytest.mark.network
def test_leaks_of_a_refitted_model_include_validation_rows(chain):
    rows = [row for row in dict(made_up_rows(("bad", "good"), 200)).items() for _ in range(2)]
    write_dataset(chain.data / "toy", rows, ["bad", "good"])
    counts = []
    for refit in (False, True):
        task = chain.run(
            "Evaluate",
            dataset="toy",
            model="bag_dense",
            group_duplicates="none",
            refit_on_validation=refit,
            validation_fraction=0.4,
            test_fraction=0.2,
            epochs=1,
        )
        counts.append(pq.read_table(task.path() / "leaks.parquet").num_rows)
    assert counts[0] < counts[1]
