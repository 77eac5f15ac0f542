"""Hide the messages that TensorFlow's C++ code writes while TensorFlow starts."""

import contextlib
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
def without_start_up_messages() -> Iterator[None]:
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
