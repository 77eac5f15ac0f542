"""The registry of a dataset: an append-only ledger, and one pointer to the champion.

``outputs/registry/<dataset>/ledger.jsonl`` has one line for each night and each rollback. A line
on the disk is what counts; ``champion.json`` is derived from the lines, replaced as a whole, and
made again from them by the next writer when a crash came between. Writers hold the lock; readers
need none. Only the standard library is imported.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError

LEDGER, POINTER = "ledger.jsonl", "champion.json"
#: Outcomes of a night, and the rollback.
PROMOTED, KEPT, UNCHANGED = "promoted", "kept", "unchanged"
CONTRACT_BROKEN, DRIFT_STOP, ROLLBACK = "contract_broken", "drift_stop", "rollback"
DECISIONS = (PROMOTED, KEPT, UNCHANGED, CONTRACT_BROKEN, DRIFT_STOP, ROLLBACK)


class ChampionChanged(PipelineError):
    """A decision was made against a champion that is not the champion any more."""


@dataclass(frozen=True)
class Champion:
    """The model in place.

    Attributes
    ----------
    date : str
        Night that it came from, ISO 8601.
    digest : str
        Of its Evaluate artifact.
    path : str
        Of that artifact, from the outputs folder on, with ``/``.
    """

    date: str
    digest: str
    path: str


@dataclass(frozen=True)
class Entry:
    """A line of the ledger.

    Attributes
    ----------
    date : str
        The night, ISO 8601; of a rollback, the night that it goes back to.
    decision : str
        One of `DECISIONS`.
    reason : str
        One sentence.
    time : str
        When it was decided, ISO 8601, given by the caller.
    digests : mapping of str to str
        Such as ``evaluate``, ``report``, ``data``.
    metrics : mapping
        Figures of the night, for people and for the history page.
    against : str or None
        Digest of the champion that the decision was made against; None without one.
    champion : Champion or None
        Of a promotion and a rollback: who is champion from here on. Else None.
    """

    date: str
    decision: str
    reason: str
    time: str
    digests: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    against: str | None = None
    champion: Champion | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the line's object."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "Entry":
        """Read what `as_json` wrote; keys of later versions are left out."""
        raise NotImplementedError


@dataclass(frozen=True)
class Ledger:
    """What a ledger holds.

    Attributes
    ----------
    entries : sequence of Entry
        In the order in which they were written.
    unreadable : sequence of (int, str)
        Number and text of each line that is no entry, such as one that a power cut tore.
    """

    entries: Sequence[Entry] = ()
    unreadable: Sequence[tuple[int, str]] = ()

    def of(self, date: str) -> Entry | None:
        """Return the line of a night, None where it has none."""
        raise NotImplementedError

    @property
    def champion(self) -> Champion | None:
        """Who is champion after the last line."""
        raise NotImplementedError

    def champions(self) -> list[Champion]:
        """List who ever was champion, the newest first, each once."""
        raise NotImplementedError


def registry(outputs: Path, dataset: str) -> Path:
    """Return the folder of a dataset's registry."""
    return outputs / "registry" / dataset


def read(folder: Path) -> Ledger:
    """Read a ledger without a lock; an empty one where there is none.

    Parameters
    ----------
    folder : Path
        Of `registry`.
    """
    raise NotImplementedError


def champion(folder: Path) -> Champion | None:
    """Return the champion that the pointer names, None where there is none yet.

    Needs no lock, and never sees half a promotion.

    Raises
    ------
    PipelineError
        If the pointer was changed by hand and cannot be read.
    """
    raise NotImplementedError


@contextlib.contextmanager
def locked(folder: Path) -> Iterator["Writer"]:
    """Hold the lock of a registry, waiting for whoever has it.

    A pointer that lags behind the ledger, after a crash, is put right first. The lock ends with
    the process, however that ends.

    Parameters
    ----------
    folder : Path
        Of `registry`; made where it is not there.

    Yields
    ------
    Writer

    Raises
    ------
    PipelineError
        If the folder cannot be written, or the pointer names a champion that no line made.
    """
    raise NotImplementedError
    yield Writer(folder)


class Writer:
    """Changes a registry; only `locked` makes one.

    Attributes
    ----------
    folder : Path
    ledger : Ledger
        As it is now, own lines included.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger = read(folder)

    def record(self, entry: Entry) -> Entry:
        """Write the line of a night, then the pointer; of a night that has its line, nothing.

        A promotion of a night before the champion's is written as kept, and its reason says so.

        Parameters
        ----------
        entry : Entry

        Returns
        -------
        Entry
            The line that stands in the ledger: the given one, or the one that was there before.

        Raises
        ------
        ChampionChanged
            If a promotion or its refusal was decided against another champion than the present.
        ValueError
            If the entry contradicts itself.
        """
        raise NotImplementedError

    def rollback(self, to: str, time: str, reason: str = "") -> Entry:
        """Make an earlier champion the champion again.

        Parameters
        ----------
        to : str
            Date of the night that promoted it, or the beginning of its digest (4 digits or more).
        time : str
            When, ISO 8601.
        reason : str
            Why, one sentence; a plain one when left out.

        Returns
        -------
        Entry
            The line that made it champion: a new one, or the last where it is champion already.

        Raises
        ------
        PipelineError
            If none or several were champion that this names, or its artifact is not whole.
        """
        raise NotImplementedError
