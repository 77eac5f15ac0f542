"""The code behind a step: its fingerprint, and what a change of it means."""

import functools
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import luigi

from pipeline.store import artifacts
from pipeline.store.code_hash import Code, Reader, changed_parts, entries_of, figures_of

logger = logging.getLogger("luigi-interface")
_PACKAGE = Path(__file__).resolve().parent.parent


class pipeline(luigi.Config):
    """What holds for every step."""

    code_changes = luigi.ChoiceParameter(
        choices=["warn", "rerun", "ignore"],
        default="warn",
        description="when code behind an artifact changed since: warn and keep it, rerun (the "
        "code's fingerprint becomes part of what identifies an artifact), or ignore",
    )
    address = luigi.Parameter(
        default="",
        description="where a web server shows the outputs folder: luigid's pages of tasks lead "
        "there; to files without it",
    )


def decides() -> bool:
    """Say whether a change of code makes another artifact."""
    return pipeline().code_changes == "rerun"


def behind(step: Any) -> Code:
    """Return the fingerprint of what a step's ``build`` runs.

    It is taken once in a process, so that an edit during a long run does not pass for its code.
    """
    rows = step.registry_rows()
    entries = [f"{type(step).__module__}:{type(step).__qualname__}.build"]
    entries += [entry for row in rows for entry in entries_of(row)]
    facts = [fact for row in rows for fact in figures_of(row)]
    return _code(tuple(entries), tuple(facts), step.memory())


def warn_of_changes(steps: Iterable[Any]) -> None:
    """Name the steps whose artifact is there and was made by other code."""
    for step in steps:
        changed = changes(step, step.path())
        if changed and pipeline().code_changes == "warn":
            logger.warning(
                "%s was built by other code (%s); it is kept. Say --pipeline-code-changes rerun "
                "to build what changed code reaches again, or ignore.",
                step.path(),
                ", ".join(changed[:3]) + (", ..." if len(changed) > 3 else ""),
            )


def changes(step: Any, place: Path) -> list[str]:
    """Name the functions and files that changed since an artifact was made; none if unknown."""
    now = behind(step)
    before = (artifacts.read_manifest(place) or {}).get("code")
    if not isinstance(before, dict) or before.get("fingerprint") == now.fingerprint:
        return []
    parts = before.get("parts")
    if not isinstance(parts, dict):
        return []
    return changed_parts(parts, now.parts)


@functools.cache
def _code(entries: tuple[str, ...], facts: tuple[str, ...], memory: Path) -> Code:
    """Read the code once for this process."""
    return _reader(memory).code(entries, facts)


@functools.cache
def _reader(memory: Path) -> Reader:
    return Reader(_PACKAGE, memory / "code.json", "pipeline.tasks.base:Step")
