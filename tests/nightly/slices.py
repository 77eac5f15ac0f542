"""Seven nights of real tweets: growing slices of sentiment140, of vader where that file is absent.

As `nights.NIGHTS`, with what each brings cut out of real rows.
"""

import csv
import json
import random
from dataclasses import dataclass
from pathlib import Path

from conftest import Chain
from nights import BROKEN, Given, Nights

FILE = "Sentiment Analysis Dataset.csv"
_SHARES = {
    "frozen": 0.15,
    "few": 0.2,
    "many": 0.25,
    "shuffled": 0.45,
    "drifted": 0.45,
    "more": 0.85,
}
# So few rows teach a model enough for a night only where it has more of them.
_OF_FEW = {"frozen": 0.2, "many": 0.36}
# Of the 100,000 rows: as many as seven nights of naive_bayes take a minute for.
_MOST = 20_000


@dataclass(frozen=True)
class Source:
    """Real rows, and how a raw file of them looks.

    Attributes
    ----------
    name : str
        The dataset.
    said : str
        What to say of it: which rows are used.
    file : str
        Name of its raw file.
    header : tuple of str
    rows : list of (text, label)
        In random order, seeded.
    description : str or None
        ``dataset.toml``; None for a dataset of the catalogue.
    """

    name: str
    said: str
    file: str
    header: tuple
    rows: list
    description: str | None


def sentiment140(real_data):
    """Return rows of the real file."""
    path = real_data / "sentiment140" / FILE
    with open(path, newline="", encoding="utf-8") as file:
        rows = [(row["SentimentText"], row["Sentiment"]) for row in _of_lines(file)]
    return Source(
        "sentiment140",
        f"{_MOST:,} of {len(rows):,} rows of {path}",
        FILE,
        ("ItemID", "Sentiment", "SentimentSource", "SentimentText"),
        random.Random(0).sample(rows, _MOST),
        None,
    )


def _of_lines(file):
    """Read one row of each line: a quote spoils only its own."""
    header = next(csv.reader([next(file)]))
    for line in file:
        yield dict(zip(header, next(csv.reader([line])), strict=False))


def vader(folder):
    """Return rows of vader, which come from the package index."""
    import pyarrow.parquet as pq

    chain = Chain(folder)
    place = next(s for s in chain.run("CleanText", dataset="vader").chain()).path()
    columns = pq.read_table(place / "rows.parquet", columns=["raw", "label"]).to_pydict()
    rows = list(zip(columns["raw"], columns["label"], strict=True))
    labels = sorted(set(columns["label"]))
    # As many of each class, as sentiment140 has.
    fewest = min(columns["label"].count(label) for label in labels)
    rows = [row for label in labels for row in [r for r in rows if r[1] == label][:fewest]]
    return Source(
        "tweets",
        f"NOT sentiment140, whose file is absent, but {len(rows):,} rows of vader",
        "rows.csv",
        ("number", "label", "source", "text"),
        # So few rows show what each night is made for only in some orders; this is one.
        random.Random(3).sample(sorted(rows), len(rows)),
        f'text = "text"\nlabel = "label"\nlabels = {json.dumps(labels)}\nfiles = ["rows.csv"]\n',
    )


def slices(source):
    """Cut a source's rows into frozen rows and what seven nights bring."""
    shares = _SHARES if len(source.rows) >= _MOST else _SHARES | _OF_FEW
    rows, sizes = source.rows, {k: int(len(source.rows) * v) for k, v in shares.items()}
    start = sizes["frozen"]
    cut = {name: rows[start : start + size] for name, size in sizes.items()}
    # New rows: scores of rows that the champion was trained on say nothing about drift.
    after = start + sizes["many"]
    cut |= {name: rows[after : after + sizes[name]] for name in ("shuffled", "drifted")}
    labels = sorted({label for _, label in rows})
    rng = random.Random(1)
    few = [
        (text, rng.choice(labels) if rng.random() < 0.8 else label) for text, label in cut["few"]
    ]
    mixed = [label for _, label in cut["shuffled"]]
    rng.shuffle(mixed)
    shuffled = [(text, label) for (text, _), label in zip(cut["shuffled"], mixed, strict=True)]
    more = ("watching", "the", "game")
    drifted = [(" ".join([text, *rng.choices(more, k=12)]), y) for text, y in cut["drifted"]]
    return rows[:start], (
        Given("2024-11-16", few, "promoted", "beats the baseline|is the baseline|first", 0),
        Given("2024-11-17", cut["many"], "promoted", "better", 0),
        Given("2024-11-18", cut["many"], "unchanged", "night of 2024-11-17, which ended with", 51),
        Given("2024-11-19", shuffled, "kept", "worse|not better", 50),
        Given("2024-11-20", BROKEN, "contract_broken", "2024-11-20/", 52),
        Given("2024-11-21", drifted, "drift_stop", "tokens|lengths", 53),
        Given("2024-11-22", cut["more"], "promoted", "better", 0),
    )


class Slices(Nights):
    """A chain with nights of real rows.

    Parameters
    ----------
    folder : Path
    source : Source
    """

    def __init__(self, folder: Path, source: Source):
        super().__init__(folder)
        self.source, self.name = source, source.name
        self.model = ("--dataset", self.name, "--model", "naive_bayes")
        frozen, self.nights = slices(source)
        self.put_frozen(frozen)
        for night in self.nights:
            self.put(night.date, night.rows)

    def put_frozen(self, rows):
        self._write("frozen", rows)

    def put(self, date, rows):
        self._write(date, rows)

    def _write(self, day, rows):
        """Write a raw file in the dataset's own layout."""
        folder = self.data / self.name / day
        folder.mkdir(parents=True, exist_ok=True)
        if self.source.description is not None:
            path = self.data / self.name / "dataset.toml"
            path.write_text(self.source.description, encoding="utf-8")
        if isinstance(rows, bytes):
            (folder / self.source.file).write_bytes(rows)
            return
        with open(folder / self.source.file, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(self.source.header)
            writer.writerows((k, label, "made", text) for k, (text, label) in enumerate(rows, 1))
