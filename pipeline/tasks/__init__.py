"""Luigi tasks: thin shells that read, call one function, and write."""

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

__all__ = [
    "CleanText",
    "DownloadData",
    "Evaluate",
    "Report",
    "RunAll",
    "SplitStratified",
    "Step",
    "Tokenize",
    "TrainModel",
    "Validate",
    "Vectorize",
    "paths",
]
