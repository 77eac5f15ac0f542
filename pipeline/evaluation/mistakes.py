"""The rows on which a model is most certain and wrong."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

_OF_EACH_CLASS = 25


def most_wrong(
    rows: pa.Table,
    labels: np.ndarray,
    probabilities: np.ndarray,
    predicted: np.ndarray,
    class_names: Sequence[str],
) -> pa.Table:
    """Gather the most certain mistakes of each true class.

    Parameters
    ----------
    rows : pa.Table
        ``id`` and ``raw`` of the test rows.
    labels : ndarray of int, shape (n_rows,)
    probabilities : ndarray of float64, shape (n_rows, n_classes)
        Calibrated.
    predicted : ndarray of int, shape (n_rows,)
        The decided class of each row.
    class_names : sequence of str

    Returns
    -------
    pa.Table
        ``id``, ``label``, ``predicted``, ``certainty`` (probability of the predicted class),
        ``raw``; at most 25 of each true class, by class, the most certain first.
    """
    certainty = probabilities[np.arange(len(labels)), predicted]
    chosen = []
    for label in range(len(class_names)):
        wrong = np.flatnonzero((labels == label) & (predicted != label))
        order = np.argsort(-certainty[wrong], kind="stable")
        chosen.append(wrong[order][:_OF_EACH_CLASS])
    places = np.concatenate(chosen)
    names = pa.array(class_names, pa.string())
    taken = rows.take(pa.array(places))
    return pa.table(
        {
            "id": taken["id"],
            "label": names.take(pa.array(labels[places])),
            "predicted": names.take(pa.array(predicted[places])),
            "certainty": pa.array(certainty[places], pa.float64()),
            "raw": taken["raw"],
        }
    )
