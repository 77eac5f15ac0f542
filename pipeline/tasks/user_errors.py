"""Errors of Luigi, of luigi.cfg and of the operating system that a user can correct."""

import configparser
import errno
import re
from typing import Any

import luigi
from luigi.task_register import Register, TaskClassException

from pipeline import errors
from pipeline.errors import PipelineError, SettingError, StorageError
from pipeline.settings.config_errors import unreadable
from pipeline.tasks import task_help

# Errors of the operating system that no change of the code avoids.
_STORAGE = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space",
    errno.EACCES: "check the permissions",
    errno.EPERM: "check the permissions",
    errno.EROFS: "use a folder that can be written: --paths-outputs",
    errno.ENOTDIR: "use a folder instead of the file: --paths-outputs and --paths-data",
    errno.EISDIR: "use a file instead of the folder",
    errno.ENAMETOOLONG: "use a shorter path",
    errno.EIO: "check the disk",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ENFILE: "raise the limit of open files",
}
_ALLOWED = {
    "DateParameter": "a date such as 2026-11-22",
    "DateHourParameter": "an hour such as 2026-11-22T03",
    "DateMinuteParameter": "a minute such as 2026-11-22T0315",
    "MonthParameter": "a month such as 2026-11",
    "YearParameter": "a year such as 2026",
    "IntParameter": "a whole number",
    "FloatParameter": "a number",
    "BoolParameter": "true or false",
    "DictParameter": 'a JSON object such as \'{"dataset": "tickets"}\'',
    "ListParameter": "a JSON list such as '[1, 2]'",
}
_MISSING = re.compile(r"^(\w+)\[.*requires the '(\w+)' parameter to be set$", re.DOTALL)
_UNKNOWN = re.compile(r"^(\w+)\[.*: unknown parameter (\w+)$", re.DOTALL)
_DEFAULT = re.compile(r"^(\w+)\[.*Error when parsing the default value of '(\w+)'$", re.DOTALL)
_ERRNO = re.compile(r"\[Errno (\d+)\] ([^:\n]*)(?:: '(.*)')?")


def of(error: BaseException) -> PipelineError | None:
    """Return the error to show a user in one line; None for an internal error.

    Examples
    --------
    >>> of(OSError(errno.ENOSPC, "No space left on device", "outputs/a"))
    StorageError('cannot use outputs/a: No space left on device; free some space.')
    >>> of(KeyError("a"))
    """
    if isinstance(error, PipelineError):
        return error
    if isinstance(error, OSError):
        return _of_system(error.errno, error.strerror, error.filename)
    if isinstance(error, configparser.Error):
        return unreadable(error)
    if isinstance(error, ValueError) and error.__cause__ and _DEFAULT.match(str(error)):
        return of(error.__cause__)
    return _of_luigi(type(error).__name__, str(error))


def from_traceback(text: str) -> PipelineError | None:
    """Return the error to show in one line, from the text of a traceback, or None.

    Luigi logs errors in ``complete`` and ``requires`` as text.
    """
    matches = list(re.finditer(r"^(?:\w+\.)*(\w+): ", text, re.MULTILINE))
    for match in reversed(matches):
        name, message = match[1], text[match.end() :].strip()
        error_type = getattr(errors, name, None)
        if isinstance(error_type, type) and issubclass(error_type, PipelineError):
            return error_type(message)
        system = _ERRNO.match(message)
        if system:
            return _of_system(int(system[1]), system[2], system[3])
        found = _of_luigi(name, message)
        if found:
            return found
        if "Error when parsing the default value of" not in message:
            return None
    return None


def check_value(parameter: Any, name: str, text: str) -> None:
    """Raise the error of a user if a parameter of Luigi cannot have a value."""
    try:
        parameter.parse(text)
    except Exception as error:
        raise _rejected(parameter, name, text, error) from error
    if name == "workers" and int(text) < 1:
        raise SettingError(f"workers must be at least 1 task, got {text}")


def _rejected(parameter: Any, name: str, text: str, error: Exception) -> PipelineError:
    """Return the error of a value that a parameter could not parse."""
    if isinstance(error, TaskClassException):
        return _unknown_task(text)
    if isinstance(error, PipelineError):
        return error
    kinds = (one.__name__ for one in type(parameter).__mro__)
    allowed = next((_ALLOWED[kind] for kind in kinds if kind in _ALLOWED), "another value")
    if isinstance(parameter, luigi.ChoiceParameter):
        allowed = f"one of {', '.join(map(str, sorted(parameter._choices)))}"
    received = text if text.strip() else "an empty value; give a value, or leave it out"
    return SettingError(f"{name} must be {allowed}, got {received}")


def _of_system(number: int | None, reason: str | None, path: Any) -> PipelineError | None:
    """Return the error of a disk or of permissions; None for other errors of the system."""
    if number not in _STORAGE:
        return None
    where = f"cannot use {path}: " if path else ""
    return StorageError(f"{where}{reason}; {_STORAGE[number]}.")


def _of_luigi(kind: str, message: str) -> PipelineError | None:
    """Return the error of a task's parameters or name, by the type and text of Luigi's error."""
    if kind == "MissingParameterException" and (match := _MISSING.match(message)):
        parameter = dict(Register.get_task_cls(match[1]).get_params())[match[2]]
        option = f"--{match[2].replace('_', '-')}"
        return SettingError(f"{match[1]} needs {option}: {parameter.description}.")
    if kind == "UnknownParameterException" and (match := _UNKNOWN.match(message)):
        names = [name for name, _ in Register.get_task_cls(match[1]).get_params()]
        near = errors.similar(match[2], names)
        return errors.UnknownNameError(
            f"{match[1]} has no parameter {match[2]!r}; {near}`luigi --module pipeline {match[1]} "
            "--help` lists the parameters."
        )
    if kind == "RPCError":
        address = message.split("remote scheduler")[-1].strip()
        return errors.SchedulerError(
            f"luigid at {address} does not answer; start it, correct scheduler_url, or set "
            "local_scheduler = true in section [core] of luigi.cfg."
        )
    if kind in ("ParameterException", "DuplicateParameterException"):
        return SettingError(_RANGES.get(message, message))
    if kind == "TaskClassNotFoundException":
        return _unknown_task(message.removeprefix("No task ").split(".")[0])
    return None


_RANGES = {
    "At least one of start and stop needs to be specified": "a range needs --start or --stop.",
    "Either start needs to be specified or reverse needs to be True": "a range needs --start, its "
    "first day; with --reverse it needs none.",
    "Can't have start > stop": "--start must not be after --stop.",
}


def _unknown_task(name: str) -> errors.UnknownNameError:
    return errors.UnknownNameError(
        f"unknown task {name!r}; {errors.nearest(name, task_help.TASKS)}."
    )
