"""Seven made-up nights, each with its outcome, for tests that run them in one way or another.

`NIGHTS` says what each brings; `Nights` puts the raw files where they belong and reads what came
of them. The model is naive_bayes: fast, and without TensorFlow.
"""

import json
import os
import random
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from conftest import Chain, made_up_rows, write_dataset

CLASSES = ("bad", "good")
MODEL = ("--dataset", "toy", "--model", "naive_bayes")


def few(seed=1):
    """Few rows, four labels in ten wrong: a model that can be bettered."""
    return mislabelled(made_up_rows(CLASSES, 240, seed), 0.4)


def many(seed=2):
    """More rows, all labels right."""
    return made_up_rows(CLASSES, 480, seed)


def shuffled(seed=3):
    """As many rows, labels that say nothing."""
    rows = made_up_rows(CLASSES, 480, seed)
    labels = [label for _, label in rows]
    random.Random(seed).shuffle(labels)
    return [(text, label) for (text, _), label in zip(rows, labels, strict=True)]


def drifted(seed=4):
    """As many rows in known words that go on and on about few things."""
    rows = made_up_rows(CLASSES, 480, seed)
    rng = random.Random(seed)
    more = ("your", "they", "one")
    return [(" ".join([text, *rng.choices(more, k=12)]), label) for text, label in rows]


def mislabelled(rows, share, seed=0):
    """Give a share of the rows the other label."""
    rng = random.Random(seed)
    other = dict(zip(CLASSES, reversed(CLASSES), strict=True))
    return [(text, other[label] if rng.random() < share else label) for text, label in rows]


BROKEN = b"text,label\nthis file broke off here,go"


@dataclass(frozen=True)
class Given:
    """What a night brings and what comes of it.

    Attributes
    ----------
    date : str
    rows : list of (text, label), or bytes
        Raw rows, or the raw file itself.
    outcome : str
    reason : str
        What the reason says.
    code : int
        Exit code of ``pipeline nightly``.
    """

    date: str
    rows: object
    outcome: str
    reason: str
    code: int


NIGHTS = (
    Given("2024-11-16", few(), "promoted", "beats the baseline|is the baseline|first", 0),
    Given("2024-11-17", many(), "promoted", "better", 0),
    Given("2024-11-18", many(), "unchanged", "night of 2024-11-17, which ended with promoted", 51),
    Given("2024-11-19", shuffled(), "kept", "worse", 50),
    Given("2024-11-20", BROKEN, "contract_broken", "2024-11-20/rows.csv", 52),
    Given("2024-11-21", drifted(), "drift_stop", "tokens|lengths", 53),
    Given("2024-11-22", many() + many(5), "kept", "champion", 50),
)


class Nights(Chain):
    """A chain with nights' raw files and frozen rows."""

    #: The dataset.
    name = "toy"

    def prepare(self, nights=NIGHTS, frozen_seed=99):
        """Put raw files of nights and frozen rows in place; a dataset.toml too."""
        self.put_frozen(made_up_rows(CLASSES, 200, frozen_seed))
        for night in nights:
            self.put(night.date, night.rows)
        return self

    def copied(self, folder):
        """Return a copy in another folder, to be changed."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Nights(folder)

    def put(self, date, rows):
        """Put a night's raw file into its folder."""
        folder = self.data / self.name / date
        if isinstance(rows, bytes):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "rows.csv").write_bytes(rows)
        else:
            write_dataset(folder, rows, list(CLASSES))
            os.replace(folder / "dataset.toml", self.data / self.name / "dataset.toml")

    def put_frozen(self, rows):
        """Put frozen rows in place of those that are there."""
        folder = self.data / self.name / "frozen"
        write_dataset(folder, rows, list(CLASSES))
        os.replace(folder / "dataset.toml", self.data / self.name / "dataset.toml")

    def nightly(self, date, *words, env=None):
        """Run ``pipeline nightly`` as cron does."""
        script = Path(sys.executable).parent / "pipeline"
        command = [str(script), "nightly", *self.folders(), *MODEL, "--date", date, *words]
        return self.process(command, env)

    def here(self, date, *words):
        """Run ``pipeline nightly`` in this process, without the start of a new one."""
        from click.testing import CliRunner

        from pipeline.cli import cli

        self.set_paths()
        words = ["nightly", *self.folders(), *MODEL, "--date", date, *words]
        return CliRunner().invoke(cli, words)

    def folders(self):
        """Return the options that say where data and outputs are."""
        return ["--paths-data", str(self.data), "--paths-outputs", str(self.outputs)]

    def process(self, command, env=None):
        """Run a command to its end."""
        return subprocess.run(
            command,
            cwd=Path(__file__).parent.parent.parent,
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            timeout=1200,
            check=False,
        )

    @property
    def registry(self):
        """The folder of ledger and pointer."""
        return self.outputs / "registry" / self.name

    def ledger(self):
        """Return the ledger's lines."""
        path = self.registry / "ledger.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def champion(self):
        """Return what the pointer says."""
        return json.loads((self.registry / "champion.json").read_text())

    def night(self, date):
        """Return a night's record."""
        return json.loads((self.outputs / self.name / "nights" / date / "night.json").read_text())

    def history(self):
        """Return the history page."""
        return (self.outputs / "history" / f"{self.name}.html").read_text()


def without_times(lines):
    """Return ledger lines without what differs from one time to the next."""
    return [{key: value for key, value in line.items() if key != "time"} for line in lines]
