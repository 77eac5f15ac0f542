"""Telling what came of nights by mail, also of those whose process died before it could."""

from dataclasses import replace
from pathlib import Path

from pipeline.nightly import ledger, locks, untold
from pipeline.nightly.night import Night
from pipeline.tasks import recording
from pipeline.tasks.base import address_of, paths
from pipeline.tasks.results import Report


def tell(dataset: str) -> None:
    """Send the mails of all nights of a dataset that are decided and not told yet.

    What a crash left undone of such a night, its record and the history page, is done first. Where
    a mail cannot be sent, the night counts as it is, and the next one tries again.

    Parameters
    ----------
    dataset : str
    """
    folder = recording.registry_of(dataset)
    for name in untold.names(folder):
        with locks.held(folder / untold.FOLDER / ".lock"):
            # Another process may have told it while this one waited.
            state = untold.state(folder, name)
            if state is not None:
                _tell(dataset, name, state)


def report_of(night: Night) -> str | None:
    """Return the address of a night's report, None where it has none."""
    if not night.report:
        return None
    return address_of(Path(paths().outputs) / night.report / Report.page)


def _tell(dataset: str, name: str, state: str) -> None:
    """Finish a night's record and send its mail; the lock is held."""
    from pipeline.nightly import mail

    folder = recording.registry_of(dataset)
    entries = ledger.read(folder).entries
    line = next(one for one in reversed(entries) if ledger.night_name(one.date, one.redo) == name)
    night = recording.read(dataset, line.date, line.redo) if state != untold.BEGUN else None
    if night is None:
        notes = recording.Notes(dataset, line.date, line.redo)
        night = recording.record(dataset, line.date, line.redo, None, notes.night())
        notes.forget()
    if night is None:  # its line is still to be written
        return
    page = address_of(recording.page(dataset))
    if mail.send(replace(night, report=report_of(night)), page):
        untold.forget(folder, name)
    elif state != untold.TRIED:
        untold.mark(folder, name, untold.TRIED)
