"""The rows that the day of a night brought, without the other days of its window."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pipeline.data.daily import InputFile
from pipeline.errors import DataError
from pipeline.store import manifests
from pipeline.tasks.clean_text import CleanText

if TYPE_CHECKING:
    import pyarrow as pa


def problem_with_files(clean: CleanText) -> str | None:
    """Read the raw files of a night, and return the error that breaks the contract, or None.

    An error in the holdout rows does not break the contract of the night: CleanText raises it.
    """
    from pipeline.data import readers

    parts = clean.download.parts()
    try:
        readers.read(clean.download.dataset_of(parts), {part.key: part.path for part in parts})
    except DataError as error:
        problem = str(error)
        is_of_holdout = any(part.is_holdout and part.key in problem for part in parts)
        return None if is_of_holdout else problem
    return None


def names_of_day(clean: CleanText) -> list[str]:
    """Return the values of the column ``file`` for the files of the day itself."""
    names = (manifests.read_manifest(clean.path()) or {})["facts"]["files"]
    return _names_of(clean.download.parts(), names)


def tables_of_day(clean: CleanText) -> "tuple[pa.Table, pa.Table]":
    """Return the kept and the rejected rows of the day itself; CleanText must be complete.

    Kept rows have at least ``raw``, ``clean`` and ``label``, rejected ones ``reason`` and ``raw``.
    A row that was dropped for the same text on an earlier day is kept here.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from pipeline.text.rows import clean_files, names_in_rows

    download, settings = clean.download, clean.settings()
    parts = download.parts()
    of_day = [part for part in parts if part.is_of_day or part.is_holdout]
    if settings["duplicates"] == "drop" and len(of_day) < len(parts):
        dataset = download.dataset_of(of_day)
        cleaned = clean_files(dataset, of_day, settings)
        rows, rejected = cleaned.rows, cleaned.rejected
        names = _names_of(of_day, names_in_rows(dataset, of_day))
    else:
        folder = clean.path()
        rows = pq.read_table(folder / "rows.parquet", columns=["raw", "clean", "label", "file"])
        rejected = pq.read_table(folder / "rejected.parquet", columns=["reason", "raw", "file"])
        names = names_of_day(clean)
    wanted = pa.array(names, pa.string())
    rows, rejected = (
        table.filter(pc.is_in(table["file"].cast(pa.string()), wanted))
        for table in (rows, rejected)
    )
    return rows, rejected


def _names_of(parts: Sequence[InputFile], names: Mapping[str, list[str]]) -> list[str]:
    """Return the names of the files of the day itself."""
    return [name for part in parts if part.is_of_day for name in names[part.key]]
