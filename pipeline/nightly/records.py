"""Where nights are written down, and writing them: ledger, pointer, the night's folder, history."""

import contextlib
import json
import resource
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.nightly import ledger, outbox, registry
from pipeline.nightly.ledger import Entry
from pipeline.nightly.night import Night
from pipeline.store import artifacts
from pipeline.tasks.config import paths
from pipeline.tasks.provenance import git_commit, library_versions

FOLDER, RECORD, DRIFT = "nights", "night.json", "drift.png"
_VERSION = 1


def path(dataset: str, day: str, redo: int = 0) -> Path:
    """Return the folder of a night, or of its being decided again."""
    return Path(paths().outputs) / dataset / FOLDER / ledger.night_name(day, redo)


def page(dataset: str) -> Path:
    """Return the history page of a dataset."""
    return Path(paths().outputs) / "history" / f"{dataset}.html"


def registry_of(dataset: str) -> Path:
    """Return the folder of a dataset's ledger and pointer."""
    return ledger.registry_folder(Path(paths().outputs), dataset)


def now() -> str:
    """Return the time, ISO 8601."""
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")


def read(dataset: str, day: str, redo: int = 0) -> Night | None:
    """Return the record of a night as it was decided that time, None where it is not whole."""
    return _read(path(dataset, day, redo))


def read_night(dataset: str, day: str) -> Night | None:
    """Return the record of a night as it was last decided, None where none is whole."""
    return max(nights(dataset, day), key=lambda night: night.redo, default=None)


def nights(dataset: str, day: str = "????-??-??") -> list[Night]:
    """Return all records that are whole, oldest night first; of a day alone where it is given."""
    folders = Path(paths().outputs, dataset, FOLDER).glob(f"{day}*")
    found = (night for night in map(_read, folders) if night is not None)
    return sorted(found, key=lambda night: (night.date, night.redo))


def decided(dataset: str) -> list[Night]:
    """Return the records that count: of each night the last, oldest night first."""
    return list({night.date: night for night in nights(dataset)}.values())


def record(
    dataset: str, day: str, redo: int, entry: Entry | None, night: Night | None
) -> Night | None:
    """Write down a night: its line, the pointer, its folder, and the history page.

    Whatever was written down before, by another process or before a crash, stays and is gone on
    from. A marker says from the line on that the night is still to be told.

    Parameters
    ----------
    dataset, day : str
    redo : int
        Which time the night is decided.
    entry : Entry or None
        None where the ledger has the night's line already.
    night : Night or None
        What is known of it besides its line.

    Returns
    -------
    Night or None
        The night as it stands; None where it has no line and none was given.
    """
    folder, name = registry_of(dataset), ledger.night_name(day, redo)
    with registry.locked(folder) as writer:
        stands = writer.ledger.of(day, redo)
        if stands is None and entry is not None:
            outbox.mark(folder, name, outbox.BEGUN)
            stands = writer.record(entry)
        if stands is None:
            return None
        known = _publish(_as_it_stands(dataset, stands, night))
        write_history(dataset, writer.ledger)
        if outbox.state(folder, name) == outbox.BEGUN:
            outbox.mark(folder, name, outbox.WRITTEN)
    return known


def write_history(dataset: str, known: ledger.Ledger) -> None:
    """Write the history page; the registry's lock must be held."""
    from pipeline.nightly import history

    history.write_history(
        dataset,
        [entry.as_json() for entry in known.entries],
        [night.as_json() for night in nights(dataset)],
        page(dataset),
        known.unreadable,
    )


def _read(folder: Path) -> Night | None:
    """Return the record in a folder, None where it is not whole."""
    if not artifacts.is_complete(folder):
        return None
    return Night.from_json(json.loads((folder / RECORD).read_text(encoding="utf-8")))


def _as_it_stands(dataset: str, stands: Entry, night: Night | None) -> Night:
    """Return a night as the ledger says it; what else is known of it only if it is of that line."""
    if night is None or dict(night.digests) != dict(stands.digests):
        model, metric = stands.metrics.get("model", ""), stands.metrics.get("metric", "")
        night = Night(dataset, stands.date, "", "", model, metric, "", redo=stands.redo)
    return replace(
        night,
        outcome=stands.decision,
        reason=stands.reason,
        time=stands.time,
        digests=dict(stands.digests),
    )


def _publish(night: Night) -> Night:
    """Write a night's folder unless it is there; return what stands in it."""
    folder = path(night.dataset, night.date, night.redo)
    there = _read(folder)
    if there is not None:
        return there
    settings: dict[str, Any] = {"dataset": night.dataset, "date": night.date}
    settings |= {"redo": night.redo} if night.redo else {}
    identity = {"task": "Nightly", "version": _VERSION, "settings": settings}
    identity |= {"outside": {}, "upstream": None}
    description = {
        **identity,
        "digest": artifacts.digest(identity),
        "libraries": library_versions(),
        "git_commit": git_commit(),
    }
    with artifacts.publish(folder, lambda: description) as out:
        if night.drift and night.drift["distributions"]:
            from pipeline.nightly import figures_drift

            figures_drift.drift(night.drift["distributions"], out.path(DRIFT))
            night = replace(night, figures=(DRIFT,))
        out.write_json(RECORD, night.as_json())
        out.rows_in = night.rows
    return night


class Notes:
    """What a night found out before it waited for other tasks, so that it need not again.

    Luigi runs a task from the top again each time that what it yields is there. The notes may be
    lost; they are found out again.

    Parameters
    ----------
    dataset, day : str
    redo : int
        Which time the night is decided.
    """

    def __init__(self, dataset: str, day: str, redo: int = 0) -> None:
        name = ledger.night_name(day, redo)
        self._path = Path(paths().outputs) / ".cache" / FOLDER / f"{dataset}-{name}.json"
        self._content: dict[str, Any] = {}
        with contextlib.suppress(OSError, ValueError):
            self._content = json.loads(self._path.read_text(encoding="utf-8"))
        self._before = self._content.get("seconds", 0.0)
        self._started = time.monotonic()

    def once(self, name: str, about: Any, find: Callable[[], Any]) -> Any:
        """Return what was found about the same thing before, or find it; it must be JSON."""
        known = self._content.get(name)
        if not known or known["about"] != about:
            self._content[name] = {"about": about, "found": find()}
            self.keep()
        return self._content[name]["found"]

    def keep(self, night: Night | None = None) -> None:
        """Write the notes, with the night once it is decided."""
        self._content["seconds"] = self._before + time.monotonic() - self._started
        if night is not None:
            self._content["night"] = night.as_json()
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            artifacts.write_atomically(self._path, json.dumps(artifacts.strict(self._content)))

    def night(self) -> Night | None:
        """Return the night as it was decided, None where it was not."""
        known = self._content.get("night")
        return Night.from_json(known) if known else None

    def forget(self) -> None:
        """Remove the notes."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    def costs(self, places: Iterable[Path]) -> dict[str, Any]:
        """Return seconds and peak memory of the night, artifacts made for it included."""
        made = [artifacts.read_manifest(place) or {} for place in places]
        own = self._before + time.monotonic() - self._started
        here = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        peaks = [manifest.get("peak_memory_mib") or 0.0 for manifest in made]
        return {
            "seconds": round(own + sum(manifest.get("seconds", 0.0) for manifest in made), 3),
            "peak_memory_mib": round(max(here, *peaks), 1) if peaks else round(here, 1),
        }
