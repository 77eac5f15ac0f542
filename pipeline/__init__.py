"""A Luigi batch pipeline that trains classifiers of tweets and other short texts.

``luigi --module pipeline RunAll`` finds its tasks here. Importing the package costs the standard
library and Luigi; what is heavy is imported where it is used, inside the tasks' work.
"""

from pipeline.errors import PipelineError
from pipeline.tasks import (
    CleanText,
    DownloadData,
    Evaluate,
    Nightly,
    RangeDailyBase,
    Report,
    Rollback,
    RunAll,
    SplitStratified,
    Tokenize,
    TrainModel,
    Validate,
    Vectorize,
    paths,
)
from pipeline.tasks.console import show_errors_plainly

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

# The one effect of the import: it must be in place before Luigi parses the command line.
show_errors_plainly()
