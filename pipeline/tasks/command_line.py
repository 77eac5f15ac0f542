"""The command line of Luigi: errors of one line with the nearest names, and short help.

`install` replaces two functions of Luigi's `CmdlineParser`. The parsers have the options of Luigi,
but no abbreviations: ``--unit`` is an error that names ``--units``. They are built once, where
Luigi builds nine of about 800 options in each run.
"""

import argparse
import contextlib
import functools
import os
import re
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import luigi
from luigi.cmdline_parser import CmdlineParser
from luigi.task_register import Register
from luigi.tools.range import RangeBase

from pipeline.errors import (
    PipelineError,
    SettingConflictError,
    SettingError,
    UnknownNameError,
    nearest,
    similar,
)
from pipeline.settings.parameter import SettingParameter
from pipeline.tasks import config_file, task_help, user_errors

#: Exit code of a command line that names an unknown task or parameter.
USAGE = 2
_MOST_LISTED = 12  # parameters of a task that an error lists


def install() -> None:
    """Let Luigi use the parsers and the help of this module."""
    setattr(CmdlineParser, "_build_parser", staticmethod(_build_parser))  # noqa: B010
    setattr(CmdlineParser, "_possibly_exit_with_help", staticmethod(_check_or_help))  # noqa: B010


def fail(error: PipelineError, code: int) -> NoReturn:
    """Print an error as Luigi prints the errors of tasks, and exit."""
    print(f"ERROR: {error.code}: {error}", file=sys.stderr)
    raise SystemExit(code)


def write_all_characters() -> None:
    """Let standard output escape characters that its encoding lacks, as standard error does."""
    if getattr(sys.stdout, "errors", "") == "strict" and hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")


def write_line(text: str) -> None:
    """Print a text; a reader that has ended, such as ``head``, is no error."""
    try:
        encoding = sys.stdout.encoding or "utf-8"
        # The locale of cron may lack characters of a class or of a path.
        print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)
    except BrokenPipeError:
        # Python would report the text that is still buffered when the process ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        print(f"ERROR: cannot write the output: {error.strerror}.", file=sys.stderr)


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line.

    ``parameters`` has the name and the parameter of each option, by the key of its value.
    """

    root_task: str | None = None
    parameters: dict[str, tuple[str, Any]]

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse all arguments, and check those that Luigi itself parses."""
        known, unknown = self.parse_known_args(args, namespace)
        if unknown:
            fail(self._unknown(unknown), USAGE)
        for key, text in vars(known).items():
            name, parameter = self.parameters.get(key, (key, None))
            if text:
                self._check_effect(name)
            # Settings are checked when the task is created, which has the same exit code.
            if text and parameter is not None and not isinstance(parameter, SettingParameter):
                try:
                    user_errors.check_value(parameter, name, text)
                except PipelineError as error:
                    fail(error, _code())
        if self.root_task and issubclass(Register.get_task_cls(self.root_task), RangeBase):
            _check_range(known)
        return known

    def _check_effect(self, name: str) -> None:
        """Reject ``--TrainModel-units``: a task passes its own values to the steps that it runs."""
        step, _, own = name.partition("_")
        root = self.root_task
        if step in task_help.STEPS and step != root and root in task_help.TASKS and own:
            option, own = (f"--{one.replace('_', '-')}" for one in (name, own))
            fail(SettingConflictError(f"{option} has no effect on {root}; write {own}."), _code())

    def error(self, message: str) -> NoReturn:
        """Print the error of an option without a value, and exit."""
        match = re.match(r"argument ([^:]+): expected one argument", message)
        if match:
            option = match[1].split("/")[-1]
            message = (
                f"{option} needs a value, got none; write a value that begins with a dash as "
                f"{option}='-x'."
            )
        fail(SettingError(message), USAGE)

    def _unknown(self, words: Sequence[str]) -> UnknownNameError:
        """Return the error of the first argument that is no option of the task."""
        word = next((word for word in words if word.startswith("-")), words[0])
        root = self.root_task
        if root and issubclass(Register.get_task_cls(root), luigi.Config):
            root = None  # luigi --modul pipeline RunAll: the section [pipeline] is no task
        name, task = word.split("=")[0], root or "luigi"
        own = [f"--{key.replace('_', '-')}" for key in _own_parameters(root)]
        if not name.startswith("-"):
            option = f"--{name.replace('_', '-')}"
            advice = f"write --{word}" if option in own else "a value with spaces needs quotes"
            return UnknownNameError(f"{name!r} belongs to no parameter of {task}; {advice}.")
        options = list(self._option_string_actions)
        of_luigi = [option for option in options if not option[2:3].isupper()]
        # A parameter of the task is meant rather than a similar option of Luigi.
        ranks = [(own, 0.75), (of_luigi, 0.75), (own, 0.6), (options, 0.6)]
        if name[2:3].isupper():  # --RunAll-units
            ranks = [(options, 0.6)]
        near = next(filter(None, (similar(name, *rank) for rank in ranks)), "")
        allowed = f" Known: {', '.join(own)}." if 0 < len(own) <= _MOST_LISTED else ""
        command = " ".join(filter(None, ("luigi --module pipeline", root, "--help")))
        return UnknownNameError(
            f"{task} has no parameter {name}; {near}`{command}` lists the parameters.{allowed}"
        )


def _own_parameters(task: str | None) -> list[str]:
    return [name for name, _ in Register.get_task_cls(task).get_params()] if task else []


def _build_parser(root_task: str | None = None, help_all: bool = False) -> _Parser:
    """Return the parser of the tasks that are imported; the same one for the same tasks."""
    if root_task and root_task not in Register.task_names():
        fail(_unknown_task(root_task), USAGE)
    return _built(root_task, help_all, len(Register._reg))


@functools.cache
def _built(root_task: str | None, help_all: bool, n_tasks: int) -> _Parser:
    """Build a parser as Luigi does."""
    parser = _Parser(prog="luigi", add_help=False, allow_abbrev=False)
    parser.root_task, parser.parameters = root_task, {}
    parser.add_argument("root_task", nargs="?", metavar="TASK", help="the task to run")
    for task, has_no_section, name, parameter in Register.get_all_params():
        is_own = task == root_task
        is_shown = is_own or help_all or parameter.always_in_help
        text = (parameter.description or "").replace("%", "%%") if is_shown else argparse.SUPPRESS
        full_name = name if has_no_section else f"{task}_{name}"
        option = f"--{full_name.replace('_', '-')}"
        parser.add_argument(option, help=text, **parameter._parser_kwargs(name, task))
        parser.parameters[parameter._parser_global_dest(name, task)] = (full_name, parameter)
        if is_own:
            option = f"--{name.replace('_', '-')}"
            parser.add_argument(option, help=text, **parameter._parser_kwargs(name))
            parser.parameters[name] = (name, parameter)
    return parser


def _check_or_help(parser: _Parser, known: argparse.Namespace) -> None:
    """Print the help and exit if it is asked for; else check luigi.cfg and that there is a task.

    Luigi calls this first with each command line, when all tasks are imported.
    """
    write_all_characters()
    if known.core_help_all:
        parser.print_help()
        raise SystemExit
    if known.core_help:
        write_line(task_help.text(known.root_task))
        raise SystemExit
    if not known.root_task:
        fail(UnknownNameError(f"no task was given; {_tasks()}"), USAGE)
    try:
        config_file.check(known.root_task)
    except PipelineError as error:
        fail(error, _code())
    config_file.fill_defaults(known)


def _unknown_task(name: str) -> UnknownNameError:
    """Return the error of a task that does not exist; it lists the tasks of the package."""
    where = "" if name[:1].isupper() else " The task comes before its parameters."
    return UnknownNameError(f"unknown task {name!r}; {nearest(name, task_help.TASKS)}.{where}")


def _tasks() -> str:
    return f"write one after luigi --module pipeline: {', '.join(task_help.TASKS)}."


def _check_range(known: argparse.Namespace) -> None:
    """Reject a range of a task that has no date as its first parameter."""
    if not known.of or known.param_name:
        return
    task = Register.get_task_cls(known.of)
    first = next((one for _, one in task.get_params() if one.positional), None)
    if not isinstance(first, luigi.DateParameter):
        fail(SettingError(f"of must be a task of one date, got {known.of}; use Nightly."), _code())


def _code() -> int:
    """Return the exit code of a rejected setting; luigi.cfg may be checked before it is filled."""
    from luigi.retcodes import retcode

    key = "unhandled_exception"
    code = int(config_file.DEFAULTS["retcode"][key])
    with contextlib.suppress(Exception):  # the rejected setting may be one of this section
        if luigi.configuration.get_config().has_option("retcode", key):
            code = getattr(retcode(), key)
    return code
