"""The table of predictions, for every row of every part."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from pipeline.split import PARTITIONS


def prediction_table(
    ids: np.ndarray,
    labels: np.ndarray,
    parts: np.ndarray,
    probabilities: np.ndarray,
    class_names: Sequence[str],
) -> pa.Table:
    """Lay predictions out as columns.

    Parameters
    ----------
    ids : ndarray of int64, shape (n_rows,)
    labels : ndarray of int, shape (n_rows,)
        Class index, -1 without a label.
    parts : ndarray of int, shape (n_rows,)
        Index into `pipeline.split.PARTITIONS`.
    probabilities : ndarray of float64, shape (n_rows, n_classes)
    class_names : sequence of str

    Returns
    -------
    pa.Table
        ``id``, ``part``, ``label`` (null without one), ``predicted``, and ``p_<class>`` for each
        class.
    """
    names = pa.array(class_names, pa.string())
    known = pa.array(labels.astype(np.int64), mask=labels < 0)
    return pa.table(
        {
            "id": pa.array(ids, pa.int64()),
            "part": pa.array(PARTITIONS, pa.string()).take(pa.array(parts)),
            "label": names.take(known),
            "predicted": names.take(pa.array(probabilities.argmax(axis=1))),
            **{f"p_{name}": probabilities[:, index] for index, name in enumerate(class_names)},
        }
    )
