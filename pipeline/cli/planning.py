"""The plan of a luigi command, from the very tasks that luigi would make of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import luigi
from luigi.cmdline_parser import CmdlineParser
from luigi.task_register import TaskClassException

from pipeline.cli.plan import Outside, plan
from pipeline.data import raw_files
from pipeline.errors import PipelineError
from pipeline.store.outputs import Store
from pipeline.tasks import provenance
from pipeline.tasks.config import paths, pipeline
from pipeline.tasks.download_data import DownloadData


def plan_of(words: Sequence[str]) -> dict[str, Any]:
    """Say what ``luigi --module pipeline WORDS`` does.

    Parameters
    ----------
    words : sequence of str
        The task and its parameters; RunAll where no task is named. The beginning of the command
        may stay.

    Returns
    -------
    dict
        As `pipeline.cli.plan.plan`.
    """
    words = _of_the_task(words)
    try:
        with CmdlineParser.global_instance(["--module", "pipeline", *words]) as parser:
            return plan_of_task(parser.get_task_obj())
    except TaskClassException as error:
        raise PipelineError(
            f"there is no task {words[0]!r} to plan; name RunAll or one of the eight steps."
        ) from error


def plan_of_task(task: luigi.Task) -> dict[str, Any]:
    """Say what running a task does, as `plan_of`."""
    external_inputs = Outside(
        provenance.changes, pipeline().code_changes == "warn", _missing_raw_files
    )
    return plan(task, Store(Path(paths().outputs)), external_inputs)


def _of_the_task(words: Sequence[str]) -> list[str]:
    """Leave out the beginning of a pasted command, and add RunAll where no task is named."""
    rest = list(words)
    if rest[:1] == ["luigi"]:
        rest = rest[1:]
    if rest[:2] == ["--module", "pipeline"]:
        rest = rest[2:]
    return rest if rest and not rest[0].startswith("-") else ["RunAll", *rest]


def _missing_raw_files(task: Any) -> list[dict[str, Any]]:
    """Describe the raw files that a task is to fetch."""
    if not isinstance(task, DownloadData):
        return []
    return [
        {
            "name": file.name,
            "address": None if file.source.kind == "by_hand" else file.source.address,
            "help": raw_files.how_by_hand(file, task.row, folder),
        }
        for file, folder in task.missing()
    ]
