"""What makes outputs/ readable for people: first rows of tables as CSV, and a README."""

import csv
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.store import artifacts

HEAD = "head.csv"
_ROWS = 20

_README = """\
# What is in this folder

Written by the pipeline; everything here can be deleted and is built again by the next run, except
registry/ and nights/, which say what happened.

    latest/<dataset>/<model>/      the newest report of that model on that dataset (a link)
    <dataset>/1_download/          which raw files, with their checksums: source.json
    <dataset>/2_clean/             rows with raw and clean text: rows.parquet; rows left out
                                   and why: rejected.parquet; counts: profile.json
    <dataset>/3_tokenize/          the texts cut into tokens: tokens.parquet, counts in tokens.json
    <dataset>/4_vectorize/         what the model reads, and the vocabulary: vocabulary.txt,
                                   vectors.json
    <dataset>/5_split/             which row is for training, validation and test: split.parquet,
                                   counts in balance.json
    <dataset>/6_train/             the model with all that a prediction needs, history.csv,
                                   training.json
    <dataset>/7_evaluate/          metrics.json, and every row's probabilities: predictions.parquet
    <dataset>/8_report/            report.html, which opens offline, and its figures as PNG
    <dataset>/nights/<date>/       what came of a night: night.json
    registry/<dataset>/            the champion, champion.json, and how it came to be: ledger.jsonl
    history/<dataset>.html         all nights on one page

    <dataset>/nights/<date>/       what came of a night: night.json, and a picture of its drift
    registry/<dataset>/            champion.json: which model is in place; ledger.jsonl: each night
                                   and each way back, one line each
    history/<dataset>.html         the nights as one page

Each step's folder holds one folder for each combination of settings and input. In it:

    manifest.json                  settings, what it was made from, versions, code, seconds, and
                                   every file with size and sha256
    head.csv, <table>.head.csv     the first {rows} rows of a Parquet table

Names that begin with a dot are the pipeline's own: remembered checksums, caches, resumable work,
artifacts that were found damaged.

    pipeline ls                    runs with their figures
    pipeline show RUN              one run or folder
    pipeline why PATH              everything that made it, up to the raw bytes
    pipeline verify                check every file against its sha256
    pipeline gc                    what could be deleted
"""


def write_readme(outputs: Path) -> None:
    """Write ``README.md`` into the outputs folder where it is missing or outdated."""
    path = outputs / "README.md"
    text = _README.format(rows=_ROWS)
    with artifacts.explained(path):
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            artifacts.write_atomically(path, text)


def write_heads(folder: Path, main: str) -> None:
    """Write the first rows of each Parquet table in a folder beside it as CSV.

    Parameters
    ----------
    folder : Path
    main : str
        The table whose rows go to ``head.csv``; where there is one table only, it is that one.
    """
    tables = sorted(folder.glob("*.parquet"))
    for path in tables:
        is_main = path.name == main or len(tables) == 1
        target = folder / (HEAD if is_main else f"{path.stem}.{HEAD}")
        with open(target, "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(_first_rows(path))


def _first_rows(path: Path) -> Iterator[list[Any]]:
    """Yield the names of a table's columns and its first rows."""
    import pyarrow.parquet as pq

    table = pq.ParquetFile(path)
    yield table.schema_arrow.names
    batches = table.iter_batches(batch_size=_ROWS)
    rows = (row for batch in batches for row in batch.to_pylist())
    for row in itertools.islice(rows, _ROWS):
        yield [_cell(value) for value in row.values()]


def _cell(value: Any) -> Any:
    """Write a list, such as a text's tokens, as words."""
    return " ".join(map(str, value)) if isinstance(value, list) else value
