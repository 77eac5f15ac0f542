"""The only import of TensorFlow and Keras for training: no start-up messages, a thread per core.

Modules take ``keras`` and ``tf`` from here, so that the first import is always this one.
"""

import contextlib
import logging
import os

from pipeline.features.start_up_messages import without_start_up_messages

# Keras imports Matplotlib, which on first use warns that it builds a cache of fonts.
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)

with without_start_up_messages():
    import keras
    import tensorflow as tf

    CORES = len(os.sched_getaffinity(0))
    # Fails if a SavedModel encoder has already started TensorFlow in this process.
    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(CORES)
        tf.config.threading.set_inter_op_parallelism_threads(CORES)
    # The first operation looks for devices and writes messages about them.
    tf.constant(0) + 0

__all__ = ["CORES", "keras", "tf"]
