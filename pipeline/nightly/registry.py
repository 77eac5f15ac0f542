"""The registry of champions: writing its ledger and the pointer that follows from it.

A promotion is one line of the ledger, which is on the disk before anything else happens; then the
pointer is replaced. After a crash between the two, the next writer corrects the pointer.
"""

import contextlib
import json
import logging
import os
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

from pipeline.errors import LEDGER_LINE_SKIPPED, RegistryError
from pipeline.nightly import ledger as ledgers
from pipeline.nightly.ledger import KEPT, LEDGER, POINTER, PROMOTED, ROLLBACK, Champion, Entry
from pipeline.store import files, locks, manifests, publishing

LOCK = ".lock"
#: Value of `Writer.rollback` for no champion.
NONE = "none"
_FEWEST_DIGITS = 4  # of the beginning of a digest

logger = logging.getLogger(__name__)


class ChampionChanged(RegistryError):
    """A decision was made against a champion that has been replaced since."""


@contextlib.contextmanager
def locked(folder: Path) -> Iterator["Writer"]:
    """Hold the lock of a registry; wait for the process that has it.

    A pointer that differs from the ledger, after a crash, is corrected first.
    """
    with locks.held(folder / LOCK):
        publishing.sweep(folder)
        writer = Writer(folder)
        writer.recover()
        yield writer


def is_named(champion: Champion, to: str) -> bool:
    """Return whether a date, or the beginning of a digest, names a champion."""
    return champion.date == to or (len(to) >= _FEWEST_DIGITS and champion.digest.startswith(to))


class Writer:
    """Changes a registry; `locked` creates it. ``ledger`` is the present content."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger = ledgers.read(folder)

    @property
    def champion(self) -> Champion | None:
        """The present champion."""
        return self.ledger.champion

    def record(self, entry: Entry) -> Entry:
        """Write the line of a night, then the pointer; return the line, new or existing.

        A promotion is written as kept if the champion is of a later night. After a rollback it is
        also written as kept if any champion was of a later night, unless a person asked to decide
        the night again. Raises ChampionChanged if the comparison was made against another champion.
        """
        existing = self.ledger.of(entry.date, entry.redo)
        if existing is not None:
            return existing
        if entry.decision in (PROMOTED, KEPT):
            self._check_against(entry)
        refusal = self._refusal(entry) if entry.decision == PROMOTED else None
        if refusal:
            reason = f"{refusal}; else: {entry.reason}"
            entry = replace(entry, decision=KEPT, champion=None, reason=reason)
        self._append(entry)
        return entry

    def rollback(self, to: str, time: str, reason: str = "") -> Entry:
        """Make an earlier champion the champion again, and return the line that did so.

        ``to`` is the date of the night that promoted it, or the beginning of its digest; `NONE`
        means that the next night starts without a champion. The default reason names both.
        """
        present = self.champion
        if to == NONE:
            return self._without_champion(time, reason)
        chosen = self._champion_named(to)
        if present is not None and chosen.digest == present.digest:
            return self.ledger.changes[-1]
        path = self.folder.parent.parent / chosen.path
        if not manifests.is_complete(path):
            raise RegistryError(
                f"cannot go back to the champion of {chosen.date}: {path} does not exist any more; "
                "go back to another, or run that night's model again first."
            )
        previous = f" from {present.date} ({present.digest})" if present else ""
        entry = Entry(
            date=chosen.date,
            decision=ROLLBACK,
            reason=reason or f"rolled back{previous} to {chosen.date} ({chosen.digest})",
            time=time,
            digests={"evaluate": chosen.digest},
            against=present.digest if present else None,
            champion=chosen,
        )
        self._append(entry)
        return entry

    def recover(self) -> None:
        """Correct the pointer if it differs from the ledger."""
        for number, text in self.ledger.unreadable:
            logger.warning(
                "%s: line %d of %s cannot be read and is skipped: %.80s",
                LEDGER_LINE_SKIPPED,
                number,
                self.folder / LEDGER,
                text,
            )
        try:
            pointed = ledgers.champion(self.folder)
        except RegistryError as error:
            logger.warning("%s", error)
            pointed = None
        if pointed is not None and pointed not in self.ledger.champions():
            raise RegistryError(
                f"{self.folder / POINTER} names {pointed.digest} of {pointed.date}, which is not a "
                f"champion in {LEDGER}; restore the ledger, or delete {POINTER} to continue with "
                f"{self.champion.digest if self.champion else 'no champion'}."
            )
        if pointed is None or pointed != self.champion:
            self._write_pointer()

    def _without_champion(self, time: str, reason: str) -> Entry:
        """Write that there is no champion any more."""
        present, changes = self.champion, self.ledger.changes
        if present is None:
            if changes:
                return changes[-1]
            raise RegistryError("cannot roll back to no champion: there was never one.")
        default = f"the champion of {present.date} ({present.digest}) was given up"
        entry = Entry(present.date, ROLLBACK, reason or default, time, against=present.digest)
        self._append(entry)
        return entry

    def _refusal(self, entry: Entry) -> str | None:
        """Return why a night may not be promoted whatever its model is, None if it may."""
        present = self.champion
        if present is not None and entry.date < present.date:
            return (
                f"the champion is of a later night, {present.date}, which an earlier one never "
                "replaces"
            )
        latest = max((champion.date for champion in self.ledger.champions()), default="")
        if entry.date < latest and not entry.redo:
            return (
                f"a later night, {latest}, was champion before it was rolled back, and an earlier "
                "one replaces it only if it is decided again"
            )
        return None

    def _check_against(self, entry: Entry) -> None:
        """Raise if a decision is about a champion that has been replaced."""
        present = self.champion.digest if self.champion else None
        if entry.against != present:
            raise ChampionChanged(
                f"the night of {entry.date} was decided against {entry.against or 'no champion'}, "
                f"but the champion is {present or 'none'} now; run the night again."
            )

    def _champion_named(self, to: str) -> Champion:
        """Return the champion that a date or a digest names."""
        champions = self.ledger.champions()
        named = [champion for champion in champions if is_named(champion, to)]
        if len({champion.digest for champion in named}) == 1:
            return named[0]
        listed = ", ".join(f"{champion.date} ({champion.digest})" for champion in champions)
        problem = "names several champions" if named else "was never champion"
        if not named and len(to) < _FEWEST_DIGITS:
            problem = "is too short to name one"
        raise RegistryError(
            f"cannot roll back to {to!r}, which {problem}; name a date or the first "
            f"{_FEWEST_DIGITS} digits or more of one of: {listed or 'none'}; or {NONE!r} for no "
            "champion."
        )

    def _append(self, entry: Entry) -> None:
        """Write a line and bring it to the disk, then write the pointer."""
        text = json.dumps(asdict(entry), ensure_ascii=False, allow_nan=False)
        # Half of a surrogate pair becomes its JSON escape.
        line = text.encode(errors="backslashreplace") + b"\n"
        path = self.folder / LEDGER
        with files.explained(path), open(path, "ab+", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            if size:
                file.seek(size - 1)
                # A line that a power cut interrupted stays a line of its own.
                line = line if file.read(1) == b"\n" else b"\n" + line
            while line:
                line = line[file.write(line) :]
            os.fsync(file.fileno())
            files.flush(self.folder)
        self.ledger = ledgers.read(self.folder)
        if entry.decision in (PROMOTED, ROLLBACK):
            self._write_pointer()

    def _write_pointer(self) -> None:
        """Write the pointer from the ledger."""
        path = self.folder / POINTER
        with files.explained(path):
            if self.champion is None:
                path.unlink(missing_ok=True)
            else:
                text = json.dumps(asdict(self.champion), indent=2, ensure_ascii=False)
                files.write_atomically(path, text + "\n", durable=True)
