"""Rules about the shape of the code that no linter checks."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, STEPS

MODULES = sorted((ROOT / "pipeline").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
MOST_LINES, MOST_LINES_OF_A_STEP = 400, 25


def names_of(paths):
    return [path.relative_to(ROOT).as_posix() for path in paths]


def test_packages_import_only_from_packages_before_them():
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_no_module_is_longer_than_a_reader_can_hold():
    long = [path for path in MODULES if len(path.read_text().splitlines()) > MOST_LINES]
    assert not names_of(long)


@pytest.mark.parametrize("step", STEPS)
def test_steps_of_the_chain_are_thin(step):
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", step).lower()
    tree = ast.parse((ROOT / "pipeline" / "tasks" / f"{name}.py").read_text())
    (task,) = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == step)
    lengths = {
        node.name: node.end_lineno - node.lineno + 1
        for node in task.body
        if isinstance(node, ast.FunctionDef) and node.name in ("build", "run")
    }
    assert lengths
    assert max(lengths.values()) <= MOST_LINES_OF_A_STEP


def test_no_test_imports_from_a_test():
    found = [
        path
        for path in TESTS
        if re.search(r"^\s*(from|import) (tests\b|\w*\.?test_)", path.read_text(), re.MULTILINE)
    ]
    assert not names_of(found)


def test_private_attributes_of_keras_are_not_used():
    """They change without notice: a layer or an optimizer of ours uses only what is public."""
    private = re.compile(r"(_get_variable_index|_momentums|_velocities|_maybe_reset|keras\.src)")
    assert not names_of(path for path in MODULES if private.search(path.read_text()))
