"""Changed code, in real processes that run a copy of the package: plan, then run."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
pytestmark = pytest.mark.processes

ARGUMENTS = ("RunAll", "--dataset", "toy", "--model", "naive_bayes")
BELOW_CLEAN = [
    "CleanText",
    "Evaluate",
    "Report",
    "SplitStratified",
    "Tokenize",
    "TrainModel",
    "Vectorize",
]


class Copy:
    """A copy of the package next to a chain, and commands that use it."""

    def __init__(self, chain):
        self.chain = chain
        self.package = chain.folder / "source" / "pipeline"

    def edit(self, name, old, new):
        text = (self.package / name).read_text()
        assert old in text
        (self.package / name).write_text(text.replace(old, new, 1))

    def plan(self, mode):
        code = "from pipeline.cli import main; main()"
        done = self._run([sys.executable, "-c", code, "plan", "--json", *self._arguments(mode)])
        return json.loads(done.stdout)

    def luigi(self, mode):
        script = str(Path(sys.executable).parent / "luigi")
        return self._run([script, "--module", "pipeline", *self._arguments(mode)]).stderr

    def _arguments(self, mode):
        outputs = ["--paths-data", str(self.chain.data), "--paths-outputs", str(self.chain.outputs)]
        return [*ARGUMENTS, *outputs, "--pipeline-code-changes", mode]

    def _run(self, command):
        environment = {**os.environ, "PYTHONPATH": str(self.package.parent)}
        done = subprocess.run(
            command,
            env=environment,
            cwd=self.package.parent,  # python -c puts it on the path, before the environment's
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done


def copy_of(chain):
    package = ROOT / "pipeline"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(package, chain.folder / "source" / "pipeline", ignore=ignored)
    shutil.copy(package.parent / "luigi.cfg", chain.folder / "source")
    return Copy(chain)


@pytest.fixture(scope="module")
def built_for_rerun(tmp_path_factory):
    """Return a chain that was built with the code in its digests."""
    from conftest import Chain

    chain = Chain(tmp_path_factory.mktemp("code"))
    chain.add("toy")
    copy_of(chain).luigi("rerun")
    return chain


@pytest.fixture
def copy(built_for_rerun, tmp_path):
    """Return the package and the chain, to be changed."""
    shutil.copytree(built_for_rerun.folder, tmp_path / "chain", symlinks=True)
    return Copy(type(built_for_rerun)(tmp_path / "chain"))


@pytest.mark.parametrize(
    ("edits", "kinds"),
    [
        (
            [
                ("text/clean.py", "import ", "# only a comment\nimport "),
                ("text/rows.py", '"""', '"""Edited: '),
            ],
            {},
        ),
        (
            [("text/rows.py", "_EXAMPLES = 20", "_EXAMPLES = 19")],
            {"CleanText": "code", **dict.fromkeys(BELOW_CLEAN[1:], "upstream")},
        ),
        (
            [("report/templates/report.html", "<body", "<body data-edited")],
            {"Report": "code"},
        ),
        ([("models/sequences.py", "return ", "return 0 or ")], {}),
    ],
    ids=["only comments", "a line in a helper module", "the template", "another model's code"],
)
def test_plan_of_changed_code_is_what_a_run_then_does(copy, edits, kinds):
    for edit in edits:
        copy.edit(*edit)
    steps = copy.plan("rerun")["steps"]
    planned = {step["task"]: step["kind"] for step in steps if step["action"] == "run"}
    planned.pop("RunAll", None)
    assert planned == kinds
    before = copy.chain.manifests()
    copy.luigi("rerun")
    assert copy.chain.built_after(before) == sorted(kinds)


def test_warning_lists_changed_code_and_artifact_is_kept(chain):
    chain.add("toy")
    copy = copy_of(chain)
    copy.luigi("warn")
    before = chain.manifests()
    copy.edit("text/rows.py", "_EXAMPLES = 20", "_EXAMPLES = 19")
    plan = copy.plan("warn")
    assert plan["runs"] == 0
    notes = {step["task"]: step["note"] for step in plan["steps"] if step["note"]}
    assert list(notes) == ["CleanText"]
    assert "pipeline.text.rows:_EXAMPLES" in notes["CleanText"]
    log = copy.luigi("warn")
    assert re.search(r"2_clean/\S+ was built by other code \(pipeline.text.rows:_EXAMPLES\)", log)
    assert "was built by other code" not in copy.luigi("ignore")
    assert not any(step["note"] for step in copy.plan("ignore")["steps"])
    assert chain.built_after(before) == []
