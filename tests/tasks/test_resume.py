"""A killed TrainModel is resumed by the next run, with the same result."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import Chain

from pipeline.store import manifests
from pipeline.tasks import provenance

KILL = Path(__file__).with_name("kill_at.py")
# The model has dropout after the embedding and before the output by default; also in the layer.
ARGUMENTS = ["RunAll", "--dataset", "toy", "--model", "bilstm", "--units", "[4]"]
ARGUMENTS += [
    "--embedding-size",
    "4",
    "--input-dropout",
    "0.2",
    "--patience",
    "3",
    "--epochs",
    "12",
]
ARGUMENTS += ["--learning-rate", "0.02", "--refit-on-validation", "true"]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """Return a chain with a network that was trained without an interruption."""
    chain = Chain(tmp_path_factory.mktemp("uninterrupted"))
    chain.add()
    done = chain.luigi(*ARGUMENTS)
    assert done.returncode == 0, done.stderr
    assert "resumed" not in done.stderr
    return chain


def folder(chain, step):
    """Return the network's artifact of a step."""
    (path,) = chain.outputs.glob(f"toy/{step}/bilstm-*")
    return path


def weights(chain):
    from pipeline.models.bundle import load

    return load(folder(chain, "6_train")).classifier.model.get_weights()


def facts(chain):
    """Return the facts of the manifest without those about the interruption."""
    manifest = manifests.read_manifest(folder(chain, "6_train"))
    about = re.compile("resumed_after_epoch|seconds_before")
    return {name: value for name, value in manifest["facts"].items() if not about.search(name)}


@pytest.mark.processes
@pytest.mark.network
@pytest.mark.parametrize("text", ["epoch 4:", "epoch 4 of"], ids=["between_epochs", "within_one"])
def test_training_killed_under_luigi_ends_bit_equal(chain, uninterrupted, text):
    chain.add()
    command = [sys.executable, str(KILL), text, *chain.command(*ARGUMENTS)[1:]]
    killed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not list(chain.outputs.glob("toy/6_train/bilstm-*"))
    digest = folder(uninterrupted, "6_train").name.removeprefix("bilstm-")
    assert (chain.outputs / ".partial" / digest / "training.npz").is_file()

    done = chain.luigi(*ARGUMENTS)
    assert done.returncode == 0, done.stderr
    epoch = int(re.search(r"Training resumed after epoch (\d+) of 12", done.stderr)[1])
    assert 1 <= epoch <= 4
    manifest = manifests.read_manifest(folder(chain, "6_train"))
    assert manifest["facts"]["resumed_after_epoch"] == epoch
    assert manifest["seconds"] > manifest["facts"]["seconds_before"] > 0
    assert not list((chain.outputs / ".partial").iterdir())
    assert facts(chain) == facts(uninterrupted)
    for step, names in {
        "6_train": ["history.csv", "training.json", "architecture.json", "projector/vectors.tsv"],
        "7_evaluate": ["metrics.json", "decision.json", "predictions.parquet"],
    }.items():
        for name in names:
            content = (folder(chain, step) / name).read_bytes()
            assert content == (folder(uninterrupted, step) / name).read_bytes(), name
    for one, other in zip(weights(chain), weights(uninterrupted), strict=True):
        np.testing.assert_array_equal(one, other)


def interrupt(task):
    """Interrupt the work of a step."""
    with pytest.raises(KeyboardInterrupt), task.partial_folder() as partial:
        (partial / "work.npz").write_text("work")
        raise KeyboardInterrupt


def train_model(chain):
    chain.set_paths()
    steps = chain.task(dataset="toy", model="naive_bayes").requires().chain()
    return next(step for step in steps if step.task_family == "TrainModel")


def test_partial_work_of_a_killed_run_is_kept(mine, caplog):
    interrupt(train_model(mine))
    with train_model(mine).partial_folder() as partial:
        assert (partial / "work.npz").read_text() == "work"
    assert not partial.exists()
    assert caplog.records == []


def other_code(task, monkeypatch):
    from pipeline.store.code_hash import Code

    monkeypatch.setattr(provenance, "code_of", lambda step: Code("other", {}))


def other_libraries(task, monkeypatch):
    monkeypatch.setattr(provenance, "library_versions", lambda loaded_only=True: {"numpy": "1.0"})


def other_input(task, monkeypatch):
    path = task.path_of("Vectorize") / manifests.MANIFEST
    manifest = json.loads(path.read_text())
    next(iter(manifest["files"].values()))["sha256"] = "0" * 64
    path.write_text(json.dumps(manifest))


def other_cores(task, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(999)))


@pytest.mark.parametrize("change", [other_code, other_libraries, other_input, other_cores])
def test_partial_work_of_another_origin_is_removed_with_a_warning(
    mine, change, monkeypatch, caplog
):
    task = train_model(mine)
    interrupt(task)
    change(task, monkeypatch)
    with train_model(mine).partial_folder() as partial:
        assert [path.name for path in partial.iterdir()] == ["made_by.json"]
        # pytest captures a record once per logger that does not propagate.
        (message,) = {record.getMessage() for record in caplog.records}
        kind = change.__name__.replace("_", " ")
        assert f"with {kind};" in message


@pytest.mark.processes
def test_second_run_waits_and_uses_the_artifact_of_the_first(mine):
    task = train_model(mine)
    path, aside = task.path(), mine.folder / "aside"
    arguments = ["RunAll", "--dataset", "toy", "--model", "naive_bayes"]
    with task.partial_folder():
        shutil.move(path, aside)
        process = subprocess.Popen(mine.command(*arguments), stderr=subprocess.PIPE, text=True)
        line = next(text for text in process.stderr if "waiting for it" in text)
        assert str(mine.outputs / ".partial") in line
        shutil.move(aside, path)
        before = mine.manifests()
    errors = process.stderr.read()
    assert process.wait() == 0, errors
    assert mine.built_after(before) == []
