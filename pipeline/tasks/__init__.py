"""Luigi tasks: each reads artifacts, calls one function, and writes an artifact."""

from pipeline.tasks.base import Step
from pipeline.tasks.clean_text import CleanText
from pipeline.tasks.config import paths
from pipeline.tasks.download_data import DownloadData
from pipeline.tasks.evaluate import Evaluate
from pipeline.tasks.report import Report
from pipeline.tasks.run_all import RunAll
from pipeline.tasks.split_stratified import SplitStratified
from pipeline.tasks.tokenize import Tokenize
from pipeline.tasks.train_model import TrainModel
from pipeline.tasks.validate import Validate
from pipeline.tasks.vectorize import Vectorize

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
