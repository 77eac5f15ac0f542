"""Errors that a user can act on."""

import difflib
from collections.abc import Iterable


class PipelineError(Exception):
    """Bad input: one line that says what was wrong, received, allowed, and what to do.

    Commands show it without a traceback; ``--log-level DEBUG`` brings the traceback back.
    """


class DataError(PipelineError):
    """Raw data that are not what their dataset's description says."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Say which of the known words are meant, nearest first.

    Parameters
    ----------
    word : str
        What was received.
    known : iterable of str
        What is allowed.

    Returns
    -------
    str
        ``did you mean 'a' or 'b'? Known: a, b, c``; without the question when nothing is near.
    """
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=2, cutoff=0.5)
    question = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
    return f"{question}Known: {', '.join(names) or 'none'}"
