"""Telling what came of nights by mail, also of those whose process died before it could."""

from dataclasses import replace
from pathlib import Path

from pipeline.nightly import ledger, locks, untold
from pipeline.nightly.night import Night
from pipeline.tasks import recording
from pipeline.tasks.base import address_of, paths
from pipeline.tasks.results import Report


def tell(dataset: str, again: bool = True) -> None:
    """Send the mails of all nights of a dataset that are decided and not told yet.

    What a crash left undone of such a night, its record and the history page, is done first. Where
    a mail cannot be sent, the night counts as it is, and the next one tries again.

    Parameters
    ----------
    dataset : str
    again : bool
        Whether to try mails again that could not be sent before.
    """
    folder = recording.registry_of(dataset)
    is_away = False  # the mail server: to wait for it once is enough
    for name in untold.names(folder):
        with locks.held(folder / untold.FOLDER / ".lock"):
            # Another process may have told it while this one waited.
            state = untold.state(folder, name)
            if state is None or (state == untold.TRIED and (is_away or not again)):
                continue
            night = _finished(dataset, name, state)
            if night is None:  # its line is still to be written
                continue
            is_away = is_away or not _is_sent(night)
            if not is_away:
                untold.forget(folder, name)
            elif state != untold.TRIED:
                untold.mark(folder, name, untold.TRIED)


def report_of(night: Night) -> str | None:
    """Return the address of a night's report, None where it has none."""
    if not night.report:
        return None
    return address_of(Path(paths().outputs) / night.report / Report.page)


def _finished(dataset: str, name: str, state: str) -> Night | None:
    """Return a night's record, made where it is not there; None where it has no line."""
    entries = ledger.read(recording.registry_of(dataset)).entries
    line = next(one for one in reversed(entries) if ledger.night_name(one.date, one.redo) == name)
    night = recording.read(dataset, line.date, line.redo) if state != untold.BEGUN else None
    if night is None:
        notes = recording.Notes(dataset, line.date, line.redo)
        night = recording.record(dataset, line.date, line.redo, None, notes.night())
        notes.forget()
    return night


def _is_sent(night: Night) -> bool:
    """Send a night's mail; say whether it is done with."""
    from pipeline.nightly import mail

    page = address_of(recording.page(night.dataset))
    return mail.send(replace(night, report=report_of(night)), page)
