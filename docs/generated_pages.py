"""Generate what follows from the code: tables of parameters, models, commands and errors.

``conf.py`` calls `write` before Sphinx reads the pages. Each page of `PAGES` is built from
declarations, so that it cannot differ from what the program does.
"""

import importlib
import inspect
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import click
import luigi

_TASKS = (
    "DownloadData",
    "CleanText",
    "Tokenize",
    "Vectorize",
    "SplitStratified",
    "TrainModel",
    "Validate",
    "Evaluate",
    "Report",
    "RunAll",
    "Nightly",
    "Rollback",
)
#: Sections of luigi.cfg with the module and the class that declare them.
_SECTIONS = {
    "paths": "pipeline.tasks.config",
    "pipeline": "pipeline.tasks.config",
    "contract": "pipeline.nightly.limits",
    "drift": "pipeline.nightly.limits",
}


def write(folder: Path) -> None:
    """Write the pages of `PAGES`; a page that is up to date is not written again."""
    folder.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        path, text = folder / name, page()
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def parameters() -> str:
    """Return a table of parameters for each task, in the order of the chain."""
    import pipeline

    lines = []
    seen: set[str] = set()
    for task_name in _TASKS:
        task = getattr(pipeline, task_name)
        declared = [(name, one) for name, one in task.get_params() if name not in seen]
        seen |= {name for name, _ in declared}
        if declared:
            rows = [
                [f"`--{name.replace('_', '-')}`", *_described(task_name, name, one)]
                for name, one in declared
            ]
            lines += ["", f"## {task_name}", "", _first_line(task), ""]
            lines += _table(["parameter", "meaning", "allowed", "default"], rows)
    return "\n".join(lines) + "\n"


def sections() -> str:
    """Return a table of the options of each section of ``luigi.cfg`` that the pipeline reads."""
    lines = []
    for name, module in _SECTIONS.items():
        section = getattr(importlib.import_module(module), name)
        rows = [
            [f"`{option}`", *_described(name, option, one)] for option, one in section.get_params()
        ]
        lines += ["", f"## [{name}]", "", _first_line(section), ""]
        lines += _table(["option", "meaning", "allowed", "default"], rows)
    return "\n".join(lines) + "\n"


def models() -> str:
    """Return a table of models."""
    from pipeline.models.specs import MODELS

    rows = [
        [f"`{model.name}`", model.reads, model.summary, f"`{model.extra}`" if model.extra else ""]
        for model in MODELS.values()
    ]
    return "\n".join(_table(["model", "representation", "description", "extra"], rows)) + "\n"


def presets() -> str:
    """Return a table of presets."""
    from pipeline.models.presets import PRESETS

    rows = [
        [f"`{name}`", ", ".join(f"`{model}`" for model in settings)]
        for name, settings in PRESETS.items()
    ]
    return "\n".join(_table(["preset", "has settings for"], rows)) + "\n"


def commands() -> str:
    """Return the help of each command of ``pipeline``."""
    from pipeline.cli import cli

    lines = []
    context = click.Context(cli, info_name="pipeline")
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        usage = click.Context(command, info_name=name, parent=context).get_help()
        lines += ["", f"## pipeline {name}", "", "```text", usage, "```"]
    return "\n".join(lines) + "\n"


def errors() -> str:
    """Return tables of errors and warnings."""
    from pipeline.errors import error_types, notices

    lines = []
    for title, declared in (("Errors", error_types()), ("Warnings", notices())):
        rows = [[f"`{one.code}`", one.meaning, one.fix] for one in declared]
        lines += ["", f"## {title}", "", *_table(["code", "meaning", "what to do"], rows)]
    return "\n".join(lines) + "\n"


def _described(family: str, name: str, parameter: luigi.Parameter[Any]) -> list[str]:
    """Return meaning, allowed values and default of a parameter of a task or section."""
    setting = getattr(parameter, "setting", None)
    if setting is not None:
        unit = f" ({setting.unit})" if setting.unit else ""
        default = setting.serialize(setting.default)
        return [_cell(setting.description + unit), _cell(setting.allowed), f"`{_cell(default)}`"]
    # Luigi appends the choices to the description, in the order of a set.
    meaning, _, choices = (parameter.description or "").partition(" Choices: ")
    allowed = f"one of {', '.join(sorted(choices.strip('{}').split(', ')))}" if choices else ""
    default = parameter.task_value(family, name) if parameter.has_task_value(family, name) else ""
    shown = parameter.serialize(default) if default not in ("", None) else ""
    return [_cell(meaning.split(" Default: ")[0]), allowed, f"`{shown.lower()}`" if shown else ""]


def _first_line(task: type[luigi.Task]) -> str:
    """Return the summary line of a task's docstring."""
    return (inspect.getdoc(task) or "").split("\n")[0]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def _cell(text: str) -> str:
    """Escape what would end a cell of a table or be taken for HTML."""
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


PAGES: dict[str, Callable[[], str]] = {
    "parameters.md": parameters,
    "sections.md": sections,
    "models.md": models,
    "presets.md": presets,
    "commands.md": commands,
    "errors.md": errors,
}
