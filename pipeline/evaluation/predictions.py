"""Tables of predictions: all rows, and the most certain mistakes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.data.split import PARTS, Parts
from pipeline.errors import DamagedArtifactError
from pipeline.store.files import read_json

_MISTAKES_PER_CLASS = 25
_ORDER = ("test", "validation", "train", "unlabelled", "excluded")  # of the parts in the table


@dataclass(frozen=True)
class Predictions:
    """Predictions of a baseline for the rows of a split."""

    probabilities: np.ndarray  # float64, shape (n_rows, n_classes)
    decided: np.ndarray  # predicted class, int64, shape (n_rows,)
    # Training rows that were used and all training rows, if a sample was used to save time.
    trained_on_rows: int | None = None
    of_rows: int | None = None


def prediction_table(
    parts: Parts,
    probabilities: np.ndarray,
    class_names: Sequence[str],
    calibrated: np.ndarray,
    decided: np.ndarray,
    rows: pa.Table,
) -> pa.Table:
    """Arrange predictions as ``predictions.parquet``, test rows first.

    ``source_id`` is the id of the raw file, or the line where it has none, and ``text`` the raw
    text. ``label`` is null for rows without one, ``predicted`` is the most probable class,
    ``decided`` the class that metrics score and a predictor returns; ``p_<class>`` and
    ``calibrated_<class>`` are the probabilities before and after the temperature.

    Parameters
    ----------
    rows : pa.Table
        Columns ``source_id``, ``file``, ``line`` and ``raw`` of the rows of the split.
    """
    names = pa.array(class_names, pa.string())
    labels = pa.array(parts.labels.astype(np.int64), mask=parts.labels < 0)
    table = pa.table(
        {
            "id": pa.array(parts.ids, pa.int64()),
            "source_id": pc.coalesce(rows["source_id"], rows["line"].cast(pa.string())),
            "file": rows["file"],
            "line": rows["line"],
            "part": pa.array(PARTS, pa.string()).take(pa.array(parts.parts)),
            "label": names.take(labels),
            "predicted": names.take(pa.array(probabilities.argmax(axis=1))),
            "decided": names.take(pa.array(decided)),
            "text": rows["raw"],
            **{f"p_{name}": probabilities[:, k] for k, name in enumerate(class_names)},
            **{f"calibrated_{name}": calibrated[:, k] for k, name in enumerate(class_names)},
        }
    )
    # Filtered, not sorted: Arrow joins the chunks of a sorted column, which can exceed 2 GB.
    return pa.concat_tables([table.filter(pc.equal(table["part"], part)) for part in _ORDER])


def in_row_order(table: pa.Table) -> pa.Table:
    """Return the rows of ``predictions.parquet`` in the order of the split; they have an ``id``.

    Examples
    --------
    >>> in_row_order(pa.table({"id": [5, 3], "part": ["test", "train"]}))["id"].to_pylist()
    [3, 5]
    """
    return table.take(pa.array(np.argsort(table["id"].to_numpy(), kind="stable")))


def read_predictions(
    folders: Mapping[str, Path], parts: Parts, class_names: Sequence[str]
) -> Predictions:
    """Read a baseline's predictions from its folders by task; raise if it has another split."""
    columns = [f"p_{name}" for name in class_names]
    path = folders["Evaluate"] / "predictions.parquet"
    table = in_row_order(pq.read_table(path, columns=["id", "part", "decided", *columns]))
    training = read_json(folders["TrainModel"] / "training.json") or {}
    part_names = np.asarray(PARTS)[parts.parts]
    has_same_rows = np.array_equal(table["id"].to_numpy(), parts.ids)
    if not has_same_rows or not np.array_equal(table["part"].to_numpy().astype(str), part_names):
        raise DamagedArtifactError(
            f"the predictions in {path.parent} have other rows or another split than the model; "
            "please report this as a bug."
        )
    decided = pc.index_in(table["decided"].cast(pa.string()), pa.array(class_names, pa.string()))
    return Predictions(
        np.stack([table[name].to_numpy() for name in columns], axis=1),
        decided.to_numpy().astype(np.int64),
        training.get("trained_on_rows"),
        training.get("of_rows"),
    )


def most_wrong(
    rows: pa.Table,
    labels: np.ndarray,
    probabilities: np.ndarray,
    predicted: np.ndarray,
    class_names: Sequence[str],
) -> pa.Table:
    """Return at most 25 mistakes of each true class, by class, the most certain first.

    ``certainty`` is the calibrated probability of the predicted class.
    """
    certainty = probabilities[np.arange(len(labels)), predicted]
    wrong = np.flatnonzero(predicted != labels)
    wrong = wrong[np.argsort(-certainty[wrong], kind="stable")]
    by_class = [wrong[labels[wrong] == label] for label in range(len(class_names))]
    positions = np.concatenate([rows_of_class[:_MISTAKES_PER_CLASS] for rows_of_class in by_class])
    names = pa.array(class_names, pa.string())
    selected = rows.take(pa.array(positions))
    return pa.table(
        {
            "id": selected["id"],
            "label": names.take(pa.array(labels[positions])),
            "predicted": names.take(pa.array(predicted[positions])),
            "certainty": pa.array(certainty[positions], pa.float64()),
            "raw": selected["raw"],
        }
    )
