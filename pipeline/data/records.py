"""What a format yields: blocks of records, and problems of the file."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.data.schema import Table
from pipeline.errors import DataError, nearest

BLOCK = 50_000  # records held as Python values at a time
#: Delimiters that files have, most common first.
DELIMITERS = (",", ";", "\t", "|")


class Record(NamedTuple):
    """One record as it is in the file; ``error`` is why it could not be read, or empty."""

    line: int
    id: str | None
    text: str | None
    label: str | None
    partition: str | None
    error: str = ""


class Problem(NamedTuple):
    """Why a file cannot be used as it is described, and what the user can do."""

    text: str
    advice: str


class Block(NamedTuple):
    """The fields of `Record` of many records, each a sequence with one entry per record.

    ``problems`` are those that make all records after them doubtful.
    """

    lines: Sequence[int]
    ids: Sequence[str | None]
    texts: Sequence[str | None]
    labels: Sequence[str | None]
    partitions: Sequence[str | None]
    errors: Sequence[str]
    problems: Sequence[Problem] = ()

    def records(self) -> Iterator[Record]:
        """Yield the records one by one."""
        return (Record(*fields) for fields in zip(*self[:6], strict=True))


def display_name(table: Table, path: Path) -> str:
    """Return the name of a table in messages and in the column ``file``.

    Examples
    --------
    >>> display_name(Table(file="a.zip", member="b.csv"), Path("data/mine/a.zip"))
    'a.zip:b.csv'
    """
    name = table.display_name or path.name
    return f"{name}:{table.member}" if table.member else name


def in_blocks(records: Iterable[Record]) -> Iterator[Block]:
    """Gather records into blocks."""
    records = iter(records)
    while some := list(islice(records, BLOCK)):
        yield Block(*zip(*some, strict=True))


def record(line: int, values: list[str | None]) -> Record:
    """Make a record of the values of `column_names`."""
    return Record(line, values[0], values[1], values[2], values[3])


def column_names(table: Table) -> tuple[str, str, str, str]:
    """Return the names of the columns of a record, in the order of `Record`."""
    return table.id, table.text, table.label, table.partition_column


def column_indices(header: Sequence[str], table: Table, path: Path) -> list[int | None]:
    """Return the positions of `column_names`, None for one that the table does not have.

    Columns that are missing, or that exist twice, raise DataError.
    """
    name = display_name(table, path)
    needed = [column for column in column_names(table) if column]
    missing = [column for column in needed if column not in header]
    if missing:
        what = ", ".join(f"no column {column!r}" for column in missing)
        raise DataError(
            f"{name} has {what}; {nearest(missing[0], header)}. {_column_advice(header, table)}"
        )
    for column in needed:
        if header.count(column) > 1:
            raise DataError(
                f"{name} has {header.count(column)} columns named {column!r}; rename "
                "all but one of them in the file."
            )
    return [header.index(column) if column else None for column in column_names(table)]


def _column_advice(header: Sequence[str], table: Table) -> str:
    """Return what to write in the dataset's TOML file about missing columns."""
    if table.format in ("csv", "tsv"):
        for delimiter in DELIMITERS:
            if len(header) == 1 and header[0].count(delimiter):
                return f"Write delimiter = {toml_text(delimiter)} in the dataset's TOML file."
    return "Set id, text and label in the dataset's TOML file."


def toml_text(text: str) -> str:
    r"""Return a text as TOML spells it.

    Examples
    --------
    >>> print(toml_text('a\t"b"'))
    "a\t\"b\""
    """
    import json

    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def as_text(value: Any, encoding: str = "utf-8") -> str | None:
    """Convert a JSON, Parquet or Excel value to the text that a CSV file would have."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode(encoding)
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
