"""Which errors are shortened, and which have the hint to report them."""

import errno
import logging

import pytest
import requests

from pipeline.errors import SplitError
from pipeline.tasks import process_setup

HINT = "report it with this traceback to the maintainers"


@pytest.fixture
def shown(caplog):
    """Return a function that logs an error as Luigi does and returns the text."""
    process_setup.prepare()

    def show(error, message="[pid 1] Worker failed"):
        caplog.clear()
        try:
            raise error
        except Exception:
            logging.getLogger("luigi-interface").exception(message)
        return caplog.text

    return show


def test_user_error_is_one_line_with_its_code(shown):
    text = shown(SplitError("too few rows"))
    assert "P204: too few rows" in text
    assert "Traceback" not in text
    assert HINT not in text


def test_internal_error_has_its_traceback_and_the_hint(shown):
    text = shown(ValueError("unforeseen"))
    assert "Traceback" in text
    assert HINT in text


def test_full_disk_is_one_line(shown):
    text = shown(OSError(errno.ENOSPC, "No space left on device", "outputs/a"))
    assert "P303: cannot use outputs/a: No space left on device" in text
    assert "Traceback" not in text


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError(errno.ENOENT, "No such file or directory"),
        ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"),
        requests.ConnectionError("refused"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_error_of_the_system_has_its_traceback_and_no_hint(shown, error):
    text = shown(error)
    assert "Traceback" in text
    assert HINT not in text


@pytest.mark.parametrize(
    ("last_line", "has_hint"),
    [
        ("FileNotFoundError: [Errno 2] No such file or directory: 'a'", False),
        ("ValueError: unforeseen", True),
    ],
)
def test_error_while_luigi_asks_for_dependencies_has_the_hint_if_it_is_internal(
    caplog, last_line, has_hint
):
    process_setup.prepare()
    logging.getLogger("luigi-interface").warning(
        "Will not run %s or any dependencies due to error in complete() method:\n%s",
        "RunAll()",
        f"Traceback (most recent call last):\n{last_line}\n",
    )
    assert last_line in caplog.text
    assert (HINT in caplog.text) is has_hint
