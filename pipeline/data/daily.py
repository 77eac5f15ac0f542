"""Raw files of a day: where they lie, which days a window covers, and the frozen test rows.

A file whose name holds ``{date}`` lies in the dataset's folder; the others lie in a folder of the
day's name below it. ``frozen/`` beside them holds the rows that test the models of all nights.
"""

import datetime
import glob
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.data import raw_files
from pipeline.data.dataset_file import FORMATS
from pipeline.data.schema import Dataset, RawFile, Table
from pipeline.errors import PipelineError

FROZEN = "frozen"
_DATE = "{date}"
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True)
class Part:
    """A raw file that a run reads.

    Attributes
    ----------
    key : str
        Names it in checksums; holds no date, so that the same bytes of another day are the same.
    name : str
        Name of the file in the catalogue; of a frozen one, its own.
    path : Path
    is_frozen : bool
        Whether its rows are frozen test rows.
    is_own : bool
        Whether the last day of the window brought these bytes, alone or among other days.
    shown : str
        The way to it from the dataset's folder, which tells the files of days apart; empty without
        a date.
    """

    key: str
    name: str
    path: Path
    is_frozen: bool = False
    is_own: bool = False
    shown: str = ""


def is_dated(dataset: Dataset) -> bool:
    """Say whether a file's name holds the date, so that there is none without one."""
    return any(_DATE in file.name for file in dataset.files)


def missing(dataset: Dataset, folder: Path, day: str | None) -> list[tuple[RawFile, Path]]:
    """List the files that a run needs and that are not there.

    Parameters
    ----------
    dataset : Dataset
    folder : Path
        ``<data>/<dataset>``.
    day : str or None
        Year first; None for a run without a date.

    Returns
    -------
    list of (RawFile, Path)
        Each with the folder that it belongs into; ``{date}`` in its names is filled in.
    """
    return [
        (file, place)
        for file, place in files_of(dataset, folder, day)
        if not file.optional and raw_files.locate(file, place) is None
    ]


def files_of(dataset: Dataset, folder: Path, day: str | None) -> list[tuple[RawFile, Path]]:
    """List the files of a run, there or not, as `missing`."""
    if day is None:
        return [(file, folder) for file in dataset.files]
    return [_of_day(file, folder, day) for file in dataset.files]


def days(dataset: Dataset, folder: Path) -> list[str]:
    """List the days of which all needed files are there, oldest first."""
    found = {entry.name for entry in folder.glob("????-??-??") if entry.is_dir()}
    for file in dataset.files:
        for name in (file.name, *file.aliases):
            if _DATE in name:
                found |= _days_in_names(name, folder)
    return sorted(day for day in found if _is_day(day) and not missing(dataset, folder, day))


def parts(
    dataset: Dataset,
    folder: Path,
    day: str | None,
    window: int,
    checksum: Callable[[Path], str],
) -> list[Part]:
    """List the files that a run reads, frozen ones first, then oldest first.

    Parameters
    ----------
    dataset : Dataset
    folder : Path
        ``<data>/<dataset>``.
    day : str or None
        The last day of the window; None for the files that have no date.
    window : int
        Days that are read; 0 for all up to ``day``. Days without data are passed over.
    checksum : callable
        Returns the sha256 of a file: of files with the same bytes the first is read.

    Returns
    -------
    list of Part
    """
    if day is None:
        there = ((file.name, raw_files.locate(file, folder)) for file in dataset.files)
        return [Part(name, name, path, is_own=True) for name, path in there if path is not None]
    kept = [Part(f"{FROZEN}/{path.name}", path.name, path, True) for path in frozen(folder)]
    chosen: dict[tuple[str, str], Part] = {}
    seen: dict[str, list[str]] = {file.name: [] for file in dataset.files}
    for other in _window(dataset, folder, day, window):
        for file, (of_day, place) in zip(
            dataset.files, files_of(dataset, folder, other), strict=True
        ):
            path, known = raw_files.locate(of_day, place), seen[file.name]
            sha256 = checksum(path) if path else ""
            if path and sha256 not in known:
                known.append(sha256)
                key = file.name if len(known) == 1 else f"{file.name} ({len(known)})"
                shown = path.relative_to(folder).as_posix()
                chosen[file.name, sha256] = Part(key, file.name, path, shown=shown)
            if path and other == day:
                part = chosen[file.name, sha256]
                chosen[file.name, sha256] = replace(part, is_own=True)
    return [*kept, *chosen.values()]


def frozen(folder: Path) -> list[Path]:
    """List the files of frozen test rows of a dataset."""
    files = (path for path in (folder / FROZEN).glob("*") if path.is_file())
    return sorted(path for path in files if not path.name.startswith("."))


def laid_out(dataset: Dataset, read: Iterable[Part]) -> Dataset:
    """Return the dataset with a table for each file that a run reads, named by its key.

    Raises
    ------
    PipelineError
        If it cannot be told how a frozen file is laid out.
    """
    tables: list[Table] = []
    for part in read:
        if part.is_frozen:
            tables.append(frozen_table(dataset, part))
        else:
            own = (table for table in dataset.tables if table.file == part.name)
            tables += [replace(table, file=part.key, shown=part.shown) for table in own]
    return replace(dataset, tables=tuple(tables))


def frozen_table(dataset: Dataset, part: Part) -> Table:
    """Return how a frozen file is read: as the dataset's own table with labels.

    Its format is told by its ending. What belongs to another format (delimiter, encoding, columns
    of a file without a header) is left out.
    """
    ending = part.path.suffix
    if ending not in FORMATS:
        raise PipelineError(
            f"{part.path} holds frozen test rows, and its ending {ending!r} tells no format; "
            f"use one of {', '.join(FORMATS)}."
        )
    own = labelled_table(dataset)
    format = FORMATS[ending]
    if own.format != format:
        delimiter = "\t" if format == "tsv" else ","
        own = replace(own, format=format, delimiter=delimiter, header=(), encoding="utf-8")
    return replace(
        own, file=part.key, member="", partition="test", partition_column="", partitions={}
    )


def labelled_table(dataset: Dataset) -> Table:
    """Return the first table of a dataset whose rows have labels."""
    found = (table for table in dataset.tables if table.label and table.partition != "unlabelled")
    return next(found)


def fetch(
    dataset: Dataset, lacking: Iterable[tuple[RawFile, Path]], day: str | None, today: str
) -> None:
    """Put files that are missing where they belong.

    Raises
    ------
    PipelineError
        If one can only be had by hand, or is another day's than its source now has; and as
        `pipeline.data.raw_files.fetch`.
    """
    named_by_day = {file.name for file in dataset.files if _DATE in file.source.address}
    for file, place in lacking:
        by_address = any(name.replace(_DATE, str(day)) == file.name for name in named_by_day)
        if day not in (None, today) and file.source.kind != "by_hand" and not by_address:
            raise PipelineError(
                f"dataset {dataset.name!r} has no {file.name!r} of {day}: what its source sends "
                f"now is not that day's. Put that day's file into {place}, or leave the day out."
            )
        raw_files.fetch(file, dataset, place)


def has_data(dataset: Dataset, folder: Path, day: str) -> bool:
    """Say whether all files that a run of a day needs are there."""
    return not missing(dataset, folder, day)


def _of_day(file: RawFile, folder: Path, day: str) -> tuple[RawFile, Path]:
    """Fill in the date, and return the folder in which the file lies."""
    source = replace(file.source, address=file.source.address.replace(_DATE, day))
    if _DATE not in file.name:
        return replace(file, source=source), folder / day
    aliases = tuple(name.replace(_DATE, day) for name in file.aliases)
    return replace(file, name=file.name.replace(_DATE, day), aliases=aliases, source=source), folder


def _window(dataset: Dataset, folder: Path, day: str, window: int) -> list[str]:
    """List the days of a window that have data, oldest first, the last always among them."""
    last = datetime.date.fromisoformat(day)
    if window:
        span = [last - datetime.timedelta(days=back) for back in range(window - 1, 0, -1)]
        before = [str(other) for other in span if has_data(dataset, folder, str(other))]
    else:
        before = [other for other in days(dataset, folder) if other < day]
    return [*before, day]


def _days_in_names(name: str, folder: Path) -> set[str]:
    """Find the days that stand in the names of files."""
    pattern = re.compile(f"({_DAY.pattern})".join(map(re.escape, name.split(_DATE))))
    wanted = "????-??-??".join(map(glob.escape, name.split(_DATE)))
    names = (path.relative_to(folder).as_posix() for path in folder.glob(wanted))
    return {match[1] for match in map(pattern.fullmatch, names) if match}


def _is_day(text: str) -> bool:
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return True
