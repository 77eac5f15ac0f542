"""Draw holdout rows from the rows of a day: a first set, or one that replaces a used one."""

import itertools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.data import catalogue, daily
from pipeline.errors import NightError, SettingConflictError, SplitError
from pipeline.nightly import ledger, records
from pipeline.nightly.gates import champion_model
from pipeline.nightly.ledger import Champion
from pipeline.settings import checks
from pipeline.store import publishing
from pipeline.tasks.clean_text import CleanText
from pipeline.tasks.config import data_folder
from pipeline.tasks.download_data import DownloadData, today

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from pipeline.data.readers import Reading
    from pipeline.data.schema import Dataset
    from pipeline.nightly.trained_model import Evaluated

#: Folder of replaced sets; ``retired/1`` is the oldest.
RETIRED = "retired"
_SAMPLES = 1000


def freeze_rows(
    dataset: str,
    date: str | None,
    share: float,
    seed: int,
    renew: bool = False,
    metric: str = "macro_f1",
) -> dict[str, Any]:
    """Write a share of the labelled rows of a day to ``<data>/<dataset>/frozen/``.

    Rows are drawn as test rows are, near copies together. Texts that were holdout rows before, or
    that the champion was trained on, are never drawn.

    Parameters
    ----------
    dataset : str
    date : str or None
        Day of the raw files; None for raw files without a date.
    share : float
        Above 0 and below 1.
    seed : int
    renew : bool
        Whether to move existing holdout rows to ``<data>/<dataset>/retired/<number>/``.
    metric : str
        Metric of the champion on new rows, one of `pipeline.nightly.night.METRICS`.

    Returns
    -------
    dict
        ``path``, ``rows``, ``of`` (labelled rows that could be drawn) and ``classes`` (rows of
        each); ``retired``, the folder of the replaced set, or None; ``champion``, with ``date``,
        ``metric``, ``value`` and ``interval``, or None without a champion of the same classes.

    Raises
    ------
    NightError
        If holdout rows exist, or none exist to renew.
    SplitError
        If no row of the day can be drawn.
    """
    from pipeline.data import holdout

    chosen: dict[str, Any] = {"dataset": dataset, "date": date}
    download, clean = DownloadData(**chosen), CleanText(**chosen)
    row = catalogue.load(dataset, data_folder())
    checks.days(dataset, daily.is_daily(row), date, None)
    folder = download.raw_folder / daily.HOLDOUT_FOLDER
    _check(download, folder, renew)
    described, files, reading = _read(download, row)
    names = list(reading.class_names)
    champion = ledger.read(records.registry_of(dataset)).champion
    model = champion_model(champion.path if champion else "")
    rows = _drawable(reading, clean.settings(), names, model)
    labels, is_drawn = _draw(rows, names, share, seed, date or dataset)
    drawn = holdout.chosen_records(described, files, rows["id"].to_numpy()[is_drawn].tolist())
    retired, path = None, folder / holdout.file_name(row)
    with publishing.temporary_folder(download.raw_folder, "--paths-data") as temporary:
        holdout.write(row, drawn, temporary / path.name)
        if renew:
            retired = _retire(folder)
        folder.mkdir(exist_ok=True)
        os.link(temporary / path.name, path)  # fails if another process was first
    return {
        "path": str(path),
        "rows": len(drawn),
        "of": rows.num_rows,
        "classes": {name: int((labels[is_drawn] == k).sum()) for k, name in enumerate(names)},
        "retired": str(retired) if retired else None,
        "champion": _score(champion, model, rows.filter(is_drawn), metric) if renew else None,
    }


def _check(download: DownloadData, folder: Path, renew: bool) -> None:
    """Raise if holdout rows exist and are not to be renewed, or do not exist and are."""
    exist = bool(daily.holdout_files(download.raw_folder))
    if exist and not renew:
        raise NightError(
            f"{folder} contains holdout rows; add rows by hand, or draw others with --renew. "
            "Earlier nights cannot be compared with later ones on another set."
        )
    if renew and not exist:
        raise NightError(f"{folder} contains no holdout rows to renew; remove --renew.")
    if renew and not download.day:
        raise SettingConflictError(
            "--renew draws rows of a day; give --date, a day that the champion was not trained on."
        )


def _read(download: DownloadData, row: "Dataset") -> "tuple[Dataset, dict[str, Path], Reading]":
    """Read the rows of the day, and those of replaced sets."""
    from pipeline.data import readers

    daily.fetch(row, download.missing(), download.day, today())
    parts = [*(_retired(download.raw_folder) if download.day else []), *download.parts()]
    files = {part.key: part.path for part in parts}
    described = daily.with_tables(row, parts) if download.day else row
    return described, files, readers.read(described, files)


def _retired(raw_folder: Path) -> list[daily.InputFile]:
    """Return the files of replaced sets."""
    files = sorted(path for path in (raw_folder / RETIRED).glob("*/*") if path.is_file())
    return [
        # With the keys of holdout files, so that rows with their texts are rejected too.
        daily.holdout_input(path, f"{path.parent.name}/{path.name}")
        for path in files
        if not path.name.startswith(".")
    ]


def _drawable(
    reading: "Reading", settings: Any, names: list[str], model: "Evaluated | None"
) -> "pa.Table":
    """Return the labelled rows that were never holdout rows and that the champion never saw."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from pipeline.nightly.trained_model import is_holdout_file
    from pipeline.text.rows import clean_rows

    files = reading.rows["file"].cast(pa.string()).unique()
    holdout = files.filter(is_holdout_file(pa.chunked_array([files])).combine_chunks())
    rows = clean_rows(reading, settings, names, holdout.to_pylist()).rows
    rows = rows.filter(
        pc.and_(pc.is_valid(rows["label"]), pc.invert(is_holdout_file(rows["file"])))
    )
    if model is not None and rows.num_rows:
        rows = rows.filter(pa.array(~model.learned(rows["raw"].to_pylist())))
    return rows


def _draw(
    rows: "pa.Table", names: list[str], share: float, seed: int, source: str
) -> "tuple[np.ndarray, np.ndarray]":
    """Return the class index of each row, and whether it is drawn."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    from pipeline.data.split import TEST, assign_rows

    if pc.count_distinct(rows["label"]).as_py() < min(len(names), 2):
        raise SplitError(
            f"only {rows.num_rows} labelled rows of {source}, of one class or none, can be holdout "
            "rows: the others are copies or near copies of earlier holdout rows or of texts that "
            "the champion was trained on; choose a day after those that it was trained on."
        )
    # The dataset's own partitions do not count here.
    partition = pa.array(["labelled"]).take(pa.array(np.zeros(rows.num_rows, np.int8)))
    settings = {
        "test_fraction": share,
        "validation_fraction": 0.0,
        "split_seed": seed,
        "validation_seed": 0,
        "folds": 0,
        "fold": 0,
        "group_duplicates": "near",
    }
    column = rows.schema.get_field_index("partition")
    labels, parts = assign_rows(rows.set_column(column, "partition", partition), names, settings)
    return labels, parts == TEST


def _retire(folder: Path) -> Path:
    """Move the holdout rows to a new folder of replaced sets."""
    parent = folder.parent / RETIRED
    parent.mkdir(exist_ok=True)
    paths = (parent / str(number) for number in itertools.count(1))
    path = next(path for path in paths if not path.exists())
    os.rename(folder, path)
    return path


def _score(
    champion: Champion | None, model: "Evaluated | None", rows: "pa.Table", metric: str
) -> dict[str, Any] | None:
    """Score the champion's decided classes on new holdout rows, with a 95 % interval."""
    if champion is None or model is None:
        return None
    import pyarrow as pa
    import pyarrow.compute as pc

    from pipeline.evaluation import bootstrap
    from pipeline.evaluation.metrics import number, replicate
    from pipeline.evaluation.scorer import Scorer

    indices = pc.index_in(rows["label"], pa.array(model.class_names, pa.string()))
    if indices.null_count:
        return None
    probabilities = model.predict(rows["raw"].to_pylist())
    classes = model.decision.classes(probabilities)
    labels, groups = indices.to_numpy().astype("int64"), rows["near_group"].to_numpy()
    scorer = Scorer(labels, probabilities, classes, groups)
    values = replicate(scorer, _SAMPLES, 0)[metric]
    return {
        "date": champion.date,
        "metric": metric,
        "value": number(scorer.score()[metric][0]),
        "interval": number(bootstrap.interval(values)),
    }
