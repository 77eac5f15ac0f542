"""Run luigi, and kill it by SIGKILL in the build of one step, with half of its files written.

Usage: python kill_within.py STEP luigi-arguments...
"""

import os
import signal
import sys

from luigi.cmdline import luigi_run

import pipeline
from pipeline.store import manifests

family = sys.argv[1]


def after_half_of_the_files(self, out):
    """Build the artifact, remove half of its files, and kill the process."""
    work(self, out)
    files = sorted(path for path in out.folder.rglob("*") if path.is_file())
    for path in files[max(len(files) // 2, 1) :]:
        path.unlink()
    with open(files[0], "r+b") as file:
        file.truncate(max(os.path.getsize(files[0]) // 2, 1))
    os.kill(os.getpid(), signal.SIGKILL)


step = getattr(pipeline, family)
work = step.build
step.build = after_half_of_the_files
assert manifests.MANIFEST == "manifest.json"
luigi_run(sys.argv[2:])
