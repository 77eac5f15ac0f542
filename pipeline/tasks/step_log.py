"""One line for each step of a run, and its summary, instead of Luigi's lines about scheduling.

With several workers, steps run in child processes. These log their own lines, and tell the process
of the command through a pipe what they did, so that its summary counts it.
"""

import contextlib
import json
import logging
import os
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from luigi.cmdline_parser import CmdlineParser

from pipeline.errors import PipelineError
from pipeline.tasks.graph import in_order, snapshot

if TYPE_CHECKING:
    from pipeline.tasks.base import Named, Step

logger = logging.getLogger("luigi-interface")
COMPUTED, REUSED, FAILED = "computed", "reused", "failed"
# What the messages begin with in which Luigi describes its scheduling, at level INFO.
_INFORMED, _STARTS, _SUMMARY = "Informed scheduler", "Running Worker", "\n===== Luigi Execution"
_OF_LUIGI = (
    *(_INFORMED, _STARTS, _SUMMARY),
    *("[pid %s] Worker", "Done scheduling", "Worker Worker(", "Did not schedule"),
)
_OF_ENDED_PROCESS = ("died unexpectedly with exit code", "and was terminated")
_LONGEST_EVENT = 600  # characters: a write of up to 4,096 bytes to a pipe is not divided
_HEAD, _SECONDS = 33, 7  # width of the columns of a line, in characters


class _Run:
    """What the process knows about the run under way."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self.pipe: tuple[int, int] | None = None
        self.forget()

    def forget(self) -> None:
        """Forget the run: a program can run several, one after the other."""
        self.started = time.monotonic()
        self.scheduled: dict[str, str] = {}  # status that Luigi last reported, by id of the task
        self.last_steps: dict[str, Step] = {}  # by id of the task that runs the chain
        self.whole: set[str] = set()  # ids of the tasks that always run the whole chain
        self.places: dict[str, str] = {}  # [6/8] or [baseline], by id of the step
        self.has_work = False  # whether a task was not complete before
        self.events: list[tuple[str, str]] = []
        for end in self.pipe or ():
            os.close(end)
        self.pipe = None

    def add(self, root: "Named", last: "Step") -> None:
        """Give numbers to the steps of a chain, and none to those that only its baselines need."""
        self.last_steps[root.task_id] = last
        if root is last or root.requires() is last:
            self.whole.add(root.task_id)
        for step in in_order(last):
            self.places.setdefault(step.task_id, "[baseline]")
        chain = [step.task_id for step in last.chain()][::-1]
        for number, task_id in enumerate(chain, 1):
            self.places[task_id] = f"[{number}/{len(chain)}]"

    def note(self, event: str, text: str) -> None:
        """Record an event; a child process sends it to the process of the command."""
        if os.getpid() == self.process:
            self.events.append((event, text))
        elif self.pipe:
            line = json.dumps([event, text[:_LONGEST_EVENT]]) + "\n"
            with contextlib.suppress(OSError):  # the pipe is full: one step is not counted
                os.write(self.pipe[1], line.encode())

    def open_pipe(self) -> None:
        """Let child processes send events."""
        self.pipe = self.pipe or os.pipe()
        for end in self.pipe:
            os.set_blocking(end, False)

    def read_pipe(self) -> None:
        """Add the events that child processes sent."""
        received = b""
        with contextlib.suppress(BlockingIOError):
            while self.pipe and (part := os.read(self.pipe[0], 65536)):
                received += part
        self.events += [tuple(json.loads(line)) for line in received.splitlines()]

    def count(self, event: str) -> int:
        """Return how many steps had an event."""
        return sum(1 for name, _ in self.events if name == event)


_run = _Run()


class LuigiFilter(logging.Filter):
    """Hide Luigi's lines about scheduling; in their place say what is reused and was computed.

    Its warnings and errors are shown, and its summary where tasks are missing or held elsewhere.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to log a record; its message may be replaced."""
        _show_plain_lines()
        if record.levelno != logging.INFO or not isinstance(record.msg, str):
            return True
        if any(text in record.msg for text in _OF_ENDED_PROCESS):
            record.levelno, record.levelname = logging.ERROR, "ERROR"
            _run.note(FAILED, record.msg)
            return True
        if not record.msg.startswith(_OF_LUIGI):
            return True
        text = ""
        if record.msg.startswith(_INFORMED):
            _informed(*record.args)  # type: ignore[misc]
        elif record.msg.startswith(_STARTS):
            text = _started()
        elif record.msg.startswith(_SUMMARY):
            text = _ended(record)
        record.msg, record.args = text or record.msg, () if text else record.args
        return bool(text)


def add_run(root: "Named", last: "Step") -> None:
    """Give numbers to the steps of a run; ``root`` is the task that requires the last one."""
    if root.task_id not in _run.last_steps:
        _run.add(root, last)


def head(step: "Step") -> str:
    """Return number and name of a step, such as ``[6/8] TrainModel bilstm``."""
    _add_command()
    place = _run.places.get(step.task_id) or step.place
    return f"{place} {_name(step)}"


def finished(step: "Step", started: float, event: str) -> None:
    """Log that a step ended, and with which result; ``started`` is a monotonic time in seconds."""
    _run.note(event, step.task_id)
    _log(step, started, step.summary() if event == COMPUTED else event)


def failed(step: "Step", started: float, error: Exception) -> None:
    """Log that a step failed, before Luigi logs the error, and how much of the run is complete."""
    code = getattr(error, "code", type(error).__name__)
    _run.note(FAILED, f"{code}: {error}")
    _log(step, started, FAILED)
    logger.info(_progress_of(_run.last_steps.values() or [step]))


def duration(seconds: float) -> str:
    """Format seconds.

    Examples
    --------
    >>> duration(2.71), duration(27.1), duration(161), duration(3723)
    ('2.7 s', '27 s', '2 min 41 s', '1 h 2 min')
    """
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _name(step: "Step") -> str:
    """Return the task of a step and its label, if that says more."""
    family, label = step.task_family, step.label
    return family if label == family.lower() else f"{family} {label}"


def _log(step: "Step", started: float, text: str) -> None:
    seconds = duration(time.monotonic() - started)
    logger.info("%s", f"{head(step):<{_HEAD}} {seconds:>{_SECONDS}}  {text}".rstrip())


def _informed(task_id: str, status: str) -> None:
    """Follow the status of a task."""
    if not _run.scheduled:
        _run.started = time.monotonic()
    _run.scheduled[task_id] = status
    _run.read_pipe()


def _started() -> str:
    """Return the lines about steps that were complete before, empty without any."""
    pending = [task_id for task_id, status in _run.scheduled.items() if status == "PENDING"]
    if not pending:
        return ""
    _run.has_work = True
    _run.open_pipe()
    _add_command()
    lines = []
    for task_id in pending:
        last = _run.last_steps.get(task_id)
        if last is not None:
            complete = _complete(in_order(last))
            _run.events += [(REUSED, step.task_id) for step in complete]
            lines += _lines_of_reused(last, complete)
    return "\n".join(lines)


def _lines_of_reused(last: "Step", complete: "list[Step]") -> list[str]:
    """Name the complete steps of a chain, and of its baselines those that end in one of them."""
    ids = {step.task_id for step in complete}
    chain = [step for step in last.chain() if step.task_id in ids][::-1]
    others = [step for step in complete if step not in chain]
    needed = {step.required[0].task_id for step in complete if step.required}
    ends = [_name(step) for step in others if step.task_id not in needed]
    lines = []
    if chain:
        first, end = chain[0].task_family, chain[-1].task_family
        number, names = (
            ("1", first) if len(chain) == 1 else (f"1-{len(chain)}", f"{first} to {end}")
        )
        lines.append(f"[{number}/{len(list(last.chain()))}] reused: {names}")
    if ends:
        lines.append(f"[baseline] reused: {', '.join(ends)}")
    return lines


def _ended(record: logging.LogRecord) -> str:
    """Return the text that replaces Luigi's summary, empty to log nothing."""
    _run.read_pipe()
    text = record.getMessage()
    try:
        if "This progress looks :)" in text and "other worker" not in text:
            return _summary()
        if "This progress looks :(" not in text:
            return text
        errors = [text for event, text in _run.events if event == FAILED]
        if errors and _run.events[-1][0] != FAILED:
            # Steps that do not depend on the failed one ran after it.
            logger.info(_progress_of(_run.last_steps.values()))
            record.levelno, record.levelname = logging.ERROR, "ERROR"
            return errors[-1]
        return ""
    finally:
        _run.forget()


def _summary() -> str:
    """Return the summary of a successful run."""
    computed, reused = _run.count(COMPUTED), _run.count(REUSED)
    if computed:
        counts = f"{computed} computed" + (f", {reused} reused" if reused else "")
        total, s = computed + reused, "" if computed + reused == 1 else "s"
        return f"{total} step{s}: {counts}, {duration(time.monotonic() - _run.started)}"
    _add_command()
    last_steps = [last for root, last in _run.last_steps.items() if root in _run.whole]
    steps = {step.task_id for last in last_steps for step in in_order(last)}
    if not steps:
        # Tasks that are not steps, such as Rollback, say themselves what they did.
        return "" if _run.has_work else "Nothing to compute: everything is complete."
    which = "the step is" if len(steps) == 1 else f"all {len(steps)} steps are"
    return f"Nothing to compute: {which} complete."


def _progress_of(last_steps: "Iterable[Step]") -> str:
    """Return how many steps of a failed run are complete."""
    steps = {step.task_id: step for last in last_steps for step in in_order(last)}
    n_complete = len(_complete(steps.values()))
    text = f"Complete: {n_complete} of {len(steps)} steps"
    return f"{text}; the same command continues after them." if n_complete else f"{text}."


def _complete(steps: "Iterable[Any]") -> "list[Step]":
    """Return the complete steps; none where an input file has a fault, which Luigi reports."""
    with contextlib.suppress(PipelineError, OSError), snapshot():
        return [step for step in steps if step.complete()]
    return []


def _add_command() -> None:
    """Give numbers to the steps of the task on the command line; child processes do so too."""
    parser = CmdlineParser.get_instance()
    if parser is None or _run.last_steps:
        return
    root = parser.get_task_obj()
    last = root.last_step() if hasattr(root, "last_step") else None
    if last is not None:
        _run.add(root, last)


def _show_plain_lines() -> None:
    """Write lines of level INFO without ``INFO:`` before them."""
    for handler in logger.handlers:
        if type(handler) is logging.StreamHandler and not isinstance(handler.formatter, _Plain):
            handler.setFormatter(_Plain(handler.formatter))


class _Plain(logging.Formatter):
    """Format as another formatter does, without the level INFO."""

    def __init__(self, other: logging.Formatter | None) -> None:
        super().__init__()
        self._other = other or logging.Formatter()

    def format(self, record: logging.LogRecord) -> str:
        return self._other.format(record).removeprefix("INFO: ")
