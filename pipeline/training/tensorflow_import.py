"""The only import of TensorFlow and Keras for training: no start-up messages, a thread per core.

Modules take ``keras`` and ``tf`` from here, so that the first import is always this one.
"""

import contextlib
import logging
import os
import re
import sys
import tempfile
from collections.abc import Iterator

# TensorFlow's C++ code writes these lines while it looks for graphics cards, whatever
# TF_CPP_MIN_LOG_LEVEL is (measured with 2.21).
_START_UP = re.compile(rb"^(WARNING: All log messages before absl|[IWE]0000 00:00:)")
_ERRORS_ONLY = "2"  # TF_CPP_MIN_LOG_LEVEL: 0 shows everything, 1 hides information, 2 also warnings


@contextlib.contextmanager
def _without_start_up_messages() -> Iterator[None]:
    """Redirect standard error to a file, and copy to it afterwards all but start-up messages."""
    # C++ warnings are about the way TensorFlow was compiled and about slow odd LSTM widths.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", _ERRORS_ONLY)
    sys.stderr.flush()
    with tempfile.TemporaryFile() as captured:
        original = os.dup(2)
        os.dup2(captured.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(original, 2)
            os.close(original)
            captured.seek(0)
            for line in captured:
                if not _START_UP.match(line):
                    os.write(2, line)


# Keras imports Matplotlib, which on first use warns that it builds a cache of fonts.
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)

with _without_start_up_messages():
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
