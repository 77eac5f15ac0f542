"""What a run prints: one line per step, what is reused, the summary, and errors last."""

import io
import logging
import multiprocessing
import os
import re
import sys

import luigi
import pytest
from documented import assert_documented

from pipeline import CleanText, TrainModel
from pipeline.errors import SplitError, TrainingError
from pipeline.tasks import step_log
from pipeline.tasks.process_setup import prepare
from pipeline.tasks.progress import TaskProgress, reading
from pipeline.tasks.run_result import of_report
from pipeline.training.loop import _line

MODEL = {"dataset": "toy", "model": "linear_svm"}
SECONDS = r" +(\d+ min )?[\d.]+ s  "  # on a busy machine
LINES = [
    rf"\[1/8\] DownloadData raw{SECONDS}1 file, [\d.]+ kB",
    rf"\[2/8\] CleanText rows{SECONDS}240 rows kept, 0 rejected",
    rf"\[3/8\] Tokenize words{SECONDS}\d+ distinct tokens, \d+\.\d per text",
    rf"\[4/8\] Vectorize ngrams{SECONDS}[\d,]+ features",
    rf"\[5/8\] SplitStratified seed-0{SECONDS}\d+ train, \d+ validation, \d+ test",
    rf"\[6/8\] TrainModel linear_svm{SECONDS}val F1 \d\.\d{{3}}",
    rf"\[7/8\] Evaluate linear_svm{SECONDS}accuracy \d\.\d+ \(\d\.\d+ to \d\.\d+\)",
    rf"\[8/8\] Report linear_svm{SECONDS}/.*/report\.html",
]
OF_BASELINE = [
    rf"\[baseline\] Vectorize tfidf{SECONDS}[\d,]+ features",
    rf"\[baseline\] SplitStratified seed-0{SECONDS}\d+ train, \d+ validation, \d+ test",
    rf"\[baseline\] TrainModel naive_bayes{SECONDS}val F1 \d\.\d+",
    rf"\[baseline\] Evaluate naive_bayes{SECONDS}accuracy .*",
]


@pytest.fixture
def shown(monkeypatch):
    """Return the lines that the handlers of Luigi's logger receive at level INFO."""
    prepare()
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    logger = logging.getLogger("luigi-interface")
    monkeypatch.setattr(logger, "handlers", [handler])
    monkeypatch.setattr(logger, "level", logging.INFO)
    monkeypatch.setattr(logger, "_cache", {})
    monkeypatch.setattr(luigi.setup_logging.InterfaceLogging, "_configured", True)
    monkeypatch.setattr(step_log, "_run", step_log._Run())

    def lines():
        text = stream.getvalue()
        stream.seek(0)
        stream.truncate()
        return text.splitlines()

    return lines


def build(chain, **settings):
    luigi.build([chain.task(**settings)], local_scheduler=True, no_lock=True)


def assert_match(lines, patterns):
    assert len(lines) == len(patterns), lines
    for line, pattern in zip(lines, patterns, strict=True):
        assert re.fullmatch(pattern, line), (pattern, line)


def test_a_run_has_one_line_per_step_and_names_what_it_reuses(chain, shown):
    chain.add("toy")
    build(chain, **MODEL)
    *lines, summary = shown()
    assert_match([line for line in lines if "[baseline]" not in line], LINES)
    assert_match([line for line in lines if "[baseline]" in line], OF_BASELINE)
    assert re.fullmatch(r"12 steps: 12 computed, (\d+ min )?[\d.]+ s", summary)
    assert_documented([*lines, summary])

    build(chain, **MODEL)
    assert shown() == ["Nothing to compute: all 12 steps are complete."]

    build(chain, **MODEL, cost=2.0)
    first, second, *lines, summary = shown()
    assert first == "[1-5/8] reused: DownloadData to SplitStratified"
    assert second == "[baseline] reused: Evaluate naive_bayes"
    assert_match(lines, LINES[5:])
    assert re.fullmatch(r"12 steps: 3 computed, 9 reused, (\d+ min )?[\d.]+ s", summary)
    nothing = "Nothing to compute: all 12 steps are complete."
    assert_documented([nothing, first, second, *lines, summary])

    report = chain.task(**MODEL, cost=2.0).requires().path()
    numbers = of_report(report, chain.outputs / "latest" / "toy" / "linear_svm", False)
    assert_documented(line for line in numbers.splitlines() if " beat" not in line)


def test_a_step_that_exists_already_counts_as_reused(chain, shown):
    chain.add("toy")
    build(chain, dataset="toy", model="naive_bayes")
    (manifest,) = chain.outputs.glob("toy/3_*/*/manifest.json")
    manifest.unlink()
    shown()
    build(chain, dataset="toy", model="naive_bayes")
    lines = shown()
    assert [line.split()[-1] for line in lines if re.match(r"\[[4-8]/8\]", line)] == ["reused"] * 5
    assert re.fullmatch(r"8 steps: 1 computed, 7 reused, (\d+ min )?[\d.]+ s", lines[-1])


def failing(error):
    def build(self, out):
        raise error

    return build


def test_after_a_failure_the_error_is_the_last_line(chain, shown, monkeypatch):
    chain.add("toy")
    monkeypatch.setattr(CleanText, "build", failing(SplitError("too few rows")))
    build(chain, **MODEL)
    _, failed, complete, error = shown()
    assert re.fullmatch(rf"\[2/8\] CleanText rows{SECONDS}failed", failed)
    assert complete == "Complete: 1 of 12 steps; the same command continues after them."
    assert error == "ERROR: P204: too few rows"
    assert_documented([failed, complete])


def test_the_error_of_one_branch_is_repeated_after_the_other(chain, shown, monkeypatch):
    chain.add("toy")
    work = TrainModel.build

    def fail_first(self, out):
        if not failures:
            failures.append(self.label)
            raise TrainingError("the loss is not finite")
        work(self, out)

    failures = []
    monkeypatch.setattr(TrainModel, "build", fail_first)
    build(chain, **MODEL)
    lines = shown()
    assert lines.count("ERROR: P401: the loss is not finite") == 2
    complete, error = lines[-2:]
    assert re.fullmatch(r"Complete: \d+ of 12 steps; the same command .*", complete)
    assert error == "ERROR: P401: the loss is not finite"


def test_a_task_that_is_no_step_does_not_end_with_nothing_to_compute(shown, tmp_path):
    class Other(luigi.Task):
        def output(self):
            return luigi.LocalTarget(str(tmp_path / "other.txt"))

        def run(self):
            (tmp_path / "other.txt").write_text("done")

    luigi.build([Other()], local_scheduler=True, no_lock=True)
    assert shown() == []
    luigi.build([Other()], local_scheduler=True, no_lock=True)
    assert shown() == ["Nothing to compute: everything is complete."]


def test_a_step_by_itself_has_its_number_in_the_chain(chain, shown):
    chain.add("toy")
    build(chain, family="CleanText", dataset="toy")
    lines = shown()
    assert [line.split()[0] for line in lines[:-1]] == ["[1/8]", "[2/8]"]


@pytest.mark.processes
def test_lines_of_several_workers_have_the_right_numbers(chain):
    chain.add("toy")
    arguments = ["RunAll", "--dataset", "toy", "--model", "linear_svm", "--workers", "2"]
    done = chain.luigi(*arguments)
    assert done.returncode == 0, done.stderr
    *lines, summary = done.stderr.splitlines()
    assert_match(sorted(line for line in lines if re.match(r"\[\d", line)), LINES)
    assert len([line for line in lines if line.startswith("[baseline]")]) == 4
    assert re.fullmatch(r"12 steps: 12 computed, (\d+ min )?[\d.]+ s", summary)
    assert "\r" not in done.stderr
    assert "\x1b" not in done.stderr


@pytest.mark.processes
def test_a_step_on_the_command_line_counts_its_own_chain(mine):
    arguments = ["Tokenize", "--dataset", "toy", "--tokenizer", "regexp"]
    lines = mine.luigi(*arguments).stderr.splitlines()
    assert lines[0] == "[1-2/3] reused: DownloadData to CleanText"
    assert_match(lines[1:2], [rf"\[3/3\] Tokenize regexp{SECONDS}.*"])
    again = mine.luigi(*arguments)
    assert again.stderr == "Nothing to compute: all 3 steps are complete.\n"


# Case: level, message, arguments, and the lines that are shown; None: the message itself.
SUMMARY = "\n===== Luigi Execution Summary =====\n\n{}\n\n===== Luigi Execution Summary =====\n"
MESSAGES = {
    "scheduling": (20, "Informed scheduler that task   %s   has status   %s", ("A", "DONE"), []),
    "workers": (20, "Running Worker with %d processes", (1,), []),
    "running": (20, "[pid %s] Worker %s running   %s", (1, "w", "A()"), []),
    "stopped": (20, "Worker Worker(salt=1) was stopped. Shutting down", (), []),
    "warning": (30, "Failed pinging scheduler", (), None),
    "failure": (20, SUMMARY.format("This progress looks :( because there were failed"), (), []),
    "missing data": (20, SUMMARY.format("This progress looks :| because ..."), (), None),
    "held": (
        20,
        SUMMARY.format("1 were being run by another worker\nThis progress looks :) because ..."),
        (),
        None,
    ),
    "killed": (20, "Task A died unexpectedly with exit code -9", (), None),
    "of the package": (20, "Night of %s", ("2026-11-22",), None),
}


@pytest.mark.parametrize("case", MESSAGES)
def test_only_scheduling_is_hidden(shown, case):
    level, message, arguments, expected = MESSAGES[case]
    logging.getLogger("luigi-interface").log(level, message, *arguments)
    lines = shown()
    if expected is None:
        expected = f"{message % arguments if arguments else message}\n".splitlines()
        lines = [line.removeprefix("WARNING: ").removeprefix("ERROR: ") for line in lines]
    assert lines == expected


def test_a_killed_child_process_is_an_error(shown):
    logging.getLogger("luigi-interface").info("Task A died unexpectedly with exit code -9")
    assert shown() == ["ERROR: Task A died unexpectedly with exit code -9"]


def test_log_level_debug_shows_all_lines_of_luigi(shown, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["luigi", "RunAll", "--log-level", "DEBUG"])
    message = "Informed scheduler that task   %s   has status   %s"
    logging.getLogger("luigi-interface").info(message, "A", "DONE")
    assert shown() == [f"INFO: {message % ('A', 'DONE')}"]


def test_events_of_child_processes_arrive_in_order():
    run = step_log._Run()
    run.open_pipe()
    for number in range(3):
        child = os.fork()
        if not child:
            run.note(step_log.COMPUTED, f"step {number} " + "é" * 10_000)
            os._exit(0)
        os.waitpid(child, 0)
    run.read_pipe()
    assert [text.split(" é")[0] for _, text in run.events] == ["step 0", "step 1", "step 2"]
    run.forget()
    assert run.pipe is None


class Terminal(io.StringIO):
    """Standard error on a terminal."""

    encoding = "utf-8"

    def isatty(self):
        return True

    def fileno(self):
        return 2


def on_terminal(monkeypatch):
    """Replace standard error; pytest would undo it before the test if a fixture did it."""
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    handler = logging.StreamHandler(stream)
    monkeypatch.setattr(logging.getLogger("luigi-interface"), "handlers", [handler])
    return stream


@pytest.mark.parametrize("width", [40, 80, 120])
def test_bar_keeps_its_width_and_leaves_one_line_per_epoch(chain, shown, monkeypatch, width):
    terminal = on_terminal(monkeypatch)
    monkeypatch.setattr(os, "get_terminal_size", lambda number: os.terminal_size((width, 24)))
    task = chain.task("TrainModel", dataset="toy", model="bilstm")
    with TaskProgress(task) as progress:
        progress(0.0, "starting TensorFlow")
        for epoch in range(1, 9):
            progress((epoch - 0.5) / 20, f"epoch {epoch} of 20")
            progress(epoch / 20, f"epoch {epoch}: loss 0.62, {{val}} loss 0.5")
        progress(1.0, "stopped early: no better val F1 since epoch 5")
    frames = [frame.rstrip() for frame in re.split(r"[\r\n]", terminal.getvalue())]
    bars = [frame for frame in frames if "|" in frame]
    assert max(map(len, [frame for frame in frames if frame.startswith("[")])) <= width
    ends = {(bar.index("|"), bar.rindex("|")) for bar in bars}
    assert ends == {(30, 30 if width < 42 else 41)}
    assert any("[6/8] TrainModel bilstm  starting" in frame for frame in frames)
    kept = [frame for frame in frames if frame.startswith("      ")]
    assert [frame.split(":")[0].strip() for frame in kept] == [
        *(f"epoch {epoch}" for epoch in range(1, 9)),
        "stopped early",
    ]
    assert "100 %" in bars[-1]
    assert frames[-1] == ""  # the bar is removed


def test_child_processes_and_logs_have_no_bar(chain, shown, monkeypatch):
    terminal = on_terminal(monkeypatch)
    monkeypatch.setattr(multiprocessing, "parent_process", lambda: object())
    with TaskProgress(chain.task("DownloadData", dataset="toy")) as progress:
        progress(0.5, "epoch 1 of 20")
        progress(0.5, "epoch 1: loss 0.62")
    assert terminal.getvalue() == "      epoch 1: loss 0.62\n"


def test_lines_of_epochs_fit_a_narrow_terminal():
    metrics = {"epoch": 20, "loss": 0.6201, "learning_rate": 0.001, "val_loss": 12.49167}
    metrics |= {"val_accuracy": 0.6708, "val_auc": 0.8192, "val_f1": 0.8024}
    line = _line(metrics, "f1")
    assert line.startswith("epoch 20: loss 0.6201, val loss 12.49, val accuracy 0.6708, val F1")
    assert "val AUC 0.8192" in _line(metrics, "auc")
    assert "loss 6.5e+30" in _line({**metrics, "loss": 6.5e30}, "f1")
    assert len(line) + 6 <= 80


def test_reading_says_if_tensorflow_starts(monkeypatch):
    from pipeline.models.specs import MODELS

    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    texts = {name: reading(model) for name, model in MODELS.items()}
    assert texts["bilstm"] == texts["sentence_encoder"] == "starting TensorFlow"
    assert texts["naive_bayes"] == texts["fasttext"] == "reading"
    monkeypatch.setitem(sys.modules, "tensorflow", object())
    assert reading(MODELS["bilstm"]) == "reading"


def test_failure_while_files_are_fetched_has_the_line_of_its_step(chain, shown):
    (chain.add("toy") / "rows.csv").unlink()
    build(chain, family="DownloadData", dataset="toy")
    failed, complete, error = shown()
    assert re.fullmatch(rf"\[1/8\] DownloadData raw{SECONDS}failed", failed)
    assert complete == "Complete: 0 of 1 steps."
    assert error.startswith("ERROR: P202: ")
