"""Walk a graph of tasks."""

import contextlib
import functools
from collections.abc import Iterator
from typing import Any

# What a task derives from its parameters and from files, over and over.
_DERIVED = ("requires", "settings", "external_inputs", "digest", "path", "complete")


def above(task: Any) -> list[Any]:
    """Return the tasks that a task requires."""
    return list(task.deps())


def in_order(root: Any) -> Iterator[Any]:
    """Yield a task and all above it once each, those above first."""
    seen: set[str] = set()

    def visit(task: Any) -> Iterator[Any]:
        if task.task_id not in seen:
            seen.add(task.task_id)
            for other in above(task):
                yield from visit(other)
            yield task

    yield from visit(root)


@contextlib.contextmanager
def frozen(root: Any) -> Iterator[None]:
    """Let each task above a root find out only once what it derives, as of this moment.

    Every step asks those above it for their digests, which makes a long way of a short one.
    """
    waiting: list[Any] = [root]
    touched: list[Any] = []
    while waiting:
        task = waiting.pop()
        if any(task is other for other in touched):
            continue
        for name in _DERIVED:
            if hasattr(task, name):
                setattr(task, name, functools.cache(getattr(task, name)))
        touched.append(task)
        waiting += above(task)
    try:
        yield
    finally:
        for task in touched:
            for name in _DERIVED:
                task.__dict__.pop(name, None)
