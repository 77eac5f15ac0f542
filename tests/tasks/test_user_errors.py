"""Errors of Luigi and of the system as one line."""

import datetime
import errno
import traceback

import pytest
from luigi.rpc import RPCError

from pipeline import Nightly, RangeDailyBase, Rollback
from pipeline.errors import DatasetFileError, PipelineError
from pipeline.tasks import user_errors

DAY = datetime.date(2026, 11, 22)


def raised(call):
    try:
        call()
    except Exception as error:
        return error
    raise AssertionError("no error")


def fail(error):
    raise error


# A call that fails, parts of the line.
ERRORS = {
    "night without a date": (
        lambda: Nightly(dataset="a"),
        ["P101: Nightly needs --date: the night"],
    ),
    "rollback without a champion": (
        lambda: Rollback(dataset="a"),
        ["P101: Rollback needs --to: night that promoted"],
    ),
    "range without a task": (lambda: RangeDailyBase(start=DAY), ["RangeDailyBase needs --of"]),
    "range without a day": (
        lambda: RangeDailyBase(of=Nightly, start=None).requires(),
        ["P101: a range needs --start or --stop"],
    ),
    "range without a first day": (
        lambda: RangeDailyBase(of=Nightly, stop=DAY).requires(),
        ["P101: a range needs --start, its first day"],
    ),
    "range that ends before it starts": (
        lambda: RangeDailyBase(of=Nightly, start=DAY, stop=datetime.date(2026, 1, 1)).requires(),
        ["P101: --start must not be after --stop"],
    ),
    "unknown parameter of a range": (
        lambda: Nightly(date=DAY, datast="a"),
        ["P103: Nightly has no parameter 'datast'; did you mean 'dataset'"],
    ),
    "full disk": (
        lambda: fail(OSError(errno.ENOSPC, "No space left on device", "outputs/a")),
        ["P303: cannot use outputs/a: No space left on device; free some space"],
    ),
    "permission": (
        lambda: fail(PermissionError(errno.EACCES, "Permission denied", "outputs")),
        ["P303: cannot use outputs: Permission denied; check the permissions"],
    ),
    "file instead of a folder": (
        lambda: fail(NotADirectoryError(errno.ENOTDIR, "Not a directory", "outputs/a")),
        ["P303", "--paths-outputs"],
    ),
    "luigid that does not answer": (
        lambda: fail(
            RPCError("Errors (3 attempts) when connecting to remote scheduler 'http://a'")
        ),
        ["P304: luigid at 'http://a' does not answer; start it"],
    ),
    "dataset.toml": (lambda: fail(DatasetFileError("it has no files")), ["P201: it has no files"]),
}


@pytest.mark.parametrize("name", ERRORS)
def test_error_of_a_user_is_one_line(name):
    call, parts = ERRORS[name]
    error = raised(call)
    # Luigi logs the error, or writes its traceback into a message.
    text = "Will not run A() or any dependencies:\n" + "".join(traceback.format_exception(error))
    for shown in (user_errors.of(error), user_errors.from_traceback(text)):
        line = f"{shown.code}: {shown}"
        assert isinstance(shown, PipelineError)
        assert "\n" not in line
        for part in parts:
            assert part in line


@pytest.mark.parametrize(
    "error", [ValueError("unforeseen"), KeyError("a"), FileNotFoundError(2, "No such file", "a")]
)
def test_internal_error_is_no_error_of_the_user(error):
    error = raised(lambda: fail(error))
    assert user_errors.of(error) is None
    assert user_errors.from_traceback("".join(traceback.format_exception(error))) is None


def test_text_in_a_message_of_an_internal_error_is_not_taken_for_an_error():
    text = "Traceback (most recent call last):\nValueError: row\n  DataError: in the text\n"
    assert user_errors.from_traceback(text) is None
