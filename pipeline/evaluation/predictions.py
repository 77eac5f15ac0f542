"""The table of predictions, for every row of every part."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.data.split import PARTS, Parts
from pipeline.errors import PipelineError


def prediction_table(
    ids: np.ndarray,
    labels: np.ndarray,
    parts: np.ndarray,
    probabilities: np.ndarray,
    class_names: Sequence[str],
    calibrated: np.ndarray,
    decided: np.ndarray,
) -> pa.Table:
    """Lay predictions out as columns.

    Parameters
    ----------
    ids : ndarray of int64, shape (n_rows,)
    labels : ndarray of int, shape (n_rows,)
        Class index, -1 without a label.
    parts : ndarray of int, shape (n_rows,)
        Index into `pipeline.data.split.PARTS`.
    probabilities : ndarray of float64, shape (n_rows, n_classes)
    class_names : sequence of str
    calibrated : ndarray of float64, shape (n_rows, n_classes)
        Probabilities after the temperature.
    decided : ndarray of int, shape (n_rows,)
        Class index that the model delivers: by the threshold where one was chosen, else the most
        probable class.

    Returns
    -------
    pa.Table
        ``id``, ``part``, ``label`` (null without one), ``predicted`` (the most probable class),
        ``decided`` (the class that metrics score and that a predictor delivers), and for each class
        ``p_<class>``, as the model says, and ``calibrated_<class>``.
    """
    names = pa.array(class_names, pa.string())
    known = pa.array(labels.astype(np.int64), mask=labels < 0)
    return pa.table(
        {
            "id": pa.array(ids, pa.int64()),
            "part": pa.array(PARTS, pa.string()).take(pa.array(parts)),
            "label": names.take(known),
            "predicted": names.take(pa.array(probabilities.argmax(axis=1))),
            "decided": names.take(pa.array(decided)),
            **{f"p_{name}": probabilities[:, index] for index, name in enumerate(class_names)},
            **{f"calibrated_{name}": calibrated[:, k] for k, name in enumerate(class_names)},
        }
    )


@dataclass(frozen=True)
class Predictions:
    """What another model says of the same rows.

    Attributes
    ----------
    probabilities : ndarray of float64, shape (n_rows, n_classes)
    decided : ndarray of int64, shape (n_rows,)
        Class index of each row.
    trained_on_rows, of_rows : int or None
        Training rows that were used and that there are, where some were left out to save time.
    """

    probabilities: np.ndarray
    decided: np.ndarray
    trained_on_rows: int | None = None
    of_rows: int | None = None


def read_predictions(path: Path, parts: Parts, class_names: Sequence[str]) -> Predictions:
    """Read another model's predictions of the same rows.

    Parameters
    ----------
    path : Path
        ``predictions.parquet`` of that model.
    parts : Parts
        The split that both must have.
    class_names : sequence of str

    Returns
    -------
    Predictions

    Raises
    ------
    PipelineError
        If its rows or their parts are others.
    """
    columns = [f"p_{name}" for name in class_names]
    table = pq.read_table(path, columns=["id", "part", "decided", *columns])
    wanted = np.asarray(PARTS)[parts.parts]
    same = np.array_equal(table["id"].to_numpy(), parts.ids)
    if not same or not np.array_equal(table["part"].to_numpy().astype(str), wanted):
        raise PipelineError(
            f"the predictions in {path.parent} are of other rows, or of another split, than the "
            "model's; please report this as a bug."
        )
    decided = pc.index_in(table["decided"].cast(pa.string()), pa.array(class_names, pa.string()))
    return Predictions(
        np.stack([table[name].to_numpy() for name in columns], axis=1),
        decided.to_numpy().astype(np.int64),
    )
