"""How long predictions take; figures of the clock, kept apart from what must repeat."""

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_SINGLE_TEXTS = 30
_BATCH_TEXTS = 1024


def measure(predict: Callable[[Any], Any], vectors: Any, bundle: Path) -> dict[str, Any]:
    """Time a model from vectors to probabilities, and weigh its bundle.

    Parameters
    ----------
    predict : callable
        From vectors to probabilities.
    vectors : ndarray or sparse matrix, shape (n_rows, ...)
        Of the model's representation.
    bundle : Path
        Folder of the trained model.

    Returns
    -------
    dict
        ``seconds_single`` (median of one text at a time), ``seconds_batch`` (a text, within a
        batch of ``batch_texts``), ``bundle_bytes`` (without logs).
    """
    n_rows = vectors.shape[0]
    batch = vectors[: min(_BATCH_TEXTS, n_rows)]
    predict(vectors[:1])  # the first call may compile
    singles = [_seconds(predict, vectors[i : i + 1]) for i in range(min(_SINGLE_TEXTS, n_rows))]
    logs = {"tensorboard", "projector"}
    files = [path for path in bundle.rglob("*") if path.is_file()]
    weighed = [path for path in files if path.relative_to(bundle).parts[0] not in logs]
    return {
        "seconds_single": statistics.median(singles),
        "seconds_batch": min(_seconds(predict, batch) for _ in range(2)) / batch.shape[0],
        "batch_texts": batch.shape[0],
        "bundle_bytes": sum(path.stat().st_size for path in weighed),
    }


def _seconds(predict: Callable[[Any], Any], vectors: Any) -> float:
    """Time one call."""
    started = time.perf_counter()
    predict(vectors)
    return time.perf_counter() - started
