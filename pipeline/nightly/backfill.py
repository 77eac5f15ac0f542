"""Backfills with Luigi's ``RangeDaily --of Nightly``, and the rollback to an earlier champion.

``RangeDaily`` skips past days without data. With the parameter ``since``, a night also waits for
the undecided nights before it: ``--of-params '{"dataset": "tickets", "since": "2026-11-18"}'``.
"""

import logging

import luigi
from luigi.tools.range import RangeDailyBase

from pipeline.errors import NIGHTS_LEFT, RegistryError, nearest
from pipeline.nightly import ledger, records, registry
from pipeline.nightly.tasks import Nightly
from pipeline.settings.parameter import TextParameter
from pipeline.tasks import interrupt
from pipeline.tasks.base import Named

logger = logging.getLogger("luigi-interface")


@RangeDailyBase.event_handler(luigi.Event.DEPENDENCY_DISCOVERED)
def _on_start(task: RangeDailyBase, dependency: luigi.Task) -> None:
    """Stop as with Ctrl-C on SIGTERM; warn once if the range may have more nights."""
    if not isinstance(dependency, Nightly):
        return
    interrupt.end_cleanly_on_sigterm()
    nights = task.requires()
    if len(nights) == task.task_limit and dependency is nights[0]:
        logger.warning(
            "%s: this range fills %d nights, the most that --task-limit allows; run it again for "
            "the others, or give a larger --task-limit.",
            NIGHTS_LEFT,
            len(nights),
        )


class Rollback(Named):
    """Make an earlier champion the champion again; the next nights are compared with it."""

    dataset = TextParameter(description="name of the dataset")
    to = TextParameter(
        description="night that promoted the champion, such as 2026-11-21, or the first digits of "
        "its digest (4 or more); none: no champion, the next night starts without one"
    )
    reason = TextParameter(default="", description="reason, for the ledger", significant=False)

    def complete(self) -> bool:
        """Return whether the champion is the one that is asked for."""
        current = ledger.read(records.registry_of(self.dataset))
        if current.champion is None or self.to == registry.NONE:
            return current.champion is None and self.to == registry.NONE and bool(current.changes)
        return registry.is_named(current.champion, self.to)

    def run(self) -> None:
        """Write the ledger's line, then the pointer, then the history page."""
        folder = records.registry_of(self.dataset)
        if not (folder / ledger.LEDGER).is_file():
            names = [path.parent.name for path in folder.parent.glob(f"*/{ledger.LEDGER}")]
            raise RegistryError(
                f"dataset {self.dataset!r} has no champion to go back to: no night of it was "
                f"decided under {folder.parent}; {nearest(self.dataset, names)}."
            )
        with registry.locked(folder) as writer:
            writer.rollback(self.to, records.now(), self.reason)
            records.write_history(self.dataset, writer.ledger)
