"""The formats of raw files: from bytes to blocks of records, one format a function."""

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

_APART = re.compile(r"\d{4}-\d\d-\d\d|frozen")  # folders of a day, and of frozen test rows
BLOCK = 50_000  # records held as Python values at a time
_FIELD_LIMIT = 1 << 27  # bytes; Python's own limit of 131,072 is less than a long review


class Record(NamedTuple):
    """One record as it stands in the file; an error says why it could not be read."""

    line: int
    id: str | None
    text: str | None
    label: str | None
    partition: str | None
    error: str = ""


class Block(NamedTuple):
    """The fields of `Record` of many records, each a sequence with one entry a record."""

    lines: Sequence[int]
    ids: Sequence[str | None]
    texts: Sequence[str | None]
    labels: Sequence[str | None]
    partitions: Sequence[str | None]
    errors: Sequence[str]


def blocks(table: Table, path: Path) -> Iterator[Block]:
    """Read the records of a table, `BLOCK` or fewer at a time.

    Parameters
    ----------
    table : Table
        How its file is laid out.
    path : Path
        Where the file lies.

    Yields
    ------
    Block

    Raises
    ------
    DataError
        On a wrong encoding, a missing column, or a file that is not of its format.
    """
    if table.format == "folders":
        yield from _in_blocks(_from_folders(table, path))
        return
    try:
        yield from _from_stream(table, path)
    except UnicodeError:
        with opened(path, table.member) as stream:
            _say_where(stream, table, path)
        raise


def _from_stream(table: Table, path: Path) -> Iterator[Block]:
    """Read the records of a table that stands in one file, or in one member of an archive."""
    with opened(path, table.member) as stream:
        if table.format == "parquet":
            yield from _in_blocks(_from_parquet(table, path, stream))
            return
        lines = _decoded(stream, table, path)
        if table.format == "jsonl":
            yield from _in_blocks(_from_json_lines(table, path, lines))
        else:
            yield from _from_csv(table, path, lines)


def _in_blocks(records: Iterator[Record]) -> Iterator[Block]:
    """Gather records into blocks."""
    while some := list(islice(records, BLOCK)):
        yield Block(*zip(*some, strict=True))


def _decoded(stream: IO[bytes], table: Table, path: Path) -> Iterator[str]:
    """Decode line by line; line ends stay, since quoted fields may hold them."""
    # Only LF ends a line: a CR inside a line is for the format to judge.
    lines = io.TextIOWrapper(stream, encoding=table.encoding, newline="\n")
    first = [_first_line(line, table, path) for line in islice(lines, 1)]
    return chain(first, lines)


def _say_where(stream: IO[bytes], table: Table, path: Path) -> None:
    """Read a file that cannot be decoded again, and raise an error that names the line."""
    number = 0
    try:
        # Counted here and not while reading, where it would take longer than the decoding.
        for _ in _decoded(stream, table, path):
            number += 1
    except UnicodeDecodeError as error:
        raise DataError(
            f"{display_name(table, path)} is not {table.encoding}: line "
            f"{number + 1 + _lines_before(error)} has the byte "
            f"0x{error.object[error.start]:02x}; set encoding in the dataset's TOML file, "
            "for example 'cp1252', 'latin-1' or 'mac_roman'."
        ) from error
    except UnicodeError as error:  # how utf-16 and utf-32 report that no byte order is given
        raise DataError(
            f"{display_name(table, path)} is not {table.encoding}: {error}; set encoding in the "
            "dataset's TOML file, for example 'utf-8', 'utf-16-le' or 'utf-16-be'."
        ) from error


def _first_line(line: str, table: Table, path: Path) -> str:
    """Take the byte order mark off, and refuse a file that CR alone divides into lines."""
    if "\r" in line.rstrip("\r\n") and not line.endswith("\n"):
        raise DataError(
            f"{display_name(table, path)} ends its lines with CR alone, as old Macs did; write "
            "them with LF, for example: tr '\\r' '\\n' < old.csv > new.csv"
        )
    return line.removeprefix("\ufeff")


def _lines_before(error: UnicodeDecodeError) -> int:
    """Count the lines that end in the block that could not be decoded, before the wrong byte."""
    return error.object[: error.start].decode(error.encoding, "replace").count("\n")


def _from_csv(table: Table, path: Path, lines: Iterator[str]) -> Iterator[Block]:
    """Read separated fields; a record with another number of fields than the header is an error."""
    csv.field_size_limit(_FIELD_LIMIT)
    style: dict[str, Any] = {"delimiter": table.delimiter}
    if not table.quoting:
        style["quoting"] = csv.QUOTE_NONE
    split = _multiline(lines, style, table, path) if table.multiline else _by_line(lines, style)
    header = list(table.header)
    for fields in split:
        if not header:
            header, fields = _header_of(fields, table, path)
        places = [_place(name, header, table, path) for name in _wanted(table)]
        if fields.lines:
            yield _block(fields, places, len(header), table.delimiter)


class _Fields(NamedTuple):
    """The fields of records, the lines where they begin, and what is wrong with some, by place."""

    lines: list[int]
    values: list[list[str]]
    errors: dict[int, str]


def _header_of(fields: _Fields, table: Table, path: Path) -> tuple[list[str], _Fields]:
    """Take the names of the columns off the first record."""
    if 0 in fields.errors:
        raise DataError(
            f"{display_name(table, path)}: line {fields.lines[0]}, the header, cannot be read: "
            f"{fields.errors[0]}."
        )
    errors = {place - 1: error for place, error in fields.errors.items()}
    rest = _Fields(fields.lines[1:], fields.values[1:], errors)
    return [name.strip() for name in fields.values[0]], rest


def _block(fields: _Fields, places: list[int | None], expected: int, delimiter: str) -> Block:
    """Pick the wanted columns; what cannot be used keeps its fields, joined, as its text."""
    lines, values, errors = fields
    if not errors and set(map(len, values)) == {expected}:
        ids, texts, labels, partitions = (
            [None] * len(values) if at is None else [row[at] for row in values] for at in places
        )
        return Block(lines, ids, texts, labels, partitions, [""] * len(lines))
    found = []
    for index, (line, row) in enumerate(zip(lines, values, strict=True)):
        error = errors.get(index, "")
        if not error and len(row) != expected:
            error = f"{expected} fields expected, {len(row)} found"
        if error:
            found.append(Record(line, None, delimiter.join(row), None, None, error))
        else:
            found.append(_record(line, [None if at is None else row[at] for at in places]))
    return Block(*zip(*found, strict=True))


def _multiline(
    lines: Iterator[str], style: dict[str, Any], table: Table, path: Path
) -> Iterator[_Fields]:
    """Split records whose quoted fields may hold line breaks."""
    at_end = False

    def until_end() -> Iterator[str]:
        nonlocal at_end
        yield from lines
        at_end = True

    reader = csv.reader(until_end(), **style)
    # The first record, which may be the header, comes alone: it is judged before the rest is read.
    most = 1
    start, starts, found = 1, [], []
    try:
        for values in reader:
            # A whole record is there before the reader asks for a line after the last one.
            if at_end:
                raise DataError(
                    f"{display_name(table, path)}: the record that begins in line {start} has a "
                    "quote that is never closed, so that it takes in the rest of the file; close "
                    "it, or write multiline = false (a stray quote then spoils only its own line) "
                    "or quoting = false (quotes are characters like others) in the dataset's TOML "
                    "file."
                )
            if values:
                starts.append(start)
                found.append(values)
            start = reader.line_num + 1
            if len(found) == most:
                yield _Fields(starts, found, {})
                starts, found, most = [], [], BLOCK
    except csv.Error as error:
        raise DataError(
            f"{display_name(table, path)}: the record that begins in line {start} cannot be read: "
            f"{_csv_reason(error)}; correct it, or write multiline = false in the dataset's TOML "
            "file, which sets such a line aside."
        ) from error
    if found:
        yield _Fields(starts, found, {})


def _by_line(lines: Iterator[str], style: dict[str, Any]) -> Iterator[_Fields]:
    """Split records of one line each."""
    first, most = 1, 1  # the header alone, as above
    while block := list(islice(lines, most)):
        fields = _all_at_once(block, first, style) or _each_alone(block, first, style)
        first, most = first + len(block), BLOCK
        if fields.lines:
            yield fields


def _all_at_once(block: list[str], first: int, style: dict[str, Any]) -> _Fields | None:
    """Split lines in one go; None where a quote left open made one record of several lines."""
    try:
        rows = list(csv.reader(block, **style))
    except csv.Error:
        return None
    if len(rows) != len(block):
        return None
    numbers: list[int] = list(range(first, first + len(rows)))
    if not all(rows):
        numbers = [line for line, values in zip(numbers, rows, strict=True) if values]
    return _Fields(numbers, [values for values in rows if values], {})


def _each_alone(block: list[str], first: int, style: dict[str, Any]) -> _Fields:
    """Split lines one by one, so that a quote left open ends with its line."""
    numbers, found, errors = [], [], {}
    for number, line in enumerate(block, start=first):
        try:
            for values in csv.reader((line,), **style):
                if values:
                    numbers.append(number)
                    found.append(values)
        except csv.Error as error:
            errors[len(found)] = _csv_reason(error)
            numbers.append(number)
            found.append([line.rstrip("\r\n")])
    return _Fields(numbers, found, errors)


def _csv_reason(error: csv.Error) -> str:
    """Name the fault; Python's own words on a line end speak to the programmer."""
    if "new-line character" in str(error):
        return "a carriage return (CR) stands outside of quotes within the line"
    return str(error)


def _record(line: int, values: list[str | None]) -> Record:
    """Make a record of the wanted columns' values."""
    return Record(line, values[0], values[1], values[2], values[3])


def _wanted(table: Table) -> tuple[str, str, str, str]:
    """Name the columns that a record takes, in the order of `Record`."""
    return table.id, table.text, table.label, table.partition_column


def _place(name: str, header: list[str], table: Table, path: Path) -> int | None:
    """Find a column."""
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
            "them in the file so that one is meant."
        )
    return header.index(name)


def _from_json_lines(table: Table, path: Path, lines: Iterator[str]) -> Iterator[Record]:
    """Read one JSON object a line."""
    seen: set[str] = set()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            if not isinstance(entry, dict):
                raise ValueError("a line must be a JSON object")
            _check_flat(entry, _wanted(table))
        except (ValueError, RecursionError) as error:
            yield Record(number, None, line.rstrip("\r\n"), None, None, str(error))
            continue
        if not seen:
            for name in filter(None, _wanted(table)):
                _place(name, list(entry), table, path)
        seen.update(entry)
        yield _record(number, [_as_text(entry.get(name)) for name in _wanted(table)])


def _check_flat(entry: dict[str, Any], names: Iterable[str]) -> None:
    """Raise on a list or an object where a text or a number is wanted."""
    for name in names:
        if isinstance(entry.get(name), dict | list):
            raise ValueError(f"{name!r} is no text and no number")


def _as_text(value: Any, encoding: str = "utf-8") -> str | None:
    """Write a JSON or Parquet value as the text that a CSV file would have."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode(encoding)
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _from_parquet(table: Table, path: Path, stream: IO[bytes]) -> Iterator[Record]:
    """Read the wanted columns of a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    line = 0
    try:
        file = pq.ParquetFile(stream)
        header = file.schema_arrow.names
        wanted = _wanted(table)
        for name in wanted:
            at = _place(name, header, table, path)
            if at is not None and pa.types.is_nested(file.schema_arrow.types[at]):
                raise DataError(
                    f"{display_name(table, path)}: column {name!r} holds "
                    f"{file.schema_arrow.types[at]}; a column of texts or numbers is needed."
                )
        for batch in file.iter_batches(BLOCK, columns=[name for name in wanted if name]):
            columns = [
                batch[name].to_pylist() if name else [None] * batch.num_rows for name in wanted
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
        raise DataError(
            f"{display_name(table, path)} is no whole Parquet file: {error}."
        ) from error


def _from_folders(table: Table, path: Path) -> Iterator[Record]:
    """Read one text a file out of a tar archive, label and partition from its path."""
    pattern = re.compile(
        "".join(
            f"(?P<{piece[1:-1]}>[^/]+)" if piece.startswith("{") else re.escape(piece)
            for piece in re.split(r"(\{(?:partition|label|id)\})", table.member)
        )
    )
    known = dict(table.partitions)
    try:
        with tarfile.open(path) as archive:
            # Sorted, so that ids do not depend on the order in which the archive was packed.
            texts = {}
            for entry in archive:
                match = pattern.fullmatch(entry.name)
                if match and entry.isfile():
                    texts[entry.name] = (match.groupdict(), archive.extractfile(entry).read())  # type: ignore[union-attr]
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise unreadable(path, error) from error
    for number, name in enumerate(sorted(texts), start=1):
        found, content = texts[name]
        part = found.get("partition")
        if known and part not in known:
            yield Record(number, name, name, None, None, f"partition {part!r} is unknown")
            continue
        try:
            text = content.decode(table.encoding)
        except UnicodeDecodeError as error:
            raise DataError(
                f"{path}: {name} is not {table.encoding}: {error.reason}; set encoding in the "
                "dataset's TOML file."
            ) from error
        yield Record(number, name, text, found.get("label"), part if known else None)


def display_name(table: Table, path: Path) -> str:
    """Name a table for messages and for the column ``file``."""
    name = table.shown or file_name(path)
    return f"{name}:{table.member}" if table.member else name


def file_name(path: Path) -> str:
    """Name a raw file; where files of one name lie in a folder for each day, with that."""
    folder = path.parent.name
    return f"{folder}/{path.name}" if _APART.fullmatch(folder) else path.name
