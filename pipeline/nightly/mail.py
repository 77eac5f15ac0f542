"""The mail of a night: its outcome and the reason, through Luigi's own notifications."""

from pipeline.nightly.night import Night


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
    """
    raise NotImplementedError


def send(night: Night, page: str | None = None) -> None:
    """Send the outcome to the receivers of ``[email]`` in ``luigi.cfg``; to nobody without any.

    Parameters
    ----------
    night : Night
    page : str or None
        Where the history page is.
    """
    raise NotImplementedError
