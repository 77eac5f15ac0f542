"""``pipeline plan``: print what a luigi command would do, step by step, why, and how long."""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click
import luigi
from click.shell_completion import CompletionItem
from luigi.cmdline_parser import CmdlineParser
from luigi.task_register import TaskClassException

from pipeline.cli import output
from pipeline.cli.common import as_json, open_store, with_paths
from pipeline.cli.explain import Explainer
from pipeline.cli.output import Column
from pipeline.cli.settings_diff import shorten
from pipeline.data import catalogue, raw_files
from pipeline.errors import UnknownNameError
from pipeline.models import specs
from pipeline.store import manifests
from pipeline.store.outputs import Store
from pipeline.tasks import provenance
from pipeline.tasks.config import data_folder, pipeline
from pipeline.tasks.download_data import DownloadData
from pipeline.tasks.graph import above, assume, in_order, snapshot
from pipeline.tasks.run_all import RunAll

_RUN, _SKIP, _FETCH, _FAIL, _WAIT = "run", "skip", "fetch", "fail", "wait"
_STYLES = {_RUN: "bold yellow", _FETCH: "yellow", _FAIL: "bold red", _WAIT: "red"}

_COLUMNS = (
    Column("step"),
    Column("does", form=lambda action: action),
    Column("expected", is_number=True, drop=1),
    Column("why", least=24, wraps=True),
)


@dataclass
class _Item:
    """One task of the plan."""

    task: str
    action: str  # fetch: only raw files are downloaded; wait: a task that it requires fails
    kind: str = ""  # of reason: parameter, upstream, raw file, code, file, new, version, link
    why: str = ""
    seconds: float | None = 0.0  # None if nothing like it has run
    place: str | None = None  # path of the artifact; None if it depends on missing raw files
    note: str = ""
    resumes: str = ""  # interrupted work that the step continues, such as "after epoch 2 of 5"
    changes: list[dict[str, Any]] = field(default_factory=list)  # since the most similar artifact


def plan_command(arguments: Sequence[str]) -> dict[str, Any]:
    """Plan ``luigi --module pipeline ARGUMENTS``.

    The default task is RunAll; the arguments may begin with ``luigi --module pipeline``.
    """
    arguments = list(arguments)
    for beginning in (["luigi"], ["--module", "pipeline"]):
        if arguments[: len(beginning)] == beginning:
            arguments = arguments[len(beginning) :]
    if not arguments or arguments[0].startswith("-"):
        arguments.insert(0, "RunAll")
    try:
        with CmdlineParser.global_instance(["--module", "pipeline", *arguments]) as parser:
            return plan_task(parser.get_task_obj())
    except TaskClassException as error:
        raise UnknownNameError(
            f"there is no task {arguments[0]!r}; use RunAll or one of the eight steps."
        ) from error


def plan_task(task: luigi.Task) -> dict[str, Any]:
    """Plan a task and all tasks that it requires.

    The result has ``steps`` (see `_Item`, in order of execution), ``runs`` (number of tasks that
    run), ``seconds`` (expected in total) and ``unknown`` (tasks without an estimate).
    """
    with snapshot():
        items = _Planner(open_store(), task).items()
    running = [item for item in items if item.action == _RUN]
    return {
        "steps": [asdict(item) for item in items],
        "runs": len(running),
        "seconds": round(sum(item.seconds or 0.0 for item in running), 1),
        "unknown": [item.task for item in running if item.seconds is None],
    }


class _Planner:
    """Plan each task after those that it requires."""

    def __init__(self, store: Store, root: luigi.Task) -> None:
        self._store = store
        self._root = root
        self._explainer = Explainer(store)
        self._warns = pipeline().code_changes == "warn"

    def items(self) -> list[_Item]:
        """Return the plan of all tasks."""
        checked = self._checked_by_luigi()
        items: dict[str, _Item] = {}
        for task in in_order(self._root):
            required = [items[other.task_id] for other in above(task)]
            plan = self._plan_step if hasattr(task, "path") else self._plan_other_task
            items[task.task_id] = plan(task, required, task.task_id in checked)
        return list(items.values())

    def _checked_by_luigi(self) -> set[str]:
        """Return the ids of the incomplete tasks: Luigi checks nothing upstream of others."""
        checked: set[str] = set()
        waiting: list[Any] = [self._root]
        while waiting:
            task = waiting.pop()
            if task.task_id not in checked and not task.complete():
                checked.add(task.task_id)
                waiting += above(task)
        return checked

    def _plan_other_task(self, task: Any, required: list[_Item], is_checked: bool) -> _Item:
        """Plan a task without an artifact: RunAll, whose output is a link, or a night."""
        name, path = task.task_family, getattr(task.output(), "path", None)
        path = None if path is None else str(path)
        blocked, running = _blocked(required), _running(required)
        if not is_checked:
            return _Item(name, _SKIP, place=path)
        if blocked or running:
            action, why = (_WAIT, blocked) if blocked else (_RUN, running)
            return _Item(name, action, "upstream", why, place=path)
        folders = (self._store.outputs / item.place for item in required if item.place)
        if path is None or os.path.realpath(path) in map(os.path.realpath, folders):
            # A step further upstream is rebuilt; this task stays as it is.
            return _Item(name, _SKIP, place=path)
        if os.path.islink(path):
            return _Item(name, _RUN, "link", "the link points to another run", place=path)
        if not required and hasattr(task, "day"):  # a night requires its tasks while it runs
            why = "it has no record; its rows decide what runs"
            return _Item(name, _RUN, "new", why, None, path)
        return _Item(name, _RUN, "file", "the link does not exist", place=path)

    def _plan_step(self, task: Any, required: list[_Item], is_checked: bool) -> _Item:
        """Plan one of the eight steps."""
        name = task.task_family
        missing = task.missing() if is_checked and isinstance(task, DownloadData) else []
        if missing:
            return self._plan_download(task, missing)
        if _blocked(required):
            return _Item(name, _WAIT, "upstream", _blocked(required))
        if any(item.place is None for item in required):
            # The content of the raw files decides the folder.
            seconds = self._explainer.seconds(task)
            return _Item(name, _RUN, "upstream", _running(required), seconds)
        path = Path(task.path())
        place = self._store.short(path)
        if not is_checked or manifests.is_complete(path):
            changed = provenance.changes(task, path) if self._warns else []
            note = f"built by other code, and kept: {shorten(changed)}" if changed else ""
            return _Item(name, _SKIP, place=place, note=note)
        kind, why, changes = self._explainer.reason(task, path, _running(required))
        seconds = self._explainer.seconds(task)
        saved, share = task.saved_work()
        if saved and seconds is not None:
            seconds = round(seconds * (1 - share), 2)
        resumes = f"after {saved}" if saved else ""
        return _Item(name, _RUN, kind, why, seconds, place, "", resumes, changes)

    def _plan_download(self, task: DownloadData, missing: Sequence[tuple[Any, Path]]) -> _Item:
        """Plan the step whose raw files are missing: it downloads them, or fails."""
        name = task.task_family
        for file, folder in missing:
            if file.source.kind == "by_hand":
                help_text = raw_files.manual_instructions(file, task.row, folder)
                return _Item(name, _FAIL, "raw file", help_text)
        names = ", ".join(file.name for file, _ in missing)
        verb, pronoun = ("is", "it") if len(missing) == 1 else ("are", "they")
        address = missing[0][0].source.address
        why = f"{names} {verb} missing; {pronoun} will be downloaded ({address})"
        seconds = self._explainer.seconds(task)
        checksums = self._explainer.recorded_raw_files(task)
        if checksums is None:
            return _Item(name, _RUN, "raw file", why, seconds)
        # Assume the content of every earlier download.
        assume(task, "external_inputs", checksums)
        path = Path(task.path())
        action = _FETCH if manifests.is_complete(path) else _RUN
        note = "assumes that the download has the same content as before"
        return _Item(name, action, "raw file", why, seconds, self._store.short(path), note)


def _blocked(required: Sequence[_Item]) -> str:
    """Name the required tasks that cannot run; empty if all can."""
    names = [item.task for item in required if item.action in (_FAIL, _WAIT)]
    return f"{', '.join(names)} cannot run" if names else ""


def _running(required: Sequence[_Item]) -> str:
    """Name the required tasks that run; empty if none does."""
    names = [item.task for item in required if item.action == _RUN]
    return f"{', '.join(names)} runs" if names else ""


class _PlanCommand(click.Command):
    """Complete the parameters of RunAll, which Luigi parses."""

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the options of the command and of the task."""
        options = [
            CompletionItem(f"--{name.replace('_', '-')}", help=parameter.description)
            for name, parameter in RunAll.get_params()
        ]
        return [
            item
            for item in [*super().shell_complete(ctx, incomplete), *options]
            if item.value.startswith(incomplete)
        ]


def _complete_argument(
    context: click.Context, _: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Complete the value of ``--model`` or ``--dataset``, or the name of the task."""
    before = [*context.params.get("arguments", ()), *context.args]
    choices: Sequence[str] = ()
    if not before:
        choices = ["RunAll"]
    elif before[-1] == "--model":
        choices = list(specs.MODELS)
    elif before[-1] == "--dataset":
        choices = catalogue.names(data_folder())
    return [CompletionItem(choice) for choice in choices if choice.startswith(incomplete)]


@click.command(
    cls=_PlanCommand,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": True},
)
@as_json
@with_paths
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, shell_complete=_complete_argument)
def plan(as_json: bool, arguments: tuple[str, ...]) -> None:
    """Print what a luigi command would do, and why.

    ARGUMENTS are the task and its parameters, as after luigi --module pipeline.

    Example: pipeline plan RunAll --model bilstm --units '[128]'
    """
    result = plan_command(arguments)
    if as_json:
        output.print_json(result)
        return
    names = [step["task"] for step in result["steps"]]
    rows = [_row(step, is_repeated=names.count(step["task"]) > 1) for step in result["steps"]]
    output.print_table("", _COLUMNS, rows)
    for step in result["steps"]:
        if step["action"] == _FAIL:
            output.print_line(f"{step['task']} cannot run: {step['why']}")
        elif step["resumes"]:
            output.print_line(f"{step['task']} resumes {step['resumes']}.")
    output.print_line(_summary(result), style="bold")


def _row(step: dict[str, Any], is_repeated: bool) -> dict[str, Any]:
    """Return the cells of a step; the label distinguishes two steps of one task."""
    from rich.text import Text

    name = step["task"]
    if is_repeated and step["place"]:
        name += " " + step["place"].rsplit("/", 1)[-1].rsplit("-", 1)[0]
    is_timed = step["action"] == _RUN and step["task"] != "RunAll"
    kind = step["kind"].replace("parameter", "setting")
    why = ": ".join(filter(None, (kind, step["why"])))
    return {
        "step": name,
        "does": Text(step["action"], style=_STYLES.get(step["action"], "green")),
        "expected": output.duration(step["seconds"]) if is_timed else "",
        "why": "; ".join(filter(None, (why, step["note"]))),
    }


def _summary(result: dict[str, Any]) -> str:
    """Summarize the plan in one sentence."""
    if not result["runs"]:
        return "Nothing to do."
    text = f"{result['runs']} of {len(result['steps'])} run"
    if result["seconds"]:
        text += f", about {output.duration(result['seconds'])}"
    if result["unknown"]:
        text += f"; no estimate, because nothing similar has run: {', '.join(result['unknown'])}"
    return text + "."
