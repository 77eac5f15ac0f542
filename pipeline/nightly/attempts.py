"""Repeated decisions on a date: a person asks for them, they never happen by themselves."""

import datetime

from pipeline.errors import NightError
from pipeline.nightly import ledger, outbox, records
from pipeline.nightly.ledger import Entry


def next_number(dataset: str, day: str, asked: datetime.datetime | None = None) -> int:
    """Return the number that a repeated decision on a night would have now.

    An interrupted decision is finished first. So is a decision that was made after the request
    (``asked``, with a time zone), because a second one would compare its model with itself.

    Raises
    ------
    NightError
        If the night was never decided.
    """
    folder = records.registry_of(dataset)
    line = ledger.read(folder).of(day)
    if line is None:
        raise NightError(
            f"the night of {day} of dataset {dataset!r} was never decided, so it cannot be decided "
            "again; remove --redo."
        )
    if not line.redo:
        return 1
    is_complete = records.read(dataset, day, line.redo) is not None
    is_settled = outbox.is_settled(folder, ledger.night_name(day, line.redo))
    is_answer = asked is not None and datetime.datetime.fromisoformat(line.time) >= asked
    return line.redo if is_answer or not (is_complete and is_settled) else line.redo + 1


def is_open(line: Entry | None, day: str, number: int) -> bool:
    """Return whether decision ``number`` on a night, whose last line is ``line``, is still open.

    Examples
    --------
    >>> is_open(None, "2026-11-22", 0)
    True
    """
    decided = 0 if line is None else line.redo + 1
    if number > decided:
        raise NightError(
            f"redo is the number of earlier decisions on a date, got {number} for {day}, which was "
            f"decided {decided} times; give {decided}, or use pipeline nightly --redo, which "
            "counts by itself."
        )
    return number == decided


def check_model(dataset: str, day: str, model: str) -> None:
    """Raise NightError if a night was decided with another model."""
    night = records.read_night(dataset, day)
    if night is not None and night.model not in ("", model):
        raise NightError(
            f"the night of {day} of dataset {dataset!r} was decided with model {night.model} "
            f"({night.outcome}), so {model} does not run; to decide it again with {model}, add "
            f"--redo to pipeline nightly, or --redo {night.redo + 1} to Nightly."
        )
