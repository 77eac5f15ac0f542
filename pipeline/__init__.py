"""A Luigi batch pipeline that trains classifiers of tweets and other short texts.

``luigi --module pipeline`` imports all tasks from here. The import loads only the standard library
and Luigi; heavy libraries are imported inside the work of the tasks.
"""
# ruff: noqa: E402

from pipeline.tasks import interrupt

# Before the other imports: Ctrl-C works from here on.
interrupt.install()

import configparser
import sys

from pipeline.errors import PipelineError
from pipeline.settings.config_errors import unreadable

try:
    from luigi.tools.range import RangeDailyBase
except (configparser.Error, UnicodeDecodeError) as error:
    # Luigi reads luigi.cfg when it is imported. This is the only place where the command `pipeline`
    # can show such an error in one line.
    print(f"Error {unreadable(error).code}: {unreadable(error)}", file=sys.stderr)
    raise SystemExit(2) from None

from pipeline.nightly.backfill import Rollback
from pipeline.nightly.tasks import Nightly
from pipeline.tasks.clean_text import CleanText
from pipeline.tasks.config import paths
from pipeline.tasks.download_data import DownloadData
from pipeline.tasks.evaluate import Evaluate
from pipeline.tasks.process_setup import prepare
from pipeline.tasks.report import Report
from pipeline.tasks.run_all import RunAll
from pipeline.tasks.split_stratified import SplitStratified
from pipeline.tasks.tokenize import Tokenize
from pipeline.tasks.train_model import TrainModel
from pipeline.tasks.validate import Validate
from pipeline.tasks.vectorize import Vectorize

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
