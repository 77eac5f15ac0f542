"""Set-up of a process: error messages and the last line of the output."""

import atexit
import gc
import logging
import os
import re
import sys
import traceback
from collections.abc import Callable

import luigi

from pipeline import errors
from pipeline.tasks import interrupt

_REPORT = (
    "This is an error of the pipeline: report it with this traceback to the maintainers (see "
    "CONTRIBUTING.md)."
)
_USER_ERROR = re.compile(r"^pipeline\.errors\.(\w+): (.*)", re.MULTILINE | re.DOTALL)


class _ErrorFilter(logging.Filter):
    """Shorten user errors to one line with their code; add a hint to internal errors.

    Errors of the operating system, such as a full disk or a refused connection, are neither: they
    keep their traceback without the hint. At log level DEBUG no record is changed.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if _is_debugging():
            return True
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, errors.PipelineError):
            _set_message(record, f"{error.code}: {error}")
        elif isinstance(error, OSError):
            return True
        elif isinstance(error, Exception) and not type(error).__module__.startswith("luigi"):
            record.exc_text = "".join(traceback.format_exception(error)) + _REPORT
        elif isinstance(record.msg, str) and record.msg.startswith("Will not run"):
            # Luigi writes the traceback of an error in complete() or requires() into the message.
            match = _USER_ERROR.search(record.getMessage())
            error_type = getattr(errors, match[1], None) if match else None
            if match and error_type:
                _set_message(record, f"{error_type.code}: {match[2].strip()}")
            elif "[Errno " not in record.getMessage():
                _set_message(record, f"{record.getMessage().rstrip()}\n{_REPORT}")
        return True


def prepare() -> None:
    """Prepare the process before Luigi reads the command line.

    This installs the filter of error messages on Luigi's logger, shows the logs of the package as
    Luigi shows its own, and exempts all loaded code from garbage collection: it lives as long as
    the process, and Luigi now builds nine parsers with 800 options each. Visiting the code
    meanwhile would take 15 % more CPU time if all is built.
    """
    logger = logging.getLogger("luigi-interface")
    if not any(isinstance(existing, _ErrorFilter) for existing in logger.filters):
        logger.addFilter(_ErrorFilter())
    package_logger = logging.getLogger("pipeline")
    if not any(isinstance(existing, _LuigiHandler) for existing in package_logger.handlers):
        package_logger.addHandler(_LuigiHandler())
        package_logger.setLevel(logging.INFO)
    interrupt.follow_tasks()
    gc.freeze()


class _LuigiHandler(logging.Handler):
    """Write records of the package's loggers as Luigi writes its own, at the same level."""

    def emit(self, record: logging.LogRecord) -> None:
        luigi_logger = logging.getLogger("luigi-interface")
        if luigi_logger.isEnabledFor(record.levelno):
            for handler in luigi_logger.handlers:
                handler.handle(record)


def print_at_exit(line: Callable[[], str | None]) -> None:
    """Print a line, or nothing for None, when this process ends, after the summary of Luigi."""
    process = os.getpid()

    def show() -> None:
        text = line() if os.getpid() == process else None
        if text:
            print(text, flush=True)

    atexit.register(show)


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
