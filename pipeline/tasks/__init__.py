"""Luigi tasks: thin shells that read, call one function, and write."""

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

from pipeline.tasks.base import Step, paths
from pipeline.tasks.clean_text import CleanText
from pipeline.tasks.download_data import DownloadData
from pipeline.tasks.evaluate import Evaluate
from pipeline.tasks.report import Report
from pipeline.tasks.run_all import RunAll
from pipeline.tasks.split_stratified import SplitStratified
from pipeline.tasks.tokenize import Tokenize
from pipeline.tasks.train_model import TrainModel
from pipeline.tasks.validate import Validate
from pipeline.tasks.vectorize import Vectorize

if TYPE_CHECKING:
    from luigi.tools.range import RangeDailyBase

    from pipeline.nightly.backfill import Rollback
    from pipeline.nightly.tasks import Nightly

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
    "Nightly": "pipeline.nightly.tasks",
    "RangeDailyBase": "luigi.tools.range",
    "Rollback": "pipeline.nightly.backfill",
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
