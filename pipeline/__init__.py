"""A Luigi batch pipeline that trains classifiers of tweets and other short texts.

``luigi --module pipeline`` imports all tasks from here. The import loads only the standard library
and Luigi; heavy libraries are imported inside the work of the tasks.
"""

from luigi.tools.range import RangeDailyBase

from pipeline.errors import PipelineError
from pipeline.nightly.backfill import Rollback
from pipeline.nightly.tasks import Nightly
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
from pipeline.tasks.process_setup import prepare

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

# Here, because Luigi calls nothing else of the package before it builds its parsers.
prepare()
