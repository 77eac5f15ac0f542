"""Imports and help texts of a command."""

import subprocess
import sys

import pytest
from loading import RUN, loaded_by

import pipeline
from pipeline import RunAll
from pipeline.models import specs


def test_importing_the_package_loads_nothing_heavy():
    assert loaded_by("import pipeline") == set()


def test_registry_of_champions_loads_nothing_heavy():
    modules = ("contract", "ledger", "night", "registry")
    assert loaded_by("; ".join(f"import pipeline.nightly.{name}" for name in modules)) == set()


@pytest.mark.processes
def test_complete_run_loads_nothing_heavy(built):
    arguments = built.command("RunAll", "--dataset", "toy", "--model", "naive_bayes")[1:]
    assert loaded_by(RUN, *arguments) == set()


@pytest.mark.processes
def test_run_of_a_scikit_learn_model_never_loads_tensorflow(chain):
    chain.add("toy")
    arguments = chain.command("RunAll", "--dataset", "toy", "--model", "naive_bayes")[1:]
    loaded = loaded_by(RUN, *arguments)
    assert "sklearn" in loaded
    assert not loaded & {"tensorflow", "keras"}


def test_every_parameter_has_a_description_and_a_default():
    for name, parameter in RunAll.get_params():
        assert parameter.description, name
        assert "Default: " in parameter.description, name


@pytest.mark.processes
def test_help_lists_parameters_with_their_units(chain):
    done = chain.luigi("RunAll", "--help-all")
    assert done.returncode == 0
    text = " ".join(done.stdout.split())
    for part in ("--RunAll-units", "[cells]", "--RunAll-sequence-length", "[tokens]", "[epochs]"):
        assert part in text, part


@pytest.mark.parametrize("name", specs.MODELS)
def test_every_model_uses_declared_settings_and_allowed_defaults(name):
    row = specs.MODELS[name]
    assert set(row.uses) <= set(specs.HYPERPARAMETERS)
    settings = {key: value.setting for key, value in RunAll.get_params() if key != "no_test"}
    for key, value in row.defaults.items():
        settings[key].check(value)


def test_tasks_are_attributes_of_the_package():
    for name in pipeline.__all__:
        assert hasattr(pipeline, name), name
    assert pipeline.RangeDailyBase.get_task_family() == "RangeDailyBase"


def test_import_does_not_depend_on_the_command_line():
    commands = (["luigi", "--module", "pipeline", "RunAll"], ["pipeline", "ls"], [])
    code = "import sys; sys.argv = {!r}; import pipeline; print(sorted(sys.modules))"
    loaded = {
        subprocess.run(
            [sys.executable, "-c", code.format(command)], capture_output=True, text=True, check=True
        ).stdout
        for command in commands
    }
    assert len(loaded) == 1
