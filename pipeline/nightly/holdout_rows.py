"""Draw frozen (holdout) test rows from a day's rows: a first set, or a new one for a used one."""

import itertools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.data import catalogue, daily
from pipeline.errors import PipelineError
from pipeline.nightly import ledger, records
from pipeline.nightly.ledger import Champion
from pipeline.settings import checks
from pipeline.store import artifacts
from pipeline.tasks.clean_text import CleanText
from pipeline.tasks.config import paths
from pipeline.tasks.download_data import DownloadData, today

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from pipeline.nightly.trained_model import Evaluated

#: Folder of sets that were frozen once, ``retired/1`` the oldest.
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
    """Make ``<data>/<dataset>/frozen/`` with a share of the labelled rows.

    Rows are drawn as `pipeline.data.split.assign` draws test rows, near copies together. Texts
    that were holdout rows before, or that the champion was trained on, are never drawn.

    To renew, the files of the present set are moved to ``<data>/<dataset>/retired/<number>/``. No
    model is compared on them any more, and later nights may train on their texts.

    Parameters
    ----------
    dataset : str
    date : str or None
        Day of the raw files; None for those that have no date.
    share : float
        Above 0 and below 1.
    seed : int
    renew : bool
        Whether to take the place of frozen rows that are there.
    metric : str
        That the champion is scored by on new rows, one of `pipeline.nightly.night.METRICS`.

    Returns
    -------
    dict
        ``path``, ``rows``, ``of`` (labelled rows that could be drawn) and ``classes`` (rows of
        each); ``retired``, the folder of the set before, or None; ``champion``, with ``date``,
        ``metric``, ``value`` and ``interval``, or None where there is none or other classes.

    Raises
    ------
    PipelineError
        If there are frozen rows already, or none to renew; if raw files are not there or cannot be
        read; or if no row of the day can be drawn.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    from pipeline.data import holdout, readers
    from pipeline.data.split import TEST, assign_rows

    chosen_day: dict[str, Any] = {"dataset": dataset, "date": date}
    download = DownloadData(**chosen_day)
    row = catalogue.load(dataset, Path(paths().data))
    checks.days(dataset, daily.is_daily(row), date, None)
    folder = download.raw_folder / daily.HOLDOUT_FOLDER
    _check(download, folder, renew)
    daily.fetch(row, download.missing(), download.day, today())
    parts = [*(_retired(download.raw_folder) if download.day else []), *download.parts()]
    files = {part.key: part.path for part in parts}
    laid_out = daily.with_tables(row, parts) if download.day else row
    reading = readers.read(laid_out, files)
    names = [label.name for label in row.labels]
    champion = ledger.read(records.registry_of(dataset)).champion
    model = _model(champion)
    rows = _drawable(reading, CleanText(**chosen_day).settings(), names, model)
    if pc.count_distinct(rows["label"]).as_py() < min(len(names), 2):
        raise PipelineError(
            f"only {rows.num_rows} labelled rows of {date or dataset}, of one class or none, can "
            "be frozen: the others are copies or near copies of texts that were frozen before or "
            "that the champion was trained on; take a day after those that it was trained on."
        )
    # The dataset's own parts count for nothing here.
    partition = pa.array(["labelled"]).take(pa.array(np.zeros(rows.num_rows, np.int8)))
    how = {
        "test_fraction": share,
        "validation_fraction": 0.0,
        "split_seed": seed,
        "validation_seed": 0,
        "folds": 0,
        "fold": 0,
        "group_duplicates": "near",
    }
    labels, parts_of_rows = assign_rows(
        rows.set_column(rows.schema.get_field_index("partition"), "partition", partition),
        names,
        how,
    )
    drawn = parts_of_rows == TEST
    chosen = holdout.chosen_records(laid_out, files, rows["id"].to_numpy()[drawn].tolist())
    retired = None
    path = folder / holdout.file_name(row)
    with artifacts.temporary_folder(download.raw_folder, "--paths-data") as temporary:
        holdout.write(row, chosen, temporary / path.name)
        if renew:
            retired = _retire(folder)
        folder.mkdir(exist_ok=True)
        os.link(temporary / path.name, path)  # fails where another was first
    counts = {name: int((labels[drawn] == k).sum()) for k, name in enumerate(names)}
    return {
        "path": str(path),
        "rows": len(chosen),
        "of": rows.num_rows,
        "classes": counts,
        "retired": str(retired) if retired else None,
        "champion": _score(champion, model, rows.filter(drawn), metric) if renew else None,
    }


def _check(download: DownloadData, folder: Path, renew: bool) -> None:
    """Raise where there are frozen rows and there should be none, or the other way round."""
    is_there = bool(daily.holdout_files(download.raw_folder))
    if is_there and not renew:
        raise PipelineError(
            f"{folder} holds frozen test rows already; add to them by hand, or draw others with "
            "--renew. Earlier nights cannot be compared with others on another set."
        )
    if renew and not is_there:
        raise PipelineError(f"{folder} holds no frozen test rows to renew; leave --renew out.")
    if renew and not download.day:
        raise PipelineError(
            "--renew draws rows of a day; give --date, a day that the champion was not trained on."
        )


def _retired(raw_folder: Path) -> list[daily.InputFile]:
    """List the files of sets that were frozen once."""
    files = sorted(path for path in (raw_folder / RETIRED).glob("*/*") if path.is_file())
    return [
        # Their keys are those of frozen files, so that their texts are set aside like theirs.
        daily.holdout_input(path, f"{path.parent.name}/{path.name}")
        for path in files
        if not path.name.startswith(".")
    ]


def _retire(folder: Path) -> Path:
    """Move the frozen rows to a folder of their own among the retired ones."""
    above = folder.parent / RETIRED
    above.mkdir(exist_ok=True)
    free = (above / str(number) for number in itertools.count(1))
    place = next(place for place in free if not place.exists())
    os.rename(folder, place)
    return place


def _model(champion: Champion | None) -> "Evaluated | None":
    """Return the champion's model."""
    if champion is None:
        return None
    from pipeline.nightly.trained_model import Evaluated

    return Evaluated(Path(paths().outputs) / champion.path)


def _drawable(
    reading: Any, settings: Any, names: list[str], model: "Evaluated | None"
) -> "pa.Table":
    """Return the labelled rows that were never frozen and that the champion never saw."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from pipeline.nightly.trained_model import is_frozen_file
    from pipeline.text.rows import clean_rows

    entries = reading.rows["file"].cast(pa.string()).unique()
    frozen = entries.filter(is_frozen_file(pa.chunked_array([entries])).combine_chunks())
    cleaned = clean_rows(
        reading.rows, reading.rejected, reading.records, settings, names, frozen.to_pylist()
    )
    rows = cleaned.rows
    is_drawable = pc.and_(pc.is_valid(rows["label"]), pc.invert(is_frozen_file(rows["file"])))
    rows = rows.filter(is_drawable)
    if model is not None and rows.num_rows:
        rows = rows.filter(pa.array(~model.learned(rows["raw"].to_pylist())))
    return rows


def _score(
    champion: Champion | None, model: "Evaluated | None", rows: "pa.Table", metric: str
) -> dict[str, Any] | None:
    """Score the champion's decided classes on new frozen rows, with a 95 % interval."""
    if champion is None or model is None:
        return None
    from pipeline.evaluation import bootstrap
    from pipeline.evaluation.metrics import number, replicate
    from pipeline.evaluation.scorer import Scorer

    labels = _indices(rows, model.class_names)
    if (labels < 0).any():
        return None
    probabilities = model.predict(rows["raw"].to_pylist())
    groups = rows["near_group"].to_numpy()
    scorer = Scorer(labels, probabilities, model.decision.classes(probabilities), groups)
    values = replicate(scorer, _SAMPLES, 0)[metric]
    return {
        "date": champion.date,
        "metric": metric,
        "value": number(scorer.score()[metric][0]),
        "interval": number(bootstrap.interval(values)),
    }


def _indices(rows: "pa.Table", names: list[str]) -> "np.ndarray":
    """Return labels as indices of the classes, -1 for others."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.index_in(rows["label"], pa.array(names, pa.string()))
    return pc.fill_null(found, -1).to_numpy().astype(np.int64)
