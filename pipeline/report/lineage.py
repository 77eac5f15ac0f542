"""The sections on settings and lineage: the steps of the run with their settings, rows and cost."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.report.sources import Run


def section(run: Run, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of the sections.

    It has ``steps``, the first one first; ``settings``, a row of task, name, value and default
    (empty where the value is the default) for each; ``changed``, the rows with another value than
    the default; and ``versions`` of libraries. ``defaults`` are those of such settings, by name.
    """
    chain = [run.step(task) for task in reversed(list(run.steps))]
    libraries: dict[str, str] = {}
    for step in chain:
        libraries |= step.manifest.get("libraries", {})
    commit = run.manifests["Evaluate"].get("git_commit")
    settings = list(_settings(run, defaults))
    return {
        "steps": [
            {
                **step.manifest,
                "path": run.store.short(step.path),
                "also_requires": [entry["place"] for entry in step.manifest.get("beside", ())],
            }
            for step in chain
        ],
        "settings": settings,
        "changed": [row for row in settings if row["default"]],
        "versions": [*libraries.items(), *([("git commit", commit)] if commit else [])],
    }


def setting_text(value: Any) -> str:
    """Return the value of a setting as a command line has it.

    Examples
    --------
    >>> [setting_text(value) for value in ([64, 32], True, "auto", None)]
    ['[64, 32]', 'true', 'auto', 'none']
    """
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _settings(run: Run, defaults: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Yield task, name, value and default of each setting, without the dataset and the model."""
    for task, manifest in reversed(run.manifests.items()):
        for name, value in manifest["settings"].items():
            if task != "DownloadData" and name != "model":
                default = setting_text(defaults[name]) if name in defaults else ""
                yield {"task": task, "name": name, "value": setting_text(value), "default": default}
