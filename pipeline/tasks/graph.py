"""Walk the graph of tasks, and compute what tasks derive from files only once."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, TypeVar

_T = TypeVar("_T")
_R = TypeVar("_R")
_MEMO: ContextVar[dict[tuple[Any, str], Any] | None] = ContextVar("memo", default=None)


def above(task: Any) -> list[Any]:
    """Return the tasks that a task requires."""
    # A step remembers what it requires.
    return list(getattr(task, "required", None) or task.deps())


def in_order(root: Any) -> Iterator[Any]:
    """Yield a task and everything that it requires, each once, dependencies first."""
    seen: set[str] = set()

    def visit(task: Any) -> Iterator[Any]:
        if task.task_id not in seen:
            seen.add(task.task_id)
            for other in above(task):
                yield from visit(other)
            yield task

    yield from visit(root)


@contextlib.contextmanager
def snapshot() -> Iterator[None]:
    """Remember the results of methods marked with `once` until the block ends.

    Each step needs the digests of all steps above it. Without a snapshot they are computed again
    at every call, because files can change while a task runs.
    """
    token = _MEMO.set({})
    try:
        yield
    finally:
        _MEMO.reset(token)


def once(method: Callable[[_T], _R]) -> Callable[[_T], _R]:
    """Mark a method of a task as one that runs once in a `snapshot`."""

    @functools.wraps(method)
    def remembered(task: _T) -> _R:
        memo = _MEMO.get()
        if memo is None:
            return method(task)
        key = (task, method.__name__)
        if key not in memo:
            memo[key] = method(task)
        result: _R = memo[key]
        return result

    return remembered


def assume(task: Any, method: str, result: Any) -> None:
    """Set the result of a method that is marked with `once`, until the `snapshot` ends."""
    memo = _MEMO.get()
    if memo is None:
        raise RuntimeError("assume needs a snapshot")
    memo[task, method] = result
