"""Progress: a bar on a terminal, log lines elsewhere, and luigid's status and percentage."""

import logging
import sys
import time
from typing import Any

import luigi

logger = logging.getLogger("luigi-interface")
_BETWEEN_LINES = 10.0  # seconds
_BETWEEN_MESSAGES = 1.0  # seconds: each is a call to luigid
_HARMLESS = str.maketrans("<>&", "‹›＆")


def tell(task: luigi.Task, share: float, text: str) -> None:
    """Set a task's status text and percentage where a scheduler listens.

    Parameters
    ----------
    task : luigi.Task
    share : float
        Done of all, 0 to 1.
    text : str
    """
    # Luigi sets these only while a worker runs the task.
    if task.set_status_message is not None and task.set_progress_percentage is not None:
        # The visualiser writes it into its page as HTML, and it can quote what raw files hold.
        task.set_status_message(text.translate(_HARMLESS))
        task.set_progress_percentage(round(100 * share))


def lead_to(task: luigi.Task, address: str) -> None:
    """Let the scheduler's page of a task lead to what it makes."""
    if task.set_tracking_url is not None:
        task.set_tracking_url(address)


class TaskProgress:
    """Show how far a task is; call it with the share done and a short text.

    Parameters
    ----------
    task : luigi.Task
        Its status message and percentage are set where a scheduler listens.
    """

    def __init__(self, task: luigi.Task) -> None:
        self._task = task
        self._bar: Any = None
        self._said = self._told = 0.0
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
        """Note the share done, 0 to 1, and what is being done."""
        now = time.monotonic()
        is_news = text != self._text
        self._text = text
        if self._bar is not None:
            self._bar.n = share
            self._bar.set_postfix_str(text)
        elif (is_news and ":" in text) or now - self._said > _BETWEEN_LINES:
            self._said = now
            logger.info("%s %.0f %%: %s", self._task.task_family, 100 * share, text)
        if now - self._told > _BETWEEN_MESSAGES:
            self._told = now
            tell(self._task, share, text)
