"""Terminal output: harmless texts, tables that fit, colours, and error lines."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli import output

PIPELINE = str(Path(sys.executable).parent / "pipeline")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 🎉 [bold]x[/bold]", "plain é 🎉 [bold]x[/bold]"),
        ("two\nlines\tand\rmore", "two lines and more"),
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("\x9b31mred", "\ufffd31mred"),
        ("abc\u202edef\u2066", "abcdef"),
        ("half \ud83c", "half \ufffd"),
    ],
    ids=[
        "plain",
        "line ends",
        "escape sequence",
        "8-bit escape",
        "writing direction",
        "lone surrogate",
    ],
)
def test_text_cannot_control_the_terminal(text, shown):
    assert output.plain(text) == shown


def test_json_keeps_a_lone_surrogate_and_has_no_nan(capsys):
    output.print_json({"text": "half \ud83c", "value": float("nan")})
    printed = json.loads(capsys.readouterr().out)
    assert printed == {"text": "half \ud83c", "value": None}


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, "unknown"),
        (float("inf"), "unknown"),
        (0.04, "0.0 s"),
        (59.94, "59.9 s"),
        (75, "1 min 15 s"),
        (7260, "2 h 1 min"),
    ],
)
def test_duration_is_formatted_in_a_suitable_unit(seconds, shown):
    assert output.duration(seconds) == shown


@pytest.mark.parametrize(
    ("size", "shown"), [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 kB"), (2_340_000, "2.3 MB")]
)
def test_size_is_formatted_in_a_suitable_unit(size, shown):
    assert output.size(size) == shown


def on_terminal(arguments, environment):
    """Run a command on a terminal of its own; return what it wrote there."""
    mine, its = pty.openpty()
    done = subprocess.Popen(
        [PIPELINE, *arguments], stdin=its, stdout=its, stderr=its, env={**os.environ, **environment}
    )
    os.close(its)
    written = b""
    while True:
        try:
            part = os.read(mine, 4096)
        except OSError:
            break
        if not part:
            break
        written += part
    os.close(mine)
    assert done.wait(timeout=60) == 0
    return written.decode()


@pytest.mark.processes
def test_colours_are_on_a_terminal_and_off_with_no_color_and_in_a_pipe(built):
    arguments = ["plan", "--model", "naive_bayes", "--dataset", "toy", "--alpha", "2"]
    arguments += ["--paths-outputs", str(built.outputs), "--paths-data", str(built.data)]
    coloured = on_terminal(arguments, {"TERM": "xterm-256color", "NO_COLOR": ""})
    assert "\x1b[1;33m" in coloured
    plain = on_terminal(arguments, {"TERM": "xterm-256color", "NO_COLOR": "1"})
    assert "\x1b[1;33m" not in plain
    assert "TrainModel" in plain
    piped = subprocess.run(
        [PIPELINE, *arguments], capture_output=True, text=True, check=True
    ).stdout
    assert "\x1b" not in piped


@pytest.mark.processes
def test_error_is_one_line_with_its_code_and_exit_code_2(built):
    arguments = ["show", "nothing", "--paths-outputs", str(built.outputs)]
    done = subprocess.run([PIPELINE, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert re.match(r"Error P\d{3}: .*nothing", done.stderr)
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.processes
def test_wrong_parameter_of_a_plan_is_an_error_like_luigis(built):
    arguments = ["plan", "--alpha", "-1", "--model", "naive_bayes"]
    done = subprocess.run([PIPELINE, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "alpha must be a number above 0" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def printed(monkeypatch, capsys):
    """Return a function that prints a table with columns to truncate and to drop."""

    def print_table(width):
        monkeypatch.setenv("COLUMNS", str(width))
        columns = [
            output.Column("name"),
            output.Column("text", least=6, drop=1),
            output.Column("size", is_number=True, drop=2),
        ]
        rows = [
            {"name": "first", "text": "a long text to fit", "size": 12},
            {"name": "second", "text": "b", "size": 7},
        ]
        output.print_table("", columns, rows)
        return capsys.readouterr().out.splitlines()

    return print_table


def test_cell_is_formatted_and_empty_where_the_row_has_no_value():
    column = output.Column("rows", form=output.count)
    cells = [column.cell(row).plain for row in ({"rows": 1000}, {"rows": None}, {})]
    assert cells == ["1,000", "–", ""]
    assert output.Column("size", lambda row: 2 * row["n"]).cell({"n": 3}).plain == "6"


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (40, ["name    text                size", "first   a long text to fit    12"]),
        (24, ["name    text        size", "first   a long te…    12"]),
        (17, ["name    text", "first   a long t…"]),
        (12, ["name", "first"]),
    ],
    ids=["all fit", "truncated", "one dropped", "two dropped"],
)
def test_columns_are_truncated_and_then_dropped_in_order(printed, width, lines):
    assert printed(width)[:2] == lines


def test_titles_of_dropped_columns_are_printed(printed):
    assert "text, size" in " ".join(" ".join(printed(12)).split())
