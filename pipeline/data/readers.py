"""Read raw files into one table of texts, and say of every record left out why."""

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data.columns import strings
from pipeline.data.formats import Block, blocks, display_name
from pipeline.data.rejected import REJECTED, rejections
from pipeline.data.schema import Dataset, Table
from pipeline.errors import DataError, nearest

ROWS = pa.schema(
    [
        ("id", pa.int64()),
        ("source_id", pa.string()),
        ("raw", pa.string()),
        ("label", pa.string()),
        ("partition", pa.string()),
        # Few names over many rows: encoded, they cost four bytes a row.
        ("file", pa.dictionary(pa.int32(), pa.string())),
        ("line", pa.int64()),
    ]
)


@dataclass
class Reading:
    """What came out of a dataset's raw files.

    Attributes
    ----------
    rows : pa.Table
        Kept rows, columns of `ROWS`. ``id`` numbers all records in reading order from 0;
        ``line`` is where the record begins, or its number in formats without lines.
    rejected : pa.Table
        Records left out, columns of `REJECTED`.
    records : int
        Records found; kept and rejected add up to it.
    """

    rows: pa.Table
    rejected: pa.Table
    records: int


@dataclass
class _Collector:
    """Columns under construction."""

    rows: list[pa.Table] = field(default_factory=list)
    rejected: list[pa.Table] = field(default_factory=list)
    records: int = 0


def read(
    dataset: Dataset,
    files: dict[str, Path],
    meanwhile: Callable[[pa.ChunkedArray], None] | None = None,
) -> Reading:
    """Read all tables of a dataset.

    Parameters
    ----------
    dataset : Dataset
        Row of the catalogue.
    files : dict
        Path of each raw file that is there, by its name in the catalogue.
    meanwhile : callable, optional
        Given the raw texts of ``rows`` part by part, in order, while the next are being read.

    Returns
    -------
    Reading

    Raises
    ------
    DataError
        On a wrong encoding, a missing column, a label that the catalogue does not name, or when
        no labelled row is found.
    """
    collected = _Collector()
    for table in dataset.tables:
        path = files.get(table.file)
        if path is None:
            continue
        before = collected.records
        with _no_collection():
            for block in blocks(table, path):
                _collect(block, table, dataset, path, collected)
                if meanwhile:
                    meanwhile(collected.rows[-1]["raw"])
        if collected.records == before:
            raise DataError(f"{display_name(table, path)} is empty: it holds no record.")
    rows = pa.concat_tables(collected.rows) if collected.rows else ROWS.empty_table()
    if pc.count(rows["label"]).as_py() == 0:
        raise DataError(
            f"dataset {dataset.name!r} has no labelled row among {collected.records} records "
            f"of {', '.join(map(str, files.values()))}; see the reasons in {_reasons(collected)}."
        )
    rejected = (
        pa.concat_tables(collected.rejected) if collected.rejected else REJECTED.empty_table()
    )
    return Reading(rows, rejected, collected.records)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep Python from looking for cycles among records, which have none, at every new one."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _reasons(collected: _Collector) -> str:
    """List why records were left out."""
    if not collected.rejected:
        return "the catalogue's partitions"
    counts = pc.value_counts(pa.concat_tables(collected.rejected)["reason"]).to_pylist()
    return "; ".join(f"{entry['counts']} x {entry['values']}" for entry in counts)


def _collect(
    block: Block, table: Table, dataset: Dataset, path: Path, collected: _Collector
) -> None:
    """Turn records into columns, map labels, and set aside what cannot be used."""
    rows = _columns(block, collected.records, table, path)
    collected.records += rows.num_rows
    rows = _without(rows, pc.not_equal(rows["error"], ""), None, collected)
    rows = _without(rows, _blank(rows["raw"]), "text is empty", collected)
    if table.label:
        rows = _labelled(rows, table, dataset, path, collected)
    else:
        rows = rows.append_column("label", pa.nulls(rows.num_rows, pa.string()))
    collected.rows.append(rows.select(ROWS.names).cast(ROWS))


def _columns(block: Block, first: int, table: Table, path: Path) -> pa.Table:
    """Lay records out as columns, ids counted on from ``first``."""
    number = len(block.lines)
    if table.partition_column or (table.format == "folders" and table.partitions):
        given = (
            None if error else value or ""
            for value, error in zip(block.partitions, block.errors, strict=True)
        )
        partition = _partitions(given, table, path)
    else:
        partition = pa.array([table.partition] * number, pa.string())
    return pa.table(
        {
            "id": pa.array(np.arange(first, first + number), pa.int64()),
            "source_id": strings(block.ids),
            "raw": strings(block.texts),
            "raw_label": strings(block.labels),
            "partition": partition,
            "file": pa.DictionaryArray.from_arrays(
                pa.array(np.zeros(number, np.int32)), [display_name(table, path)]
            ),
            "line": pa.array(block.lines, pa.int64()),
            "error": pa.array(block.errors, pa.string()),
        }
    )


def _partitions(values: Iterable[str | None], table: Table, path: Path) -> pa.Array:
    """Translate a partition column; null, where a record is malformed, stays null."""
    known = dict(table.partitions)
    column = pa.array(values, pa.string()).dictionary_encode()
    names = []
    for value in column.dictionary.to_pylist():
        if value not in known:
            raise DataError(
                f"{display_name(table, path)}: partition value {value!r} is not in the catalogue's "
                f"partitions; {nearest(value, known)}."
            )
        names.append(known[value])
    return pa.array(names, pa.string()).take(column.indices)


def _labelled(
    rows: pa.Table, table: Table, dataset: Dataset, path: Path, collected: _Collector
) -> pa.Table:
    """Add the column ``label``: the class of each raw label, null for unlabelled rows."""
    raw = pc.utf8_trim_whitespace(rows["raw_label"])
    is_unlabelled = pc.or_(
        pc.equal(rows["partition"], "unlabelled"),
        pc.fill_null(pc.is_in(raw, pa.array(dataset.unlabelled, pa.string())), False),
    )
    rows = rows.set_column(
        rows.schema.get_field_index("partition"),
        "partition",
        pc.if_else(is_unlabelled, "unlabelled", rows["partition"]),
    )
    raw = pc.if_else(is_unlabelled, pa.scalar(None, pa.string()), raw)
    if dataset.labels[0].values:
        rows = rows.append_column("label", _by_value(raw, table, dataset, path))
        external_inputs = "label is empty"
    else:
        label, not_a_number, external_inputs = _by_bounds(raw, table, dataset, path)
        rows = rows.append_column("label", label)
        rows = _without(
            rows, not_a_number, f"{table.label} is not a number", collected, detail="raw_label"
        )
    is_empty = pc.and_(_lacks_label(rows), _blank(rows["raw_label"]))
    rows = _without(rows, is_empty, "label is empty", collected)
    return _without(rows, _lacks_label(rows), external_inputs, collected, detail="raw_label")


def _lacks_label(rows: pa.Table) -> pa.ChunkedArray:
    """Mark rows that no class was found for, though they are not meant to be without."""
    return pc.and_(pc.is_null(rows["label"]), pc.not_equal(rows["partition"], "unlabelled"))


def _by_value(raw: pa.ChunkedArray, table: Table, dataset: Dataset, path: Path) -> pa.Array:
    """Look raw labels up among the values of the classes."""
    known = {value: label.name for label in dataset.labels for value in label.values}
    column = raw.combine_chunks().dictionary_encode()
    names: list[str | None] = []
    for value in column.dictionary.to_pylist():
        if value not in known and value != "":
            count = pc.sum(pc.equal(raw, value)).as_py()
            raise DataError(
                f"{display_name(table, path)}, column {table.label!r}: label {value!r} ({count} "
                f"rows of the first {len(raw)}) is not among the dataset's labels; "
                f"{nearest(value, known)}."
            )
        names.append(known.get(value))
    return pa.array(names, pa.string()).take(column.indices)


def _by_bounds(
    raw: pa.ChunkedArray, table: Table, dataset: Dataset, path: Path
) -> tuple[pa.Array, pa.ChunkedArray, str]:
    """Compare numeric raw labels with the bounds; say too which are not a number (nan)."""
    raw = pc.if_else(pc.equal(raw, ""), pa.scalar(None, pa.string()), raw)
    try:
        number = pc.cast(raw, pa.float64())
    except pa.ArrowInvalid as error:
        raise DataError(
            f"{display_name(table, path)}, column {table.label!r}: the dataset's labels are "
            f"bounds, so numbers are expected: {error}."
        ) from error
    label = pa.nulls(len(raw), pa.string())
    for rule in dataset.labels:
        fits = pc.is_valid(number)
        if rule.below is not None:
            fits = pc.and_(fits, pc.less(number, rule.below))
        if rule.above is not None:
            fits = pc.and_(fits, pc.greater(number, rule.above))
        label = pc.if_else(pc.fill_null(fits, False), rule.name, label)
    bounds = sorted(b for rule in dataset.labels for b in (rule.below, rule.above) if b is not None)
    between = f"{table.label} between the labels' bounds ({', '.join(f'{b:g}' for b in bounds)})"
    if isinstance(label, pa.ChunkedArray):
        label = label.combine_chunks()
    return label, pc.is_nan(number), between


def _without(
    rows: pa.Table,
    lost: pa.Array,
    reason: str | None,
    collected: _Collector,
    detail: str = "",
) -> pa.Table:
    """Set the marked rows aside; without a reason, the row's own error is the reason."""
    lost = pc.fill_null(lost, False)
    if not pc.any(lost).as_py():
        return rows
    out = rows.filter(lost)
    details = out[detail] if detail else None
    if reason is None:
        collected.rejected.append(rejections(out, "malformed record", out["error"]))
    else:
        collected.rejected.append(rejections(out, reason, details))
    return rows.filter(pc.invert(lost))


def _blank(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Mark texts that are null or only white space."""
    return pc.fill_null(pc.equal(pc.utf8_trim_whitespace(column), ""), True)
