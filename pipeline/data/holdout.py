"""Write holdout rows to a file in the format of the dataset."""

import csv
import itertools
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipeline.data.daily import holdout_table, labelled_table
from pipeline.data.formats import blocks
from pipeline.data.records import Record
from pipeline.data.schema import Dataset


def file_name(dataset: Dataset) -> str:
    """Return the name of the file, in the dataset's format; CSV for folders and Excel."""
    format = labelled_table(dataset).format
    return "rows.csv" if format in ("folders", "excel") else f"rows.{format}"


def chosen_records(dataset: Dataset, files: Mapping[str, Path], ids: Iterable[int]) -> list[Record]:
    """Read the records of some ids again, with their raw labels; the ids are those of `read`."""
    wanted = set(ids)
    tables = (table for table in dataset.tables if table.file in files)
    read = itertools.chain.from_iterable(blocks(table, files[table.file]) for table in tables)
    records = itertools.chain.from_iterable(block.records() for block in read)
    return [record for number, record in enumerate(records) if number in wanted]


def write(dataset: Dataset, records: Iterable[Record], path: Path) -> None:
    """Write records to ``path``, as `pipeline.data.daily.holdout_table` describes the file."""
    table = holdout_table(dataset, path)
    header = list(table.header) or [name for name in (table.id, table.text, table.label) if name]
    rows = [
        {table.id: record.id, table.text: record.text, table.label: record.label}
        for record in records
    ]
    for row in rows:
        row.pop("", None)  # there is no column of ids or of labels
    if table.format == "parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        types = pa.schema([(name, pa.string()) for name in header])
        pq.write_table(pa.Table.from_pylist(rows, types), path)
        return
    with open(path, "w", newline="", encoding=table.encoding) as file:
        if table.format == "jsonl":
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            return
        style: dict[str, Any] = {"delimiter": table.delimiter, "lineterminator": "\n"}
        if table.escape:
            style["escapechar"] = table.escape
        if not table.quoting:
            style |= {"quoting": csv.QUOTE_NONE, "quotechar": None}
        writer = csv.DictWriter(file, header, restval="", **style)
        if not table.header:
            writer.writeheader()
        writer.writerows(rows)
