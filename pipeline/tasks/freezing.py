"""Draw the first frozen test rows from a day's rows."""

import os
from pathlib import Path
from typing import Any

from pipeline import artifacts, checks
from pipeline.datasets import catalogue, dated
from pipeline.errors import PipelineError
from pipeline.tasks.base import paths
from pipeline.tasks.texts import CleanText, DownloadData, today


def freeze_rows(dataset: str, date: str | None, share: float, seed: int) -> dict[str, Any]:
    """Make ``<data>/<dataset>/frozen/`` with a share of the labelled rows.

    Rows are drawn as `pipeline.split.assign` draws test rows, near copies together.

    Parameters
    ----------
    dataset : str
    date : str or None
        Day of the raw files; None for those that have no date.
    share : float
        Above 0 and below 1.
    seed : int

    Returns
    -------
    dict
        ``path``, ``rows``, ``of`` (labelled rows there were) and ``classes`` (rows of each).

    Raises
    ------
    PipelineError
        If there are frozen rows already, or raw files are not there or cannot be read.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    from pipeline.datasets import freezing, readers
    from pipeline.split import TEST, assign_rows
    from pipeline.text.rows import clean_rows

    chosen_day: dict[str, Any] = {"dataset": dataset, "date": date}
    download = DownloadData(**chosen_day)
    row = catalogue.load(dataset, Path(paths().data))
    checks.days(dataset, dated.is_dated(row), date, None)
    folder = download.raw_folder / dated.FROZEN
    if dated.frozen(download.raw_folder):
        raise PipelineError(
            f"{folder} holds frozen test rows already; add to them by hand. Earlier nights cannot "
            "be compared with others on another set."
        )
    dated.fetch(row, download.missing(), download.day, today())
    parts = download.parts()
    files = {part.key: part.path for part in parts}
    laid_out = dated.laid_out(row, parts) if download.day else row
    reading = readers.read(laid_out, files)
    names = [label.name for label in row.labels]
    settings = CleanText(**chosen_day).settings()
    cleaned = clean_rows(reading.rows, reading.rejected, reading.records, settings, names)
    rows = cleaned.rows.filter(pc.is_valid(cleaned.rows["label"]))
    # The dataset's own parts count for nothing here.
    partition = pa.array(["labelled"]).take(pa.array(np.zeros(rows.num_rows, np.int8)))
    rows = rows.set_column(rows.schema.get_field_index("partition"), "partition", partition)
    how = {
        "test_fraction": share,
        "validation_fraction": 0.0,
        "split_seed": seed,
        "validation_seed": 0,
        "folds": 0,
        "fold": 0,
        "group_duplicates": "near",
    }
    labels, parts_of_rows = assign_rows(rows, cleaned.founders, names, how)
    drawn = parts_of_rows == TEST
    chosen = freezing.chosen_records(laid_out, files, rows["id"].to_numpy()[drawn].tolist())
    path = folder / freezing.file_name(row)
    with artifacts.temporary_folder(download.raw_folder, "--paths-data") as temporary:
        freezing.write(row, chosen, temporary / path.name)
        folder.mkdir(exist_ok=True)
        os.link(temporary / path.name, path)  # fails where another was first
    counts = {name: int((labels[drawn] == k).sum()) for k, name in enumerate(names)}
    return {"path": str(path), "rows": len(chosen), "of": rows.num_rows, "classes": counts}
