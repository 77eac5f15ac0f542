"""Progress of a task: a bar on a terminal, milestones in the log, a status in luigid."""

import contextlib
import functools
import logging
import multiprocessing
import sys
import time
from typing import TYPE_CHECKING, Any

import luigi

from pipeline.tasks import step_log

if TYPE_CHECKING:
    from pipeline.models.specs import Model
    from pipeline.tasks.base import Step

logger = logging.getLogger("luigi-interface")
_LOG_INTERVAL = 60.0  # seconds
_BAR_INTERVAL = 0.1  # seconds
_STATUS_INTERVAL = 1.0  # seconds; each status is a request to luigid
_SAFE_IN_HTML = str.maketrans("<>&", "‹›＆")
# The width of the bar is fixed, and the line is truncated at the width of the terminal.
_BAR = "{percentage:3.0f} %|{bar:10}| {elapsed}<{remaining}"


def set_status(task: luigi.Task, share: float, text: str) -> None:
    """Set the status text of a task in luigid, and the share done, 0 to 1, as a percentage."""
    # Luigi sets these methods only while a worker runs the task.
    if task.set_status_message is not None and task.set_progress_percentage is not None:
        # The visualiser of luigid does not escape the text, which can quote raw files.
        task.set_status_message(text.translate(_SAFE_IN_HTML))
        task.set_progress_percentage(round(100 * share))


def set_link(task: luigi.Task, url: str) -> None:
    """Set the URL that the page of a task in luigid links to."""
    if task.set_tracking_url is not None:
        task.set_tracking_url(url)


def reading(model: "Model") -> str:
    """Return the text of a task that loads a model or its data, which can take seconds."""
    starts = model.is_network and "tensorflow" not in sys.modules
    return "starting TensorFlow" if starts else "reading"


class TaskProgress:
    """Show the progress of a step; call it with the share done, 0 to 1, and a short text.

    A text with a colon, such as ``epoch 1: loss 0.62``, is a milestone: it stays on the terminal
    and in the log. Child processes have no bar, since their bars would overwrite each other.
    """

    def __init__(self, step: "Step") -> None:
        self._step = step
        self._bar: Any = None
        self._stack = contextlib.ExitStack()
        self._last_log = time.monotonic()
        self._last_bar = self._last_status = 0.0
        self._text = ""

    @functools.cached_property
    def _head(self) -> str:
        return step_log.head(self._step)

    def __enter__(self) -> "TaskProgress":
        is_child = multiprocessing.parent_process() is not None
        if sys.stderr.isatty() and not is_child and logger.isEnabledFor(logging.INFO):
            from tqdm import tqdm
            from tqdm.contrib.logging import logging_redirect_tqdm

            # Lines of the log are written above the bar.
            self._stack.enter_context(logging_redirect_tqdm([logger]))
            bar = tqdm(total=1.0, bar_format=self._layout(0.0, ""), leave=False, dynamic_ncols=True)
            self._bar = self._stack.enter_context(bar)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        self._bar = None

    def __call__(self, share: float, text: str) -> None:
        """Report the share done and the current activity."""
        now = time.monotonic()
        is_new = text != self._text
        self._text = text
        if is_new and ":" in text:
            self._last_log = now
            logger.info("      %s", text)
        if self._bar is not None:
            if is_new or now - self._last_bar > _BAR_INTERVAL:
                self._last_bar = now
                self._show(share, text.split(":")[0])
        elif now - self._last_log > _LOG_INTERVAL:
            self._last_log = now
            logger.info("%s  %.0f %%  %s", self._head, 100 * share, text)
        if now - self._last_status > _STATUS_INTERVAL:
            self._last_status = now
            set_status(self._step, share, text)

    def _show(self, share: float, text: str) -> None:
        """Draw the line on the terminal."""
        if share and not self._bar.n:
            # The remaining time is estimated without the time that a library took to start.
            self._bar.initial = share
            self._bar.start_t = self._bar.last_print_t = time.time()
        self._bar.bar_format = self._layout(share, text)
        self._bar.n = share
        self._bar.refresh()

    def _layout(self, share: float, text: str) -> str:
        """Return the layout of the line on the terminal; without a share it has no bar."""
        parts = [self._head, _BAR, text] if share else [self._head, text]
        escaped = (
            part if part == _BAR else part.replace("{", "{{").replace("}", "}}") for part in parts
        )
        return "  ".join(filter(None, escaped))
