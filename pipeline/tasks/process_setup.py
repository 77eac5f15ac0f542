"""What a command shows: errors of ours in one line, and the report's place at the end."""

import atexit
import logging
import os
import re
import signal
import sys
import threading
from collections.abc import Callable

import luigi

from pipeline.errors import PipelineError

_LOGGER = logging.getLogger("luigi-interface")
_OURS = re.compile(r"^pipeline\.errors\.PipelineError: (.*)", re.MULTILINE | re.DOTALL)


class _PlainErrors(logging.Filter):
    """Rewrite records about our own errors to one line; at DEBUG they stay as they are."""

    def filter(self, record: logging.LogRecord) -> bool:
        if _is_debugging():
            return True
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, PipelineError):
            _rewrite(record, str(error))
        elif isinstance(record.msg, str) and record.msg.startswith("Will not run"):
            # Luigi puts the traceback of an error in complete() or requires() into the message.
            found = _OURS.search(record.msg)
            if found:
                _rewrite(record, found[1].strip())
        return True


def show_errors_plainly() -> None:
    """Show errors of ours without a traceback, once for this process."""
    if not any(isinstance(known, _PlainErrors) for known in _LOGGER.filters):
        _LOGGER.addFilter(_PlainErrors())


def announce(line: Callable[[], str | None]) -> None:
    """Print a line after Luigi's summary, when this process ends and there is something to say."""
    owner = os.getpid()

    def say() -> None:
        said = line() if os.getpid() == owner else None
        if said:
            print(said, flush=True)

    atexit.register(say)


def end_cleanly_on_sigterm() -> None:
    """Let SIGTERM end a run as Ctrl-C does: children stop and temporary folders go."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def _is_debugging() -> bool:
    """Say whether tracebacks were asked for.

    The logger's level does not tell: Luigi's own default is DEBUG, and of errors before it has set
    its logging up only the command line and the configuration know.
    """
    typed = " ".join(sys.argv).replace("=", " ")
    configured = luigi.configuration.get_config().get("core", "log_level", None)
    return "--log-level DEBUG" in typed or (configured == "DEBUG" and "--log-level" not in typed)


def _rewrite(record: logging.LogRecord, text: str) -> None:
    """Make the record say one line, as an error."""
    record.msg, record.args = text, ()
    record.exc_info, record.exc_text = None, None
    record.levelno, record.levelname = logging.ERROR, "ERROR"
