"""What the next command does, step by step, why, and how long it takes."""

import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipeline.cli import estimates, explain
from pipeline.store import artifacts
from pipeline.store.outputs import Store
from pipeline.tasks.graph import above, assume, in_order, snapshot

RUN, SKIP, FETCH, FAIL, WAIT = "run", "skip", "fetch", "fail", "wait"


@dataclass
class Item:
    """One task of the plan.

    Attributes
    ----------
    task : str
        Name of the task.
    action : {"run", "skip", "fetch", "fail", "wait"}
        It does its work; it is there already; it is there and only raw files are fetched; it
        cannot do its work; something above it cannot.
    kind : str
        What makes it run: ``parameter``, ``upstream``, ``raw file``, ``code``, ``file``, ``new``,
        ``version``, ``link``; empty when it is skipped.
    why : str
        The same in words.
    seconds : float or None
        What it is expected to take, None where nothing like it was run before.
    place : str or None
        Its folder, None where that depends on raw files that are not there.
    note : str
        Anything to know besides, such as code that changed and is not built again.
    changes : list of dict
        Settings that differ from the artifact it is compared with: name, from, to.
    """

    task: str
    action: str
    kind: str = ""
    why: str = ""
    seconds: float | None = 0.0
    place: str | None = None
    note: str = ""
    changes: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Outside:
    """What planning needs to know of tasks and does not find out by itself.

    Attributes
    ----------
    code_changes : callable
        Names what changed in a step's code since the artifact at a place.
    is_warning : bool
        Whether such changes are worth a note.
    missing : callable
        Returns the raw files that a step lacks: name, address (None: by hand) and what to do.
    """

    code_changes: Callable[[Any, Path], list[str]]
    is_warning: bool
    missing: Callable[[Any], list[dict[str, Any]]]


def plan(root: Any, store: Store, external_inputs: Outside) -> dict[str, Any]:
    """Say what running a task does.

    Parameters
    ----------
    root : luigi.Task
        With the parameters of the command.
    store : Store
    outside : Outside

    Returns
    -------
    dict
        ``steps`` (first the first), ``runs`` (how many do their work), ``seconds`` (expected) and
        ``unknown`` (tasks at work of which nothing is known, left out of the seconds).
    """
    with snapshot():
        steps = _items(root, store, external_inputs)
    at_work = [item for item in steps if item.action == RUN]
    return {
        "steps": [asdict(item) for item in steps],
        "runs": len(at_work),
        "seconds": round(sum(item.seconds or 0.0 for item in at_work), 1),
        "unknown": [item.task for item in at_work if item.seconds is None],
    }


def _items(root: Any, store: Store, external_inputs: Outside) -> list[Item]:
    """Plan each task, those above first."""
    reached = _reached(root)
    likeness = explain.Likeness(store)
    items: dict[str, Item] = {}
    for task in in_order(root):
        needed = [items[other.task_id] for other in above(task)]
        if not hasattr(task, "path"):
            items[task.task_id] = _plain_task(task, needed, store, task.task_id in reached)
        else:
            items[task.task_id] = _step(
                task, needed, store, likeness, external_inputs, task.task_id in reached
            )
    return list(items.values())


def _reached(root: Any) -> set[str]:
    """Return the ids of the tasks that Luigi comes to: it looks no further above a complete one."""
    found: set[str] = set()
    waiting = [root]
    while waiting:
        task = waiting.pop()
        if task.task_id not in found and not task.complete():
            found.add(task.task_id)
            waiting += above(task)
    return found


def _plain_task(task: Any, needed: list[Item], store: Store, is_reached: bool) -> Item:
    """Plan a task that is no step, such as RunAll: its output is a link, made in no time."""
    name, path = task.task_family, getattr(task.output(), "path", None)
    path = None if path is None else str(path)
    if not is_reached:
        return Item(name, SKIP, place=path)
    if _is_blocked(needed):
        return Item(name, WAIT, "upstream", _waits(needed), place=path)
    if any(item.action == RUN for item in needed):
        return Item(name, RUN, "upstream", _after(needed), place=path)
    if path is None or os.path.realpath(path) in _places(needed, store):
        # Something further above is built again, alone; for this task nothing changes.
        return Item(name, SKIP, place=path)
    if os.path.islink(path):
        return Item(name, RUN, "link", "the link leads to another run", place=path)
    if not needed and hasattr(task, "day"):  # a night asks for what it needs as it runs
        why = "it has no record; its rows decide what runs"
        return Item(name, RUN, "new", why, None, path)
    return Item(name, RUN, "file", "the link is not there", place=path)


def _step(
    task: Any,
    needed: list[Item],
    store: Store,
    likeness: explain.Likeness,
    external_inputs: Outside,
    is_reached: bool,
) -> Item:
    """Plan one step."""
    name = task.task_family
    missing = external_inputs.missing(task) if is_reached else []
    if missing:
        return _without_raw_files(task, missing, store)
    if _is_blocked(needed):
        return Item(name, WAIT, "upstream", _waits(needed))
    if any(item.place is None for item in needed):
        # What arrives is new here, so that nothing made from it can be there.
        return Item(name, RUN, "upstream", _after(needed), estimates.seconds(task, store))
    place = Path(task.path())
    if not is_reached or artifacts.is_complete(place):
        changed = external_inputs.code_changes(task, place) if external_inputs.is_warning else []
        note = f"built by other code, and kept: {explain.listed(changed)}" if changed else ""
        return Item(name, SKIP, place=store.short(place), note=note)
    kind, why, changes = explain.why(
        task, place, _after(needed), store, likeness, external_inputs.code_changes
    )
    seconds = estimates.seconds(task, store)
    return Item(name, RUN, kind, why, seconds, store.short(place), changes=changes)


def _without_raw_files(task: Any, missing: list[dict[str, Any]], store: Store) -> Item:
    """Plan the step that lacks raw files: it fetches them, or cannot."""
    name = task.task_family
    for file in missing:
        if not file["address"]:
            return Item(name, FAIL, "raw file", file["help"])
    names = ", ".join(file["name"] for file in missing)
    why = f"raw file {names} is not there and is fetched from {missing[0]['address']}"
    before = explain.recorded_raw_files(task, store)
    seconds = estimates.seconds(task, store)
    if before is None:
        return Item(name, RUN, "raw file", why, seconds)
    # What is below is planned as if the bytes came that always came. The instance is the one
    # that every task below asks for its digest: Luigi makes one for the same parameters.
    assume(task, "external_inputs", before)
    place = Path(task.path())
    action = FETCH if artifacts.is_complete(place) else RUN
    note = "planned as if the same bytes came as before"
    return Item(name, action, "raw file", why, seconds, store.short(place), note)


def _is_blocked(needed: Iterable[Item]) -> bool:
    return any(item.action in (FAIL, WAIT) for item in needed)


def _waits(needed: Iterable[Item]) -> str:
    names = (item.task for item in needed if item.action in (FAIL, WAIT))
    return f"{', '.join(names)} cannot run"


def _after(needed: Iterable[Item]) -> str:
    names = [item.task for item in needed if item.action == RUN]
    return f"{', '.join(names)} runs" if names else ""


def _places(needed: Iterable[Item], store: Store) -> set[str]:
    """Return the real places of artifacts."""
    return {os.path.realpath(store.outputs / item.place) for item in needed if item.place}
