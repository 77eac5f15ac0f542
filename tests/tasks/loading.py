"""Which heavy modules a process loads."""

import subprocess
import sys

HEAVY = ("tensorflow", "keras", "sklearn", "pandas", "nltk", "matplotlib", "pyarrow", "numpy")


def loaded_by(code, *arguments):
    """Return the heavy modules that a new process has loaded after some code."""
    check = f"\nimport sys; print('LOADED', *[m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code + check, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "LOADED" in done.stdout, done.stderr
    return set(done.stdout.rsplit("LOADED", 1)[1].splitlines()[0].split())


RUN = """
import sys
from luigi.cmdline import luigi_run
try:
    luigi_run(sys.argv[1:])
except SystemExit as end:
    assert end.code == 0, end.code
"""
