"""Drawing a figure prints no warnings of Matplotlib."""

import os
import subprocess
import sys

DRAW = """
import sys
from pathlib import Path
from pipeline.report.style import drawing
with drawing(Path(sys.argv[1]), "model on dataset") as axes:
    axes.set_title("title")
"""


def test_first_figure_of_a_user_prints_nothing(tmp_path):
    """The cache of fonts does not exist yet."""
    done = subprocess.run(
        [sys.executable, "-c", DRAW, str(tmp_path / "figure.png")],
        env={**os.environ, "MPLCONFIGDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout + done.stderr == ""
