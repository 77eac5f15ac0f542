"""Set-up of a process: error messages, the last line of the output, signals."""

import atexit
import gc
import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable

import luigi

from pipeline.tasks import command_line, user_errors

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


def prepare() -> None:
    """Prepare the process before Luigi reads the command line.

    This installs the filter of error messages on Luigi's logger and the parsers and help of
    `command_line`, shows the logs of the package as
    Luigi shows its own, and exempts all loaded code from garbage collection: it lives as long as
    the process. Visiting it would take more CPU time if all is built.
    """
    logger = logging.getLogger("luigi-interface")
    if not any(isinstance(existing, _ErrorFilter) for existing in logger.filters):
        logger.addFilter(_ErrorFilter())
    package_logger = logging.getLogger("pipeline")
    if not any(isinstance(existing, _LuigiHandler) for existing in package_logger.handlers):
        package_logger.addHandler(_LuigiHandler())
        package_logger.setLevel(logging.INFO)
    command_line.install()
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
            command_line.write_line(text)

    atexit.register(show)


def end_cleanly_on_sigterm() -> None:
    """Handle SIGTERM like Ctrl-C: child processes stop and temporary folders are removed."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)


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
