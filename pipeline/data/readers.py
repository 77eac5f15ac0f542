"""Read the raw files of a dataset into one table of texts, and one of rejected records.

`pipeline.data.formats` yields blocks of records; each block becomes columns, raw labels become
classes, and records that cannot be used are rejected with a reason.
"""

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data.columns import as_array, strings
from pipeline.data.formats import blocks
from pipeline.data.problems import (
    Problems,
    UnknownValues,
    add_labels,
    add_malformed,
    class_names,
    rejections,
)
from pipeline.data.records import Block, display_name
from pipeline.data.rejected import MALFORMED, REJECTED, reject
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
    number in formats without lines. ``class_names`` are those of the dataset, or the values of its
    label column.
    """

    rows: pa.Table  # columns of `ROWS`
    rejected: pa.Table  # columns of `REJECTED`
    records: int  # number of rows and rejected records
    class_names: Sequence[str] = ()


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
        If the encoding is wrong, a column is missing, or there is no labelled row. Wrong quotes,
        labels and partitions of a file are listed together.
    """
    kept: list[pa.Table] = []
    rejected: list[pa.Table] = []
    records = 0
    for table in dataset.tables:
        path = files.get(table.file)
        if path is None:
            continue
        source = _TableReader(dataset, table, display_name(table, path), len(rejected))
        first = records
        with _without_garbage_collection():
            for block in blocks(table, path):
                kept.append(source.rows(block, records, rejected))
                records += len(block.lines)
                if on_texts:
                    on_texts(kept[-1]["raw"])
        source.check(rejected, records - first)
    reading = Reading(
        pa.concat_tables(kept or [ROWS.empty_table()]),
        pa.concat_tables(rejected or [REJECTED.empty_table()]),
        records,
        [label.name for label in dataset.labels],
    )
    if pc.count(reading.rows["label"]).as_py() == 0:
        reasons = "; ".join(f"{why} ({n})" for why, n in rejections(reading.rejected, "reason"))
        raise DataError(
            f"dataset {dataset.name!r} has no labelled row among {records} records of "
            f"{', '.join(map(str, files.values()))}; check "
            f"{reasons or 'the partitions in its TOML file'}."
        )
    if not dataset.labels:
        column = next(table.label for table in dataset.tables if table.label)
        reading.class_names = class_names(reading.rows["label"], dataset.name, column)
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


@dataclass
class _TableReader:
    """Conversion of the records of a table to rows, and the problems that it finds."""

    dataset: Dataset
    table: Table
    name: str
    first_rejected: int  # number of tables of rejected rows before this table
    problems: Problems = field(default_factory=Problems)
    unknown_labels: UnknownValues = field(default_factory=UnknownValues)
    unknown_partitions: UnknownValues = field(default_factory=UnknownValues)

    def rows(self, block: Block, first_id: int, rejected: list[pa.Table]) -> pa.Table:
        """Convert records to rows with classes, and reject those that cannot be used."""
        for problem in block.problems:
            self.problems.add("quotes", problem.text, problem.advice)
        rows = self._columns(block, first_id)
        is_malformed = pc.not_equal(rows["error"], "")
        rows = reject(rows, is_malformed, MALFORMED, rejected, rows["error"])
        rows = reject(rows, _is_blank(rows["raw"]), "text is empty", rejected)
        if self.table.label:
            rows = self._with_classes(rows, rejected)
        else:
            rows = rows.append_column("label", pa.nulls(rows.num_rows, pa.string()))
        return rows.select(ROWS.names).cast(ROWS)

    def check(self, rejected: list[pa.Table], records: int) -> None:
        """Raise DataError with all problems of the table."""
        add_labels(self.problems, self.unknown_labels, self.table.label, self.dataset)
        for value, where in self.unknown_partitions:
            self.problems.add(
                "partitions",
                f"partition value {value!r} is not in the dataset's partitions ({where})",
                nearest(value, self.table.partitions),
            )
        own = pa.concat_tables(rejected[self.first_rejected :] or [REJECTED.empty_table()])
        add_malformed(self.problems, own, records)
        self.problems.raise_if_any(self.name)
        if records == 0:
            raise DataError(f"{self.name} is empty: it contains no record.")

    def _columns(self, block: Block, first_id: int) -> pa.Table:
        """Convert records to columns."""
        size = len(block.lines)
        table = self.table
        if table.partition_column or (table.format == "folders" and table.partitions):
            partition = self._partitions(block)
        else:
            partition = pa.array([table.partition] * size, pa.string())
        return pa.table(
            {
                "id": pa.array(np.arange(first_id, first_id + size), pa.int64()),
                "source_id": strings(block.ids),
                "raw": strings(block.texts),
                "raw_label": strings(block.labels),
                "partition": partition,
                "file": pa.DictionaryArray.from_arrays(
                    pa.array(np.zeros(size, np.int32)), [self.name]
                ),
                "line": pa.array(block.lines, pa.int64()),
                "error": pa.array(block.errors, pa.string()),
            }
        )

    def _partitions(self, block: Block) -> pa.Array:
        """Translate a partition column; null, of a malformed record, stays null."""
        raw = (
            None if error else value or ""
            for value, error in zip(block.partitions, block.errors, strict=True)
        )
        column = pa.array(raw, pa.string()).dictionary_encode()
        values = column.dictionary.to_pylist()
        translated = pa.array(map(self.table.partitions.get, values), pa.string())
        partition = translated.take(column.indices)
        unknown = pc.and_(pc.is_valid(column.indices), pc.is_null(partition))
        self.unknown_partitions.add(
            column.cast(pa.string()).filter(unknown).to_pylist(),
            pa.array(block.lines, pa.int64()).filter(unknown).to_pylist(),
        )
        return partition

    def _with_classes(self, rows: pa.Table, rejected: list[pa.Table]) -> pa.Table:
        """Add the column ``label``, the class of each raw label; null for unlabelled rows."""
        labels = self.dataset.labels
        raw = pc.fill_null(pc.utf8_trim_whitespace(rows["raw_label"]), "")
        unlabelled = [*self.dataset.unlabelled, *([] if labels else [""])]
        is_unlabelled = pc.or_(
            pc.equal(rows["partition"], "unlabelled"),
            pc.is_in(raw, pa.array(unlabelled, pa.string())),
        )
        partition = pc.if_else(is_unlabelled, "unlabelled", rows["partition"])
        rows = rows.set_column(rows.schema.get_field_index("partition"), "partition", partition)
        raw = pc.if_else(is_unlabelled, pa.scalar(None, pa.string()), raw)
        if not labels:
            return rows.append_column("label", raw)
        if labels[0].values:
            rows = rows.append_column("label", self._by_value(raw, rows["line"]))
        else:
            label, is_nan = self._by_bounds(raw)
            rows = rows.append_column("label", label)
            reason = f"{self.table.label} is not a number"
            rows = reject(rows, is_nan, reason, rejected, rows["raw_label"])
        is_empty = pc.and_(_lacks_class(rows), _is_blank(rows["raw_label"]))
        rows = reject(rows, is_empty, "label is empty", rejected)
        bounds = [bound for rule in labels for bound in (rule.below, rule.above)]
        listed = ", ".join(f"{bound:g}" for bound in sorted(b for b in bounds if b is not None))
        reason = f"{self.table.label} between the labels' bounds ({listed})"
        return reject(rows, _lacks_class(rows), reason, rejected, rows["raw_label"])

    def _by_value(self, raw: pa.ChunkedArray, lines: pa.ChunkedArray) -> pa.Array:
        """Return the class of each raw label, by the values of the classes."""
        class_of = {value: label.name for label in self.dataset.labels for value in label.values}
        column = as_array(raw).dictionary_encode()
        values = column.dictionary.to_pylist()
        if not {*values} <= {*class_of, ""}:
            unknown = pc.invert(pc.fill_null(pc.is_in(raw, pa.array([*class_of, ""])), True))
            unknown = pc.and_(unknown, pc.is_valid(raw))
            self.unknown_labels.add(
                raw.filter(unknown).to_pylist(), lines.filter(unknown).to_pylist()
            )
        return pa.array(map(class_of.get, values), pa.string()).take(column.indices)

    def _by_bounds(self, raw: pa.ChunkedArray) -> tuple[pa.Array, pa.ChunkedArray]:
        """Return the class of each numeric raw label, by bounds, and which are NaN."""
        raw = pc.if_else(pc.equal(raw, ""), pa.scalar(None, pa.string()), raw)
        try:
            number = pc.cast(raw, pa.float64())
        except pa.ArrowInvalid as error:
            raise DataError(
                f"{self.name}, column {self.table.label!r}: the dataset's labels are bounds, so "
                f"numbers are expected: {error}."
            ) from error
        label = pa.nulls(len(raw), pa.string())
        for rule in self.dataset.labels:
            fits = pc.is_valid(number)
            if rule.below is not None:
                fits = pc.and_(fits, pc.less(number, rule.below))
            if rule.above is not None:
                fits = pc.and_(fits, pc.greater(number, rule.above))
            label = pc.if_else(pc.fill_null(fits, False), rule.name, label)
        return as_array(label), pc.is_nan(number)


def _lacks_class(rows: pa.Table) -> pa.ChunkedArray:
    """Mark rows without a class that are not unlabelled."""
    return pc.and_(pc.is_null(rows["label"]), pc.not_equal(rows["partition"], "unlabelled"))


def _is_blank(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Mark texts that are null or only white space."""
    return pc.fill_null(pc.equal(pc.utf8_trim_whitespace(column), ""), True)
