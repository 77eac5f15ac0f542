"""Daily raw files: where they are, which days a window covers, and the holdout rows.

A file whose name contains ``{date}`` is in the dataset's folder; other files are in a subfolder
named after the day. The subfolder ``frozen/`` holds the holdout rows, on which the models of all
nights are compared.

In this module ``folder`` is the dataset's folder, ``<data>/<dataset>``, and ``day`` a date such as
``2026-11-22``, or None for a run without a date.
"""

import datetime
import glob
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from msgspec import structs

from pipeline.data import raw_files
from pipeline.data.dataset_file import FORMATS, format_of
from pipeline.data.schema import Dataset, RawFile, Table
from pipeline.errors import RawFileError

#: Folder of the holdout rows.
HOLDOUT_FOLDER = "frozen"
_DATE = "{date}"
_ANY_DAY = "????-??-??"


@dataclass(frozen=True)
class InputFile:
    """A raw file that a run reads."""

    key: str  # name in checksums, without a date: equal bytes of another day have the same key
    name: str  # name in the catalogue; of holdout rows, that of the file
    path: Path
    is_holdout: bool = False
    is_of_day: bool = False  # whether the last day of the window has these bytes
    display_name: str = ""  # in rows and messages: path in the dataset's folder, if it has a date


def is_daily(dataset: Dataset) -> bool:
    """Return whether the name of a file contains the date, so that a run needs a date."""
    return any(_DATE in file.name for file in dataset.files)


def expected_files(dataset: Dataset, folder: Path, day: str | None) -> list[tuple[RawFile, Path]]:
    """List the files of a run with their folders, whether they exist or not.

    ``{date}`` in names and addresses is replaced by the day.
    """
    if day is None:
        return [(file, folder) for file in dataset.files]
    return [_of_day(file, folder, day) for file in dataset.files]


def missing(dataset: Dataset, folder: Path, day: str | None) -> list[tuple[RawFile, Path]]:
    """List the required files that do not exist, as `expected_files` does."""
    return [
        (file, subfolder)
        for file, subfolder in expected_files(dataset, folder, day)
        if not file.optional and raw_files.locate(file, subfolder) is None
    ]


def days(dataset: Dataset, folder: Path) -> list[str]:
    """List the days for which all required files exist, oldest first."""
    candidates = {entry.name for entry in folder.glob(_ANY_DAY) if entry.is_dir()}
    for file in dataset.files:
        for name in (file.name, *file.aliases):
            if _DATE in name:
                start = name.index(_DATE)
                pattern = _ANY_DAY.join(map(glob.escape, name.split(_DATE)))
                paths = (path.relative_to(folder).as_posix() for path in folder.glob(pattern))
                candidates |= {path[start : start + len(_ANY_DAY)] for path in paths}
    return sorted(day for day in candidates if _is_day(day) and not missing(dataset, folder, day))


def input_files(
    dataset: Dataset,
    folder: Path,
    day: str | None,
    window: int,
    checksum: Callable[[Path], str],
) -> list[InputFile]:
    """List the files that a run reads: holdout rows first, then by day, oldest first.

    ``window`` is a number of days up to ``day``, 0 for all; days without data are skipped.
    ``checksum`` returns the sha256 of a file; of files with the same bytes only the first is read.
    """
    if day is None:
        located = ((file.name, raw_files.locate(file, folder)) for file in dataset.files)
        return [InputFile(name, name, path, is_of_day=True) for name, path in located if path]
    holdout = [holdout_input(path, path.name) for path in holdout_files(folder)]
    inputs: dict[tuple[str, str], InputFile] = {}
    for window_day in _window(dataset, folder, day, window):
        expected = expected_files(dataset, folder, window_day)
        for file, (file_of_day, subfolder) in zip(dataset.files, expected, strict=True):
            path = raw_files.locate(file_of_day, subfolder)
            if path is None:
                continue
            content = file.name, checksum(path)
            if content not in inputs:
                number = 1 + sum(name == file.name for name, _ in inputs)
                key = file.name if number == 1 else f"{file.name} ({number})"
                display_name = path.relative_to(folder).as_posix()
                inputs[content] = InputFile(key, file.name, path, display_name=display_name)
            if window_day == day:
                inputs[content] = replace(inputs[content], is_of_day=True)
    return [*holdout, *inputs.values()]


def holdout_files(folder: Path) -> list[Path]:
    """List the files with holdout rows in a dataset's folder."""
    files = (path for path in (folder / HOLDOUT_FOLDER).glob("*") if path.is_file())
    return sorted(path for path in files if not path.name.startswith("."))


def holdout_input(path: Path, name: str) -> InputFile:
    """Return the input file of holdout rows; ``name`` is unique among them."""
    key = f"{HOLDOUT_FOLDER}/{name}"
    return InputFile(key, path.name, path, is_holdout=True, display_name=key)


def with_tables(dataset: Dataset, inputs: Iterable[InputFile]) -> Dataset:
    """Return the dataset with the tables of each input file, whose `file` is its key."""
    tables: list[Table] = []
    for input_file in inputs:
        if input_file.is_holdout:
            file_tables = [holdout_table(dataset, input_file.path)]
        else:
            file_tables = dataset.tables_of(input_file.name)
        tables += [
            structs.replace(table, file=input_file.key, display_name=input_file.display_name)
            for table in file_tables
        ]
    return structs.replace(dataset, tables=tuple(tables))


def labelled_table(dataset: Dataset) -> Table:
    """Return the first table of a dataset whose rows have labels."""
    return next(
        table for table in dataset.tables if table.label and table.partition != "unlabelled"
    )


def fetch(
    dataset: Dataset, files: Iterable[tuple[RawFile, Path]], day: str | None, today: str
) -> None:
    """Fetch `missing` files into their folders; raise RawFileError if that is not possible.

    A source has only the file of ``today``, unless its address contains the date.
    """
    address_has_date = {file.name for file in dataset.files if _DATE in file.source.address}
    for file, folder in files:
        has_date = any(name.replace(_DATE, str(day)) == file.name for name in address_has_date)
        if day not in (None, today) and file.source.kind != "by_hand" and not has_date:
            raise RawFileError(
                f"dataset {dataset.name!r} has no {file.name!r} of {day}, and its source has only "
                f"today's file. Put that day's file into {folder}, or skip the day."
            )
        raw_files.fetch(file, dataset, folder)


def source_record(
    dataset: Dataset, inputs: Sequence[InputFile], checksums: Mapping[str, str]
) -> dict[str, Any]:
    """Return ``source.json``; ``checksums`` has the sha256 of each input file by its key."""
    addresses = {file.name: file.source.address for file in dataset.files}
    files = []
    for file in inputs:
        state = file.path.stat()
        modified = time.localtime(state.st_mtime)
        files.append(
            {
                "name": file.key,
                "path": str(file.path),
                "address": addresses.get(file.name) or None,
                "size": state.st_size,
                "sha256": checksums[file.key],
                "modified": time.strftime("%Y-%m-%dT%H:%M:%S%z", modified),
                **({"holds": "frozen test rows"} if file.is_holdout else {}),
            }
        )
    keys = ("title", "licence", "citation", "homepage")
    described = {key: getattr(dataset, key) for key in keys}
    return {"dataset": dataset.name, **described, "files": files}


def holdout_table(dataset: Dataset, path: Path) -> Table:
    """Return how a file of holdout rows is read: as the first table with labels, in its format."""
    format = format_of(path.name)
    if not format:
        raise RawFileError(
            f"{path} contains holdout rows, and its suffix {path.suffix!r} is not of a supported "
            f"format; use one of {', '.join(FORMATS)}."
        )
    table = labelled_table(dataset)
    if table.format != format:
        delimiter = "\t" if format == "tsv" else ","
        table = structs.replace(
            table, format=format, delimiter=delimiter, header=(), encoding="utf-8"
        )
    return structs.replace(table, member="", partition="test", partition_column="", partitions={})


def _of_day(file: RawFile, folder: Path, day: str) -> tuple[RawFile, Path]:
    """Replace the date, and return the folder of the file."""
    source = structs.replace(file.source, address=file.source.address.replace(_DATE, day))
    if _DATE not in file.name:
        return structs.replace(file, source=source), folder / day
    aliases = tuple(name.replace(_DATE, day) for name in file.aliases)
    name = file.name.replace(_DATE, day)
    return structs.replace(file, name=name, aliases=aliases, source=source), folder


def _window(dataset: Dataset, folder: Path, day: str, window: int) -> list[str]:
    """List the days of a window that have data, oldest first, and always the last day."""
    if not window:
        return [*(other for other in days(dataset, folder) if other < day), day]
    last = datetime.date.fromisoformat(day)
    before = [str(last - datetime.timedelta(days=back)) for back in range(window - 1, 0, -1)]
    return [*(other for other in before if not missing(dataset, folder, other)), day]


def _is_day(text: str) -> bool:
    """Return whether a text is a date that exists."""
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return True
