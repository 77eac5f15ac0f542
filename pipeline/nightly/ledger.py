"""The ledger of a dataset's nights, and the pointer to its champion, as readers see them.

``outputs/registry/<dataset>/ledger.jsonl`` has one line for each night and each rollback, and
``champion.json`` names the champion. `pipeline.nightly.registry` writes them; readers need no
lock. Only the standard library is imported.
"""

import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError

LEDGER, POINTER = "ledger.jsonl", "champion.json"
#: Outcomes of a night, and the rollback.
PROMOTED, KEPT, UNCHANGED = "promoted", "kept", "unchanged"
CONTRACT_BROKEN, DRIFT_STOP, ROLLBACK = "contract_broken", "drift_stop", "rollback"
DECISIONS = (PROMOTED, KEPT, UNCHANGED, CONTRACT_BROKEN, DRIFT_STOP, ROLLBACK)


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

    def __post_init__(self) -> None:
        """Raise TypeError where anything is no text."""
        for name, value in vars(self).items():
            if not isinstance(value, str):
                raise TypeError(f"{name} must be a text, got {value!r}")


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
        Of a promotion and a rollback: who is champion from here on; of a rollback, None where
        there is to be none. Else None.
    redo : int
        How often the night had been decided before: its last line counts.
    """

    date: str
    decision: str
    reason: str
    time: str
    digests: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    against: str | None = None
    champion: Champion | None = None
    redo: int = 0

    def __post_init__(self) -> None:
        """Raise ValueError where the entry contradicts itself."""
        datetime.date.fromisoformat(self.date)
        if self.decision not in DECISIONS:
            raise ValueError(f"decision must be one of {DECISIONS}, got {self.decision!r}")
        allowed = {PROMOTED: (True,), ROLLBACK: (True, False)}.get(self.decision, (False,))
        if (self.champion is not None) not in allowed:
            raise ValueError(f"a champion and {self.decision!r} do not go together")
        if self.champion is not None and self.champion.date != self.date:
            raise ValueError(f"the champion is of {self.champion.date}, the line of {self.date}")

    def as_json(self) -> dict[str, Any]:
        """Return the line's object."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "Entry":
        """Read what `as_json` wrote; keys of later versions are left out.

        Raises
        ------
        ValueError, TypeError, KeyError
            If it is no entry.
        """
        values = {name: found[name] for name in cls.__dataclass_fields__ if name in found}
        named = values.get("champion")
        if named is not None:
            values["champion"] = Champion(named["date"], named["digest"], named["path"])
        return cls(**values)


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

    def of(self, date: str, redo: int | None = None) -> Entry | None:
        """Return the line of a night, None where it has none; a rollback is none.

        Of a night that was decided again it is the last line, or that of the given ``redo``.
        """
        nights = (entry for entry in reversed(self.entries) if entry.decision != ROLLBACK)
        mine = (entry for entry in nights if entry.date == date)
        return next((entry for entry in mine if redo in (None, entry.redo)), None)

    @property
    def changes(self) -> list[Entry]:
        """The lines that made a champion, or left none, oldest first."""
        return [entry for entry in self.entries if entry.decision in (PROMOTED, ROLLBACK)]

    @property
    def champion(self) -> Champion | None:
        """Who is champion after the last line."""
        changes = self.changes
        return changes[-1].champion if changes else None

    def champions(self) -> list[Champion]:
        """List who ever was champion, the last that became one first, each once."""
        named = (entry.champion for entry in reversed(self.changes))
        return list(dict.fromkeys(champion for champion in named if champion is not None))


def night_name(date: str, redo: int) -> str:
    """Return the name of a night's folder and marker: its date, and which time it is decided."""
    return f"{date}-redo-{redo}" if redo else date


def registry_folder(outputs: Path, dataset: str) -> Path:
    """Return the folder of a dataset's registry."""
    return outputs / "registry" / dataset


def read(folder: Path) -> Ledger:
    """Read a ledger without a lock; an empty one where there is none.

    Parameters
    ----------
    folder : Path
        Of `registry_folder`.
    """
    try:
        lines = (folder / LEDGER).read_bytes().split(b"\n")
    except FileNotFoundError:
        return Ledger()
    entries, unreadable = [], []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            entries.append(Entry.from_json(json.loads(line)))
        except (ValueError, TypeError, KeyError):
            unreadable.append((number, line.decode(errors="replace")))
    return Ledger(entries, unreadable)


def champion(folder: Path) -> Champion | None:
    """Return the champion that the pointer names, None where there is none yet.

    Needs no lock, and never sees half a promotion.

    Parameters
    ----------
    folder : Path
        Of `registry_folder`.

    Raises
    ------
    PipelineError
        If the pointer was changed by hand and cannot be read.
    """
    try:
        found = json.loads((folder / POINTER).read_bytes())
        return Champion(found["date"], found["digest"], found["path"])
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise PipelineError(
            f"{folder / POINTER} names no champion: {error}; delete it, and the next night or "
            f"rollback makes it again from {LEDGER}."
        ) from error
