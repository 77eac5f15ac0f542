"""The record of raw files, ``source.json``."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.data.daily import InputFile
from pipeline.data.schema import Dataset


def source_record(
    dataset: Dataset, parts: Sequence[InputFile], checksums: Mapping[str, str]
) -> dict[str, Any]:
    """Describe the raw files of a run: path, address, size, sha256, time.

    Parameters
    ----------
    dataset : Dataset
    parts : sequence of Part
        The raw files.
    checksums : mapping of str to str
        sha256 by the key of the raw file.

    Returns
    -------
    dict
        The content of ``source.json``.
    """
    addresses = {file.name: file.source.address for file in dataset.files}
    files = []
    for part in parts:
        state = part.path.stat()
        modified = time.localtime(state.st_mtime)
        files.append(
            {
                "name": part.key,
                "path": str(part.path),
                "address": addresses.get(part.name) or None,
                "size": state.st_size,
                "sha256": checksums[part.key],
                "modified": time.strftime("%Y-%m-%dT%H:%M:%S%z", modified),
                **({"holds": "frozen test rows"} if part.is_holdout else {}),
            }
        )
    return {
        "dataset": dataset.name,
        "title": dataset.title,
        "licence": dataset.licence,
        "citation": dataset.citation,
        "homepage": dataset.homepage,
        "files": files,
    }
