"""Ctrl-C and other signals that end a command: one line, no traceback, nothing left behind.

Luigi catches KeyboardInterrupt in event handlers, and libraries catch it in callbacks. The handler
of this module therefore raises nothing: it tidies up and ends the process.
"""

import contextlib
import os
import signal
import sys
import threading
import time
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_COMMANDS = ("luigi", "pipeline", "-m")  # -m: python -m, while it imports the package
_PATIENCE = 10.0  # seconds until a child process that did not end is killed
_CLEAR_LINE = "\r\x1b[K"  # removes ^C and a part of a progress bar

_process: int | None = None  # of the command; its child processes print nothing
_terminal = 2  # a copy of standard error, which the import of TensorFlow redirects
_running: list[Any] = []  # the task that this process works on


def install() -> None:
    """Install the handler in the processes of a command, as early as possible.

    A program or a notebook that imports the package keeps its own handlers, and signals that are
    ignored, as under nohup, stay ignored.
    """
    global _process, _terminal
    if not _is_command() or threading.current_thread() is not threading.main_thread():
        return
    if not _is_child():
        _process = os.getpid()
        with contextlib.suppress(OSError):  # standard error is closed
            _terminal = os.dup(2)
    for number in _SIGNALS:
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _stop)


def end_cleanly_on_sigterm() -> None:
    """Handle SIGTERM like Ctrl-C in programs that run tasks themselves."""
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def follow_tasks() -> None:
    """Let the handler know which task runs."""
    import luigi

    luigi.Task.event_handler(luigi.Event.START)(_on_start)
    for event in (luigi.Event.SUCCESS, luigi.Event.FAILURE):
        luigi.Task.event_handler(event)(_on_end)


def _on_start(task: Any) -> None:
    _running[:] = [task]


def _on_end(*_: Any) -> None:
    _running.clear()


def _is_command() -> bool:
    """Return whether this process is a command, and not a program that imports the package."""
    return _script() in _COMMANDS


def _script() -> str:
    """Return the name of the command; ``luigi`` also where a program calls Luigi's command."""
    if "luigi.cmdline" in sys.modules:
        return "luigi"
    return os.path.splitext(os.path.basename(sys.argv[0]))[0] if sys.argv else ""


def _is_child() -> bool:
    """Return whether multiprocessing started this process."""
    multiprocessing = sys.modules.get("multiprocessing")
    return multiprocessing is not None and multiprocessing.parent_process() is not None


def _stop(number: int, frame: Any) -> None:
    """Say where the command stopped, end child processes, remove temporary files, and end.

    A second signal ends the command at once, but not before its line is printed. A child process
    ignores it: Ctrl-C reaches the child too, and its parent then sends SIGTERM.
    """
    for other in _SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    children = _children()
    if os.getpid() == _process:
        _print(_message(_tasks(children)))
        for other in _SIGNALS:
            signal.signal(other, signal.SIG_DFL)
    with contextlib.suppress(Exception):
        _end(children)
    files = sys.modules.get("pipeline.store.files")
    with contextlib.suppress(Exception):
        if files is not None:
            files.remove_temporaries()
    # The process ends by the signal, so that the loop of a shell script ends too.
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)


def _tasks(children: list[Any]) -> list[Any]:
    """Return the tasks that run, here or in the processes of Luigi's workers."""
    tasks = [child.task for child in children if hasattr(child, "task")]
    with contextlib.suppress(Exception):  # a process lives on for a moment after its task
        tasks = [task for task in tasks if not task.complete()]
    return tasks or _running


def _children() -> list[Any]:
    """Return the processes that this one started with multiprocessing."""
    multiprocessing = sys.modules.get("multiprocessing")
    with contextlib.suppress(Exception):
        return list(multiprocessing.active_children()) if multiprocessing is not None else []
    return []


def _end(children: list[Any]) -> None:
    """End all child processes; kill those that do not end in time."""
    deadline = time.monotonic() + _PATIENCE
    asked: set[int] = set()
    # Repeated, because threads of multiprocessing replace processes that ended.
    while processes := _pids(children):
        is_late = time.monotonic() > deadline
        for process in processes if is_late else processes - asked:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL if is_late else signal.SIGTERM)
        asked |= processes
        time.sleep(0.01)
        for process in processes:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(process, os.WNOHANG)


def _pids(children: list[Any]) -> set[int]:
    """Return the ids of the child processes that run.

    Linux also lists a process that is just being started, which multiprocessing does not.
    """
    if not os.path.exists(f"/proc/self/task/{os.getpid()}/children"):
        return {child.pid for child in children if child.is_alive()}
    listed = ""
    for thread in os.listdir("/proc/self/task"):
        with contextlib.suppress(OSError), open(f"/proc/self/task/{thread}/children") as file:
            listed += file.read()
    # The tracker of multiprocessing ignores signals and ends with this process.
    tracker = getattr(
        sys.modules.get("multiprocessing.resource_tracker"), "_resource_tracker", None
    )
    return {*map(int, listed.split())} - {getattr(tracker, "_pid", None)}


def _message(tasks: list[Any]) -> str:
    """Return the line that says where the command stopped."""
    if not tasks and _script() != "luigi":
        return "stopped"
    places = " and ".join(dict.fromkeys(map(_place, tasks)))
    return f"stopped{places and ' '}{places}; run the same command to continue"


def _place(task: Any) -> str:
    """Return how far a task is: ``after epoch 2`` or ``during CleanText``."""
    saved = ""
    with contextlib.suppress(Exception):  # a module may be half imported
        saved, _ = task.saved_work()
    return f"after {saved}" if saved else f"during {task.task_family}"


def _print(line: str) -> None:
    """Write a line to standard error, past Python's buffers, which may be in use."""
    with contextlib.suppress(OSError):
        beginning = _CLEAR_LINE if os.isatty(_terminal) else ""
        os.write(_terminal, f"{beginning}{line}\n".encode())
