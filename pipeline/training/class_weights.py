"""Class weights."""

from collections.abc import Sequence

import numpy as np

from pipeline.errors import PipelineError


def class_weights(
    choice: str | Sequence[float], labels: np.ndarray, class_names: Sequence[str]
) -> np.ndarray:
    """Return the weight of each class.

    Parameters
    ----------
    choice : {"none", "balanced", "max"} or sequence of float
        ``balanced``: rows / (classes * rows of the class), so that the mean over rows is 1;
        ``max``: rows of the largest class / rows of the class; numbers: as given.
    labels : ndarray of int, shape (n_rows,)
    class_names : sequence of str

    Returns
    -------
    ndarray of float64, shape (n_classes,)

    Raises
    ------
    PipelineError
        If there are not as many numbers as classes.
    """
    counts = np.bincount(labels, minlength=len(class_names))
    if isinstance(choice, str):
        if choice == "balanced":
            return len(labels) / (len(class_names) * counts)
        return counts.max() / counts if choice == "max" else np.ones(len(class_names))
    if len(choice) != len(class_names):
        raise PipelineError(
            f"class_weights must have {len(class_names)} numbers, one for each of "
            f"{', '.join(class_names)}; got {len(choice)}."
        )
    return np.asarray(choice, dtype=np.float64)
