"""Write holdout rows to a file in the format of the dataset."""

import csv
import itertools
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipeline.data.daily import labelled_table
from pipeline.data.formats import Record, blocks
from pipeline.data.schema import Dataset, Table

_NAME = "rows"
_SUFFIXES = {"csv": ".csv", "tsv": ".tsv", "jsonl": ".jsonl", "parquet": ".parquet"}


def file_name(dataset: Dataset) -> str:
    """Return the name of the file, in the dataset's format; CSV if that has a file per text."""
    return _NAME + _SUFFIXES.get(labelled_table(dataset).format, ".csv")


def chosen_records(dataset: Dataset, files: Mapping[str, Path], ids: Iterable[int]) -> list[Record]:
    """Read records again from the raw files, with their raw labels.

    ``files`` is as for `pipeline.data.readers.read`, and ``ids`` are of its column ``id``.
    """
    wanted = set(ids)
    tables = (table for table in dataset.tables if table.file in files)
    read = itertools.chain.from_iterable(blocks(table, files[table.file]) for table in tables)
    records = (Record(*fields) for block in read for fields in zip(*block, strict=True))
    return [record for number, record in enumerate(records) if number in wanted]


def write(dataset: Dataset, records: Iterable[Record], path: Path) -> None:
    """Write records to ``path``, so that `pipeline.data.daily.with_tables` describes the file."""
    table = labelled_table(dataset)
    has_own_format = table.format in _SUFFIXES
    header = [name for name in (table.id, table.text, table.label) if name]
    if has_own_format and table.header:
        header = list(table.header)
    rows = [
        {table.id: record.id, table.text: record.text, table.label: record.label}
        for record in records
    ]
    for row in rows:
        row.pop("", None)  # there is no column of ids or of labels
    if path.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        types = pa.schema([(name, pa.string()) for name in header])
        pq.write_table(pa.Table.from_pylist(rows, types), path)
        return
    encoding = table.encoding if has_own_format else "utf-8"
    with open(path, "w", newline="", encoding=encoding) as file:
        if path.suffix == ".jsonl":
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            return
        style = _style(table) if has_own_format else {}
        writer = csv.DictWriter(file, header, restval="", lineterminator="\n", **style)
        if not (has_own_format and table.header):
            writer.writeheader()
        writer.writerows(rows)


def _style(table: Table) -> dict[str, Any]:
    """Return how fields are separated."""
    if table.quoting:
        return {"delimiter": table.delimiter}
    return {"delimiter": table.delimiter, "quoting": csv.QUOTE_NONE, "quotechar": None}
