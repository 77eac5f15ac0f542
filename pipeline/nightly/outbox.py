"""The outbox: nights whose mail is not sent yet, each with a marker file.

A marker is on the disk before the ledger's line, so that a later process can finish the night
after a crash. A mail can therefore be sent twice, but it is never lost.
"""

import json
from pathlib import Path

from pipeline.nightly import ledger
from pipeline.nightly.night import Night
from pipeline.store import files

FOLDER = "untold"
#: States of a night: its line is being written; its record and the history page are written; its
#: mail could not be sent, and the next night tries again.
BEGUN, WRITTEN, TRIED = "begun", "written", "tried"


def mark(folder: Path, name: str, state: str, night: Night | None = None) -> None:
    """Write the marker of a night, with its content until its record is written."""
    path = folder / FOLDER / name
    text = "" if night is None else json.dumps(files.strict(night.as_json())) + "\n"
    with files.explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_atomically(path, f"{state}\n{text}", durable=True)


def state(folder: Path, name: str) -> str | None:
    """Return the state of a night, None if nothing is left to do."""
    lines = _lines(folder, name)
    return lines[0] if lines else None


def unrecorded_night(folder: Path, name: str) -> Night | None:
    """Return a decided night whose record is not written yet."""
    lines = _lines(folder, name)
    return Night.from_json(json.loads(lines[1])) if len(lines) > 1 else None


def is_settled(folder: Path, name: str) -> bool:
    """Return whether nothing is left to do for a night, except a mail that was tried."""
    return state(folder, name) in (None, TRIED)


def names(folder: Path) -> list[str]:
    """Return the decided nights whose mail is not sent yet, oldest first."""
    decided = {ledger.night_name(entry.date, entry.redo) for entry in ledger.read(folder).entries}
    marked = (path.name for path in (folder / FOLDER).glob("????-??-??*"))
    return sorted(decided.intersection(marked))


def remove(folder: Path, name: str) -> None:
    """Remove the marker of a night whose mail is sent."""
    (folder / FOLDER / name).unlink(missing_ok=True)


def _lines(folder: Path, name: str) -> list[str]:
    """Return the lines of a marker: the state, and the night until its record is written."""
    try:
        return (folder / FOLDER / name).read_text(encoding="utf-8").split("\n")[:-1]
    except FileNotFoundError:
        return []
