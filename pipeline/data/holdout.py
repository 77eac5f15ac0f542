"""Write rows of a dataset as a file of frozen test rows, laid out as the dataset's own."""

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
_ENDINGS = {"csv": ".csv", "tsv": ".tsv", "jsonl": ".jsonl", "parquet": ".parquet"}


def file_name(dataset: Dataset) -> str:
    """Return the name of the file: of the dataset's own format, CSV where that is of many files."""
    return _NAME + _ENDINGS.get(labelled_table(dataset).format, ".csv")


def chosen_records(dataset: Dataset, files: Mapping[str, Path], ids: Iterable[int]) -> list[Record]:
    """Read records again as they stand in the raw files, raw labels included.

    Parameters
    ----------
    dataset : Dataset
    files : mapping
        As `pipeline.data.readers.read` takes them.
    ids : iterable of int
        Column ``id`` of what it returned: records are numbered in reading order.
    """
    wanted = set(ids)
    tables = (table for table in dataset.tables if table.file in files)
    read = itertools.chain.from_iterable(blocks(table, files[table.file]) for table in tables)
    everything = (Record(*fields) for block in read for fields in zip(*block, strict=True))
    return [record for number, record in enumerate(everything) if number in wanted]


def write(dataset: Dataset, rows: Iterable[Record], path: Path) -> None:
    """Write records so that `pipeline.data.daily.frozen_table` reads them.

    Parameters
    ----------
    dataset : Dataset
    rows : iterable of Record
    path : Path
        Its ending is that of `file_name`.
    """
    table = labelled_table(dataset)
    own = table.format in _ENDINGS
    columns = {
        name: index for index, name in enumerate((table.id, table.text, table.label)) if name
    }
    header = list(table.header) if own and table.header else list(columns)
    lines = [
        {name: (row.id, row.text, row.label)[index] for name, index in columns.items()}
        for row in rows
    ]
    if path.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        types = pa.schema([(name, pa.string()) for name in header])
        pq.write_table(pa.Table.from_pylist(lines, types), path)
        return
    encoding = table.encoding if own else "utf-8"
    with open(path, "w", newline="", encoding=encoding) as file:
        if path.suffix == ".jsonl":
            file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
            return
        style = _style(table) if own else {}
        writer = csv.DictWriter(file, header, restval="", lineterminator="\n", **style)
        if not (own and table.header):
            writer.writeheader()
        writer.writerows(lines)


def _style(table: Table) -> dict[str, Any]:
    """Return how fields are separated."""
    if table.quoting:
        return {"delimiter": table.delimiter}
    return {"delimiter": table.delimiter, "quoting": csv.QUOTE_NONE, "quotechar": None}
