"""The README's commands, run as they stand there, in order, in one folder."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from pipeline import Nightly, RangeDailyBase, Rollback, RunAll
from pipeline.cli import cli
from pipeline.data import catalogue
from pipeline.nightly.commands import EXIT_CODES
from pipeline.predict.predictor import Predictor

README = (ROOT / "README.md").read_text(encoding="utf-8")
_BLOCKS = re.compile(
    r"<!-- (run|(?P<night>night)|file: (?P<path>\S+)) -->\n```\w*\n(?P<body>.*?)```", re.DOTALL
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("readme")
    shutil.copy(ROOT / "luigi.cfg", folder)
    return folder


@pytest.mark.processes
@pytest.mark.network
@pytest.mark.package_index
def test_commands_of_the_readme_work(folder):
    ran = 0
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for block in _BLOCKS.finditer(README):
        if block["path"]:
            path = folder / block["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block["body"], encoding="utf-8")
            continue
        for line in block["body"].splitlines():
            command = shlex.split(line.removeprefix("$ "), comments=True)
            done = subprocess.run(
                command, cwd=folder, env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{line}\n{done.stderr}"
            assert block["night"] or "Report: outputs/latest/" in done.stdout
            ran += 1
    assert ran >= 10
    outputs = folder / "outputs"
    assert (outputs / "history" / "tickets.html").is_file()
    (line,) = (outputs / "registry" / "tickets" / "ledger.jsonl").read_text().splitlines()
    assert '"decision": "promoted"' in line
    champion = json.loads((outputs / "registry" / "tickets" / "champion.json").read_text())
    place = outputs / champion["path"]
    above = json.loads((place / "manifest.json").read_text())["upstream"]["place"]
    assert Predictor.load(place / above, place).predict(["it crashes again"])


def test_readme_has_every_exit_code_of_a_night():
    rows = dict(re.findall(r"^\| (\d+) \| ([a-z ]+) \|", README, re.MULTILINE))
    words = {name: name.replace("_", " ") for name in EXIT_CODES}
    assert {words[name]: str(code) for name, code in EXIT_CODES.items()} == {
        outcome: code for code, outcome in rows.items() if outcome in words.values()
    }
    assert rows["10"] == "held"


def test_readme_lists_every_dataset():
    for name in catalogue.names(Path("no such folder")):
        assert f"`{name}`" in README


def test_parameters_that_the_readme_names_exist():
    tasks = (RunAll, Nightly, Rollback, RangeDailyBase)
    known = {name.replace("_", "-") for task in tasks for name, _ in task.get_params()}
    named = set(re.findall(r"--([a-z][a-z-]+)", README)) - {"module", "help-all"}
    known |= {"paths-data", "paths-outputs", "pipeline-code-changes"}
    known |= {
        option.removeprefix("--")
        for command in cli.commands.values()
        for parameter in command.params
        for option in parameter.opts
    }
    assert named <= known


def test_make_targets_that_the_readme_names_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)", README)) - {"and"} <= targets
