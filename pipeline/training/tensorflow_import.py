"""Import TensorFlow so that it does not write to the terminal what no user can mend."""

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator

# Written by TensorFlow's C++ side while it looks for graphics cards; TF_CPP_MIN_LOG_LEVEL does not
# reach them (measured with 2.21).
_START_UP = re.compile(rb"^(WARNING: All log messages before absl|[IWE]0000 00:00:)")

_ERRORS = "2"  # 0 is all, 1 leaves out information, 2 also warnings, 3 also errors


@contextlib.contextmanager
def without_start_up_messages() -> Iterator[None]:
    """Hold back what is written to standard error, and write out what is no start-up message.

    From then on TensorFlow's C++ side writes errors alone, unless TF_CPP_MIN_LOG_LEVEL says
    otherwise: its warnings are on how it was compiled, and that an LSTM of odd width is slower.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", _ERRORS)
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        original = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(original, 2)
            os.close(original)
            held.seek(0)
            for line in held:
                if not _START_UP.match(line):
                    os.write(2, line)
