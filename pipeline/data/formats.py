"""Formats of raw files: from bytes to blocks of records, one function per format."""

import contextlib
import io
import json
import re
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import IO, Any

from pipeline.data import csv_format, records
from pipeline.data.raw_files import opened, unreadable
from pipeline.data.records import (
    Block,
    Record,
    as_text,
    column_indices,
    column_names,
    display_name,
    in_blocks,
    record,
)
from pipeline.data.schema import Table
from pipeline.errors import DataError, MissingExtraError, nearest

_FIRST = 1000  # records of JSON Lines whose columns are gathered


def blocks(table: Table, path: Path) -> Iterator[Block]:
    """Read the records of a table from its raw file, at most `records.BLOCK` at a time.

    A wrong encoding or format, or a missing column, raises DataError.
    """
    if table.format in ("folders", "excel"):
        read = _from_folders if table.format == "folders" else _from_excel
        yield from in_blocks(read(table, path))
        return
    try:
        with opened(path, table.member) as stream:
            if table.format == "parquet":
                yield from in_blocks(_from_parquet(table, path, stream))
            elif table.format == "jsonl":
                yield from in_blocks(_from_json_lines(table, path, decoded(stream, table, path)))
            else:
                yield from csv_format.blocks(table, path, decoded(stream, table, path))
    except UnicodeError:
        with opened(path, table.member) as stream:
            _raise_encoding_error(stream, table, path)
        raise


def decoded(stream: IO[bytes], table: Table, path: Path) -> Iterator[str]:
    """Decode line by line; line ends stay, since quoted fields may contain them."""
    # Only LF ends a line: the format decides about a CR inside a line.
    lines = io.TextIOWrapper(stream, encoding=table.encoding, newline="\n")
    first = next(lines, "")
    if "\r" in first.rstrip("\r\n") and not first.endswith("\n"):
        raise DataError(
            f"{display_name(table, path)} ends its lines with CR alone, as old Macs did; convert "
            "them to LF, for example: tr '\\r' '\\n' < old.csv > new.csv"
        )
    return chain([first.removeprefix("\ufeff")], lines) if first else iter(())


def _raise_encoding_error(stream: IO[bytes], table: Table, path: Path) -> None:
    """Read a file that cannot be decoded again, and raise an error with the line."""
    number = 0
    try:
        # Counting while reading would take longer than decoding.
        for _ in decoded(stream, table, path):
            number += 1
    except UnicodeError as error:
        cause = str(error)  # of utf-16 and utf-32 without a byte order mark
        if isinstance(error, UnicodeDecodeError):
            before = error.object[: error.start].decode(error.encoding, "replace")
            line = number + 1 + before.count("\n")
            cause = f"line {line} has the byte 0x{error.object[error.start]:02x}"
        raise DataError(
            f"{display_name(table, path)} is not {table.encoding}: {cause}; set encoding in the "
            "dataset's TOML file, for example 'cp1252', 'mac_roman' or 'utf-16-le'."
        ) from error


def _from_json_lines(table: Table, path: Path, lines: Iterator[str]) -> Iterator[Record]:
    """Read one JSON object per line.

    A record may lack a column; a column is missing if none of the first records has it.
    """
    names = column_names(table)
    entries = _json_records(lines, names)
    columns: dict[str, None] = {}
    first: list[Record] = []  # records before the columns are checked
    for one, keys in entries:
        first.append(one)
        columns |= dict.fromkeys(keys)
        if len(first) >= _FIRST or all(name in columns for name in names if name):
            break
    if not all(one.error for one in first):
        column_indices(list(columns), table, path)
    yield from first
    yield from (one for one, _ in entries)


def _json_records(
    lines: Iterator[str], names: Sequence[str]
) -> Iterator[tuple[Record, Iterable[str]]]:
    """Yield the record of each line that is not blank, and the columns of its object."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        entry, problem = _json_object(line, names)
        if problem:
            yield Record(number, None, line.rstrip("\r\n"), None, None, problem), ()
        else:
            yield record(number, [as_text(entry.get(name)) for name in names]), entry


def _json_object(line: str, names: Sequence[str]) -> tuple[dict[str, Any], str]:
    """Return the object of a line, and what is wrong with the line if it has none."""
    try:
        entry = json.loads(line)
    except json.JSONDecodeError as error:  # its own line number is always 1
        return {}, f"{error.msg}: column {error.colno}"
    except (ValueError, RecursionError) as error:
        return {}, str(error)
    if not isinstance(entry, dict):
        return {}, "a line must be a JSON object"
    for name in names:
        if isinstance(entry.get(name), dict | list):
            return {}, f"{name!r} is neither a text nor a number"
    return entry, ""


def _from_parquet(table: Table, path: Path, stream: IO[bytes]) -> Iterator[Record]:
    """Read the columns of a record from a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    line = 0
    names = column_names(table)
    try:
        file = pq.ParquetFile(stream)
        for name, index in zip(
            names, column_indices(file.schema_arrow.names, table, path), strict=True
        ):
            if index is not None and pa.types.is_nested(file.schema_arrow.types[index]):
                raise DataError(
                    f"{display_name(table, path)}: column {name!r} contains "
                    f"{file.schema_arrow.types[index]}; it must contain texts or numbers."
                )
        for batch in file.iter_batches(records.BLOCK, columns=[name for name in names if name]):
            columns = [
                batch[name].to_pylist() if name else [None] * batch.num_rows for name in names
            ]
            for values in zip(*columns, strict=True):
                line += 1
                yield record(line, [as_text(value, table.encoding) for value in values])
    except UnicodeDecodeError as error:
        raise DataError(
            f"{display_name(table, path)} is not {table.encoding}: record {line} has the byte "
            f"0x{error.object[error.start]:02x}; set encoding in the dataset's TOML file."
        ) from error
    except pa.ArrowInvalid as error:
        name = display_name(table, path)
        raise DataError(f"{name} is not a complete Parquet file: {error}.") from error


def _from_excel(table: Table, path: Path) -> Iterator[Record]:
    """Read the rows of a worksheet of an Excel file; ``member`` names it, default the first."""
    rows = excel_rows(path, table.member)
    header = list(table.header) or [(name or "").strip() for name in next(rows, (0, []))[1]]
    if not header:
        return
    indices = column_indices(header, table, path)
    for line, values in rows:
        fields = [None if index is None else values[index] for index in indices]
        if len(values) > len(header) and any(values[len(header) :]):
            error = f"{len(header)} fields expected, {len(values)} found"
            yield Record(line, None, fields[1], None, None, error)
        elif any(value is not None for value in values):
            yield record(line, fields)


def excel_rows(path: Path, sheet: str = "") -> Iterator[tuple[int, list[str | None]]]:
    """Yield number and values of the rows of a worksheet, as text, from the first row with values.

    Raises
    ------
    MissingExtraError
        If openpyxl is not installed.
    DataError
        If the file is damaged or lacks the worksheet.
    """
    try:
        import openpyxl
    except ImportError as error:
        raise MissingExtraError(
            f"{path.name} is an Excel file, which needs openpyxl; install it with pip install "
            "'text-classification-pipeline[excel]', or save the file as CSV UTF-8."
        ) from error
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except OSError as error:
        raise unreadable(path, error) from error
    except Exception as error:  # openpyxl raises errors of zip, XML and its own
        raise DataError(
            f"{path} is not a complete Excel file (.xlsx): {error}; save it again, or as CSV UTF-8."
        ) from error
    with contextlib.closing(book):
        if sheet and sheet not in book.sheetnames:
            raise DataError(
                f"{path} has no worksheet {sheet!r}; {nearest(sheet, book.sheetnames)}."
            )
        has_begun, width = False, 0
        for line, cells in enumerate(book[sheet or book.sheetnames[0]].values, start=1):
            values = [_cell_text(value) for value in cells]
            while values and values[-1] is None and (not has_begun or len(values) > width):
                values.pop()
            has_begun = has_begun or bool(values)
            width = width or len(values)
            if has_begun:
                yield line, values + [None] * (width - len(values))


def _cell_text(value: object) -> str | None:
    """Convert a cell; Excel has only floating-point numbers, so 1.0 is 1."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return as_text(value)


def _from_folders(table: Table, path: Path) -> Iterator[Record]:
    """Read one text per file of a tar archive, with label and partition from its path."""
    pattern = re.compile(
        "".join(
            f"(?P<{piece[1:-1]}>[^/]+)" if piece.startswith("{") else re.escape(piece)
            for piece in re.split(r"(\{(?:partition|label|id)\})", table.member)
        )
    )
    texts = {}
    try:
        with tarfile.open(path) as archive:
            for entry in archive:
                match = pattern.fullmatch(entry.name)
                if match and entry.isfile():
                    texts[entry.name] = (match.groupdict(), archive.extractfile(entry).read())  # type: ignore[union-attr]
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise unreadable(path, error) from error
    # Sorted, so that ids do not depend on the order of the files in the archive.
    for number, name in enumerate(sorted(texts), start=1):
        fields, content = texts[name]
        partition = fields.get("partition") if table.partitions else None
        if table.partitions and partition not in table.partitions:
            yield Record(number, name, name, None, None, f"partition {partition!r} is unknown")
            continue
        try:
            text = content.decode(table.encoding)
        except UnicodeDecodeError as error:
            raise DataError(
                f"{path}: {name} is not {table.encoding}: {error.reason}; set encoding in the "
                "dataset's TOML file."
            ) from error
        yield Record(number, name, text, fields.get("label"), partition)
