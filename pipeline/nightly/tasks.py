"""A night: train on the rows of a day, and replace the champion if the new model is better."""

import datetime
import logging
from collections.abc import Generator
from typing import Any

import luigi
from luigi.util import inherits

from pipeline.data import daily
from pipeline.nightly import attempts, ledger, notifications, outbox, records
from pipeline.nightly.limits import PromotionRules
from pipeline.nightly.night import Night
from pipeline.nightly.registry import ChampionChanged
from pipeline.settings.parameter import DateParameter, parameter
from pipeline.tasks import interrupt, progress, step_log
from pipeline.tasks.base import Artifact, Named, Step
from pipeline.tasks.config import url_of
from pipeline.tasks.download_data import DownloadData
from pipeline.tasks.evaluate import Evaluate
from pipeline.tasks.report import Report
from pipeline.tasks.run_all import RunAll

logger = logging.getLogger("luigi-interface")


@inherits(Report)
class Nightly(PromotionRules, Named):
    """Train on a day's rows, compare with the champion on the holdout rows, and record the outcome.

    Every outcome is a success: ``promoted``, ``kept``, ``unchanged``, ``contract_broken`` and
    ``drift_stop``. The artifact is ``outputs/<dataset>/nights/<date>/``, one for each day. The
    parameters of RunAll are allowed, and section ``[RunAll]`` of luigi.cfg holds here too.
    """

    date = DateParameter(description="the night: a day such as 2026-11-22")
    since = parameter(
        "date",
        "none",
        "first day of a backfill: days without data are skipped, and nights from there on that "
        "have data and no record are decided before this one",
        also=("none",),
        significant=False,
    )
    redo = parameter(
        "int",
        0,
        "number of this decision on a date that is decided again: 1, then 2; `pipeline nightly "
        "--redo` counts by itself",
        low=0,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # RunAll checks the settings, and takes from luigi.cfg those that are not given here.
        shared = dict(RunAll.get_params()).keys() & dict(self.get_params()).keys()
        values = {name: getattr(self, name) for name in shared}
        self._run_all = RunAll(**{name: v for name, v in values.items() if v is not None})
        self.report = self._run_all.requires()
        self.number: int = self.redo or 0

    def last_step(self) -> Step:
        """Return the last step of the night's chain."""
        report: Step = self.report
        return report

    @property
    def name(self) -> str:
        """The dataset."""
        return self.report.dataset

    @property
    def day(self) -> str:
        """The date as text, year first."""
        return self.date.isoformat()

    @property
    def folder_name(self) -> str:
        """Name of the night's folder: its date, and the number of the decision."""
        return ledger.night_name(self.day, self.number)

    @property
    def is_backfill(self) -> bool:
        """Whether earlier nights are decided first."""
        return self.since not in (None, "none")

    @property
    def resources(self) -> dict[str, int]:  # type: ignore[override]
        """One night of a dataset at a time, among those that share a scheduler."""
        return {f"night of {self.name}": 1}

    @property
    def priority(self) -> int:  # type: ignore[override]
        """Older nights first."""
        return datetime.date.max.toordinal() - self.date.toordinal()

    def step(self, task: type[Any]) -> Any:
        """Return the step of the night's chain that is of a type."""
        return next(step for step in self.report.chain() if type(step) is task)

    def requires(self) -> "list[Nightly]":
        """Return the latest undecided night of a backfill before this one."""
        if not self.is_backfill:
            return []
        download = self.step(DownloadData)
        days = daily.days(download.row, download.raw_folder)
        for day in reversed([day for day in days if self.since <= day < self.day]):
            night = self.clone(date=datetime.date.fromisoformat(day), redo=None)
            if not night.is_recorded():
                return [night]
        return []

    def output(self) -> Artifact:
        """Return the record of the night."""
        return Artifact(records.path(self.name, self.day, self.number))

    def complete(self) -> bool:
        """Return whether the night is recorded, or is a day without data of a backfill.

        A night that was decided with another model is an error, except in a backfill.
        """
        if not self.is_recorded():
            return self.is_backfill and not self.may_have_data()
        if not self.is_backfill:
            attempts.check_model(self.name, self.day, self.step(Evaluate).label)
        return True

    def is_recorded(self) -> bool:
        """Return whether the night is recorded, with any model, and its mail was sent or tried."""
        folder = records.registry_of(self.name)
        return self.output().exists() and outbox.is_settled(folder, self.folder_name)

    @classmethod
    def bulk_complete(cls, parameter_tuples: Any) -> list[Any]:
        """Return the dates with nothing to do: recorded, or past and without data."""
        nights = [(date, cls(date)) for date in parameter_tuples]
        recorded = [date for date, night in nights if night.is_recorded()]
        others = [(date, night) for date, night in nights if date not in recorded]
        without = [date for date, night in others if not night.may_have_data()]
        if without:
            logger.info("%d of %d days have no data and are skipped.", len(without), len(nights))
        return [*recorded, *without]

    def may_have_data(self) -> bool:
        """Return whether the day's raw files exist or can still arrive."""
        download = self.step(DownloadData)
        return self.day >= download.now or not download.missing()

    def run(self) -> Generator[Any, Any, None]:
        """Decide the night, record it, and send its mail."""
        step_log.add_run(self, self.report)
        progress.set_link(self, url_of(records.page(self.name)))
        notifications.send_pending(self.name, self.folder_name, again=False)
        night = yield from self._recorded()
        notifications.send_pending(self.name, self.folder_name)
        progress.set_status(self, 1.0, f"{night.outcome}: {night.reason}")
        report = notifications.report_url(night)
        if report:
            progress.set_link(self, report)
        logger.info("Night of %s, %s: %s: %s", self.day, self.name, night.outcome, night.reason)

    def _recorded(self) -> Generator[Any, Any, Night]:
        """Decide and record the night, again if the champion changes meanwhile."""
        from pipeline.nightly.decide import decide

        folder = records.registry_of(self.name)
        decided = entry = None
        night = records.read(self.name, self.day, self.number)
        while night is None:
            lines = ledger.read(folder)
            if attempts.is_open(lines.of(self.day), self.day, self.number):
                decided, entry = yield from decide(self, lines.champion)
            try:
                night = records.record(self.name, self.day, self.number, entry, decided)
            except ChampionChanged as error:
                logger.info("%s", error)
            else:
                if night is None:
                    raise RuntimeError(f"the ledger of {self.name} has no line of {self.output()}")
        return night


@Nightly.event_handler(luigi.Event.START)
def _on_start(task: Nightly) -> None:
    """Stop as with Ctrl-C on SIGTERM."""
    interrupt.end_cleanly_on_sigterm()
