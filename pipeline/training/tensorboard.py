"""TensorBoard's log: TensorFlow alone can write it, TensorBoard reads it."""

from collections.abc import Mapping
from pathlib import Path

import tensorflow as tf


class EventLog:
    """A file of events, one for each epoch.

    Parameters
    ----------
    folder : Path or None
        Where it goes, made when missing; None writes nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._writer: tf.io.TFRecordWriter | None = None
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self._writer = tf.io.TFRecordWriter(str(folder / "events.out.tfevents.training"))
            self._write(tf.compat.v1.Event(file_version="brain.Event:2"))

    def write(self, found: Mapping[str, float], finished: float) -> None:
        """Write an epoch's figures.

        Parameters
        ----------
        found : mapping
            ``epoch`` and the figures.
        finished : float
            When the epoch was finished, in seconds since 1970.
        """
        values = [
            tf.compat.v1.Summary.Value(tag=name, simple_value=value)
            for name, value in found.items()
            if name != "epoch"
        ]
        self._write(
            tf.compat.v1.Event(
                wall_time=finished,
                step=int(found["epoch"]),
                summary=tf.compat.v1.Summary(value=values),
            )
        )

    def _write(self, event: tf.compat.v1.Event) -> None:
        if self._writer is not None:
            self._writer.write(event.SerializeToString())
            self._writer.flush()
