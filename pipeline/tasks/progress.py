"""Progress of a task: a bar on a terminal, else log lines; status and percentage in luigid."""

import logging
import sys
import time
from typing import Any

import luigi

logger = logging.getLogger("luigi-interface")
_LOG_INTERVAL = 10.0  # seconds
_STATUS_INTERVAL = 1.0  # seconds; each status is a request to luigid
_SAFE_IN_HTML = str.maketrans("<>&", "‹›＆")


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


class TaskProgress:
    """Show the progress of a task; call it with the share done, 0 to 1, and a short text."""

    def __init__(self, task: luigi.Task) -> None:
        self._task = task
        self._bar: Any = None
        self._last_log = self._last_status = 0.0
        self._text = ""

    def __enter__(self) -> "TaskProgress":
        if sys.stderr.isatty():
            from tqdm import tqdm

            layout = "{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining} {postfix}"
            self._bar = tqdm(total=1.0, desc=self._task.task_family, bar_format=layout, leave=False)
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, share: float, text: str) -> None:
        """Report the share done and the current activity."""
        now = time.monotonic()
        is_new = text != self._text
        self._text = text
        if self._bar is not None:
            self._bar.n = share
            self._bar.set_postfix_str(text)
        elif (is_new and ":" in text) or now - self._last_log > _LOG_INTERVAL:
            self._last_log = now
            logger.info("%s %.0f %%: %s", self._task.task_family, 100 * share, text)
        if now - self._last_status > _STATUS_INTERVAL:
            self._last_status = now
            set_status(self._task, share, text)
