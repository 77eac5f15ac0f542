"""Provenance of an artifact: code, libraries, commit."""

import functools
import logging
import subprocess
import sys
from collections.abc import Iterable
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import CODE_CHANGED
from pipeline.store import manifests
from pipeline.store.code_hash import Code, Reader, changed_parts, entries_of, flags_of
from pipeline.tasks.config import outputs_folder, pipeline

if TYPE_CHECKING:
    from pipeline.tasks.base import Step

logger = logging.getLogger("luigi-interface")
_PACKAGE = Path(__file__).resolve().parent.parent
# fmt: off
_LIBRARIES = (
    "luigi", "tensorflow", "keras", "numpy", "scipy", "pandas", "pyarrow", "scikit-learn", "nltk",
    "ftfy", "simplemma", "skops", "matplotlib",
)
# fmt: on
_MODULES = {"scikit-learn": "sklearn"}


def code_in_digest() -> bool:
    """Return whether a change of code makes another artifact."""
    return bool(pipeline().code_changes == "rerun")


def code_of(step: "Step") -> Code:
    """Return the hash of the code that the ``build`` of a step runs.

    It is computed once per process, so that an edit during a run is not taken for its code.
    """
    entries = [f"{type(step).__module__}:{type(step).__qualname__}.build"]
    facts: list[str] = []
    for spec in step.code_specs():
        entries += entries_of(spec)
        facts += flags_of(spec)
    return _reader(outputs_folder() / ".cache").code(entries, facts)


def warn_of_changes(steps: Iterable["Step"]) -> None:
    """Log a warning for each step whose artifact was built by other code."""
    for step in steps:
        changed = changes(step, step.path())
        if changed and pipeline().code_changes == "warn":
            logger.warning(
                "%s: %s was built by other code (%s) and is kept; add --pipeline-code-changes "
                "rerun to rebuild what the code affects, or ignore.",
                CODE_CHANGED,
                step.path(),
                ", ".join(changed[:3]) + (", ..." if len(changed) > 3 else ""),
            )


def changes(step: "Step", path: Path) -> list[str]:
    """Return the functions and files that changed since the artifact in a folder was built.

    There are none if the manifest does not record the code.
    """
    now = code_of(step)
    before = (manifests.read_manifest(path) or {}).get("code") or {}
    if before.get("fingerprint") == now.fingerprint or "parts" not in before:
        return []
    return changed_parts(before["parts"], now.parts)


def library_versions(loaded_only: bool = True) -> dict[str, str]:
    """Return the versions of Python and of the loaded libraries, or of all installed ones."""
    from importlib import metadata  # costs as much as all other imports of the package

    versions = {"python": sys.version.split()[0]}
    for name in _LIBRARIES:
        module = _MODULES.get(name, name)
        if module in sys.modules or (not loaded_only and util.find_spec(module)):
            versions[name] = metadata.version(name)
    return versions


@functools.cache
def git_commit() -> str | None:
    """Return the commit of the checkout, with ``-dirty`` if files changed; None without git."""
    command = ["git", "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]
    folder = Path(__file__).parent
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip() or None


@functools.cache
def _reader(cache: Path) -> Reader:
    return Reader(_PACKAGE, cache / "code.json", "pipeline.tasks.base:Step")
