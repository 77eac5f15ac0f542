"""The help of tasks: their parameters, grouped by the step that uses them."""

import shutil
import textwrap
from collections.abc import Iterator
from typing import Any

import luigi
from luigi.task_register import Register

from pipeline.features import specs as features
from pipeline.models import specs
from pipeline.settings.parameter import SettingParameter
from pipeline.settings.setting import Setting

STEPS = (
    *("DownloadData", "CleanText", "Tokenize", "Vectorize", "SplitStratified", "TrainModel"),
    *("Evaluate", "Report", "Validate"),
)
#: The tasks for users; the package exports the same.
TASKS = ("RunAll", "Nightly", "RangeDailyBase", "Rollback", *STEPS)
_MOST_COLUMNS = 100
_OPTIONS = {
    "--paths-data DIR": "folder of raw files. Default: data",
    "--paths-outputs DIR": "folder of artifacts. Default: outputs",
    "--pipeline-code-changes": "what to do if the code of an artifact has changed: warn, rerun or "
    "ignore. Default: warn",
    "--workers": "tasks that run at the same time. Default: 1",
    "--log-level": "DEBUG, INFO, WARNING or ERROR; DEBUG shows tracebacks. Default: INFO",
    "--local-scheduler": "use no luigid",
    "--help-all": "all options of Luigi and of all tasks",
}


def text(task: str | None) -> str:
    """Return the help of a task; without one, the list of tasks."""
    width = min(shutil.get_terminal_size((_MOST_COLUMNS, 0)).columns, _MOST_COLUMNS)
    blocks = _of_task(task, width) if task else _of_package(width)
    return "\n".join(blocks)


def _of_package(width: int) -> Iterator[str]:
    """Yield the lines of the list of tasks."""
    yield "Usage: luigi --module pipeline TASK [--PARAMETER VALUE ...]\n"
    yield "Tasks:"
    for name in TASKS:
        yield from _entry(name, _summary(Register.get_task_cls(name)), width)
    yield "\nOptions of all tasks:"
    for name, description in _OPTIONS.items():
        yield from _entry(name, description, width)
    yield "\n`luigi --module pipeline TASK --help` lists the parameters of a task."


def _of_task(name: str, width: int) -> Iterator[str]:
    """Yield the lines of the help of a task."""
    task = Register.get_task_cls(name)
    yield f"Usage: luigi --module pipeline {name} [--PARAMETER VALUE ...]\n"
    yield from textwrap.wrap(_summary(task), width)
    parameters = dict(task.get_params())
    of_models = [key for key in (*features.SETTINGS, *specs.HYPERPARAMETERS) if key in parameters]
    for step, names in _groups(name, parameters):
        shown = [key for key in names if key not in (*of_models, "representation")]
        if shown:
            yield f"\n{step}:"
        for key in shown:
            yield from _entry(f"--{key.replace('_', '-')}", _description(parameters[key]), width)
    if of_models:
        yield "\nParameters of models; `pipeline models NAME` explains those of a model:"
        options = ", ".join(f"--{key.replace('_', '-')}" for key in of_models)
        yield from textwrap.wrap(
            options, width, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
        )
    yield "\nOptions of all tasks:"
    for option, description in _OPTIONS.items():
        yield from _entry(option, description, width)


def _groups(name: str, parameters: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Yield names of parameters by the first step of the chain that has them, then the others."""
    rest = list(parameters)
    groups = {}
    for step in STEPS:
        has = dict(Register.get_task_cls(step).get_params())
        groups[step] = [key for key in rest if has.get(key) is parameters[key]]
        rest = [key for key in rest if key not in groups[step]]
    if rest and name not in groups:
        yield name, rest
    yield from groups.items()


def _entry(name: str, description: str, width: int) -> list[str]:
    """Return the lines of a name and its description."""
    return textwrap.wrap(
        f"{name}  {description}",
        width,
        initial_indent="  ",
        subsequent_indent=" " * 6,
        break_on_hyphens=False,
    )


def _description(parameter: Any) -> str:
    """Return the description of a parameter with its default, or that it is required."""
    if isinstance(parameter, SettingParameter):
        return _description_of_setting(parameter.setting)
    described = " ".join(str(parameter.description or "").split())
    if "Default: " in described:
        return described
    if parameter._default is luigi.parameter._no_value:
        return f"{described}. Required"
    return f"{described}. Default: {parameter.serialize(parameter._default) or 'none'}"


def _description_of_setting(setting: Setting) -> str:
    """Return the description with choices and default, but without types and ranges."""
    unit = f" [{setting.unit}]" if setting.unit else ""
    allowed = f"; {setting.allowed}" if setting.choices or setting.kind == "date" else ""
    default = setting.serialize(setting.default)
    return f"{setting.description}{unit}{allowed}. Default: {default}"


def _summary(task: Any) -> str:
    """Return the first sentence of a task's docstring."""
    return " ".join((task.__doc__ or "").strip().split("\n\n")[0].split())
