"""Fill nights that are missing, oldest first, and go back to an earlier champion."""

import logging
from typing import Any

import luigi
from luigi.tools import range as ranges

from pipeline.errors import PipelineError, nearest
from pipeline.nightly import ledger, records, registry
from pipeline.nightly.tasks import Nightly
from pipeline.tasks import process_setup

logger = logging.getLogger("luigi-interface")


class RangeDailyBase(ranges.RangeDailyBase):
    """Luigi's range of days; of nights it asks for all at once, and lets each wait for the last.

    Luigi takes the most derived of classes of one name, so that ``RangeDailyBase --of Nightly`` is
    this one. Of other tasks it does what Luigi's does.
    """

    def moving_start(self, now: Any) -> Any:
        """Return the earliest moment; of nights a start that is given is as early as it says."""
        earliest = super().moving_start(now)
        if self.start and issubclass(self.of, Nightly):
            return min(earliest, self.parameter_to_datetime(self.start))
        return earliest

    def missing_datetimes(self, finite_datetimes: Any) -> Any:
        """Return the days with something to do, as `Nightly.bulk_complete` says."""
        if not issubclass(self.of, Nightly) or not finite_datetimes:
            return super().missing_datetimes(finite_datetimes)
        self._first = self.datetime_to_parameter(finite_datetimes[0])
        days = {self.datetime_to_parameter(moment): moment for moment in finite_datetimes}
        done = self.of.bulk_complete.__func__(  # type: ignore[attr-defined]
            self._instantiate_task_cls, days
        )
        missing = [moment for day, moment in days.items() if day not in done]
        if len(missing) > self.task_limit:
            logger.warning(
                "%d nights are missing and the oldest %d are filled now; run again for the others, "
                "or give a larger --task-limit.",
                len(missing),
                self.task_limit,
            )
        return missing

    def _task_parameters(self, param: Any) -> dict[str, Any]:
        """Tell a night where the range begins."""
        first = {"since": self._first} if issubclass(self.of, Nightly) else {}
        return {**super()._task_parameters(param), **first}


@RangeDailyBase.event_handler(luigi.Event.DEPENDENCY_DISCOVERED)
def _on_start(task: RangeDailyBase, dependency: luigi.Task) -> None:
    """End cleanly when told to."""
    process_setup.end_cleanly_on_sigterm()


class Rollback(luigi.Task):
    """Make an earlier champion the champion again; the next nights are compared with that one."""

    dataset = luigi.Parameter(description="name of the dataset")
    to = luigi.Parameter(
        description="night that promoted it, such as 2026-11-21, or the first digits of its digest "
        "(4 or more); none: no champion, the next night begins anew"
    )
    reason = luigi.Parameter(default="", description="why, for the ledger", significant=False)

    def complete(self) -> bool:
        """Say whether it is the champion."""
        known = ledger.read(records.registry_of(self.dataset))
        if known.champion is None or self.to == registry.NONE:
            return known.champion is None and self.to == registry.NONE and bool(known.changes)
        return registry.is_named(known.champion, self.to)

    def run(self) -> None:
        """Write the ledger's line, then the pointer, then the history page."""
        folder = records.registry_of(self.dataset)
        if not (folder / ledger.LEDGER).is_file():
            known = [path.parent.name for path in folder.parent.glob(f"*/{ledger.LEDGER}")]
            raise PipelineError(
                f"dataset {self.dataset!r} has no champion to go back to, as no night of it was "
                f"ever decided under {folder.parent}; {nearest(self.dataset, known)}."
            )
        with registry.locked(folder) as writer:
            writer.rollback(self.to, records.now(), self.reason)
            records.write_history(self.dataset, writer.ledger)
