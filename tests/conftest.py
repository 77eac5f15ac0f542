"""What tests share: small made-up corpora, a chain in this process, and real luigi processes."""

import json
import os
import random
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import hypothesis
import luigi
import pytest
from luigi.task_register import Register

ROOT = Path(__file__).parent.parent
# Where the real files are, if anywhere: tests marked real_data run on them.
REAL_DATA = Path(os.environ.get("PIPELINE_REAL_DATA", ROOT.parent / "shared" / "data"))

# The chain, first step first.
STEPS = (
    "DownloadData",
    "CleanText",
    "Tokenize",
    "Vectorize",
    "SplitStratified",
    "TrainModel",
    "Evaluate",
    "Report",
)

# Timings belong into benchmarks/: on a busy machine a deadline is a test that fails by chance.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

_FILLER = [
    "the",
    "a",
    "of",
    "to",
    "and",
    "in",
    "on",
    "at",
    "it",
    "is",
    "was",
    "my",
    "your",
    "this",
    "that",
    "so",
    "we",
    "they",
    "you",
    "one",
]
_OF_CLASS = {
    "good": ["love", "great", "happy", "sunny", "win", "smile", "thanks", "sweet", "best", "glad"],
    "bad": ["hate", "awful", "sad", "rain", "lose", "cry", "angry", "bitter", "worst", "sorry"],
    "odd": [
        "purple",
        "sideways",
        "teapot",
        "zebra",
        "quantum",
        "pickle",
        "lantern",
        "moss",
        "gizmo",
        "fjord",
    ],
    "dull": [
        "table",
        "chair",
        "wall",
        "floor",
        "paper",
        "office",
        "form",
        "queue",
        "desk",
        "report",
    ],
}


def pytest_terminal_summary(terminalreporter):
    """Say loudly what could not run for want of something."""
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        terminalreporter.section("NOT RUN HERE", sep="!", red=True, bold=True)
        for report in skipped:
            terminalreporter.write_line(f"{report.nodeid}: {report.longrepr[-1]}")


def made_up_rows(classes, n_rows=240, seed=1):
    """Make rows (text, label) in which some words tell the classes apart; 1 in 20 is a repeat."""
    rng = random.Random(seed)
    rows = []
    for number in range(n_rows):
        if number % 20 == 19:
            rows.append(rng.choice(rows))
            continue
        label = classes[number % len(classes)]
        words = rng.choices(_FILLER, k=rng.randint(2, 9)) + rng.sample(_OF_CLASS[label], 2)
        rng.shuffle(words)
        text = " ".join(words)
        if number % 7 == 0:
            text = f"@someone {text} http://t.co/{number} #tag{number % 3}"
        rows.append((text, label))
    return rows


def write_dataset(folder, rows, labels=None, **keys):
    """Write a dataset of one's own: ``dataset.toml`` and ``rows.csv``."""
    folder.mkdir(parents=True, exist_ok=True)
    labels = labels or sorted({label for _, label in rows if label})
    lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
    lines += [f"labels = {json.dumps(labels)}", 'files = ["rows.csv"]']
    (folder / "dataset.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    import csv

    with open(folder / "rows.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows(rows)
    return folder


#: Settings of CleanText for `cleaned_rows`.
# Cleaning that changes nothing but white space, control and invisible characters.
KEPT = {
    "encoding_repair": "keep",
    "html": "keep",
    "unicode_form": "none",
    "urls": "keep",
    "mentions": "keep",
    "hashtags": "keep",
    "numbers": "keep",
    "case": "keep",
}
CLEANING = {
    "encoding_repair": "repair",
    "html": "decode",
    "unicode_form": "NFC",
    "urls": "remove",
    "mentions": "replace",
    "hashtags": "keep",
    "numbers": "keep",
    "case": "keep",
    "duplicates": "keep",
}


def cleaned_rows(rows, **choices):
    """Clean rows (text, label, partition) of the classes bad and good."""
    import pyarrow as pa

    from pipeline.data.readers import ROWS, Reading
    from pipeline.data.rejected import REJECTED
    from pipeline.text.rows import clean_rows

    columns = list(zip(*rows, strict=True))
    table = pa.table(
        {
            "id": pa.array(range(len(rows)), pa.int64()),
            "source_id": pa.nulls(len(rows), pa.string()),
            "raw": pa.array(columns[0], pa.string()),
            "label": pa.array(columns[1], pa.string()),
            "partition": pa.array(columns[2], pa.string()),
            "file": pa.array(["a.csv"] * len(rows)).dictionary_encode(),
            "line": pa.array(range(2, len(rows) + 2), pa.int64()),
        },
        schema=ROWS,
    )
    settings = {**CLEANING, **choices}
    reading = Reading(table, REJECTED.empty_table(), len(rows))
    return clean_rows(reading, settings, ["bad", "good"])


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """Return Chromium, headless."""
    from browsing import started

    session = started(tmp_path_factory.mktemp("profile"))
    yield session
    session.quit()


@dataclass
class Chain:
    """A data folder and an outputs folder, and ways to run the chain on them."""

    folder: Path
    data: Path = field(init=False)
    outputs: Path = field(init=False)

    def __post_init__(self):
        self.data = self.folder / "data"
        self.outputs = self.folder / "outputs"
        self.data.mkdir(exist_ok=True)

    def add(self, name="toy", classes=("bad", "good"), n_rows=240, seed=1, **keys):
        """Add a made-up dataset; one class a name."""
        rows = made_up_rows(classes, n_rows, seed)
        return write_dataset(self.data / name, rows, list(classes), **keys)

    def set_paths(self):
        """Let tasks of this process use the two folders."""
        config = luigi.configuration.get_config()
        config.set("paths", "data", str(self.data))
        config.set("paths", "outputs", str(self.outputs))
        Register.clear_instance_cache()

    def task(self, family="RunAll", **settings):
        """Return a task that uses the two folders."""
        import pipeline

        self.set_paths()
        return getattr(pipeline, family)(**settings)

    def run(self, family="RunAll", **settings):
        """Run a task in this process; raise when anything failed."""
        task = self.task(family, **settings)
        done = luigi.build([task], local_scheduler=True, log_level="WARNING", no_lock=True)
        assert done, f"{task} failed"
        return task

    def luigi(self, *words, cwd=ROOT, env=None, timeout=1200):
        """Run a real luigi process, as a user types it."""
        command = self.command(*words)
        return subprocess.run(
            command,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def command(self, *words):
        """Return the command of `luigi` as a list; the first word is the task."""
        script = Path(sys.executable).parent / "luigi"
        paths = ["--paths-data", str(self.data), "--paths-outputs", str(self.outputs)]
        return [str(script), "--module", "pipeline", *words, *paths]

    def manifests(self):
        """Return every artifact's manifest by its place."""
        return {
            path.parent: json.loads(path.read_text())
            for path in sorted(self.outputs.glob("*/[1-8]_*/*/manifest.json"))
        }

    def built_after(self, before):
        """List the tasks whose artifacts are there now and were not, or were others, before."""
        return sorted(
            manifest["task"]
            for place, manifest in self.manifests().items()
            if before.get(place) != manifest
        )


@pytest.fixture
def chain(tmp_path):
    """Return empty folders for a chain."""
    return Chain(tmp_path)


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Return a chain with naive_bayes built on a binary and on a four-class corpus; read only."""
    chain = Chain(tmp_path_factory.mktemp("built"))
    chain.add("toy")
    chain.add("four", classes=("bad", "good", "odd", "dull"), n_rows=400)
    for name in ("toy", "four"):
        chain.run(dataset=name, model="naive_bayes")
    return chain


@pytest.fixture(scope="session")
def several(tmp_path_factory):
    """Return a chain with runs that differ by model, setting, seed and split, in this order."""
    chain = Chain(tmp_path_factory.mktemp("several"))
    chain.add("toy", n_rows=300)
    for settings in (
        {"model": "naive_bayes"},
        {"model": "naive_bayes", "alpha": 0.1, "max_words": 20},
        {"model": "linear_svm"},
        {"model": "linear_svm", "seed": 1},
        {"model": "linear_svm", "seed": 1, "cost": 2.0},
        {"model": "linear_svm", "split_seed": 1},
    ):
        chain.run(dataset="toy", **settings)
    return chain


@pytest.fixture
def mine(built, tmp_path):
    """Return a copy of the built chain, to be changed."""
    shutil.copytree(built.folder, tmp_path / "chain", symlinks=True)
    return Chain(tmp_path / "chain")


@pytest.fixture(scope="session")
def real_data():
    """Return the folder of the real files; skip, loudly, where there is none."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"the real files are not in {REAL_DATA}; set PIPELINE_REAL_DATA")
    return REAL_DATA
