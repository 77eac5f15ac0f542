"""Commands import nothing heavy, also with a hundred runs; benchmarks/start_up.py has the times."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.hundred_runs import add_runs

pytestmark = pytest.mark.processes

BIN = Path(sys.executable).parent
HEAVY = ("tensorflow", "keras", "sklearn", "pandas", "nltk", "matplotlib", "pyarrow", "numpy")


@pytest.fixture(scope="module")
def hundred(built, tmp_path_factory):
    """Return a chain with a hundred runs more, which differ in alpha."""
    folder = tmp_path_factory.mktemp("hundred") / "chain"
    shutil.copytree(built.folder, folder, symlinks=True)
    chain = type(built)(folder)
    add_runs(chain.outputs, "toy/naive_bayes")
    return chain


def arguments_of(chain, name):
    paths = ["--paths-outputs", str(chain.outputs), "--paths-data", str(chain.data)]
    run = ["--dataset", "toy", "--model", "naive_bayes", "--alpha", "0.5"]
    return [name, *(run if name == "plan" else []), *paths]


@pytest.mark.parametrize("name", ["ls", "plan"])
def test_command_imports_nothing_heavy(hundred, name):
    code = (
        "import sys\nfrom pipeline.cli import cli\n"
        "cli(sys.argv[1:], standalone_mode=False)\n"
        f"print('LOADED', *[name for name in {HEAVY!r} if name in sys.modules])"
    )
    command = [sys.executable, "-c", code, *arguments_of(hundred, name)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.rsplit("LOADED", 1)[1].split() == []
    assert "naive_bayes" in done.stdout or "TrainModel" in done.stdout


def test_ls_counts_all_hundred(hundred):
    command = [str(BIN / "pipeline"), *arguments_of(hundred, "ls"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert len(json.loads(done.stdout)["runs"]) == 102
