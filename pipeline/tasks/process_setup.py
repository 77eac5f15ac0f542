"""Set-up of a process: error messages and the last line of the output."""

import atexit
import gc
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Callable

import luigi
from luigi.cmdline_parser import CmdlineParser

from pipeline import errors
from pipeline.tasks import command_line, interrupt, step_log, user_errors

_REPORT = (
    "This is an error of the pipeline: report it with this traceback to the maintainers (see "
    "CONTRIBUTING.md)."
)


class _ErrorFilter(logging.Filter):
    """Shorten user errors to one line with their code; add a hint to internal errors.

    Other errors of the operating system, such as a refused connection, are neither: they keep their
    traceback without the hint. At log level DEBUG no record is changed.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if _is_debugging():
            return True
        error = record.exc_info[1] if record.exc_info else None
        user_error = user_errors.of(error) if error else None
        if user_error:
            _set_message(record, f"{user_error.code}: {user_error}")
        elif isinstance(error, OSError):
            return True
        elif isinstance(error, Exception) and not type(error).__module__.startswith("luigi"):
            record.exc_text = "".join(traceback.format_exception(error)) + _REPORT
        elif isinstance(record.msg, str) and record.msg.startswith("Will not run"):
            # Luigi writes the traceback of an error in complete() or requires() into the message.
            user_error = user_errors.from_traceback(record.getMessage())
            if user_error:
                _set_message(record, f"{user_error.code}: {user_error}")
            elif "[Errno " not in record.getMessage():
                _set_message(record, f"{record.getMessage().rstrip()}\n{_REPORT}")
        return True


class _QuietFilter(step_log.LuigiFilter):
    """Hide Luigi's lines about scheduling, unless the log level is DEBUG."""

    def filter(self, record: logging.LogRecord) -> bool:
        return _is_debugging() or super().filter(record)


def prepare() -> None:
    """Prepare the process before Luigi reads the command line.

    This installs the filters of Luigi's lines and of error messages on its logger and the parsers
    and help of `command_line`, shows the logs of the package as Luigi shows its own, and exempts
    all loaded code from garbage collection: it lives as long as the process, and visiting it would
    take more CPU time if all is built.
    """
    logger = logging.getLogger("luigi-interface")
    if not any(isinstance(existing, _ErrorFilter) for existing in logger.filters):
        logger.addFilter(_ErrorFilter())
        logger.addFilter(_QuietFilter())
    package_logger = logging.getLogger("pipeline")
    if not any(isinstance(existing, _LuigiHandler) for existing in package_logger.handlers):
        package_logger.addHandler(_LuigiHandler())
        package_logger.setLevel(logging.INFO)
    # Luigi warns of the default of its own RangeDailyBase.
    warnings.filterwarnings("ignore", 'Parameter "param_name" with value "None"', UserWarning)
    command_line.install()
    interrupt.follow_tasks()
    gc.freeze()


class _LuigiHandler(logging.Handler):
    """Write records of the package's loggers as Luigi writes its own, at the same level."""

    def emit(self, record: logging.LogRecord) -> None:
        luigi_logger = logging.getLogger("luigi-interface")
        if luigi_logger.isEnabledFor(record.levelno):
            for handler in luigi_logger.handlers:
                handler.handle(record)


def print_at_exit(lines: Callable[[], str | None]) -> None:
    """Print lines, or nothing for None, when this command ends, after the summary of the run.

    Functions of several runs are called in the order of the runs. A program that runs tasks itself
    decides what it prints.
    """
    if CmdlineParser.get_instance() is None:
        return
    if not _at_exit:
        atexit.register(_print_results, os.getpid())
    _at_exit.append(lines)


_at_exit: list[Callable[[], str | None]] = []


def _print_results(process: int) -> None:
    """Print the results of the runs, unless a child process ends, which inherited them."""
    if os.getpid() != process:
        return
    for lines in _at_exit:
        try:
            text = lines()
        except errors.PipelineError as error:  # a file of the result is damaged
            print(f"{error.code}: {error}", file=sys.stderr)
            continue
        if text:
            command_line.write_line(text)


def _is_debugging() -> bool:
    """Return whether the log level is DEBUG.

    The logger does not have it yet: Luigi starts with DEBUG, and before it has set up logging only
    the command line and the configuration contain the level.
    """
    arguments = " ".join(sys.argv).replace("=", " ")
    configured = luigi.configuration.get_config().get("core", "log_level", None)
    return "--log-level DEBUG" in arguments or (
        configured == "DEBUG" and "--log-level" not in arguments
    )


def _set_message(record: logging.LogRecord, text: str) -> None:
    record.msg, record.args = text, ()
    record.exc_info, record.exc_text = None, None
    record.levelno, record.levelname = logging.ERROR, "ERROR"
