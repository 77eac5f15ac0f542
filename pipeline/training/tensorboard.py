"""Files for TensorBoard: a log of metrics per epoch, and word vectors for its projector."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

_MAX_WORDS = 10_000  # the projector in a browser is slow with more
_PADDING = "(padding)"  # name of the empty word


class EventLog:
    """TensorBoard's event file in a folder, with one entry per epoch; None writes nothing."""

    def __init__(self, folder: Path | None) -> None:
        import tensorflow as tf

        self._event, self._summary = tf.compat.v1.Event, tf.compat.v1.Summary
        self._writer: tf.io.TFRecordWriter | None = None
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self._writer = tf.io.TFRecordWriter(str(folder / "events.out.tfevents.training"))
            self._write(file_version="brain.Event:2")

    def write(self, metrics: Mapping[str, float], finished: float) -> None:
        """Write ``epoch`` and metrics of an epoch, finished so many seconds after 1970 began."""
        values = [
            self._summary.Value(tag=name, simple_value=value)
            for name, value in metrics.items()
            if name != "epoch"
        ]
        self._write(
            wall_time=finished, step=int(metrics["epoch"]), summary=self._summary(value=values)
        )

    def _write(self, **event: object) -> None:
        """Append an event to the file."""
        if self._writer is not None:
            self._writer.write(self._event(**event).SerializeToString())
            self._writer.flush()


def write_projector(folder: Path, vectors: np.ndarray, words: Sequence[str]) -> None:
    """Write ``vectors.tsv`` and ``metadata.tsv`` of the most frequent words, one word per line.

    Vectors have the shape (n_words, n_dimensions); words are ordered by falling frequency.
    """
    folder.mkdir(parents=True, exist_ok=True)
    n_words = min(len(words), len(vectors), _MAX_WORDS)
    np.savetxt(folder / "vectors.tsv", vectors[:n_words], fmt="%.5g", delimiter="\t")
    # White space inside a word would shift all following columns or lines.
    names = (" ".join((word or _PADDING).split()) or "(space)" for word in words[:n_words])
    (folder / "metadata.tsv").write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
