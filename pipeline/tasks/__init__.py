"""Luigi tasks: thin shells that read, call one function, and write."""

from pipeline.tasks.backfill import RangeDailyBase, Rollback
from pipeline.tasks.base import Step, paths
from pipeline.tasks.chain import RunAll
from pipeline.tasks.nightly import Nightly
from pipeline.tasks.results import Evaluate, Report
from pipeline.tasks.texts import CleanText, DownloadData, Tokenize
from pipeline.tasks.training import TrainModel, Validate
from pipeline.tasks.vectors import SplitStratified, Vectorize

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
