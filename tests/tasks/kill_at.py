"""Run luigi, and die by SIGKILL when a task's progress says a text.

Usage: python kill_at.py TEXT luigi-arguments...
"""

import os
import signal
import sys

from luigi.cmdline import luigi_run

from pipeline.tasks.progress import TaskProgress

start = sys.argv[1]
tell = TaskProgress.__call__


def until_the_text(self, share, text):
    """Tell it as always, or die."""
    if text.startswith(start):
        os.kill(os.getpid(), signal.SIGKILL)
    tell(self, share, text)


TaskProgress.__call__ = until_the_text
luigi_run(sys.argv[2:])
