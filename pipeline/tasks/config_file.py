"""luigi.cfg: check its sections, keys and values, and set what it lacks."""

import argparse
import configparser
import difflib
import functools
import os
import sys
from collections.abc import Mapping
from typing import Any

import luigi
from luigi.task_register import Register

from pipeline.errors import (
    PipelineError,
    SettingConflictError,
    SettingError,
    UnknownNameError,
    nearest,
    similar,
)
from pipeline.settings.config_errors import unreadable
from pipeline.tasks import task_help, user_errors

#: What luigi.cfg of the repository sets in the sections of Luigi; its comments have the reasons.
DEFAULTS: Mapping[str, Mapping[str, str]] = {
    "core": {
        "local_scheduler": "true",
        "log_level": "INFO",
        "no_lock": "true",
        "autoload_range": "false",
    },
    "worker": {"check_complete_on_run": "true"},
    "retcode": {
        "already_running": "10",
        "missing_data": "20",
        "not_run": "25",
        "task_failed": "30",
        "scheduling_error": "35",
        "unhandled_exception": "40",
    },
    "RangeDailyBase": {"days_back": "36525"},
    "RangeDaily": {"days_back": "36525"},
}
_OF_LUIGI = ("core", "worker", "scheduler", "retcode", "email", "smtp", "resources")
_SCHEDULERS = ("scheduler_host", "scheduler_port", "scheduler_url")
# Keys of Luigi's sections that are like others without being misspelt have a lower similarity.
_MISSPELT = 0.85
_MOST_LISTED = 12  # keys of a section that an error lists


def fill_defaults(known: argparse.Namespace) -> None:
    """Set the defaults that luigi.cfg lacks; print a line if there is no such file.

    Parameters
    ----------
    known : argparse.Namespace
        Luigi's own options of the command line. The local scheduler is no default if they or
        luigi.cfg name another one.
    """
    config = luigi.configuration.get_config()
    has_scheduler = any(
        getattr(known, f"core_{name}", None)
        or config.has_option("core", name)
        or config.has_option("core", f"default_{name}")
        for name in _SCHEDULERS
    )
    if not any(map(os.path.isfile, config._config_paths)):
        scheduler = "" if has_scheduler else "no daemon is needed, "
        _tell_defaults(scheduler, *(_folder(known, name) for name in ("data", "outputs")))
    for section, values in DEFAULTS.items():
        for key, value in values.items():
            is_named = key == "local_scheduler" and has_scheduler
            if not is_named and not config.has_option(section, key):
                config.set(section, key, value)


def _folder(known: argparse.Namespace, name: str) -> str:
    """Return the folder of raw files or of artifacts, as the command line or the default has it."""
    folder: str = getattr(known, f"paths_{name}", None) or name
    return folder.rstrip("/") + "/"


@functools.cache
def _tell_defaults(scheduler: str, data: str, outputs: str) -> None:
    """Print once that no configuration was read."""
    print(
        f"There is no luigi.cfg in this folder; the defaults apply: {scheduler}raw files are in "
        f"{data}, artifacts in {outputs}.",
        file=sys.stderr,
    )


def check(root: str | None = None) -> None:
    """Check the sections, keys and values of luigi.cfg; keys with dashes become underscores.

    Parameters
    ----------
    root : str, optional
        The task that runs. It passes its own values to the steps, so that their sections have no
        effect.

    Raises
    ------
    UnknownNameError
        If a section or key of the pipeline or of Luigi is misspelt.
    SettingConflictError
        If a key is set with dashes and with underscores, or a section has no effect.
    SettingError
        If a value has the wrong type.
    ConfigFileError
        If a value contains a percent sign or ``${`` that is not escaped.
    """
    config = luigi.configuration.get_config()
    if not isinstance(config, luigi.configuration.LuigiConfigParser):
        return  # luigi.toml, whose values have types
    tasks = {name: task for name, task in Register._get_reg().items() if isinstance(task, type)}
    for section in config.sections():
        if section in task_help.STEPS and root in task_help.TASKS and root != section:
            raise SettingConflictError(
                f"section [{section}] of luigi.cfg has no effect on {root}; move its keys to "
                "[RunAll]."
            )
        if section != section.lower() in tasks:
            # The gate Contract is a task too, but [contract] has its limits.
            raise UnknownNameError(
                f"luigi.cfg has an unknown section [{section}]; did you mean [{section.lower()}]?"
            )
        if section in tasks:
            for key in [key for key in config.options(section) if key not in config.defaults()]:
                _check_key(config, section, key, tasks[section])
        else:
            _check_section(section, tasks)


def _check_section(section: str, tasks: Mapping[str, type]) -> None:
    """Reject a section that is like one of the pipeline or of Luigi; others belong to others."""
    ours = [name for name, task in tasks.items() if _is_ours(task) or name in DEFAULTS]
    names = {name.lower(): name for name in [*ours, *_OF_LUIGI]}
    typed = "".join(letter for letter in section.lower() if letter.isalnum())
    near = difflib.get_close_matches(typed, names, n=1, cutoff=0.8)
    if near and section not in names.values():
        raise UnknownNameError(
            f"luigi.cfg has an unknown section [{section}]; did you mean [{names[near[0]]}]?"
        )


def _check_key(config: Any, section: str, key: str, task: Any) -> None:
    """Check the name of a key, replace its dashes, and check its value."""
    parameters, name = dict(task.get_params()), key.replace("-", "_")
    where = f"section [{section}] of luigi.cfg"
    if name != key and name in config.options(section):
        raise SettingConflictError(
            f"{where} sets {name} and {key}, which are the same parameter; remove one of them."
        )
    if name not in parameters:
        _check_unknown(key, name, task, where)
        return
    try:
        text = configparser.ConfigParser.get(config, section, key)
    except configparser.Error as error:
        raise unreadable(error) from error
    if name != key:
        # Luigi reads test-fraction, but not keys in which some underscores are dashes.
        config.set(section, name, dict(config.items(section, raw=True))[key])
        config.remove_option(section, key)
    try:
        user_errors.check_value(parameters[name], name, text)
    except PipelineError as error:
        quotes = "; write it without quotes" if text.startswith(("'", '"')) else ""
        raise type(error)(f"{where}: {error}{quotes}") from error
    if section == "paths" and len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        raise SettingError(
            f"{where}: {name} is a folder in quotes, {text}; write it without quotes."
        )


def _check_unknown(key: str, name: str, task: Any, where: str) -> None:
    """Reject an unknown key of the pipeline, and one that is like a key of Luigi."""
    names = [name for name, _ in task.get_params()]
    if not _is_ours(task):
        near = similar(name, names, _MISSPELT).rstrip()
        if not near or name in getattr(task, "ignore_unconsumed", ()):
            return
    elif len(names) <= _MOST_LISTED:
        near = nearest(name, names) + "."
    else:
        near = similar(name, names) + "`luigi --module pipeline RunAll --help` lists the keys."
    raise UnknownNameError(f"{where} has an unknown key {key!r}; {near}")


def _is_ours(task: type) -> bool:
    """Return whether a task or section belongs to the pipeline."""
    return task.__module__.startswith("pipeline.")
