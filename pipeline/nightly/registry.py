"""Writing a registry: a line in the ledger is what counts, the pointer follows from the lines.

A promotion is one line, on the disk before anything else happens, and then one file that is
replaced as a whole. A crash between the two leaves a pointer that lags behind; the next writer
puts it right. Only the standard library is imported.
"""

import contextlib
import json
import logging
import os
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.nightly import ledger as ledgers
from pipeline.nightly.ledger import KEPT, LEDGER, POINTER, PROMOTED, ROLLBACK, Champion, Entry
from pipeline.store import artifacts, locks

LOCK = ".lock"
#: What `Writer.rollback` takes for no champion at all.
NONE = "none"
_FEWEST_DIGITS = 4  # of a digest that is named by its beginning

logger = logging.getLogger("luigi-interface")


class ChampionChanged(PipelineError):
    """A decision was made against a champion that is not the champion any more."""


@contextlib.contextmanager
def locked(folder: Path) -> Iterator["Writer"]:
    """Hold the lock of a registry, waiting for whoever has it.

    A pointer that lags behind the ledger, after a crash, is put right first. The lock ends with
    the process, however that ends.

    Parameters
    ----------
    folder : Path
        Of `pipeline.nightly.ledger.registry_folder`; made where it is not there.

    Yields
    ------
    Writer

    Raises
    ------
    PipelineError
        If the folder cannot be written, or the pointer names a champion that no line made.
    """
    with locks.held(folder / LOCK):
        artifacts.sweep(folder)
        writer = Writer(folder)
        writer.recover()
        yield writer


def is_named(champion: Champion, to: str) -> bool:
    """Say whether a date, or the beginning of a digest, names a champion."""
    return champion.date == to or (len(to) >= _FEWEST_DIGITS and champion.digest.startswith(to))


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
        self.ledger = ledgers.read(folder)

    @property
    def champion(self) -> Champion | None:
        """Who is champion now."""
        return self.ledger.champion

    def record(self, entry: Entry) -> Entry:
        """Write the line of a night, then the pointer; of a night that has its line, nothing.

        A promotion of a night before the champion's is written as kept, and its reason says so;
        after a rollback also one before a later champion's, which a person went back from. A
        night that a person has decided again is held to the champion in place alone.

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
            If the entry is a rollback.
        """
        if entry.decision == ROLLBACK:
            raise ValueError("a rollback is written by Writer.rollback")
        stands = self.ledger.of(entry.date, entry.redo)
        if stands is not None:
            return stands
        if entry.decision in (PROMOTED, KEPT):
            self._check_against(entry)
        refusal = self._refusal(entry) if entry.decision == PROMOTED else None
        if refusal:
            reason = f"{refusal}; else: {entry.reason}"
            entry = replace(entry, decision=KEPT, champion=None, reason=reason)
        self._append(entry)
        return entry

    def rollback(self, to: str, time: str, reason: str = "") -> Entry:
        """Make an earlier champion the champion again.

        Parameters
        ----------
        to : str
            Date of the night that promoted it, or the beginning of its digest (4 digits or more);
            `NONE` for no champion, so that the next night begins anew.
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
        present = self.champion
        if to == NONE:
            return self._without_champion(time, reason)
        chosen = self._once_champion(to)
        if present is not None and chosen.digest == present.digest:
            return self.ledger.changes[-1]
        place = self.folder.parent.parent / chosen.path
        if not artifacts.is_complete(place):
            raise PipelineError(
                f"cannot go back to the champion of {chosen.date}: {place} is not there any more; "
                "go back to another, or run that night's model again first."
            )
        came_from = f" from {present.date} ({present.digest})" if present else ""
        plain = f"rolled back{came_from} to {chosen.date} ({chosen.digest})"
        entry = Entry(
            date=chosen.date,
            decision=ROLLBACK,
            reason=reason or plain,
            time=time,
            digests={"evaluate": chosen.digest},
            against=present.digest if present else None,
            champion=chosen,
        )
        self._append(entry)
        return entry

    def recover(self) -> None:
        """Make the pointer say what the ledger says.

        Raises
        ------
        PipelineError
            If it names a champion that no line made.
        """
        for number, text in self.ledger.unreadable:
            logger.warning(
                "Line %d of %s cannot be read and is passed over: %.80s",
                number,
                self.folder / LEDGER,
                text,
            )
        known = self.ledger.champions()
        try:
            named = ledgers.champion(self.folder)
        except PipelineError as error:
            logger.warning("%s", error)
        else:
            if named == self.champion:
                return
            if named is not None and named not in known:
                raise PipelineError(
                    f"{self.folder / POINTER} names {named.digest} of {named.date}, which no line "
                    f"of {LEDGER} made champion; bring the ledger back, or delete {POINTER} to go "
                    f"on with {self.champion.digest if self.champion else 'no champion'}."
                )
        self._point()

    def _without_champion(self, time: str, reason: str) -> Entry:
        """Write that there is no champion from here on."""
        present, changes = self.champion, self.ledger.changes
        if present is None:
            if changes:
                return changes[-1]
            raise PipelineError("cannot give the champion up: there never was one.")
        plain = f"the champion of {present.date} ({present.digest}) was given up"
        entry = Entry(present.date, ROLLBACK, reason or plain, time, against=present.digest)
        self._append(entry)
        return entry

    def _refusal(self, entry: Entry) -> str | None:
        """Say why a night may not be promoted whatever its model is, None where it may."""
        present = self.champion
        if present is not None and entry.date < present.date:
            return (
                f"the champion is of a later night, {present.date}, which an earlier one never "
                "replaces"
            )
        latest = max((champion.date for champion in self.ledger.champions()), default="")
        if entry.date < latest and not entry.redo:
            return (
                f"a later night, {latest}, was champion before it was rolled back, and no earlier "
                "one takes its place unasked"
            )
        return None

    def _check_against(self, entry: Entry) -> None:
        """Raise where a decision is about a champion that is gone."""
        present = self.champion.digest if self.champion else None
        if entry.against != present:
            raise ChampionChanged(
                f"the night of {entry.date} was decided against {entry.against or 'no champion'}, "
                f"but the champion is {present or 'none'} by now; run the night again."
            )

    def _once_champion(self, to: str) -> Champion:
        """Find who was champion by date or digest."""
        known = self.ledger.champions()
        found = [champion for champion in known if is_named(champion, to)]
        if len({champion.digest for champion in found}) == 1:
            return found[0]
        names = ", ".join(f"{champion.date} ({champion.digest})" for champion in known) or "none"
        problem = "names several champions" if found else "was never champion"
        if not found and len(to) < _FEWEST_DIGITS:
            problem = "is too short to name one"
        raise PipelineError(
            f"cannot roll back to {to!r}, which {problem}; name a date or the first "
            f"{_FEWEST_DIGITS} digits or more of one of: {names}; or {NONE!r} for no champion."
        )

    def _append(self, entry: Entry) -> None:
        """Bring a line to the disk, which is the moment that counts, and then the pointer."""
        text = json.dumps(entry.as_json(), ensure_ascii=False, allow_nan=False)
        # A lone surrogate becomes the JSON escape that stands for it.
        line = text.encode(errors="backslashreplace") + b"\n"
        path = self.folder / LEDGER
        with artifacts.explained(path), open(path, "ab+", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            if size:
                file.seek(size - 1)
                # What a power cut tore stays a line of its own.
                line = line if file.read(1) == b"\n" else b"\n" + line
            while line:
                line = line[file.write(line) :]
            os.fsync(file.fileno())
            artifacts.flush(self.folder)
        self.ledger = ledgers.read(self.folder)
        if entry.decision in (PROMOTED, ROLLBACK):
            self._point()

    def _point(self) -> None:
        """Write the pointer from the ledger."""
        path = self.folder / POINTER
        with artifacts.explained(path):
            if self.champion is None:
                path.unlink(missing_ok=True)
            else:
                text = json.dumps(asdict(self.champion), indent=2, ensure_ascii=False)
                artifacts.write_atomically(path, text + "\n", durable=True)
