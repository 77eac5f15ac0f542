"""Compare a step with earlier artifacts: why it runs, and how long it is expected to take."""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipeline.cli.settings_diff import changes, distance, flatten, format_changes, shorten
from pipeline.cli.verify import moved_aside
from pipeline.store import manifests
from pipeline.store.outputs import Artifact, Store, upstream_of
from pipeline.tasks import code_changes
from pipeline.tasks.graph import above

Reason = tuple[str, str, list[dict[str, Any]]]


class Explainer:
    """Explain steps by the artifacts of an outputs folder.

    Parameters
    ----------
    store : Store
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._distances: dict[tuple[str, Path], int] = {}

    def reason(self, task: Any, path: Path, rebuilt_upstream: str) -> Reason:
        """Return why a step runs.

        Parameters
        ----------
        task : Step
        path : Path
            The future folder of its artifact.
        rebuilt_upstream : str
            Which required steps run, as a phrase; empty when none does.

        Returns
        -------
        kind : str
            ``parameter``, ``upstream``, ``raw file``, ``code``, ``file``, ``new`` or ``version``.
        why : str
            The same as a phrase.
        changes : list of dict
            Settings that differ from the most similar artifact: name, from, to.
        """
        if path.exists():
            return "file", _problem(path), []
        aside = moved_aside(self._store, path)
        if aside is not None:
            return "file", f"its folder was damaged and moved to {self._store.short(aside)}", []
        users = self._made_from(task)
        if users:
            return "file", f"its folder is gone; {shorten(users)} was made from it", []
        # The newest of the most similar artifacts.
        newest_first = sorted(self._earlier(task), key=lambda item: item.finished, reverse=True)
        nearest = min(newest_first, key=lambda item: self._distance(task, item), default=None)
        if nearest is None:
            return "new", "the first run of this step for this dataset", []
        return _difference(task, nearest, rebuilt_upstream)

    def recorded_raw_files(self, task: Any) -> dict[str, Any] | None:
        """Return the checksums that all records of the same raw files agree on, or None."""
        settings = flatten(task.settings())
        checksums = [
            item.manifest["outside"]
            for item in self._earlier(task)
            if flatten(item.manifest["settings"]) == settings
        ]
        is_unanimous = bool(checksums) and all(one == checksums[0] for one in checksums)
        return checksums[0] if is_unanimous else None

    def seconds(self, task: Any) -> float | None:
        """Return how many seconds a step is expected to take, None if nothing like it has run.

        The estimate is the time of the earlier artifact, of any dataset and with the same model,
        whose number of rows and then whose settings are nearest, scaled by the number of rows.
        """
        model = _model_of_task(task)
        earlier = [
            item
            for item in self._store.all(step=task.folder)
            if item.task == task.task_family
            and item.manifest["seconds"] is not None
            and (model is None or self._model(item) == model)
        ]
        if not earlier:
            return None
        rows, settings = self._expected_rows(task), task.settings()

        def difference(item: Artifact) -> tuple[float, int]:
            ratio = _log_ratio(rows, item.manifest["rows_in"])
            return ratio, distance(item.manifest["settings"], settings)

        newest_first = sorted(earlier, key=lambda item: item.finished, reverse=True)
        nearest = min(newest_first, key=difference).manifest
        factor = rows / nearest["rows_in"] if rows and nearest["rows_in"] else 1.0
        return round(nearest["seconds"] * factor, 2)

    def _earlier(self, task: Any) -> list[Artifact]:
        """Return the artifacts of the same step and dataset."""
        artifacts = self._store.all(task.dataset, task.folder)
        return [item for item in artifacts if item.task == task.task_family]

    def _made_from(self, task: Any) -> list[str]:
        """Return the artifacts that were made from the one that a step will make."""
        digest = task.digest()
        return [
            self._store.short(item.place)
            for item in self._store.all(task.dataset)
            if any(entry["digest"] == digest for entry in upstream_of(item.manifest))
        ]

    def _distance(self, task: Any, artifact: Artifact) -> int:
        """Count the settings, checksums and versions that differ, here and upstream."""
        key = (task.task_id, artifact.place)
        if key not in self._distances:
            manifest = artifact.manifest
            upstream = self._store.above(artifact)
            self._distances[key] = (
                distance(manifest["settings"], task.settings())
                + distance(manifest["outside"], task.external_inputs())
                + (manifest["version"] != task.version)
                + sum(self._nearest_distance(other, upstream) for other in above(task))
            )
        return self._distances[key]

    def _nearest_distance(self, task: Any, artifacts: Iterable[Artifact]) -> int:
        """Return the distance of the nearest artifact of the same step, 0 if there is none."""
        same = [item for item in artifacts if item.task == task.task_family]
        return min((self._distance(task, item) for item in same), default=0)

    def _model(self, artifact: Artifact) -> str | None:
        """Return the model of an artifact, None for a step before the model."""
        models = (item.manifest["settings"].get("model") for item in self._store.lineage(artifact))
        return next(filter(None, models), None)

    def _expected_rows(self, task: Any) -> int | None:
        """Return the number of rows that earlier artifacts suggest, None if there are none."""
        same = self._store.all(task.dataset, task.folder)
        counts = [item.manifest["rows_in"] for item in same if item.manifest["rows_in"]]
        if counts:
            return counts[-1]
        for other in above(task):
            for item in self._store.all(task.dataset, getattr(other, "folder", "-")):
                if item.manifest["rows_out"]:
                    return item.manifest["rows_out"]
        return None


def _problem(path: Path) -> str:
    """Describe why a folder is incomplete, from the sizes of its files."""
    manifest = manifests.read(path)
    if manifest is None:
        return manifests.why_unreadable(path)
    for name, entry in manifest["files"].items():
        try:
            size = (path / name).stat().st_size
        except OSError:
            return f"file {name} is missing"
        if size != entry["size"]:
            return f"file {name} has {size:,} bytes instead of {entry['size']:,}"
    return "it is incomplete"


def _difference(task: Any, nearest: Artifact, rebuilt_upstream: str) -> Reason:
    """Return how a step differs from its most similar artifact."""
    manifest = nearest.manifest
    changed_settings = changes(manifest["settings"], task.settings())
    if changed_settings:
        return "parameter", format_changes(changed_settings), changed_settings
    raw = changes(manifest["outside"], task.external_inputs())
    if raw:
        names = shorten(change["name"] for change in raw)
        return "raw file", f"the content of {names} changed", raw
    if manifest["version"] != task.version:
        return "version", f"version {manifest['version']} -> {task.version} of this step", []
    upstream = _changed_upstream(task, nearest)
    changed_code = code_changes.changes(task, nearest.place)
    if changed_code and not upstream:
        return "code", f"changed: {shorten(changed_code)}", []
    if not upstream and not rebuilt_upstream:
        return "code", "with code_changes=rerun the code hash is part of the digest", []
    return "upstream", rebuilt_upstream or upstream, []


def _changed_upstream(task: Any, nearest: Artifact) -> str:
    """Name the required steps whose artifact differs from the one that was used before."""
    before = {entry["task"]: entry["digest"] for entry in upstream_of(nearest.manifest)}
    names = [
        other.task_family
        for other in above(task)
        if hasattr(other, "digest") and before.get(other.task_family) != other.digest()
    ]
    return f"another artifact of {', '.join(names)} is used" if names else ""


def _model_of_task(task: Any) -> str | None:
    """Return the model of a step, None for a step before the model."""
    while task is not None:
        model = task.settings().get("model")
        if model:
            return model
        task = next((other for other in above(task) if hasattr(other, "settings")), None)
    return None


def _log_ratio(rows: int | None, other_rows: int | None) -> float:
    """Return the ratio of two numbers of rows in bits, 0 where one is unknown."""
    return abs(math.log2(rows / other_rows)) if rows and other_rows else 0.0
