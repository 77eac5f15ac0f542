"""A Luigi batch pipeline that trains classifiers of tweets and other short texts.

``luigi --module pipeline`` imports all tasks from here. The import loads only the standard library
and Luigi; heavy libraries are imported inside the work of the tasks.
"""

import gc

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
from pipeline.tasks.process_setup import show_errors_plainly, show_package_logs

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

# Both must be in place before Luigi parses the command line.
show_errors_plainly()
show_package_logs()
# Classes and modules live as long as the process. Luigi builds nine parsers with an option for each
# parameter; if the garbage collector visits these objects meanwhile, a run in which everything is
# built needs about 15 % more CPU time.
gc.freeze()
