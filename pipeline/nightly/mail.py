"""The mail of a night: its outcome and the reason, sent by Luigi's own notifications."""

import html
import logging
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.errors import MAIL_NOT_SENT
from pipeline.nightly import ledger
from pipeline.nightly.night import Night

_SUBJECTS = {
    ledger.PROMOTED: "new champion",
    ledger.KEPT: "champion kept",
    ledger.UNCHANGED: "unchanged data",
    ledger.CONTRACT_BROKEN: "data contract broken, champion kept",
    ledger.DRIFT_STOP: "stopped by drift, champion kept",
}
_COMPARED = ("challenger", "champion", "baseline")
logger = logging.getLogger(__name__)


def compose(night: Night, page: str | None = None) -> tuple[str, str]:
    """Return subject and plain text of a night's mail, with the URL of the history page.

    Examples
    --------
    >>> night = Night("toy", "2026-11-22", "kept", "worse", "bilstm", "macro_f1", "now")
    >>> compose(night)[0]
    'toy 2026-11-22: champion kept'
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
    urls = {"Report": night.report, "History": page}
    lines += [f"{name}: {url}" for name, url in urls.items() if url]
    return subject, "\n".join(lines) + "\n"


def is_wanted() -> bool:
    """Return whether Luigi would send a mail, by section ``[email]`` of luigi.cfg.

    Luigi sends none without a receiver, none in the format ``none``, and none from a terminal
    without ``force_send``.
    """
    from luigi import notifications

    config = notifications.email()
    is_silent = config.format == "none" or (sys.stdout.isatty() and not config.force_send)
    return bool(config.receiver) and not is_silent


def send(night: Night, page: str | None = None) -> bool:
    """Send the outcome of a night by section ``[email]`` of luigi.cfg, if a mail `is_wanted`.

    Returns False if the mail server does not answer, so that the mail must be sent later.
    """
    from luigi import notifications

    if not is_wanted():
        return True
    config = notifications.email()
    subject, text = compose(night, page)
    # Raw data can contain half of a surrogate pair, which no mail can.
    text = text.encode(errors="replace").decode()
    if config.format == "html":
        text = f"<pre>{html.escape(text)}</pre>"
    luigis_logger, recorder = notifications.logger, _ErrorRecorder(notifications.logger)
    notifications.logger = recorder  # type: ignore[assignment]
    try:
        notifications.send_email(subject, text, config.sender, (config.receiver,))
    except Exception:
        # Each of Luigi's methods raises errors of its own, and none of them may fail a night.
        logger.exception(
            "%s: the mail of the night of %s could not be sent.", MAIL_NOT_SENT, night.date
        )
        return False
    finally:
        notifications.logger = luigis_logger
    return not recorder.has_failed


class _ErrorRecorder(logging.LoggerAdapter):
    """Records that Luigi logged an error, whatever the log level: it raises none."""

    has_failed = False

    def error(self, msg: object, *args: object, **kwargs: Any) -> None:
        self.has_failed = True
        super().error(msg, *args, **kwargs)


def _drift(drift: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield a line for each distribution that drifted."""
    if drift:
        yield f"Drift: {drift['level']}"
        for one in drift["distributions"]:
            if one["level"] != "ok":
                yield f"  {one['sentence']}"


def _decision(night: Night) -> Iterator[str]:
    """Yield the metric of each model on the holdout rows, and the result of each rule."""
    if not night.decision:
        return
    figures = night.decision["figures"]
    yield f"{night.metric} on {figures['rows']:,} holdout rows:"
    for name in _COMPARED:
        if name in figures["values"]:
            yield f"  {name}: {figures['values'][name]:.4f}"
    for rule in night.decision["rules"]:
        yield f"  {'passed' if rule['passed'] else 'FAILED'}: {rule['sentence']}"
