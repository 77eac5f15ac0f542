"""Telling what came of nights by mail, also of those whose process died before it could."""

from dataclasses import replace
from pathlib import Path

from pipeline.nightly import ledger, outbox, records
from pipeline.nightly.night import Night
from pipeline.store import locks
from pipeline.tasks.config import paths, url_of
from pipeline.tasks.report import Report


def tell(dataset: str, own: str | None = None, again: bool = True) -> None:
    """Send the mails of all nights of a dataset that are decided and not told yet.

    What a crash left undone of such a night, its record and the history page, is done first. Where
    a mail cannot be sent, the night counts as it is, and the next one tries again. So it does
    where this process has nobody to write to: the next one may have.

    Parameters
    ----------
    dataset : str
    own : str or None
        Name of the night that this process is about, see `pipeline.nightly.ledger.night_name`: it
        is told on the screen, and needs no mail where nobody wants one.
    again : bool
        Whether to try mails again that could not be sent before.
    """
    from pipeline.nightly import mail

    folder, is_wanted = records.registry_of(dataset), mail.is_wanted()
    is_away = False  # the mail server: to wait for it once is enough
    for name in outbox.names(folder):
        with locks.held(folder / outbox.FOLDER / ".lock"):
            # Another process may have told it while this one waited.
            state = outbox.state(folder, name)
            is_tried = state == outbox.TRIED
            if state is None or (is_tried and (is_away or not again or not is_wanted)):
                continue
            night = _finished(dataset, name, state)
            if night is None:  # its line is still to be written
                continue
            is_away = is_away or (is_wanted and not _is_sent(night))
            if not is_away and (is_wanted or name == own):
                outbox.forget(folder, name)
            elif not is_tried:
                outbox.mark(folder, name, outbox.TRIED)


def report_of(night: Night) -> str | None:
    """Return the address of a night's report, None where it has none."""
    if not night.report:
        return None
    return url_of(Path(paths().outputs) / night.report / Report.page)


def _finished(dataset: str, name: str, state: str) -> Night | None:
    """Return a night's record, made where it is not there; None where it has no line."""
    entries = ledger.read(records.registry_of(dataset)).entries
    line = next(one for one in reversed(entries) if ledger.night_name(one.date, one.redo) == name)
    night = records.read(dataset, line.date, line.redo) if state != outbox.BEGUN else None
    if night is None:
        notes = records.Notes(dataset, line.date, line.redo)
        night = records.record(dataset, line.date, line.redo, None, notes.night())
        notes.forget()
    return night


def _is_sent(night: Night) -> bool:
    """Send a night's mail; say whether it is done with."""
    from pipeline.nightly import mail

    page = url_of(records.page(night.dataset))
    return mail.send(replace(night, report=report_of(night)), page)
