"""A Luigi batch pipeline that trains classifiers of tweets and other short texts.

``luigi --module pipeline RunAll`` finds its tasks here. Importing the package costs the standard
library and Luigi; what is heavy is imported where it is used, inside the tasks' work.
"""

from typing import TYPE_CHECKING, Any

from pipeline import tasks
from pipeline.errors import PipelineError
from pipeline.tasks import (
    CleanText,
    DownloadData,
    Evaluate,
    Report,
    RunAll,
    SplitStratified,
    Tokenize,
    TrainModel,
    Validate,
    Vectorize,
    paths,
)
from pipeline.tasks.process_setup import show_errors_plainly

if TYPE_CHECKING:
    from pipeline.tasks import Nightly, RangeDailyBase, Rollback

__version__ = "0.1.0"
__all__ = [
    "CleanText",
    "DownloadData",
    "Evaluate",
    "Nightly",
    "PipelineError",
    "RangeDailyBase",
    "Report",
    "Rollback",
    "RunAll",
    "SplitStratified",
    "Tokenize",
    "TrainModel",
    "Validate",
    "Vectorize",
    "paths",
]


def __getattr__(name: str) -> Any:
    """Import a task of nights when it is asked for."""
    if name in __all__:
        return getattr(tasks, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


# The one effect of the import: it must be in place before Luigi parses the command line.
show_errors_plainly()
