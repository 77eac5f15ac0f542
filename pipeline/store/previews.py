"""Files for people who open the outputs folder: a README, and first rows of tables as CSV."""

import csv
import itertools
from pathlib import Path

from pipeline.store.files import explained, write_atomically

_HEAD = "head.csv"
_ROWS = 20

_README = """\
# Contents of this folder

The pipeline writes everything here. You can delete everything except registry/ and nights/, which
are records; the next run builds the rest again.

    latest/<dataset>/<model>/      link to the newest report of a model
    <dataset>/1_download/          the raw files and their checksums: source.json
    <dataset>/2_clean/             rows with raw and clean text: rows.parquet; rejected rows with
                                   the reason: rejected.parquet; counts: profile.json
    <dataset>/3_tokenize/          tokens of each text: tokens.parquet; counts: tokens.json
    <dataset>/4_vectorize/         input of the model; the vocabulary: vocabulary.txt, vectors.json
    <dataset>/5_split/             part of each row (training, validation or test): split.parquet;
                                   counts: balance.json
    <dataset>/6_train/             the model and all that predictions need; history.csv,
                                   training.json
    <dataset>/7_evaluate/          metrics.json; probabilities of each row: predictions.parquet
    <dataset>/8_report/            report.html, which opens offline, and its figures as PNG
    <dataset>/gates/               results of a night's contract, drift and decision: contract.json,
                                   drift.json, decision.json
    <dataset>/nights/<date>/       result of a night: night.json, and a figure of its drift
    registry/<dataset>/            the champion: champion.json; one line for each night and each
                                   rollback: ledger.jsonl
    history/<dataset>.html         all nights on one page

The folder of a step has one subfolder for each combination of settings and input, with

    manifest.json                  settings, inputs, versions, code, seconds, and size and sha256
                                   of every file
    head.csv, <table>.head.csv     the first {rows} rows of a Parquet table

Names that begin with a dot are internal: cached checksums, work that can be resumed, damaged
artifacts that were moved aside.

    pipeline ls                    list runs with their metrics
    pipeline show RUN              describe a run or a folder
    pipeline why PATH              show everything that a folder was made from
    pipeline verify                check every file against its sha256
    pipeline gc                    list what can be deleted
"""


def write_readme(outputs: Path) -> None:
    """Write ``README.md`` into the outputs folder, where it is missing or outdated."""
    path = outputs / "README.md"
    text = _README.format(rows=_ROWS)
    with explained(path):
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            write_atomically(path, text)


def write_heads(folder: Path, main: str) -> None:
    """Write the first rows of each Parquet table in a folder as CSV.

    Those of the table ``main``, or of a single table, go to ``head.csv``.
    """
    import pyarrow.parquet as pq

    tables = sorted(folder.glob("*.parquet"))
    for path in tables:
        is_main = path.name == main or len(tables) == 1
        table = pq.ParquetFile(path)
        batches = table.iter_batches(batch_size=_ROWS)
        rows = (row.values() for batch in batches for row in batch.to_pylist())
        target = folder / (_HEAD if is_main else f"{path.stem}.{_HEAD}")
        with open(target, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(table.schema_arrow.names)
            for row in itertools.islice(rows, _ROWS):
                # A list, such as the tokens of a text, becomes one string.
                writer.writerow([" ".join(map(str, x)) if isinstance(x, list) else x for x in row])
