"""A new model needs one builder and one row, as the documentation says."""

import os
import re
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT, Chain

pytestmark = [pytest.mark.processes, pytest.mark.network]

BUILDER = '''

def widest(problem: Problem, settings: Mapping[str, Any]) -> keras.Model:
    """Build the largest number of each dimension over all word vectors."""
    indices, states, mask = embedded(problem, settings)
    pooled = pool(states, mask, "max")
    return keras.Model(indices, head(pooled, problem.n_classes, settings), name="widest")
'''
ROW = """    Model(
        name="widest",
        reads="sequences",
        family="pipeline.models.network:Network",
        builder="pipeline.models.sequences:widest",
        masks_padding=True,
        uses=("mask_padding", *_EMBEDDED),
        defaults={"embedding_size": 4, "epochs": 1},
        summary="the largest of the word vectors",
    ),
"""
FIRST_ROW = re.compile(r'^ +Model\(\s*name="naive_bayes",', re.MULTILINE)


@pytest.mark.parametrize("classes", [("bad", "good"), ("bad", "good", "odd", "dull")])
def test_builder_and_row_make_a_model(tmp_path, classes):
    copy = tmp_path / "checkout"
    shutil.copytree(ROOT / "pipeline", copy / "pipeline")
    shutil.copy(ROOT / "luigi.cfg", copy)
    builders = copy / "pipeline" / "models" / "sequences.py"
    builders.write_text(builders.read_text() + BUILDER)
    specs_file = copy / "pipeline" / "models" / "specs.py"
    text = specs_file.read_text()
    changed, count = FIRST_ROW.subn(lambda first: ROW + first[0], text)
    assert count == 1
    specs_file.write_text(changed)

    chain = Chain(tmp_path)
    chain.add("toy", classes, n_rows=120)
    arguments = ["--module", "pipeline", "RunAll", "--dataset", "toy", "--model", "widest"]
    paths = ["--paths-data", str(chain.data), "--paths-outputs", str(chain.outputs)]
    done = subprocess.run(
        [sys.executable, "-m", "luigi", *arguments, *paths, "--epochs", "2"],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "latest/toy/widest/report.html" in done.stdout
