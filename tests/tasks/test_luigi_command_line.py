"""The command line of luigi: nearest names, one-line errors, and short help."""

import errno
import io
import os
import re
import subprocess
import sys

import luigi
import pytest
from luigi.cmdline_parser import CmdlineParser
from luigi.configuration import LuigiConfigParser
from luigi.task_register import Register

import pipeline
from pipeline.cli.output import print_json
from pipeline.tasks import command_line, task_help

RANGE = ("RangeDailyBase", "--of", "Nightly")


def read(*words):
    """Read a command line as luigi does."""
    with CmdlineParser.global_instance(["--module", "pipeline", *words]) as parser:
        return parser.get_task_obj()


# Words of the command line, exit code, parts of the only line.
WRONG = [
    (["RunAll", "--unit", "[8]"], 2, ["P103: RunAll has no parameter --unit", "'--units'"]),
    (["RunAll", "--RunAll-untis", "[8]"], 2, ["no parameter --RunAll-untis", "'--RunAll-units'"]),
    (["RunAll", "--modle", "bilstm"], 2, ["no parameter --modle; did you mean '--model'"]),
    (["RunAll", "--test_fraction=0.2"], 2, ["--test_fraction;", "'--test-fraction'"]),
    (["RunAll", "--worker", "2"], 2, ["no parameter --worker;", "'--workers'"]),
    (["RunAll", "-model", "gru"], 2, ["no parameter -model;", "'--model'"]),
    (["RunAll", "--zzzz"], 2, ["no parameter --zzzz; `luigi --module pipeline RunAll --help`"]),
    (["Rollback", "--datset", "a"], 2, ["'--dataset'", "Known: --dataset, --to, --reason"]),
    (["RunAll", "--units"], 2, ["--units needs a value, got none"]),
    (["RunAll", "--model", "gru", "extra"], 2, ["'extra' belongs to no parameter of RunAll"]),
    (["RunAll", "model=gru"], 2, ["'model' belongs to no parameter of RunAll; write --model=gru"]),
    (["pipeline", "--modul"], 2, ["luigi has no parameter --modul; did you mean '--module'"]),
    (["RunAl"], 2, ["P103: unknown task 'RunAl'; did you mean 'RunAll'?"]),
    (["runall", "--help"], 2, ["unknown task 'runall'; did you mean 'RunAll'?"]),
    (["--model", "gru", "RunAll"], 2, ["unknown task 'gru'", "task comes before its parameters"]),
    ([], 2, ["no task was given; write one after luigi --module pipeline: RunAll, Nightly"]),
    (["RunAll", "--TrainModel-units", "[8]"], 40, ["P102", "no effect on RunAll; write --units"]),
    (["RunAll", "--workers", "two"], 40, ["P101: workers must be a whole number, got two"]),
    (["RunAll", "--workers", "0"], 40, ["P101: workers must be at least 1 task, got 0"]),
    (["RunAll", "--log-level", "LOUD"], 40, ["log_level must be one of CRITICAL, DEBUG"]),
    (["RunAll", "--pipeline-code-changes", "no"], 40, ["pipeline_code_changes must be one of"]),
    (["Nightly", "--date", "2026-13-01"], 40, ["P101: date must be a date such as 2026-11-22"]),
    (["Nightly", "--date", "tomorrow"], 40, ["date must be a date", "got tomorrow"]),
    ([*RANGE, "--start", "2026-02-30"], 40, ["start must be a date", "got 2026-02-30"]),
    (["RangeHourlyBase", "--start", "1"], 40, ["start must be an hour such as 2026-11-22T03"]),
    ([*RANGE, "--stop", "soon"], 40, ["stop must be a date", "got soon"]),
    ([*RANGE, "--of-params", "dataset=a"], 40, ["of_params must be a JSON object", "dataset=a"]),
    ([*RANGE, "--task-limit", "all"], 40, ["task_limit must be a whole number, got all"]),
    ([*RANGE[:2], "Nightlyy"], 40, ["unknown task 'Nightlyy'; did you mean 'Nightly'?"]),
    ([*RANGE[:2], "RunAll"], 40, ["of must be a task of one date, got RunAll; use Nightly"]),
]


@pytest.mark.parametrize(
    ("words", "code", "parts"), WRONG, ids=[" ".join(row[0]) or "nothing" for row in WRONG]
)
def test_wrong_command_line_is_one_line_and_an_exit_code(capsys, words, code, parts):
    with pytest.raises(SystemExit) as end:
        read(*words)
    text = capsys.readouterr().err
    assert end.value.code == code
    assert text.count("\n") == 1, text
    assert text.startswith("ERROR: P10")
    for part in parts:
        assert part in text


def test_exit_code_does_not_need_a_section_of_luigi_cfg(monkeypatch):
    monkeypatch.setattr(LuigiConfigParser, "_instance", LuigiConfigParser())
    assert command_line._code() == 40


def test_exit_code_of_luigi_cfg_is_used(monkeypatch):
    parser = LuigiConfigParser()
    parser.read_string("[retcode]\nunhandled_exception = 7")
    monkeypatch.setattr(LuigiConfigParser, "_instance", parser)
    assert command_line._code() == 7


def test_full_names_and_values_with_dashes_are_read():
    task = read("Tokenize", "--dataset", "a", "--tokenizer", "regexp", "--pattern=-+")
    assert (task.dataset, task.pattern) == ("a", "-+")


def test_step_without_a_dataset_uses_the_default():
    for name in ("CleanText", "Tokenize", "TrainModel", "Report"):
        assert read(name).dataset == "vader", name


def help_of(capsys, *words):
    with pytest.raises(SystemExit) as end:
        read(*words, "--help")
    assert not end.value.code
    return capsys.readouterr().out


@pytest.mark.parametrize("name", task_help.TASKS)
def test_help_of_a_task_names_each_parameter_once(capsys, monkeypatch, name):
    monkeypatch.setenv("COLUMNS", "80")
    text = help_of(capsys, name)
    assert len(text.splitlines()) <= 145
    assert max(map(len, text.splitlines())) <= 80
    options = re.findall(r"--[a-z0-9-]+\b", re.sub(r"`[^`]*`|\[.*?\]", "", text))
    for parameter, _ in getattr(pipeline, name).get_params():
        if parameter != "representation":  # the model decides it
            assert options.count(f"--{parameter.replace('_', '-')}") == 1, parameter


def test_help_of_run_all_is_grouped_by_step_with_defaults(capsys):
    text = " ".join(help_of(capsys, "RunAll").split())
    for part in (
        "DownloadData: --dataset name of a dataset",
        "CleanText: --encoding-repair",
        "--test-fraction expected share of the labelled rows for testing; no effect if the "
        "dataset has test rows. Default: 0.1",
        "TrainModel: --model the model; one of naive_bayes",
        "`pipeline models NAME` explains those of a model: --max-words",
    ):
        assert part in text
    assert len(help_of(capsys, "RunAll").splitlines()) <= 135


def test_help_of_a_night_shows_its_own_date(capsys):
    text = help_of(capsys, "Nightly")
    assert "--date  the night: a day such as 2026-11-22. Required" in text
    assert text.index("--date") < text.index("DownloadData:")


def test_all_tasks_of_the_package_are_listed():
    exported = [getattr(pipeline, name) for name in pipeline.__all__]
    tasks = [one for one in exported if isinstance(one, Register)]
    assert {one.__name__ for one in tasks if not issubclass(one, luigi.Config)} == {
        *task_help.TASKS
    }


def test_help_without_a_task_lists_the_tasks(capsys):
    text = help_of(capsys)
    for name in task_help.TASKS:
        assert f"\n  {name}  " in text
    assert "RunAll  The chain of all steps" in text


def test_parsers_are_built_once_for_the_same_tasks():
    assert command_line._build_parser("RunAll") is command_line._build_parser("RunAll")
    assert command_line._build_parser("RunAll") is not command_line._build_parser("Nightly")


def ascii_output(monkeypatch):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    command_line.write_all_characters()
    return stream


def test_output_escapes_characters_that_its_encoding_lacks(monkeypatch):
    stream = ascii_output(monkeypatch)
    command_line.write_line("Report: outputs/caf\u00e9 \U0001f600 \udcff")
    assert stream.buffer.getvalue() == b"Report: outputs/caf\\xe9 \\U0001f600 \\udcff\n"


def test_json_stays_json_in_other_encodings(monkeypatch):
    stream = ascii_output(monkeypatch)
    print_json({"text": "caf\u00e9 \U0001f600"})
    stream.flush()
    assert b'"caf\\u00e9 \\ud83d\\ude00"' in stream.buffer.getvalue()


def test_full_disk_is_one_line(monkeypatch, capsys):
    class Full(io.StringIO):
        def flush(self):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sys, "stdout", Full())
    command_line.write_line("Report: outputs/latest")
    assert capsys.readouterr().err == "ERROR: cannot write the output: No space left on device.\n"


@pytest.mark.processes
def test_reader_that_ends_early_is_no_error():
    code = "import pipeline; from pipeline.tasks.command_line import write_line; write_line('a')"
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([sys.executable, "-c", code], stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.processes
def test_wrong_range_prints_no_warnings_of_luigi(tmp_path):
    words = ["--module", "pipeline", *RANGE, "--start", "2026-11-05", "--stop", "2026-11-01"]
    command = [sys.executable, "-m", "luigi", *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    lines = done.stderr.splitlines()
    assert lines[0].startswith("There is no luigi.cfg")
    assert lines[1:] == ["ERROR: P101: --start must not be after --stop."]
