"""Send the mails of decided nights, also of those whose process ended before it could."""

from dataclasses import replace

from pipeline.nightly import ledger, outbox, records
from pipeline.nightly.night import Night
from pipeline.store import locks
from pipeline.tasks.config import outputs_folder, url_of
from pipeline.tasks.report import Report


def send_pending(dataset: str, current: str | None = None, again: bool = True) -> None:
    """Send the mails of all decided nights of a dataset that are in the outbox.

    A record or a history page that a crash left unwritten is written first. A mail that cannot be
    sent, or that has no receiver in this process, stays in the outbox for the next night.

    ``current`` is the folder name of this process' night, which needs no mail without a receiver;
    ``again`` tries mails again that could not be sent before.
    """
    from pipeline.nightly import mail

    folder, is_wanted = records.registry_of(dataset), mail.is_wanted()
    is_away = False  # one attempt is enough if the mail server does not answer
    for name in outbox.names(folder):
        with locks.held(folder / outbox.FOLDER / ".lock"):
            # Another process may have sent the mail while this one waited for the lock.
            state = outbox.state(folder, name)
            is_tried = state == outbox.TRIED
            if state is None or (is_tried and (is_away or not again or not is_wanted)):
                continue
            night = _recorded(dataset, name, state)
            if night is None:  # its line is not written yet
                continue
            is_away = is_away or (is_wanted and not _is_sent(night))
            if not is_away and (is_wanted or name == current):
                outbox.remove(folder, name)
            elif not is_tried:
                outbox.mark(folder, name, outbox.TRIED)


def report_url(night: Night) -> str | None:
    """Return the URL of a night's report, None if it has no report."""
    if not night.report:
        return None
    return url_of(outputs_folder() / night.report / Report.page)


def _recorded(dataset: str, name: str, state: str) -> Night | None:
    """Return a night's record, writing it if it is missing; None if the night has no line."""
    entries = ledger.read(records.registry_of(dataset)).entries
    line = next(one for one in reversed(entries) if ledger.night_name(one.date, one.redo) == name)
    night = records.read(dataset, line.date, line.redo) if state != outbox.BEGUN else None
    return night or records.record(dataset, line.date, line.redo)


def _is_sent(night: Night) -> bool:
    """Send a night's mail, and return whether that succeeded."""
    from pipeline.nightly import mail

    page = url_of(records.page(night.dataset))
    return mail.send(replace(night, report=report_url(night)), page)
