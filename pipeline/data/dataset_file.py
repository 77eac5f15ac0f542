"""From the content of a dataset's TOML file to its row of the catalogue, every key checked."""

import dataclasses
import io
import re
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.data.labels import labels_of, values_of
from pipeline.data.schema import KINDS, PARTITIONS, Dataset, RawFile, Source, Table
from pipeline.errors import PipelineError, nearest

FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".txt": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}
_SHA256 = re.compile("[0-9a-fA-F]{64}")


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, str) for entry in value)


def _is_table_of_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(entry, str) for entry in value.values())


# What a field of that type is in TOML, and how it is told.
_TYPES: dict[Any, tuple[str, Callable[[Any], bool]]] = {
    str: ("a text in quotes", lambda value: isinstance(value, str)),
    bool: ("true or false, without quotes", lambda value: isinstance(value, bool)),
    tuple[str, ...]: ("a list of texts, such as ['a', 'b']", _is_list_of_texts),
    Mapping[str, str]: ("a table of texts, such as { a = 'train' }", _is_table_of_texts),
}


def dataset(name: str, content: Mapping[str, Any]) -> Dataset:
    """Build a row of the catalogue; defaults of its tables are taken from the top level.

    Parameters
    ----------
    name : str
        The dataset.
    content : mapping
        What its TOML file holds.

    Returns
    -------
    Dataset

    Raises
    ------
    PipelineError
        If a key means nothing or has a wrong value; the file is left for the caller to name.
    """
    own = _types(Dataset, without=("name", "labels", "files", "tables", "unlabelled"))
    shared = _types(Table, without=("file", "member", "shown"))
    apart = {"labels", "files", "tables", "unlabelled"}
    _known_keys(content, {*own, *shared, *apart}, "")
    _check_types(content, {**own, **shared}, "")
    files = tuple(_raw_file(entry) for entry in _entries(content, "files", (str, dict)))
    if not files:
        raise PipelineError("it names no files; add a line such as files = ['mine.csv'].")
    names = [file.name for file in files]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PipelineError(f"files has {twice[0]!r} twice; name each file once.")
    defaults = {key: content[key] for key in shared.keys() & content.keys()}
    entries = _entries(content, "tables", (dict,)) or [{"file": name} for name in names]
    tables = tuple(_table({**defaults, **entry}) for entry in entries)
    strangers = sorted({table.file for table in tables} - set(names))
    if strangers:
        raise PipelineError(f"tables read {strangers}, which files do not name.")
    return Dataset(
        name=name,
        labels=labels_of(content.get("labels")),
        files=files,
        tables=tables,
        unlabelled=values_of(content.get("unlabelled", []), "unlabelled"),
        **{key: content[key] for key in own.keys() & content.keys()},
    )


def _entries(content: Mapping[str, Any], key: str, kinds: tuple[type, ...]) -> list[Any]:
    """Return a list of files or of tables."""
    entries = content.get(key, [])
    if isinstance(entries, list) and all(isinstance(entry, kinds) for entry in entries):
        return entries
    what = f"a list of names, such as {key} = ['mine.csv'], or" if str in kinds else "made of"
    raise PipelineError(f"{key} must be {what} [[{key}]] tables, got {entries!r}.")


def _raw_file(entry: Any) -> RawFile:
    """Build a raw file from its name alone or from a table of keys."""
    if isinstance(entry, str):
        entry = {"name": entry}
    types = _types(RawFile, without=("source",))
    _known_keys(entry, {*types, "source"}, "files")
    _check_types(entry, types, "files")
    if "name" not in entry:
        raise PipelineError("an entry of files lacks its name.")
    values = {**entry, "aliases": tuple(entry.get("aliases", ()))}
    for name in (values["name"], *values["aliases"]):
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise PipelineError(
                f"files.name {name!r} is not a file below the dataset's folder; write a name such "
                "as 'mine.csv' or 'part/mine.csv'."
            )
    return RawFile(**{**values, "source": _source(entry.get("source", {}), values["name"])})


def _source(entry: Any, name: str) -> Source:
    """Build where a raw file comes from."""
    if not isinstance(entry, dict):
        raise PipelineError(f"files.source must be a [files.source] table, got {entry!r}.")
    types = _types(Source)
    _known_keys(entry, types, "files.source")
    _check_types(entry, types, "files.source")
    members = tuple(entry.get("members", ()))
    sha256 = entry.get("sha256", "")
    source = Source(**{**entry, "members": members, "sha256": sha256.lower()})
    if source.kind not in KINDS:
        raise PipelineError(
            f"source kind {source.kind!r} of {name!r} is not known; {nearest(source.kind, KINDS)}."
        )
    needed = {"url": ("address",), "pypi": ("address", "sha256", "members")}
    for key in needed.get(source.kind, ()):
        if not getattr(source, key):
            raise PipelineError(f"the {source.kind} source of {name!r} lacks its {key}.")
    if sha256 and not _SHA256.fullmatch(sha256):
        raise PipelineError(
            f"files.source.sha256 of {name!r} must be 64 hexadecimal digits, got {sha256!r}; "
            "leave it out where none is published."
        )
    return source


def _table(entry: Mapping[str, Any]) -> Table:
    """Build a table, its format guessed from the file's ending where none is given."""
    types = _types(Table, without=("shown",))
    _known_keys(entry, types, "tables")
    _check_types(entry, types, "tables")
    if "file" not in entry:
        raise PipelineError("an entry of tables lacks its file.")
    table = Table(**{**entry, "header": tuple(entry.get("header", ()))})
    table = dataclasses.replace(table, format=_format(table))
    wrong = {table.partition, *table.partitions.values()} - set(PARTITIONS)
    if wrong:
        raise PipelineError(
            f"partition {sorted(wrong)[0]!r} is not one of {', '.join(PARTITIONS)}."
        )
    if not table.text:
        raise PipelineError("text is empty; write the name of the column that holds the texts.")
    _check_encoding(table.encoding)
    return dataclasses.replace(table, delimiter=_delimiter(table))


def _format(table: Table) -> str:
    """Return the layout of the rows."""
    known = sorted({*FORMATS.values(), "folders"})
    found = table.format or FORMATS.get(Path(table.member or table.file.removesuffix(".gz")).suffix)
    if not found:
        raise PipelineError(
            f"cannot tell the format of {table.file!r}; add format = "
            "'csv', 'tsv', 'jsonl', 'parquet' or 'folders'."
        )
    if found not in known:
        raise PipelineError(f"format {found!r} of {table.file!r} is not one of {known}.")
    if found == "folders" and not table.member:
        raise PipelineError(
            f"format 'folders' of {table.file!r} needs member, such as "
            "member = '{partition}/{label}/{id}.txt'."
        )
    return found


def _delimiter(table: Table) -> str:
    """Return the one character between fields; a tab may be spelled as in single quotes."""
    found = table.delimiter or ("\t" if table.format == "tsv" else ",")
    found = "\t" if found == "\\t" else found
    if len(found) != 1 or found in '"\r\n':
        raise PipelineError(
            f"delimiter must be one character other than a double quote or a line end, such as "
            f"',' or ';' or '\\t', got {found!r}."
        )
    return found


def _check_encoding(encoding: str) -> None:
    """Raise unless Python can decode texts with it."""
    try:
        io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    except (LookupError, ValueError) as error:
        raise PipelineError(
            f"unknown encoding {encoding!r}; use a name that Python knows, such as 'utf-8', "
            "'cp1252' or 'mac_roman'."
        ) from error


def _types(cls: Any, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the type of each field of a dataclass."""
    return {f.name: f.type for f in dataclasses.fields(cls) if f.name not in without}


def _check_types(entry: Mapping[str, Any], types: Mapping[str, Any], where: str) -> None:
    """Raise on a value of another type than its key's."""
    for key in types.keys() & entry.keys():
        wanted, fits = _TYPES[types[key]]
        if not fits(entry[key]):
            place = f"{where}.{key}" if where else key
            raise PipelineError(f"{place} must be {wanted}, got {entry[key]!r}.")


def _known_keys(entry: Mapping[str, Any], known: Mapping[str, Any] | set[str], where: str) -> None:
    """Raise on a key that means nothing, so that a typing error is not passed over."""
    for key in entry:
        if key not in known:
            place = f"{where}.{key}" if where else key
            raise PipelineError(f"unknown key {place!r}; {nearest(key, known)}.")
