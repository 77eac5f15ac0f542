"""Formats of raw files: from bytes to blocks of records, one function per format."""

import csv
import io
import json
import re
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any, NamedTuple

from pipeline.data.raw_files import opened, unreadable
from pipeline.data.schema import Table
from pipeline.errors import DataError, nearest

BLOCK = 50_000  # records held as Python values at a time
_FIELD_LIMIT = 1 << 27  # bytes; Python's limit of 131,072 is less than a long review


class Record(NamedTuple):
    """One record as it is in the file; ``error`` is why it could not be read, or empty."""

    line: int
    id: str | None
    text: str | None
    label: str | None
    partition: str | None
    error: str = ""


class Block(NamedTuple):
    """The fields of `Record` of many records, each a sequence with one entry per record."""

    lines: Sequence[int]
    ids: Sequence[str | None]
    texts: Sequence[str | None]
    labels: Sequence[str | None]
    partitions: Sequence[str | None]
    errors: Sequence[str]


def blocks(table: Table, path: Path) -> Iterator[Block]:
    """Read the records of a table from its raw file, at most `BLOCK` at a time.

    A wrong encoding or format, or a missing column, raises DataError.
    """
    if table.format == "folders":
        yield from _in_blocks(_from_folders(table, path))
        return
    try:
        with opened(path, table.member) as stream:
            if table.format == "parquet":
                yield from _in_blocks(_from_parquet(table, path, stream))
            elif table.format == "jsonl":
                yield from _in_blocks(_from_json_lines(table, path, _decoded(stream, table, path)))
            else:
                yield from _from_csv(table, path, _decoded(stream, table, path))
    except UnicodeError:
        with opened(path, table.member) as stream:
            _raise_encoding_error(stream, table, path)
        raise


def display_name(table: Table, path: Path) -> str:
    """Return the name of a table in messages and in the column ``file``.

    Examples
    --------
    >>> display_name(Table(file="a.zip", member="b.csv"), Path("data/mine/a.zip"))
    'a.zip:b.csv'
    """
    name = table.display_name or path.name
    return f"{name}:{table.member}" if table.member else name


def _in_blocks(records: Iterable[Record]) -> Iterator[Block]:
    """Gather records into blocks."""
    records = iter(records)
    while some := list(islice(records, BLOCK)):
        yield Block(*zip(*some, strict=True))


def _record(line: int, values: list[str | None]) -> Record:
    """Make a record of the values of `_columns`."""
    return Record(line, values[0], values[1], values[2], values[3])


def _columns(table: Table) -> tuple[str, str, str, str]:
    """Return the names of the columns of a record, in the order of `Record`."""
    return table.id, table.text, table.label, table.partition_column


def _index(name: str, header: list[str], table: Table, path: Path) -> int | None:
    """Return the position of a column; None for a record without this column."""
    if not name:
        return None
    if name not in header:
        raise DataError(
            f"{display_name(table, path)} has no column {name!r}; {nearest(name, header)}. "
            "Set id, text and label in the dataset's TOML file."
        )
    if header.count(name) > 1:
        raise DataError(
            f"{display_name(table, path)} has {header.count(name)} columns named {name!r}; rename "
            "all but one of them in the file."
        )
    return header.index(name)


def _decoded(stream: IO[bytes], table: Table, path: Path) -> Iterator[str]:
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
        for _ in _decoded(stream, table, path):
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


class _Rows(NamedTuple):
    """Fields of records, the lines where they start, and an error for each (empty if none)."""

    lines: list[int]
    values: list[list[str]]
    errors: list[str]


def _from_csv(table: Table, path: Path, lines: Iterator[str]) -> Iterator[Block]:
    """Read separated fields; a record with another number of fields than the header is an error."""
    csv.field_size_limit(_FIELD_LIMIT)
    style: dict[str, Any] = {"delimiter": table.delimiter}
    if not table.quoting:
        style["quoting"] = csv.QUOTE_NONE
    split = _multiline(lines, style, table, path) if table.multiline else _by_line(lines, style)
    header = list(table.header)
    for rows in split:
        if not header:
            if rows.errors[0]:
                raise DataError(
                    f"{display_name(table, path)}: line {rows.lines[0]}, the header, cannot be "
                    f"read: {rows.errors[0]}."
                )
            header = [name.strip() for name in rows.values[0]]
            rows = _Rows(rows.lines[1:], rows.values[1:], rows.errors[1:])
        indices = [_index(name, header, table, path) for name in _columns(table)]
        if rows.lines:
            yield _block(rows, indices, len(header), table.delimiter)


def _block(rows: _Rows, indices: list[int | None], expected: int, delimiter: str) -> Block:
    """Select the columns; the text of a malformed record is all its fields, joined."""
    lines, values, errors = rows
    if not any(errors) and set(map(len, values)) == {expected}:
        ids, texts, labels, partitions = (
            [None] * len(values) if index is None else [fields[index] for fields in values]
            for index in indices
        )
        return Block(lines, ids, texts, labels, partitions, errors)
    records = []
    for line, fields, error in zip(lines, values, errors, strict=True):
        if not error and len(fields) != expected:
            error = f"{expected} fields expected, {len(fields)} found"
        if error:
            records.append(Record(line, None, delimiter.join(fields), None, None, error))
        else:
            selected = [None if index is None else fields[index] for index in indices]
            records.append(_record(line, selected))
    return Block(*zip(*records, strict=True))


def _multiline(
    lines: Iterator[str], style: dict[str, Any], table: Table, path: Path
) -> Iterator[_Rows]:
    """Split records whose quoted fields may contain line breaks."""
    at_end = False

    def until_end() -> Iterator[str]:
        nonlocal at_end
        yield from lines
        at_end = True

    reader = csv.reader(until_end(), **style)
    # The first record, which may be the header, is a block: it is checked before the rest is read.
    size = 1
    start, starts, rows = 1, [], []
    try:
        for values in reader:
            # The reader asks for a line after the last one only inside an open quote.
            if at_end:
                raise DataError(
                    f"{display_name(table, path)}: the record that begins in line {start} has a "
                    "quote that is never closed; close it, or write multiline = false (records "
                    "are lines) or quoting = false (quotes are text) in the dataset's TOML file."
                )
            if values:
                starts.append(start)
                rows.append(values)
            start = reader.line_num + 1
            if len(rows) == size:
                yield _Rows(starts, rows, [""] * len(rows))
                starts, rows, size = [], [], BLOCK
    except csv.Error as error:
        raise DataError(
            f"{display_name(table, path)}: the record that begins in line {start} cannot be read: "
            f"{_csv_reason(error)}; correct it, or write multiline = false (such a line is then "
            "rejected) in the dataset's TOML file."
        ) from error
    if rows:
        yield _Rows(starts, rows, [""] * len(rows))


def _by_line(lines: Iterator[str], style: dict[str, Any]) -> Iterator[_Rows]:
    """Split records of one line each; empty lines are skipped."""
    first, size = 1, 1  # the header is a block, as above
    while block := list(islice(lines, size)):
        values, errors = _split_lines(block, style)
        kept = [index for index, fields in enumerate(values) if fields]
        if kept:
            yield _Rows(
                [first + index for index in kept],
                [values[index] for index in kept],
                [errors[index] for index in kept],
            )
        first, size = first + len(block), BLOCK


def _split_lines(block: list[str], style: dict[str, Any]) -> tuple[list[list[str]], list[str]]:
    """Split lines at once, or one by one if an open quote joins several lines to one record."""
    errors = [""] * len(block)
    try:
        values = list(csv.reader(block, **style))
        if len(values) == len(block):
            return values, errors
    except csv.Error:
        pass
    values = []
    for index, line in enumerate(block):
        try:
            values.append(next(csv.reader((line,), **style), []))
        except csv.Error as error:
            values.append([line.rstrip("\r\n")])
            errors[index] = _csv_reason(error)
    return values, errors


def _csv_reason(error: csv.Error) -> str:
    """Return the cause of an error; Python's text about a line break is for programmers."""
    if "new-line character" in str(error):
        return "a carriage return (CR) is within the line but not in quotes"
    return str(error)


def _from_json_lines(table: Table, path: Path, lines: Iterator[str]) -> Iterator[Record]:
    """Read one JSON object per line."""
    names, is_first = _columns(table), True
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            if not isinstance(entry, dict):
                raise ValueError("a line must be a JSON object")
            for name in names:
                if isinstance(entry.get(name), dict | list):
                    raise ValueError(f"{name!r} is neither a text nor a number")
        except (ValueError, RecursionError) as error:
            yield Record(number, None, line.rstrip("\r\n"), None, None, str(error))
            continue
        for name in names if is_first else ():
            _index(name, list(entry), table, path)
        is_first = False
        yield _record(number, [_as_text(entry.get(name)) for name in names])


def _as_text(value: Any, encoding: str = "utf-8") -> str | None:
    """Convert a JSON or Parquet value to the text that a CSV file would have."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode(encoding)
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _from_parquet(table: Table, path: Path, stream: IO[bytes]) -> Iterator[Record]:
    """Read the columns of a record from a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    line = 0
    names = _columns(table)
    try:
        file = pq.ParquetFile(stream)
        for name in names:
            index = _index(name, file.schema_arrow.names, table, path)
            if index is not None and pa.types.is_nested(file.schema_arrow.types[index]):
                raise DataError(
                    f"{display_name(table, path)}: column {name!r} contains "
                    f"{file.schema_arrow.types[index]}; it must contain texts or numbers."
                )
        for batch in file.iter_batches(BLOCK, columns=[name for name in names if name]):
            columns = [
                batch[name].to_pylist() if name else [None] * batch.num_rows for name in names
            ]
            for values in zip(*columns, strict=True):
                line += 1
                yield _record(line, [_as_text(value, table.encoding) for value in values])
    except UnicodeDecodeError as error:
        raise DataError(
            f"{display_name(table, path)} is not {table.encoding}: record {line} has the byte "
            f"0x{error.object[error.start]:02x}; set encoding in the dataset's TOML file."
        ) from error
    except pa.ArrowInvalid as error:
        name = display_name(table, path)
        raise DataError(f"{name} is not a complete Parquet file: {error}.") from error


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
