"""The report's section on lineage: which steps made it, from what."""

from typing import Any

from pipeline.report.sources import Run


def steps(run: Run) -> list[dict[str, Any]]:
    """Describe the steps, the first first.

    Returns
    -------
    list of dict
        ``task``, ``settings``, ``rows_in``, ``rows_out``, ``seconds``, ``memory`` (MiB),
        ``digest``, ``place``, and ``beside``: places of other artifacts that it read.
    """
    found = []
    for task, place in reversed(list(run.places.items())):
        manifest = run.manifests[task]
        settings = {} if task == "DownloadData" else manifest["settings"]
        found.append(
            {
                "task": task,
                "settings": [(name, _words(value)) for name, value in settings.items()],
                "rows_in": manifest["rows_in"],
                "rows_out": manifest["rows_out"],
                "seconds": manifest["seconds"],
                "memory": manifest["peak_memory_mib"],
                "digest": manifest["digest"],
                "place": "/".join(place.parts[-3:]),
                "beside": [entry["place"] for entry in manifest.get("beside", ())],
            }
        )
    return found


def versions(run: Run) -> list[tuple[str, str]]:
    """List the libraries that any step had loaded, and the commit of the code."""
    libraries: dict[str, str] = {}
    for task in reversed(list(run.places)):
        libraries |= run.manifests[task].get("libraries", {})
    commit = run.manifests["Evaluate"].get("git_commit")
    return [*libraries.items(), *([("git commit", commit)] if commit else [])]


def preparation_seconds(run: Run) -> float:
    """Return the seconds a row that cleaning, tokenizing and vectorizing took together."""
    tasks = ("CleanText", "Tokenize", "Vectorize")
    seconds = sum(run.manifests[task]["seconds"] for task in tasks)
    return seconds / max(run.profile["kept"], 1)


def _words(value: Any) -> str:
    """Write a setting's value."""
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
