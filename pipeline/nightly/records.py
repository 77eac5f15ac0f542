"""Records of nights: paths, reading, and writing of ledger, pointer, folder and history page."""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pipeline.nightly import ledger, outbox, registry
from pipeline.nightly.ledger import Entry
from pipeline.nightly.night import Night
from pipeline.store import manifests, publishing
from pipeline.tasks.config import outputs_folder
from pipeline.tasks.provenance import git_commit, library_versions

FOLDER, RECORD, DRIFT = "nights", "night.json", "drift.png"
_VERSION = 1


def path(dataset: str, day: str, redo: int = 0) -> Path:
    """Return the folder of a night's record."""
    return outputs_folder() / dataset / FOLDER / ledger.night_name(day, redo)


def page(dataset: str) -> Path:
    """Return the path of a dataset's history page."""
    return outputs_folder() / "history" / f"{dataset}.html"


def registry_of(dataset: str) -> Path:
    """Return the folder of a dataset's ledger and pointer."""
    return ledger.registry_folder(outputs_folder(), dataset)


def now() -> str:
    """Return the current time, ISO 8601."""
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")


def read(dataset: str, day: str, redo: int = 0) -> Night | None:
    """Return the record of one decision on a night, None if it is not complete."""
    return _read(path(dataset, day, redo))


def read_night(dataset: str, day: str) -> Night | None:
    """Return the record of the last decision on a night, None if there is no complete one."""
    return max(nights(dataset, day), key=lambda night: night.redo, default=None)


def nights(dataset: str, day: str = "????-??-??") -> list[Night]:
    """Return all complete records of a dataset, or those of one day, oldest night first."""
    folders = (outputs_folder() / dataset / FOLDER).glob(f"{day}*")
    complete = (night for night in map(_read, folders) if night is not None)
    return sorted(complete, key=lambda night: (night.date, night.redo))


def decided(dataset: str) -> list[Night]:
    """Return the last record of each night, oldest night first."""
    return list({night.date: night for night in nights(dataset)}.values())


def earlier_measures(dataset: str, day: str) -> list[Mapping[str, Any]]:
    """Return the measures of the nights before a day that kept the contract, oldest first."""
    contracts = (night.contract for night in decided(dataset) if night.date < day)
    return [one["measures"] for one in contracts if one and one["measures"] and not one["breaches"]]


def record(
    dataset: str, day: str, redo: int, entry: Entry | None = None, night: Night | None = None
) -> Night | None:
    """Write the line of a night, the pointer, its folder and the history page.

    Parts that another process, or a process before a crash, has written are kept. From the line on,
    a marker in the outbox shows that the mail of the night is not sent yet. ``entry`` and ``night``
    are None if another process decided the night; the result is None if the night has no line.
    """
    folder, name = registry_of(dataset), ledger.night_name(day, redo)
    with registry.locked(folder) as writer:
        line = writer.ledger.of(day, redo)
        if line is None and entry is not None:
            outbox.mark(folder, name, outbox.BEGUN, night)
            line = writer.record(entry)
        if line is None:
            return None
        night = night or outbox.unrecorded_night(folder, name)
        recorded = _publish(_matching(dataset, line, night))
        write_history(dataset, writer.ledger)
        if outbox.state(folder, name) == outbox.BEGUN:
            outbox.mark(folder, name, outbox.WRITTEN)
    return recorded


def write_history(dataset: str, content: ledger.Ledger) -> None:
    """Write the history page; the registry's lock must be held."""
    from pipeline.nightly import history

    history.write_history(
        dataset,
        [asdict(entry) for entry in content.entries],
        [night.as_json() for night in nights(dataset)],
        page(dataset),
        content.unreadable,
    )


def _read(folder: Path) -> Night | None:
    """Return the record in a folder, None if it is not complete."""
    if not manifests.is_complete(folder):
        return None
    return Night.from_json(json.loads((folder / RECORD).read_text(encoding="utf-8")))


def _matching(dataset: str, line: Entry, night: Night | None) -> Night:
    """Return a night as its line says; its other results count only if they are of that line."""
    if night is None or dict(night.digests) != dict(line.digests):
        model, metric = line.metrics.get("model", ""), line.metrics.get("metric", "")
        night = Night(dataset, line.date, "", "", model, metric, "", redo=line.redo)
    return replace(
        night,
        outcome=line.decision,
        reason=line.reason,
        time=line.time,
        digests=dict(line.digests),
    )


def _publish(night: Night) -> Night:
    """Write a night's folder unless it is complete, and return the night that it contains."""
    folder = path(night.dataset, night.date, night.redo)
    existing = _read(folder)
    if existing is not None:
        return existing
    settings: dict[str, Any] = {"dataset": night.dataset, "date": night.date}
    settings |= {"redo": night.redo} if night.redo else {}
    identity: dict[str, Any] = {
        "task": "Nightly",
        "version": _VERSION,
        "settings": settings,
        "outside": {},
    }
    description = {
        **identity,
        "upstream": None,
        "digest": manifests.digest_of(**identity),
        "libraries": library_versions(),
        "git_commit": git_commit(),
    }
    with publishing.publish(folder, lambda: description) as out:
        if night.drift and night.drift["distributions"]:
            from pipeline.nightly import figures_drift

            source = f"{night.dataset}, night of {night.date}"
            figures_drift.drift(night.drift["distributions"], out.path(DRIFT), source)
            night = replace(night, figures=(DRIFT,))
        out.write_json(RECORD, night.as_json())
        out.rows_in = night.rows
    return night
