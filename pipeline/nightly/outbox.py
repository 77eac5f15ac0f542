"""What came of nights and has not been told yet: a marker for each, until its mail is sent.

A marker is on the disk before the ledger's line, so that however a process dies, a later one finds
what to tell. A mail may then be sent twice, and never not at all. Only the standard library is
imported.
"""

from pathlib import Path

from pipeline.nightly import ledger
from pipeline.store import artifacts

FOLDER = "untold"
#: How far a night got: its line is being written; its record and the history page are there; its
#: mail could not be sent, and is tried again by the next night.
BEGUN, WRITTEN, TRIED = "begun", "written", "tried"


def mark(folder: Path, name: str, state: str) -> None:
    """Say how far a night got.

    Parameters
    ----------
    folder : Path
        Of `pipeline.nightly.ledger.registry_folder`.
    name : str
        Of the night, see `pipeline.nightly.ledger.night_name`.
    state : str
        `BEGUN`, `WRITTEN` or `TRIED`.

    Raises
    ------
    PipelineError
        If it cannot be written.
    """
    path = folder / FOLDER / name
    with artifacts.explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        artifacts.write_atomically(path, f"{state}\n", durable=True)


def state(folder: Path, name: str) -> str | None:
    """Return how far a night got, None where all is told."""
    try:
        return (folder / FOLDER / name).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None


def is_settled(folder: Path, name: str) -> bool:
    """Say whether nothing is left to do for a night, but for a mail that was tried."""
    return state(folder, name) in (None, TRIED)


def names(folder: Path) -> list[str]:
    """List the nights that are not told, oldest first; without a line they are not decided."""
    known = {ledger.night_name(entry.date, entry.redo) for entry in ledger.read(folder).entries}
    found = (path.name for path in (folder / FOLDER).glob("????-??-??*"))
    return sorted(known.intersection(found))


def forget(folder: Path, name: str) -> None:
    """Say that a night is told."""
    (folder / FOLDER / name).unlink(missing_ok=True)
