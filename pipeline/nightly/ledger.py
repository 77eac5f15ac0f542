"""The ledger of a dataset's nights and the pointer to its champion, for readers.

``outputs/registry/<dataset>/ledger.jsonl`` has one line for each decision and each rollback, and
``champion.json`` names the champion. `pipeline.nightly.registry` writes them; readers need no lock.
"""

import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.errors import RegistryError

LEDGER, POINTER = "ledger.jsonl", "champion.json"
#: Outcomes of a night, and the rollback.
PROMOTED, KEPT, UNCHANGED = "promoted", "kept", "unchanged"
CONTRACT_BROKEN, DRIFT_STOP, ROLLBACK = "contract_broken", "drift_stop", "rollback"
DECISIONS = (PROMOTED, KEPT, UNCHANGED, CONTRACT_BROKEN, DRIFT_STOP, ROLLBACK)


@dataclass(frozen=True)
class Champion:
    """The model that predictions are made with: the night that promoted it, and its artifact."""

    date: str  # of that night
    digest: str  # of its Evaluate artifact
    path: str  # of that artifact below the outputs folder, with "/"


@dataclass(frozen=True)
class Entry:
    """A line of the ledger."""

    date: str  # the night; of a rollback, that of the new champion
    decision: str  # one of `DECISIONS`
    reason: str
    time: str  # ISO 8601
    digests: Mapping[str, str] = field(default_factory=dict)  # evaluate, report, data
    metrics: Mapping[str, Any] = field(default_factory=dict)  # for the history page
    against: str | None = None  # digest of the champion that was compared with
    champion: Champion | None = None  # the new one, after a promotion or a rollback
    redo: int = 0  # number of earlier decisions on the night; its last line counts

    def __post_init__(self) -> None:
        """Raise ValueError if the line is not one that this package writes."""
        datetime.date.fromisoformat(self.date)
        if self.decision not in DECISIONS:
            raise ValueError(f"decision must be one of {DECISIONS}, got {self.decision!r}")


@dataclass(frozen=True)
class Ledger:
    """The content of a ledger, in the order in which it was written."""

    entries: Sequence[Entry] = ()
    unreadable: Sequence[tuple[int, str]] = ()  # number and text of damaged lines

    def of(self, date: str, redo: int | None = None) -> Entry | None:
        """Return the last line of a night, or that of one decision; None if there is none."""
        nights = (entry for entry in reversed(self.entries) if entry.decision != ROLLBACK)
        lines = (entry for entry in nights if entry.date == date)
        return next((entry for entry in lines if redo in (None, entry.redo)), None)

    @property
    def changes(self) -> list[Entry]:
        """The lines that changed the champion, oldest first."""
        return [entry for entry in self.entries if entry.decision in (PROMOTED, ROLLBACK)]

    @property
    def champion(self) -> Champion | None:
        """The champion after the last line."""
        changes = self.changes
        return changes[-1].champion if changes else None

    def champions(self) -> list[Champion]:
        """Return every champion once, the latest first."""
        champions = (entry.champion for entry in reversed(self.changes))
        return list(dict.fromkeys(champion for champion in champions if champion is not None))


def night_name(date: str, redo: int) -> str:
    """Return the name of a night's folder and marker.

    Examples
    --------
    >>> night_name("2026-11-22", 0), night_name("2026-11-22", 1)
    ('2026-11-22', '2026-11-22-redo-1')
    """
    return f"{date}-redo-{redo}" if redo else date


def registry_folder(outputs: Path, dataset: str) -> Path:
    """Return the folder of a dataset's ledger and pointer."""
    return outputs / "registry" / dataset


def read(folder: Path) -> Ledger:
    """Read the ledger in a `registry_folder` without a lock; an empty one if there is no file."""
    import msgspec

    try:
        lines = (folder / LEDGER).read_bytes().split(b"\n")
    except FileNotFoundError:
        return Ledger()
    entries, unreadable = [], []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            # Not msgspec's own decoder: it refuses the escape of half a surrogate pair.
            entries.append(msgspec.convert(json.loads(line), Entry))
        except ValueError:
            unreadable.append((number, line.decode(errors="replace")))
    return Ledger(entries, unreadable)


def champion(folder: Path) -> Champion | None:
    """Return the champion that the pointer names, None without a pointer."""
    import msgspec

    try:
        return msgspec.convert(json.loads((folder / POINTER).read_bytes()), Champion)
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise RegistryError(
            f"{folder / POINTER} does not name a champion: {error}; delete it, and the next night "
            f"or rollback writes it again from {LEDGER}."
        ) from error
