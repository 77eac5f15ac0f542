"""What is in an artifact or a run, and everything that made it."""

import csv
import os
from pathlib import Path
from typing import Any

from pipeline.store import artifacts
from pipeline.store.manifests import is_count, is_text
from pipeline.store.outputs import Artifact, Store, upstream_of
from pipeline.store.run import run_row

_FIGURES = (".png", ".svg")


def contents(store: Store, artifact: Artifact, rows: int = 5) -> dict[str, Any]:
    """Describe an artifact.

    Parameters
    ----------
    store : Store
    artifact : Artifact
    rows : int
        Rows of the data to show.

    Returns
    -------
    dict
        ``place``, ``manifest``, ``head`` (columns and rows of each table), ``figures`` (paths),
        ``summaries`` (small JSON files) and, for a run, ``run`` with its headline metrics and
        ``steps``.
    """
    files = artifact.manifest["files"]
    described: dict[str, Any] = {
        "place": str(artifact.place),
        "is_whole": artifacts.is_complete(artifact.place),
        "manifest": artifact.manifest,
        "head": {name: _head(artifact.place / name, rows) for name in files if _is_head(name)},
        "figures": [str(artifact.place / name) for name in files if name.endswith(_FIGURES)],
        "summaries": {
            name: artifact.read_json(name)
            for name, entry in files.items()
            if name.endswith(".json") and entry["size"] < 100_000
        },
    }
    if artifact.task == "Report":
        described["run"] = run_row(store, artifact)
        described["report"] = str(artifact.place / "report.html")
        described["steps"] = [
            {
                "task": item.task,
                "seconds": item.manifest["seconds"],
                "rows_in": item.manifest["rows_in"],
                "rows_out": item.manifest["rows_out"],
                "settings": item.manifest["settings"],
                "place": store.short(item.place),
            }
            for item in reversed(list(store.chain(artifact)))
        ]
    return described


def lineage(store: Store, artifact: Artifact) -> dict[str, Any]:
    """Describe everything that made an artifact, up to the raw bytes.

    Returns
    -------
    dict
        The artifact's ``task``, ``place``, ``settings``, ``code``, ``git_commit``, ``libraries``,
        ``finished``; its ``raw_files`` with what they are now; and ``made_from``, the same of
        what is above it. What is gone, or is said to be made from itself, says so in ``state``.
    """
    return _lineage(store, artifact, frozenset())


def _lineage(store: Store, artifact: Artifact, below: frozenset[Path]) -> dict[str, Any]:
    """Describe what made an artifact; ``below`` are the places that the way here came by."""
    manifest = artifact.manifest
    way = below | {artifact.place}
    above = []
    for entry in upstream_of(manifest):
        other = store.artifact(artifact.place / entry["place"])
        if other is not None and other.place not in way:
            above.append(_lineage(store, other, way))
        else:
            place = store.short(artifact.place / entry["place"])
            named = {"task": entry["task"], "digest": entry["digest"], "place": place}
            state = "gone" if other is None else "made from itself"
            above.append({**named, "state": state, "made_from": []})
    return {
        "task": artifact.task,
        "digest": artifact.digest,
        "place": store.short(artifact.place),
        "state": "whole" if artifacts.is_complete(artifact.place) else "not whole",
        "settings": manifest["settings"],
        "outside": manifest["outside"],
        "raw_files": _raw_files(store, artifact),
        "rows_in": manifest["rows_in"],
        "rows_out": manifest["rows_out"],
        "seconds": manifest["seconds"],
        "finished": artifact.finished,
        "code": manifest.get("code", {}).get("fingerprint"),
        "git_commit": manifest.get("git_commit"),
        "libraries": manifest.get("libraries", {}),
        "made_from": above,
    }


def _raw_files(store: Store, artifact: Artifact) -> list[dict[str, Any]]:
    """Say of each raw file what it was and whether it still is."""
    source = artifact.summary("source.json") if artifact.task == "DownloadData" else {}
    memory = store.outputs / ".sha256"
    listed = source.get("files")
    return [
        {**file, "state": _state(Path(file["path"]), file["sha256"], memory)}
        for file in (listed if isinstance(listed, list) else [])
        if isinstance(file, dict)
        and is_text(file.get("path"))
        and is_text(file.get("sha256"))
        and is_count(file.get("size"))
    ]


def _state(path: Path, sha256: str, memory: Path) -> str:
    """Say whether a raw file still is what it was."""
    if not os.path.isfile(path):  # Path.is_file raises on a name that is too long
        return "gone"
    try:
        now = artifacts.remembered_sha256(path, memory)
    except OSError:
        return "unreadable"
    return "unchanged" if now == sha256 else "changed"


def _is_head(name: str) -> bool:
    return name == "head.csv" or name.endswith(".head.csv")


def _head(path: Path, rows: int) -> dict[str, Any]:
    """Read the first rows of a table, every cell as text."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            lines = [line for line, _ in zip(csv.reader(file), range(rows + 1), strict=False)]
    except (OSError, csv.Error, UnicodeDecodeError):
        return {"columns": [], "rows": []}
    columns = lines[0] if lines else []
    # As many cells as columns, also where the file is damaged.
    cells = [[*line, *[""] * len(columns)][: len(columns)] for line in lines[1:]]
    return {"columns": columns, "rows": cells}
