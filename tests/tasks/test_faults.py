"""Killed processes, two runs at once, and damaged artifacts."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import STEPS

pytestmark = pytest.mark.processes
KILL = Path(__file__).with_name("kill_within.py")
ARGUMENTS = ("RunAll", "--dataset", "toy", "--model", "naive_bayes")


def metrics(chain):
    (path,) = chain.outputs.glob("toy/7_evaluate/*/metrics.json")
    return path.read_text()


def temporaries(chain):
    return [*chain.outputs.rglob(".tmp-*"), *chain.data.rglob(".tmp-*")]


@pytest.mark.parametrize("family", STEPS)
def test_killed_step_is_completed_by_the_next_run(chain, built, family):
    chain.add("toy")
    arguments = chain.command(*ARGUMENTS)[1:]
    done = subprocess.run(
        [sys.executable, str(KILL), family, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert len(temporaries(chain)) == 1
    assert not list(chain.outputs.glob(f"toy/{1 + STEPS.index(family)}_*/*/manifest.json"))
    done = chain.luigi(*ARGUMENTS)
    assert done.returncode == 0, done.stderr
    assert temporaries(chain) == []
    assert len(chain.manifests()) == 8
    assert metrics(chain) == metrics(built)


@pytest.mark.network
def test_network_killed_between_two_epochs_is_trained_by_the_next_run(chain):
    chain.add("toy")
    arguments = ["RunAll", "--dataset", "toy", "--units", "[2]", "--embedding-size", "2"]
    arguments += ["--epochs", "500", "--patience", "0", "--batch-size", "256"]
    process = subprocess.Popen(
        chain.command(*arguments), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    for line in process.stderr:
        if "epoch 3:" in line:
            process.kill()
            break
    process.stderr.read()
    assert process.wait() == -signal.SIGKILL
    assert len(temporaries(chain)) == 1
    arguments[arguments.index("500")] = "2"
    assert chain.luigi(*arguments).returncode == 0
    assert temporaries(chain) == []


def test_two_concurrent_runs_succeed_with_one_artifact(chain, built):
    chain.add("toy")
    running = [
        subprocess.Popen(chain.command(*ARGUMENTS), stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in running:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    assert len(chain.manifests()) == 8
    assert temporaries(chain) == []
    assert metrics(chain) == metrics(built)


@pytest.mark.parametrize(
    ("number", "workers"),
    [(signal.SIGTERM, "1"), (signal.SIGTERM, "2"), (signal.SIGINT, "2")],
    ids=["sigterm", "sigterm of two workers", "ctrl-c with two workers"],
)
def test_signal_ends_a_run_without_temporary_files(chain, number, workers):
    chain.add("toy", n_rows=4000)
    arguments = [*ARGUMENTS, "--tokenizer", "tweet", "--workers", workers]
    process = subprocess.Popen(
        chain.command(*arguments), stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    for line in process.stderr:
        if "CleanText" in line:
            break
    while process.poll() is None and not temporaries(chain):  # of Tokenize
        time.sleep(0.01)
    os.killpg(process.pid, number)
    # The end of the output shows that child processes have ended too.
    lines = process.communicate(timeout=60)[1].splitlines()
    assert process.returncode == -number
    # Which steps run when the signal arrives depends on the speed of the machine.
    assert re.fullmatch("stopped( .+)?; run the same command to continue", lines[-1])
    assert not any("Traceback" in line for line in lines)
    assert temporaries(chain) == []
    assert chain.luigi(*ARGUMENTS).returncode == 0


@pytest.mark.parametrize("family", STEPS)
def test_truncated_artifact_is_built_again_alone(chain, family):
    chain.add("toy")
    task = chain.run(dataset="toy", model="naive_bayes")
    before, wanted = chain.manifests(), metrics(chain)
    step = next(step for step in task.requires().chain() if step.task_family == family)
    name = next(iter(before[step.path()]["files"]))
    with open(step.path() / name, "r+b") as file:
        file.truncate(1)
    chain.run(dataset="toy", model="naive_bayes")
    assert chain.built_after(before) == [family]
    assert metrics(chain) == wanted


def test_two_workers_have_the_same_result_as_one(chain, built):
    chain.add("toy")
    assert chain.luigi(*ARGUMENTS, "--workers", "2").returncode == 0
    assert metrics(chain) == metrics(built)


@pytest.mark.network
def test_two_fresh_runs_of_a_network_are_identical(tmp_path):
    """Each in a process, with two threads and dropout."""
    from conftest import Chain

    results = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        chain = Chain(tmp_path / name)
        chain.add("toy")
        arguments = ["--units", "[8,4]", "--epochs", "2", "--spatial-dropout", "0.2"]
        done = chain.luigi("RunAll", "--dataset", "toy", *arguments)
        assert done.returncode == 0, done.stderr
        (folder,) = chain.outputs.glob("toy/7_evaluate/bilstm-*")
        (training,) = chain.outputs.glob("toy/6_train/bilstm-*/training.json")
        assert json.loads(training.read_text())["machine"]["deterministic_operations"]
        results.append(
            [(folder / file).read_bytes() for file in ("metrics.json", "predictions.parquet")]
        )
    assert results[0] == results[1]
