"""Deciding a date again, which happens when a person asks for it and never by itself."""

import datetime

from pipeline.errors import PipelineError
from pipeline.nightly import ledger, outbox, records
from pipeline.nightly.ledger import Entry


def next_number(dataset: str, day: str, asked: datetime.datetime | None = None) -> int:
    """Return which time a night would be decided, if it were decided again now.

    One that was cut short before it was told is finished first, and so is one that was decided
    after it was asked for: to decide it once more would compare its model with itself.

    Parameters
    ----------
    dataset, day : str
    asked : datetime or None
        When it was asked for, with a time zone, where this may not be the first try.

    Raises
    ------
    PipelineError
        If it was never decided.
    """
    folder = records.registry_of(dataset)
    line = ledger.read(folder).of(day)
    if line is None:
        raise PipelineError(
            f"the night of {day} of dataset {dataset!r} was never decided, so that there is "
            "nothing to decide again; leave --redo out."
        )
    if not line.redo:
        return 1
    is_complete = records.read(dataset, day, line.redo) is not None
    is_settled = outbox.is_settled(folder, ledger.night_name(day, line.redo))
    is_the_one = asked is not None and datetime.datetime.fromisoformat(line.time) >= asked
    return line.redo if is_the_one or not (is_complete and is_settled) else line.redo + 1


def is_open(line: Entry | None, day: str, number: int) -> bool:
    """Say whether a night is still to be decided that time.

    Parameters
    ----------
    line : Entry or None
        The last line of the night.
    day : str
    number : int
        0 for the first decision, 1 for the first time that it is decided again.

    Raises
    ------
    PipelineError
        If a time is left out.
    """
    times = 0 if line is None else line.redo + 1
    if number > times:
        raise PipelineError(
            f"redo counts how often a date was decided before, got {number} for {day}, which was "
            f"decided {times} times; give {times}, or use pipeline nightly --redo, which counts "
            "by itself."
        )
    return number == times


def check_model(dataset: str, day: str, model: str) -> None:
    """Raise where a night was decided with another model.

    Parameters
    ----------
    dataset, day, model : str

    Raises
    ------
    PipelineError
        With both models and what to do.
    """
    night = records.read_night(dataset, day)
    if night is not None and night.model not in ("", model):
        raise PipelineError(
            f"the night of {day} of dataset {dataset!r} was decided with model {night.model} "
            f"({night.outcome}), so that {model} is not run; to decide it again with {model}, add "
            f"--redo to pipeline nightly, or --redo {night.redo + 1} to Nightly."
        )
