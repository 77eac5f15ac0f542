"""Read raw files into rows and clean their texts while other files are still being read."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.data import readers
from pipeline.data.columns import InThreads
from pipeline.data.daily import InputFile
from pipeline.data.formats import display_name
from pipeline.data.schema import Dataset
from pipeline.text.rows import CleanRows, clean_rows, clean_slice


def clean_files(
    dataset: Dataset, parts: Sequence[InputFile], settings: Mapping[str, Any]
) -> CleanRows:
    """Read raw files and clean their texts.

    Parameters
    ----------
    dataset : Dataset
        With a table for each file.
    parts : sequence of Part
        The files, in the order in which they are read.
    settings : mapping
        The settings of CleanText.

    Returns
    -------
    CleanRows

    Raises
    ------
    PipelineError
        If a file cannot be read, or no row is left.
    """
    names = names_in_rows(dataset, parts)
    files = {part.key: part.path for part in parts}
    with InThreads(lambda texts: clean_slice(texts, settings)) as threads:
        reading = readers.read(dataset, files, threads.submit)
        cleaned_texts = threads.results()
    return clean_rows(
        reading.rows,
        reading.rejected,
        reading.records,
        settings,
        [label.name for label in dataset.labels],
        [name for part in parts if part.is_holdout for name in names[part.key]],
        cleaned_texts,
    )


def names_in_rows(dataset: Dataset, parts: Sequence[InputFile]) -> dict[str, list[str]]:
    """Return the values that the column ``file`` has for each raw file.

    Parameters
    ----------
    dataset : Dataset
        With a table for each file.
    parts : sequence of Part

    Returns
    -------
    dict of str to list of str
        By the key of the raw file; an archive has several.
    """
    return {
        part.key: [
            display_name(table, part.path) for table in dataset.tables if table.file == part.key
        ]
        for part in parts
    }
