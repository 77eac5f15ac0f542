"""The mail of a night: its outcome and the reason, through Luigi's own notifications."""

import html
import logging
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.nightly import ledger
from pipeline.nightly.night import Night

_SUBJECTS = {
    ledger.PROMOTED: "new champion",
    ledger.KEPT: "champion kept",
    ledger.UNCHANGED: "unchanged data",
    ledger.CONTRACT_BROKEN: "data contract broken, champion kept",
    ledger.DRIFT_STOP: "stopped by drift, champion kept",
}
_LOGGER = logging.getLogger("luigi-interface")
_COMPARED = ("challenger", "champion", "baseline")


def compose(night: Night, page: str | None = None) -> tuple[str, str]:
    """Write subject and text of a night's mail.

    Parameters
    ----------
    night : Night
    page : str or None
        Where the history page is.

    Returns
    -------
    subject, text : str
        Plain text.
    """
    again = " (decided again)" if night.redo else ""
    subject = f"{night.dataset} {night.date}: {_SUBJECTS[night.outcome]}{again}"
    lines = [
        f"Night of {night.date}, dataset {night.dataset}, model {night.model}.",
        "",
        f"{_SUBJECTS[night.outcome].capitalize()}: {night.reason}",
        "",
        *([f"Rows: {night.rows:,}"] if night.rows is not None else []),
        *_drift(night.drift),
        *_decision(night),
    ]
    places = {"Report": night.report, "History": page}
    lines += [f"{name}: {place}" for name, place in places.items() if place]
    return subject, "\n".join(lines) + "\n"


def is_wanted() -> bool:
    """Say whether this process has somebody to write to, by ``[email]`` in ``luigi.cfg``.

    Luigi writes to nobody in the format ``none``, nor from a terminal without ``force_send``.
    """
    from luigi import notifications

    config = notifications.email()
    is_silent = config.format == "none" or (sys.stdout.isatty() and not config.force_send)
    return bool(config.receiver) and not is_silent


def send(night: Night, page: str | None = None) -> bool:
    """Send the outcome to the receivers of ``[email]`` in ``luigi.cfg``; to nobody without any.

    Luigi decides by the same section whether and how: its method, format, prefix and
    ``force_send`` hold here as for its own mails about failures. A server that cannot be reached
    is logged and no error.

    Parameters
    ----------
    night : Night
    page : str or None
        Where the history page is.

    Returns
    -------
    bool
        False where it could not be sent and is to be tried again; True where it was, or where
        nobody wants it, see `is_wanted`.
    """
    from luigi import notifications

    if not is_wanted():
        return True
    config = notifications.email()
    subject, text = compose(night, page)
    # Raw data can hold what no mail can: half of a surrogate pair.
    text = text.encode(errors="replace").decode()
    if config.format == "html":
        text = f"<pre>{html.escape(text)}</pre>"
    known, noting = notifications.logger, _Noting(notifications.logger)
    notifications.logger = noting  # type: ignore[assignment]
    try:
        notifications.send_email(subject, text, config.sender, (config.receiver,))
    except Exception:
        # Each of Luigi's ways to send has errors of its own, and none of them may fail a night.
        _LOGGER.exception("The mail of the night of %s could not be sent.", night.date)
        return False
    finally:
        notifications.logger = known
    return not noting.has_failed


class _Noting(logging.LoggerAdapter):
    """Notes that an error was said, which is all that Luigi makes of a server that is away.

    A handler would see nothing of it where the log's level leaves errors out.
    """

    has_failed = False

    def error(self, msg: object, *args: object, **kwargs: Any) -> None:
        self.has_failed = True
        super().error(msg, *args, **kwargs)


def _drift(drift: Mapping[str, Any] | None) -> Iterator[str]:
    """Say which distributions drifted."""
    if drift:
        yield f"Drift: {drift['level']}"
        for one in drift["distributions"]:
            if one["level"] != "ok":
                yield f"  {one['sentence']}"


def _decision(night: Night) -> Iterator[str]:
    """Say what the models scored on the frozen rows, and which rules were kept."""
    if not night.decision:
        return
    figures = night.decision["figures"]
    yield f"{night.metric} on {figures['rows']:,} frozen rows:"
    for name in _COMPARED:
        if name in figures["values"]:
            yield f"  {name}: {figures['values'][name]:.4f}"
    for rule in night.decision["rules"]:
        yield f"  {'passed' if rule['passed'] else 'FAILED'}: {rule['sentence']}"
