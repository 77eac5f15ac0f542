"""Latency of predictions and size of the model; not in metrics, which are reproducible."""

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_SINGLE_TEXTS = 30
_BATCH_TEXTS = 1024
_LOGS = ("tensorboard", "projector")  # folders that a prediction does not need


def measure(predict: Callable[[Any], Any], vectors: Any, bundle: Path) -> dict[str, Any]:
    """Measure the time from vectors to probabilities, and the size of the model's folder.

    ``seconds_single`` is the median of one text at a time; ``seconds_batch`` is per text, in a
    batch of ``batch_texts``; ``bundle_bytes`` excludes logs.
    """
    n_rows = vectors.shape[0]
    batch = vectors[: min(_BATCH_TEXTS, n_rows)]
    predict(vectors[:1])  # the first call may compile
    singles = [_seconds(predict, vectors[i : i + 1]) for i in range(min(_SINGLE_TEXTS, n_rows))]
    files = [path for path in bundle.rglob("*") if path.is_file()]
    return {
        "seconds_single": statistics.median(singles),
        "seconds_batch": min(_seconds(predict, batch) for _ in range(2)) / batch.shape[0],
        "batch_texts": batch.shape[0],
        "bundle_bytes": sum(
            path.stat().st_size for path in files if path.relative_to(bundle).parts[0] not in _LOGS
        ),
    }


def _seconds(predict: Callable[[Any], Any], vectors: Any) -> float:
    """Return the seconds of one call."""
    started = time.perf_counter()
    predict(vectors)
    return time.perf_counter() - started
