"""What looking costs: a hundred runs, against a Luigi task that does nothing."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.inspection.store import Store

pytestmark = pytest.mark.processes

BIN = Path(sys.executable).parent
HEAVY = ("tensorflow", "keras", "sklearn", "pandas", "nltk", "matplotlib", "pyarrow", "numpy")
HELLO = """
import luigi


class Hello(luigi.Task):
    def complete(self):
        return True
"""
_TIMES = 4


@pytest.fixture(scope="module")
def hundred(built, tmp_path_factory):
    """Return a chain with a hundred runs more, which differ in alpha."""
    folder = tmp_path_factory.mktemp("hundred") / "chain"
    shutil.copytree(built.folder, folder, symlinks=True)
    chain = type(built)(folder)
    store = Store(chain.outputs)
    run = store.find("toy/naive_bayes")
    steps = [store.of(run, task) for task in ("TrainModel", "Evaluate", "Report")]
    for number in range(100):
        above = None
        for step in steps:
            manifest = json.loads(json.dumps(step.manifest))
            manifest["digest"] = f"{number:04x}{step.digest[4:]}"
            place = step.place.with_name(f"naive_bayes-{manifest['digest']}")
            if above is None:
                manifest["settings"]["alpha"] = 10.0 + number
            else:
                manifest["upstream"]["digest"] = above.name[-16:]
                manifest["upstream"]["place"] = os.path.relpath(above, place)
            shutil.copytree(step.place, place)
            (place / "manifest.json").write_text(json.dumps(manifest))
            above = place
    return chain


def words_of(chain, name):
    paths = ["--paths-outputs", str(chain.outputs), "--paths-data", str(chain.data)]
    run = ["--dataset", "toy", "--model", "naive_bayes", "--alpha", "0.5"]
    return [name, *(run if name == "plan" else []), *paths]


def seconds(command, **environment):
    """Return the processor seconds of the fastest of some calls; one process and one thread.

    On a machine with nothing else to do that is the wall time, and on a busy one it stays so.
    """
    taken = []
    for _ in range(_TIMES):
        child = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **environment},
        )
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        assert child.returncode == 0
        taken.append(usage.ru_utime + usage.ru_stime)
    return min(taken)


@pytest.mark.parametrize("name", ["ls", "plan"])
def test_looking_at_a_hundred_runs_costs_at_most_twice_a_luigi_hello_world(hundred, tmp_path, name):
    (tmp_path / "hello.py").write_text(HELLO)
    hello = [str(BIN / "luigi"), "--module", "hello", "Hello", "--local-scheduler"]
    least = seconds(hello, PYTHONPATH=str(tmp_path))
    mine = seconds([str(BIN / "pipeline"), *words_of(hundred, name)])
    print(f"{name}: {mine:.2f} s, hello world: {least:.2f} s, {mine / least:.2f} times")
    assert mine <= 2 * least


@pytest.mark.parametrize("name", ["ls", "plan"])
def test_looking_loads_nothing_heavy(hundred, name):
    code = (
        "import sys\nfrom pipeline.cli import cli\n"
        "cli(sys.argv[1:], standalone_mode=False)\n"
        f"print('LOADED', *[name for name in {HEAVY!r} if name in sys.modules])"
    )
    command = [sys.executable, "-c", code, *words_of(hundred, name)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.rsplit("LOADED", 1)[1].split() == []
    assert "naive_bayes" in done.stdout or "TrainModel" in done.stdout


def test_ls_counts_all_hundred(hundred):
    command = [str(BIN / "pipeline"), *words_of(hundred, "ls"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert len(json.loads(done.stdout)["runs"]) == 102
