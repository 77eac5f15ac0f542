"""Why an artifact is not there: what differs from the one that is most like it."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pipeline.cli.verify import moved_aside
from pipeline.settings.compare import changes, distance, flat, sentence
from pipeline.store import manifests
from pipeline.store.outputs import Artifact, Store, upstream_of
from pipeline.tasks.graph import above

_SHOWN = 3

CodeChanges = Callable[[Any, Path], list[str]]


def listed(names: Iterable[str]) -> str:
    """Write the first few of some names."""
    names = list(names)
    rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + rest


def why(
    task: Any,
    place: Path,
    after: str,
    store: Store,
    likeness: "Likeness",
    code_changes: CodeChanges,
) -> tuple[str, str, list[dict[str, Any]]]:
    """Say why a step runs.

    Parameters
    ----------
    task : Step
    place : Path
        Where its artifact is to be.
    after : str
        Which steps right above it run, in words; empty when none does.
    store : Store
    likeness : Likeness
    code_changes : callable
        Names what changed in a step's code since the artifact at a place.

    Returns
    -------
    kind, why, changes
        As in `pipeline.cli.plan.Item`.
    """
    if place.exists():
        return "file", broken(place), []
    aside = moved_aside(store, place)
    if aside is not None:
        return "file", f"its folder was damaged and moved aside to {store.short(aside)}", []
    users = _made_from(task, store)
    if users:
        return "file", f"its folder is gone; {listed(users)} was made from it", []
    nearest = likeness.nearest(task)
    if nearest is None:
        return "new", "the first run of this step for this dataset", []
    return _against(task, nearest, after, store, code_changes)


def broken(place: Path) -> str:
    """Say in words why a folder is not whole, from sizes alone."""
    manifest = manifests.read(place)
    if manifest is None:
        return manifests.why_unreadable(place)
    for name, entry in manifest["files"].items():
        try:
            size = (place / name).stat().st_size
        except OSError:
            return f"file {name} is missing"
        if size != entry["size"]:
            return f"file {name} has {size:,} bytes, {entry['size']:,} were written"
    return "it is not whole"


def recorded_raw_files(task: Any, store: Store) -> dict[str, Any] | None:
    """Return the checksums that every earlier record of the same raw files has, None if none."""
    settings = flat(task.settings())
    seen = [
        item.manifest["outside"]
        for item in _earlier(task, store)
        if flat(item.manifest["settings"]) == settings
    ]
    return seen[0] if seen and all(one == seen[0] for one in seen) else None


class Likeness:
    """How much the artifacts of a step differ from what the step is to make.

    Parameters
    ----------
    store : Store
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[tuple[str, Path], int] = {}

    def nearest(self, task: Any) -> Artifact | None:
        """Return the earlier artifact that differs in the fewest things, the newest of several."""
        earlier = _earlier(task, self._store)
        newest_first = sorted(earlier, key=lambda item: item.finished, reverse=True)
        return min(newest_first, key=lambda item: self.distance(task, item), default=None)

    def distance(self, task: Any, artifact: Artifact) -> int:
        """Count the settings, checksums and versions that differ, here and in all above."""
        key = (task.task_id, artifact.place)
        if key not in self._known:
            manifest = artifact.manifest
            made_from = self._store.above(artifact)
            self._known[key] = (
                distance(manifest["settings"], task.settings())
                + distance(manifest["outside"], task.external_inputs())
                + (manifest["version"] != task.version)
                + sum(self._above(other, made_from) for other in above(task))
            )
        return self._known[key]

    def _above(self, task: Any, artifacts: list[Artifact]) -> int:
        """Return the distance of the nearest artifact of the same step, 0 where all are gone."""
        same = [item for item in artifacts if item.task == task.task_family]
        return min((self.distance(task, item) for item in same), default=0)


def _against(
    task: Any, nearest: Artifact, after: str, store: Store, code_changes: CodeChanges
) -> tuple[str, str, list[dict[str, Any]]]:
    """Say what of a step differs from an earlier artifact of it."""
    manifest = nearest.manifest
    found = changes(manifest["settings"], task.settings())
    if found:
        return "parameter", listed(map(sentence, found)), found
    raw = changes(manifest["outside"], task.external_inputs())
    if raw:
        names = listed(change["name"] for change in raw)
        return "raw file", f"{names}: other bytes than before", raw
    if manifest["version"] != task.version:
        return "version", f"version {manifest['version']} -> {task.version} of this step", []
    above_it = _what_differs_above(task, nearest, store)
    changed = code_changes(task, nearest.place)
    if changed and not above_it:
        return "code", f"changed: {listed(changed)}", []
    if not above_it and not after:
        return "code", "code_changes: rerun now tells artifacts apart by their code", []
    return "upstream", after or above_it, []


def _what_differs_above(task: Any, nearest: Artifact, store: Store) -> str:
    """Say which steps right above are others than those that an artifact was made from."""
    before = {entry["task"]: entry["digest"] for entry in upstream_of(nearest.manifest)}
    names = [
        other.task_family
        for other in above(task)
        if hasattr(other, "digest") and before.get(other.task_family) != other.digest()
    ]
    return f"{', '.join(names)} is another than before" if names else ""


def _earlier(task: Any, store: Store) -> list[Artifact]:
    """Return the earlier artifacts of the same step and dataset."""
    found = store.all(task.dataset, task.folder)
    return [item for item in found if item.task == task.task_family]


def _made_from(task: Any, store: Store) -> list[str]:
    """Name the artifacts there are that were made from the one that a step is to make."""
    digest = task.digest()
    return [
        store.short(item.place)
        for item in store.all(task.dataset)
        if any(entry["digest"] == digest for entry in upstream_of(item.manifest))
    ]
