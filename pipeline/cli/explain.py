"""Compare a step with earlier artifacts: why it runs, and how long it is expected to take."""

import math
from pathlib import Path
from typing import Any

from pipeline.cli.settings_diff import changes, distance, flatten, format_changes, shorten
from pipeline.cli.verify import file_problem, moved_aside
from pipeline.store import manifests
from pipeline.store.outputs import Artifact, Store, upstream_of
from pipeline.tasks import provenance
from pipeline.tasks.graph import above

Reason = tuple[str, str, list[dict[str, Any]]]


class Explainer:
    """Explain steps by the artifacts of an outputs folder."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._distances: dict[tuple[str, Path], int] = {}

    def reason(self, task: Any, path: Path, rebuilt_upstream: str) -> Reason:
        """Return why a step runs: the kind of reason, a phrase, and changes (name, from, to).

        ``path`` is the future folder of its artifact. ``rebuilt_upstream`` is a phrase about the
        required steps that run, empty if none does.
        """
        if path.exists():
            return "file", _problem(path), []
        aside = moved_aside(self._store, path)
        if aside is not None:
            return "file", f"its folder was damaged and moved to {self._store.short(aside)}", []
        digest = task.digest()
        users = [
            self._store.short(item.path)
            for item in self._store.all(task.dataset)
            if any(entry["digest"] == digest for entry in upstream_of(item.manifest))
        ]
        if users:
            return "file", f"its folder is gone; {shorten(users)} was made from it", []
        earlier = self._earlier(task)
        nearest = min(earlier, key=lambda item: self._distance(task, item), default=None)
        if nearest is None:
            return "new", "the first run of this step for this dataset", []
        return _difference(task, nearest, rebuilt_upstream)

    def recorded_raw_files(self, task: Any) -> dict[str, Any] | None:
        """Return the recorded checksums of the same raw files, None if records differ."""
        settings = flatten(task.settings())
        checksums = [
            item.manifest["outside"]
            for item in self._earlier(task)
            if flatten(item.manifest["settings"]) == settings
        ]
        is_unanimous = bool(checksums) and all(recorded == checksums[0] for recorded in checksums)
        return checksums[0] if is_unanimous else None

    def seconds(self, task: Any) -> float | None:
        """Return how many seconds a step is expected to take, None if nothing like it has run.

        The estimate is the time of the earlier artifact, of any dataset and with the same model,
        whose number of rows and then whose settings are nearest, scaled by the number of rows.
        """
        model, settings = _model_of_task(task), task.settings()
        rows = self._expected_rows(task)
        earlier = [
            item.manifest
            for item in self._earlier(task, dataset="*")
            if item.manifest["seconds"] is not None
            and (model is None or self._model_of(item) == model)
        ]

        def difference(manifest: dict[str, Any]) -> tuple[float, int]:
            other_rows = manifest["rows_in"]
            ratio = abs(math.log2(rows / other_rows)) if rows and other_rows else 0.0
            return ratio, distance(manifest["settings"], settings)

        nearest = min(earlier, key=difference, default=None)
        if nearest is None:
            return None
        factor = rows / nearest["rows_in"] if rows and nearest["rows_in"] else 1.0
        return round(nearest["seconds"] * factor, 2)

    def _earlier(self, task: Any, dataset: str = "") -> list[Artifact]:
        """Return the artifacts of the same step, newest first."""
        artifacts = self._store.all(dataset or task.dataset, task.folder)
        same = [item for item in artifacts if item.task == task.task_family]
        return sorted(same, key=lambda item: item.finished, reverse=True)

    def _distance(self, task: Any, artifact: Artifact) -> int:
        """Count the settings, checksums and versions that differ, here and upstream."""
        key = (task.task_id, artifact.path)
        if key not in self._distances:
            manifest = artifact.manifest
            count = distance(manifest["settings"], task.settings())
            count += distance(manifest["outside"], task.external_inputs())
            count += manifest["version"] != task.version
            upstream = self._store.above(artifact)
            for other in above(task):
                same = [item for item in upstream if item.task == other.task_family]
                count += min((self._distance(other, item) for item in same), default=0)
            self._distances[key] = count
        return self._distances[key]

    def _model_of(self, artifact: Artifact) -> str | None:
        """Return the model of an artifact, None for a step before the model."""
        models = (item.manifest["settings"].get("model") for item in self._store.lineage(artifact))
        return next(filter(None, models), None)

    def _expected_rows(self, task: Any) -> int | None:
        """Return the number of rows that earlier artifacts suggest, None if there are none."""
        same_step = reversed(self._store.all(task.dataset, task.folder))
        counts = [item.manifest["rows_in"] for item in same_step]
        for other in above(task):
            required = self._store.all(task.dataset, getattr(other, "folder", "-"))
            counts += [item.manifest["rows_out"] for item in required]
        return next(filter(None, counts), None)


def _problem(path: Path) -> str:
    """Describe why a folder is incomplete, from the sizes of its files."""
    manifest = manifests.read(path)
    if manifest is None:
        return manifests.why_unreadable(path)
    problems = (file_problem(path / n, entry, n, False) for n, entry in manifest["files"].items())
    return next(filter(None, problems), "it is incomplete")


def _difference(task: Any, nearest: Artifact, rebuilt_upstream: str) -> Reason:
    """Return how a step differs from its most similar artifact."""
    manifest = nearest.manifest
    changed_settings = changes(manifest["settings"], task.settings())
    if changed_settings:
        return "parameter", format_changes(changed_settings), changed_settings
    raw_files = changes(manifest["outside"], task.external_inputs())
    if raw_files:
        names = shorten(change["name"] for change in raw_files)
        return "raw file", f"the content of {names} changed", raw_files
    if manifest["version"] != task.version:
        return "version", f"version {manifest['version']} -> {task.version} of this step", []
    before = {entry["task"]: entry["digest"] for entry in upstream_of(manifest)}
    upstream = [
        other.task_family
        for other in above(task)
        if hasattr(other, "digest") and before.get(other.task_family) != other.digest()
    ]
    changed_code = provenance.changes(task, nearest.path)
    if changed_code and not upstream:
        return "code", f"changed: {shorten(changed_code)}", []
    if not upstream and not rebuilt_upstream:
        return "code", "with code_changes=rerun the code hash is part of the digest", []
    return "upstream", rebuilt_upstream or f"it uses another {', '.join(upstream)}", []


def _model_of_task(task: Any) -> str | None:
    """Return the model of a step, None for a step before the model."""
    while task is not None:
        model = task.settings().get("model")
        if model:
            return model
        task = next((other for other in above(task) if hasattr(other, "settings")), None)
    return None
