"""Memory, held by running under a limit of what the process may take beside its libraries."""

import csv
import random
import subprocess
import sys

import pytest
from conftest import ROOT, write_dataset

MIB = 1 << 20
LIMITED = """
import re, resource, sys
import luigi
from pathlib import Path
{imports}

def limit(mebibytes):
    used = int(re.search(r"VmData:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1]) << 10
    resource.setrlimit(resource.RLIMIT_DATA, (used + (mebibytes << 20),) * 2)

config = luigi.configuration.get_config()
config.set("paths", "data", sys.argv[1])
config.set("paths", "outputs", sys.argv[2])
from pipeline import RunAll
report = RunAll(dataset="big", **{settings}).requires()
steps = {{step.task_family: step for step in report.chain()}}
for name in {before}:
    steps[name].run()
limit({mebibytes})
for name in {names}:
    steps[name].run()
"""


def run_limited(folder, names, mebibytes, imports, settings, before=()):
    code = LIMITED.format(
        imports=imports, settings=settings, names=names, mebibytes=mebibytes, before=before
    )
    places = [str(folder / "data"), str(folder / "outputs")]
    return subprocess.run(
        [sys.executable, "-c", code, *places], cwd=ROOT, capture_output=True, text=True, check=False
    )


def words_of(rng, vocabulary, number):
    return " ".join(f"w{rng.randrange(vocabulary)}" for _ in range(number))


@pytest.mark.processes
@pytest.mark.parametrize(("mebibytes", "fits"), [(480, True), (60, False)])
def test_text_steps_take_little_more_than_the_texts(tmp_path, mebibytes, fits):
    rng = random.Random(0)
    folder = write_dataset(tmp_path / "data" / "big", [], ["bad", "good"])
    with open(folder / "rows.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for number in range(200_000):
            label = ("bad", "good")[number % 2]
            writer.writerow([f"@a {words_of(rng, 50_000, 12)} http://t.co/{number}", label])
    done = run_limited(
        tmp_path,
        ["DownloadData", "CleanText", "Tokenize", "Vectorize"],
        mebibytes,
        "import pyarrow.parquet, pyarrow.compute, ftfy, numpy",
        {"model": "bilstm", "tokenizer": "words", "token_case": "keep"},
    )
    assert (done.returncode == 0) is fits, done.stderr[-2000:]


@pytest.mark.processes
@pytest.mark.network
def test_bags_of_words_stay_sparse_up_to_the_first_layer(tmp_path):
    rng = random.Random(0)
    # A dense matrix of the training rows would take 2.4 GB.
    rows = [(words_of(rng, 100_000, 60), ("bad", "good")[number % 2]) for number in range(8_000)]
    write_dataset(tmp_path / "data" / "big", rows, ["bad", "good"])
    done = run_limited(
        tmp_path,
        ["TrainModel"],
        1_200,
        "import pipeline.training.loop",
        {"model": "bag_dense", "max_words": "all", "units": (8,), "activations": ("relu",),
         "epochs": 1, "batch_size": 512},
        before=["DownloadData", "CleanText", "Tokenize", "Vectorize", "SplitStratified"],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
