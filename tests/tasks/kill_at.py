"""Run luigi, and kill it by SIGKILL when the progress of a task has a text.

Usage: python kill_at.py TEXT luigi-arguments...
"""

import os
import signal
import sys

from luigi.cmdline import luigi_run

from pipeline.tasks.progress import TaskProgress

start = sys.argv[1]
report = TaskProgress.__call__


def until_the_text(self, share, text):
    """Report the progress, or kill the process."""
    if text.startswith(start):
        os.kill(os.getpid(), signal.SIGKILL)
    report(self, share, text)


TaskProgress.__call__ = until_the_text
luigi_run(sys.argv[2:])
