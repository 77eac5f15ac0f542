"""The section on lineage: the steps of the run with their settings, rows and cost."""

from typing import Any

from pipeline.report.sources import Run


def section(run: Run) -> dict[str, Any]:
    """Return the content of the section: ``steps``, the first one first, and ``versions``."""
    chain = [run.step(task) for task in reversed(list(run.steps))]
    libraries: dict[str, str] = {}
    for step in chain:
        libraries |= step.manifest.get("libraries", {})
    commit = run.manifests["Evaluate"].get("git_commit")
    return {
        "steps": [
            {
                **step.manifest,
                "settings": [] if step.task == "DownloadData" else _settings(step.manifest),
                "path": run.store.short(step.path),
                "also_requires": [entry["place"] for entry in step.manifest.get("beside", ())],
            }
            for step in chain
        ],
        "versions": [*libraries.items(), *([("git commit", commit)] if commit else [])],
    }


def _settings(manifest: dict[str, Any]) -> list[tuple[str, str]]:
    """Return names and values of the settings as text."""
    return [
        (name, " ".join(map(str, value)) if isinstance(value, list) else str(value))
        for name, value in manifest["settings"].items()
    ]
