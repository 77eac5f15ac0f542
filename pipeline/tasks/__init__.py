"""Luigi tasks: thin shells that read, call one function, and write."""

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

from pipeline.tasks.base import Step, paths
from pipeline.tasks.chain import RunAll
from pipeline.tasks.results import Evaluate, Report
from pipeline.tasks.texts import CleanText, DownloadData, Tokenize
from pipeline.tasks.training import TrainModel, Validate
from pipeline.tasks.vectors import SplitStratified, Vectorize

if TYPE_CHECKING:
    from pipeline.tasks.backfill import RangeDailyBase, Rollback
    from pipeline.tasks.nightly import Nightly

__all__ = [
    "CleanText",
    "DownloadData",
    "Evaluate",
    "Nightly",
    "RangeDailyBase",
    "Report",
    "Rollback",
    "RunAll",
    "SplitStratified",
    "Step",
    "Tokenize",
    "TrainModel",
    "Validate",
    "Vectorize",
    "paths",
]

_OF_NIGHTS = {
    "Nightly": "pipeline.tasks.nightly",
    "RangeDailyBase": "pipeline.tasks.backfill",
    "Rollback": "pipeline.tasks.backfill",
}


def __getattr__(name: str) -> Any:
    """Import a task of nights when it is asked for."""
    if name not in _OF_NIGHTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_OF_NIGHTS[name]), name)


def knows_no_nights(command: list[str]) -> bool:
    """Say whether a command of luigi or pipeline names RunAll, or no task, and nothing of nights.

    Parameters
    ----------
    command : list of str
        The program first.
    """
    program, words = os.path.basename(command[0]) if command else "", command[1:]
    if any(name in word for word in words for name in ("ightly", "Range", "Rollback")):
        return False
    return program == "pipeline" or (program == "luigi" and "RunAll" in words)


# Luigi makes three parsers with an option for each parameter of each task that it knows. A command
# with nothing to do spends most of its time there, so it gets to know nights only for a night.
if not knows_no_nights(sys.argv):
    for _module in sorted(set(_OF_NIGHTS.values())):
        importlib.import_module(_module)
