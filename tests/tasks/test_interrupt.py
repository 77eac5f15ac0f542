"""Ctrl-C ends a command at any moment, with one line."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from documented import assert_documented

from pipeline import TrainModel
from pipeline.store import files
from pipeline.tasks import interrupt
from pipeline.training.checkpoint import Checkpoint, State
from pipeline.training.saved_epochs import saved_epoch
from pipeline.training.validation import EarlyStopping

INTERRUPT = Path(__file__).with_name("interrupt_at.py")
CONTINUE = "run the same command to continue"


def interrupted(point, chain, *command):
    """Run a command that is interrupted at a point; return its last line."""
    paths = ["--paths-data", str(chain.data), "--paths-outputs", str(chain.outputs)]
    done = subprocess.run(
        [sys.executable, str(INTERRUPT), point, *command, *paths],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == -signal.SIGINT, done.stderr  # a shell shows 130
    assert "Traceback" not in done.stderr
    assert done.stderr.count("stopped") == 1
    assert not [*chain.folder.rglob(".tmp-*")]
    return done.stderr.splitlines()[-1]


@pytest.mark.processes
@pytest.mark.parametrize(
    ("point", "place"),
    [
        ("pipeline.errors", ""),
        ("pipeline.nightly.tasks", ""),
        ("pipeline.tasks.run_all:RunAll.announce", ""),
        ("pipeline.store.publishing:Workspace.write_table", " during CleanText"),
        ("pipeline.tasks.download_data:DownloadData.on_success", " during DownloadData"),
    ],
    ids=["import", "later import", "scheduling", "half written artifact", "end of a step"],
)
def test_run_ends_with_one_line(chain, point, place):
    chain.add("toy")
    command = ["luigi", "--module", "pipeline", "RunAll", "--dataset", "toy"]
    line = interrupted(point, chain, *command, "--model", "naive_bayes")
    assert line == f"stopped{place}; {CONTINUE}"


@pytest.mark.processes
@pytest.mark.parametrize("point", ["pipeline.errors", "pipeline.store.overview:listing"])
def test_command_ends_with_one_line(chain, point):
    assert interrupted(point, chain, "pipeline", "ls") == "stopped"


@pytest.fixture
def checkpoint(tmp_path):
    """Return a function that writes the checkpoint of a phase after some epochs."""

    class Variable:
        def numpy(self):
            return np.zeros(3)

    def write(phase, n_epochs):
        path = tmp_path / f"{phase}.npz"
        stopping = EarlyStopping("f1", 0, 0, 0.0)
        state = State(stopping, [{"epoch": number} for number in range(n_epochs)])
        assert Checkpoint(path, [Variable()], {}).save(state)
        return tmp_path

    return write


def test_saved_epoch_is_that_of_the_last_phase(checkpoint):
    folder = checkpoint("training", 3)
    assert saved_epoch(folder) == ("training", 3)
    checkpoint("refit", 1)
    assert saved_epoch(folder) == ("refit", 1)


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 cut off"])
def test_damaged_or_missing_checkpoint_has_no_epoch(tmp_path, content):
    if content is not None:
        (tmp_path / "training.npz").write_bytes(content)
    assert saved_epoch(tmp_path) is None


@pytest.mark.parametrize(
    ("saved", "message"),
    [
        ("epoch 2 of 5", f"stopped after epoch 2 of 5; {CONTINUE}"),
        ("", f"stopped during TrainModel; {CONTINUE}"),
        (None, f"stopped during TrainModel; {CONTINUE}"),
    ],
    ids=["with a checkpoint", "without", "unreadable"],
)
def test_line_says_how_far_training_is(built, monkeypatch, saved, message):
    def saved_work(task):
        if saved is None:
            raise ImportError("half imported")
        return saved, 0.4

    monkeypatch.setattr(TrainModel, "saved_work", saved_work)
    task = built.task("TrainModel", dataset="toy", model="naive_bayes")
    assert interrupt._message([task]) == message
    if saved:
        assert_documented([message])


def test_line_names_the_tasks_of_all_workers(built):
    tasks = [built.task(name, dataset="toy") for name in ("CleanText", "Tokenize", "Tokenize")]
    assert interrupt._message(tasks) == f"stopped during CleanText and during Tokenize; {CONTINUE}"


@pytest.mark.parametrize(
    ("script", "is_command"),
    [
        ("/bin/luigi", True),
        ("/bin/pipeline", True),
        ("-m", True),
        ("ipykernel_launcher.py", False),
        ("pytest", False),
        ("", False),
    ],
)
def test_only_commands_get_the_handler(monkeypatch, script, is_command):
    """A notebook that imports the package must survive Ctrl-C."""
    monkeypatch.setattr(sys, "argv", [script])
    monkeypatch.delitem(sys.modules, "luigi.cmdline", raising=False)
    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(interrupt, "_process", None)
    installed = []
    monkeypatch.setattr(signal, "signal", lambda number, handler: installed.append(number))
    monkeypatch.setattr(signal, "getsignal", lambda number: signal.SIG_DFL)
    interrupt.install()
    assert (signal.SIGINT in installed) is is_command
    monkeypatch.undo()
    assert signal.getsignal(signal.SIGINT) is before


def test_ignored_signals_stay_ignored(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["luigi"])
    monkeypatch.setattr(interrupt, "_process", None)
    monkeypatch.setattr(signal, "getsignal", lambda number: signal.SIG_IGN)
    monkeypatch.setattr(signal, "signal", lambda *_: pytest.fail("a handler was installed"))
    interrupt.install()


def test_temporaries_of_this_process_alone_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_temporaries", {})
    mine, of_parent = (files.temporary_sibling(tmp_path / "a") for _ in range(2))
    files._temporaries[of_parent] = os.getppid()
    for folder in (mine, of_parent):
        (folder / "part").mkdir(parents=True)
    link = files.temporary_sibling(tmp_path / "b")
    link.symlink_to("nowhere")
    files.remove_temporaries()
    assert [*tmp_path.iterdir()] == [of_parent]


@pytest.mark.processes
def test_impatient_ctrl_c_still_prints_the_line():
    code = """
import os, signal, sys
sys.argv = ["pipeline"]
from pipeline.tasks import interrupt

class Task:
    task_family = "TrainModel"

    def saved_work(self):
        os.kill(os.getpid(), signal.SIGINT)
        return "epoch 2 of 5", 0.4

interrupt._running.append(Task())
interrupt.install()
os.kill(os.getpid(), signal.SIGINT)
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGINT
    assert done.stderr == f"stopped after epoch 2 of 5; {CONTINUE}\n"
