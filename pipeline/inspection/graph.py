"""Walk a graph of tasks."""

from collections.abc import Iterator
from typing import Any


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
