"""The numbers, the verdict and the commands that a run prints when it ends."""

import io
import json
import re
import shlex
import sys

import pytest
from click.testing import CliRunner
from documented import assert_documented
from luigi.cmdline_parser import CmdlineParser

from pipeline.cli import cli
from pipeline.errors import DamagedArtifactError
from pipeline.tasks import process_setup, run_result
from pipeline.tasks.process_setup import print_at_exit


def report_of(chain, dataset):
    (report,) = chain.outputs.glob(f"{dataset}/8_report/*")
    return report, chain.outputs / "latest" / dataset / "naive_bayes"


def metrics_of(chain, dataset):
    (path,) = chain.outputs.glob(f"{dataset}/7_evaluate/*/metrics.json")
    return path, json.loads(path.read_text())


@pytest.mark.parametrize("dataset", ["toy", "four"])
def test_run_ends_with_its_numbers_the_verdict_and_the_report(built, dataset):
    report, link = report_of(built, dataset)
    lines = run_result.of_report(report, link, positive_named=False).splitlines()
    _, metrics = metrics_of(built, dataset)
    test, majority = metrics["test"], metrics["baselines"]["majority"]

    def row(name, value, interval, other):
        low, high = interval
        return f"  {name}  {value:.3f} ({low:.3f} to {high:.3f}); baseline majority {other:.3f}"

    intervals = test["intervals"]
    assert lines == [
        f"{test['rows']} test rows, with 95 % intervals",
        row("accuracy", test["accuracy"], intervals["accuracy"], majority["accuracy"]),
        row("macro F1", test["macro"]["f1"], intervals["macro"]["f1"], majority["macro"]["f1"]),
        "naive_bayes beats a model that always predicts the largest class.",
        f"Report: {link / 'report.html'}",
        f"Next: pipeline show {dataset}/naive_bayes",
        f"      pipeline ls --dataset {dataset}",
    ]


def test_f1_of_the_class_of_interest_replaces_macro_f1(built):
    lines = run_result.of_report(*report_of(built, "toy"), positive_named=True).splitlines()
    _, metrics = metrics_of(built, "toy")
    f1 = metrics["test"]["by_class"]["good"]["f1"]
    assert lines[1].startswith("  accuracy    ")
    assert lines[2].startswith(f"  F1 of good  {f1:.3f} (")


@pytest.mark.parametrize("is_latest", [True, False])
def test_next_commands_work(mine, is_latest):
    report, link = report_of(mine, "toy")
    if not is_latest:
        link.unlink()
        link.symlink_to("../../four")
    options = f" --paths-outputs {shlex.quote(str(mine.outputs))}"
    text = run_result.of_report(report, link, positive_named=False, options=options)
    assert f"Report: {(link if is_latest else report) / 'report.html'}" in text
    commands = re.findall(r"^(?:Next:|     ) (pipeline .*)$", text, re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        done = CliRunner().invoke(cli, shlex.split(command)[1:])
        assert done.exit_code == 0, done.output
        assert "naive_bayes" in done.output


def test_metric_without_a_value_and_class_name_that_controls_a_terminal(mine):
    path, metrics = metrics_of(mine, "toy")
    metrics["positive_label"] = "go\x1b[31m\nod"
    metrics["test"]["by_class"]["go\x1b[31m\nod"] = {"f1": None}
    path.write_text(json.dumps(metrics))
    text = run_result.of_report(*report_of(mine, "toy"), positive_named=True)
    assert "  F1 of go�[31m�od  undefined; baseline majority undefined\n" in text


def test_damaged_result_is_one_line(mine, monkeypatch, capsys):
    path, _ = metrics_of(mine, "toy")
    path.write_text("[]")
    report = report_of(mine, "toy")
    with pytest.raises(DamagedArtifactError):
        run_result.of_report(*report, positive_named=False)
    monkeypatch.setattr(process_setup, "_at_exit", [])
    with CmdlineParser.global_instance(["DownloadData"]):
        print_at_exit(lambda: run_result.of_report(*report, positive_named=False))
    process_setup._print_results(process_setup.os.getpid())
    error = capsys.readouterr().err
    assert re.fullmatch(r"P\d{3}: .*metrics.json .*\n", error)


def test_results_are_printed_in_order_by_the_command_alone(monkeypatch):
    monkeypatch.setattr(process_setup, "_at_exit", [])
    registered = []
    monkeypatch.setattr(process_setup.atexit, "register", lambda *call: registered.append(call))
    print_at_exit(lambda: "of a program")
    with CmdlineParser.global_instance(["DownloadData"]):
        for text in ("first", None, "second ☃"):
            print_at_exit(lambda text=text: text)
    ((show, process),) = registered
    stdout = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stdout)
    show(process + 1)  # a child process
    assert stdout.buffer.getvalue() == b""
    show(process)
    assert stdout.buffer.getvalue() == b"first\nsecond \\u2603\n"


def test_validation_scores_of_a_run_without_test(mine):
    task = mine.run(dataset="toy", model="naive_bayes", no_test=True)
    folder = task.requires().path()
    metrics = json.loads((folder / "validation.json").read_text())["validation"]
    lines = run_result.of_validation(folder).splitlines()
    assert lines == [
        f"{metrics['rows']} validation rows",
        f"  accuracy  {metrics['accuracy']:.3f}",
        f"  macro F1  {metrics['macro']['f1']:.3f}",
        "The test rows were not read; the command without --no-test scores them.",
        f"Validation metrics: {folder / 'validation.json'}",
        f"Next: pipeline show {folder}",
    ]
    assert_documented(lines)
    assert task.requires().summary() == f"validation accuracy {metrics['accuracy']:.3f}"
