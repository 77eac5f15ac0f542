"""An empty value of the command line, of luigi.cfg or of code is an error that names it."""

from types import SimpleNamespace

import luigi
import pytest
from luigi.cmdline_parser import CmdlineParser
from luigi.task_register import Register

from pipeline import Nightly, Rollback, RunAll
from pipeline.errors import SettingError
from pipeline.nightly.limits import contract, drift
from pipeline.settings import parameter as module
from pipeline.tasks.config import paths
from pipeline.tasks.config import pipeline as options

TASKS = (RunAll, Nightly, Rollback, contract, drift, paths, options)


@pytest.fixture
def config():
    """Return Luigi's configuration; its sections are restored."""
    sections = luigi.configuration.get_config()
    before = {name: dict(sections.items(name)) for name in sections.sections()}
    yield sections
    for name in sections.sections():
        sections.remove_section(name)
    for name, values in before.items():
        for key, value in values.items():
            sections.set(name, key, value)


def parsed(*words):
    """Return the task of a command line."""
    with CmdlineParser.global_instance(["--module", "pipeline", *words], True) as parser:
        return parser.get_task_obj()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["RunAll", "--dataset", ""], "^dataset must be a text, got an empty value; give a value"),
        (["RunAll", "--units", " "], r"^units must be a JSON list .* got an empty value"),
        (["RunAll", "--paths-outputs", ""], r"^paths_outputs must not be empty \(folder of"),
        (["RunAll", "--workers="], "^workers must not be empty"),
        (["Nightly", "--date", ""], r"^date must not be empty \(the night.*; give a value\.$"),
    ],
)
def test_empty_option_is_an_error(words, message):
    with pytest.raises(SettingError, match=message):
        parsed(*words)


def test_flag_needs_no_value():
    assert parsed("RunAll", "--no-test").no_test is True


@pytest.mark.parametrize("empty", ["", " \t"])
@pytest.mark.parametrize("task", TASKS)
def test_empty_option_of_every_parameter_is_an_error(task, empty):
    for name, _ in task.get_params():
        for attribute in (name, f"{task.task_family}_{name}"):
            arguments = SimpleNamespace(root_task=task.task_family, **{attribute: empty})
            parser = type("Parser", (), {"known_args": arguments})
            with pytest.raises(SettingError, match=f"^{attribute} must .* got an empty value"):
                module._check_options_of(parser)


@pytest.mark.parametrize("task", TASKS)
def test_empty_value_of_luigi_cfg_is_an_error(task, config):
    family = task.task_family
    for name, parameter in task.get_params():
        config.set(family, name, "")
        message = rf"^{name} must .*got an empty value in section \[{family}\] of luigi.cfg"
        with pytest.raises(SettingError, match=message):
            # As Luigi does: it hides an error of the first call behind one of its own.
            parameter.has_task_value(family, name)
            parameter.task_value(family, name)


def test_empty_value_of_luigi_cfg_is_an_error_of_the_task(config):
    config.set("RunAll", "seed", "")
    Register.clear_instance_cache()
    with pytest.raises(SettingError, match="^seed must be a whole number"):
        RunAll()


@pytest.mark.parametrize("values", [{"dataset": ""}, {"stop_words": " "}, {"model": ""}])
def test_empty_value_of_code_is_an_error(values):
    (name,) = values
    with pytest.raises(SettingError, match=f"^{name} must be .*, got an empty value"):
        RunAll(**values)


def test_values_that_were_not_set_survive_luigid():
    task = RunAll(dataset="vader", units=[8])
    texts = task.to_str_params()  # an absent value would be that of the daemon's luigi.cfg
    assert "alpha" not in texts
    assert RunAll.from_str_params({**texts, "alpha": ""}) == task


def test_parameter_without_a_value_is_missing():
    with pytest.raises(luigi.parameter.MissingParameterException, match="'date'"):
        Nightly()
