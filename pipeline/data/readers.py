"""Read the raw files of a dataset into one table of texts, and one of rejected records.

`pipeline.data.formats` yields blocks of records; each block becomes columns, raw labels become
classes, and records that cannot be used are rejected with a reason.
"""

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data.columns import as_array, strings
from pipeline.data.formats import Block, blocks, display_name
from pipeline.data.rejected import REJECTED, reject
from pipeline.data.schema import Dataset, Table
from pipeline.errors import DataError, nearest

#: Columns of a table of texts.
ROWS = pa.schema(
    [
        ("id", pa.int64()),
        ("source_id", pa.string()),
        ("raw", pa.string()),
        ("label", pa.string()),
        ("partition", pa.string()),
        # Few names in many rows: encoded, they take four bytes per row.
        ("file", pa.dictionary(pa.int32(), pa.string())),
        ("line", pa.int64()),
    ]
)


@dataclass
class Reading:
    """Rows and rejected records of raw files.

    ``id`` numbers all records in reading order from 0; ``line`` is where a record begins, or its
    number in formats without lines.
    """

    rows: pa.Table  # columns of `ROWS`
    rejected: pa.Table  # columns of `REJECTED`
    records: int  # number of rows and rejected records


def read(
    dataset: Dataset,
    files: Mapping[str, Path],
    on_texts: Callable[[pa.ChunkedArray], None] | None = None,
) -> Reading:
    """Read all tables of a dataset.

    Parameters
    ----------
    dataset : Dataset
    files : mapping of str to Path
        Path of each existing raw file, by its name in the catalogue.
    on_texts : callable, optional
        Called with the raw texts of ``rows``, block by block, before the next block is read.

    Raises
    ------
    DataError
        If the encoding is wrong, a column is missing, a label is not in the catalogue, or there is
        no labelled row.
    """
    kept: list[pa.Table] = []
    rejected: list[pa.Table] = []
    records = 0
    for table in dataset.tables:
        path = files.get(table.file)
        if path is None:
            continue
        name = display_name(table, path)
        first = records
        with _without_garbage_collection():
            for block in blocks(table, path):
                kept.append(_rows(block, records, table, dataset, name, rejected))
                records += len(block.lines)
                if on_texts:
                    on_texts(kept[-1]["raw"])
        if records == first:
            raise DataError(f"{name} is empty: it contains no record.")
    reading = Reading(
        pa.concat_tables(kept or [ROWS.empty_table()]),
        pa.concat_tables(rejected or [REJECTED.empty_table()]),
        records,
    )
    if pc.count(reading.rows["label"]).as_py() == 0:
        counts = pc.value_counts(reading.rejected["reason"]).to_pylist()
        reasons = "; ".join(f"{entry['counts']} x {entry['values']}" for entry in counts)
        raise DataError(
            f"dataset {dataset.name!r} has no labelled row among {records} records of "
            f"{', '.join(map(str, files.values()))}; check "
            f"{reasons or 'the partitions in its TOML file'}."
        )
    return reading


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Disable the cyclic garbage collector: the new records contain no reference cycles."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _rows(
    block: Block,
    first_id: int,
    table: Table,
    dataset: Dataset,
    name: str,
    rejected: list[pa.Table],
) -> pa.Table:
    """Convert records to rows with classes, and reject those that cannot be used."""
    rows = _columns(block, first_id, table, name)
    is_malformed = pc.not_equal(rows["error"], "")
    rows = reject(rows, is_malformed, "malformed record", rejected, rows["error"])
    rows = reject(rows, _is_blank(rows["raw"]), "text is empty", rejected)
    if table.label:
        rows = _with_classes(rows, table, dataset, name, rejected)
    else:
        rows = rows.append_column("label", pa.nulls(rows.num_rows, pa.string()))
    return rows.select(ROWS.names).cast(ROWS)


def _columns(block: Block, first_id: int, table: Table, name: str) -> pa.Table:
    """Convert records to columns."""
    size = len(block.lines)
    if table.partition_column or (table.format == "folders" and table.partitions):
        raw = (
            None if error else value or ""
            for value, error in zip(block.partitions, block.errors, strict=True)
        )
        partition = _partitions(raw, table, name)
    else:
        partition = pa.array([table.partition] * size, pa.string())
    return pa.table(
        {
            "id": pa.array(np.arange(first_id, first_id + size), pa.int64()),
            "source_id": strings(block.ids),
            "raw": strings(block.texts),
            "raw_label": strings(block.labels),
            "partition": partition,
            "file": pa.DictionaryArray.from_arrays(pa.array(np.zeros(size, np.int32)), [name]),
            "line": pa.array(block.lines, pa.int64()),
            "error": pa.array(block.errors, pa.string()),
        }
    )


def _partitions(values: Iterable[str | None], table: Table, name: str) -> pa.Array:
    """Translate a partition column; null, of a malformed record, stays null."""
    column = pa.array(values, pa.string()).dictionary_encode()
    translated = []
    for value in column.dictionary.to_pylist():
        if value not in table.partitions:
            raise DataError(
                f"{name}: partition value {value!r} is not in the dataset's partitions; "
                f"{nearest(value, table.partitions)}."
            )
        translated.append(table.partitions[value])
    return pa.array(translated, pa.string()).take(column.indices)


def _with_classes(
    rows: pa.Table, table: Table, dataset: Dataset, name: str, rejected: list[pa.Table]
) -> pa.Table:
    """Add the column ``label``, the class of each raw label; null for unlabelled rows."""
    raw = pc.utf8_trim_whitespace(rows["raw_label"])
    is_unlabelled = pc.or_(
        pc.equal(rows["partition"], "unlabelled"),
        pc.fill_null(pc.is_in(raw, pa.array(dataset.unlabelled, pa.string())), False),
    )
    partition = pc.if_else(is_unlabelled, "unlabelled", rows["partition"])
    rows = rows.set_column(rows.schema.get_field_index("partition"), "partition", partition)
    raw = pc.if_else(is_unlabelled, pa.scalar(None, pa.string()), raw)
    if dataset.labels[0].values:
        rows = rows.append_column("label", _by_value(raw, table, dataset, name))
    else:
        label, is_nan = _by_bounds(raw, table, dataset, name)
        rows = rows.append_column("label", label)
        reason = f"{table.label} is not a number"
        rows = reject(rows, is_nan, reason, rejected, rows["raw_label"])
    is_empty = pc.and_(_lacks_class(rows), _is_blank(rows["raw_label"]))
    rows = reject(rows, is_empty, "label is empty", rejected)
    bounds = [bound for rule in dataset.labels for bound in (rule.below, rule.above)]
    listed = ", ".join(f"{bound:g}" for bound in sorted(b for b in bounds if b is not None))
    reason = f"{table.label} between the labels' bounds ({listed})"
    return reject(rows, _lacks_class(rows), reason, rejected, rows["raw_label"])


def _lacks_class(rows: pa.Table) -> pa.ChunkedArray:
    """Mark rows without a class that are not unlabelled."""
    return pc.and_(pc.is_null(rows["label"]), pc.not_equal(rows["partition"], "unlabelled"))


def _by_value(raw: pa.ChunkedArray, table: Table, dataset: Dataset, name: str) -> pa.Array:
    """Return the class of each raw label, by the values of the classes."""
    class_of = {value: label.name for label in dataset.labels for value in label.values}
    column = as_array(raw).dictionary_encode()
    classes: list[str | None] = []
    for value in column.dictionary.to_pylist():
        if value not in class_of and value != "":
            count = pc.sum(pc.equal(raw, value)).as_py()
            raise DataError(
                f"{name}, column {table.label!r}: label {value!r} ({count} rows of the first "
                f"{len(raw)}) is not among the dataset's labels; {nearest(value, class_of)}."
            )
        classes.append(class_of.get(value))
    return pa.array(classes, pa.string()).take(column.indices)


def _by_bounds(
    raw: pa.ChunkedArray, table: Table, dataset: Dataset, name: str
) -> tuple[pa.Array, pa.ChunkedArray]:
    """Return the class of each numeric raw label, by the classes' bounds, and which are NaN."""
    raw = pc.if_else(pc.equal(raw, ""), pa.scalar(None, pa.string()), raw)
    try:
        number = pc.cast(raw, pa.float64())
    except pa.ArrowInvalid as error:
        raise DataError(
            f"{name}, column {table.label!r}: the dataset's labels are bounds, so numbers are "
            f"expected: {error}."
        ) from error
    label = pa.nulls(len(raw), pa.string())
    for rule in dataset.labels:
        fits = pc.is_valid(number)
        if rule.below is not None:
            fits = pc.and_(fits, pc.less(number, rule.below))
        if rule.above is not None:
            fits = pc.and_(fits, pc.greater(number, rule.above))
        label = pc.if_else(pc.fill_null(fits, False), rule.name, label)
    return as_array(label), pc.is_nan(number)


def _is_blank(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Mark texts that are null or only white space."""
    return pc.fill_null(pc.equal(pc.utf8_trim_whitespace(column), ""), True)
