"""The README's commands, run as they stand there, in order, in one folder."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from pipeline.cli import cli
from pipeline.datasets import catalogue
from pipeline.tasks import RunAll

README = (ROOT / "README.md").read_text(encoding="utf-8")
_BLOCKS = re.compile(r"<!-- (run|file: (?P<path>\S+)) -->\n```\w*\n(?P<body>.*?)```", re.DOTALL)


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
            assert "Report: outputs/latest/" in done.stdout
            ran += 1
    assert ran >= 4


def test_readme_lists_every_dataset():
    for name in catalogue.names(Path("no such folder")):
        assert f"`{name}`" in README


def test_parameters_that_the_readme_names_exist():
    known = {name.replace("_", "-") for name, _ in RunAll.get_params()}
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
