"""Luigi tasks: thin shells that read, call one function, and write."""

from pipeline.tasks.backfill import RangeDailyBase, Rollback
from pipeline.tasks.base import Step, paths
from pipeline.tasks.chain import (
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
)
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
