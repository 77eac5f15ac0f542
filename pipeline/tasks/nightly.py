"""A night: train on what a day brought, and let it become champion if it is better."""

import datetime
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import luigi
from luigi.util import inherits

from pipeline import artifacts
from pipeline.datasets import dated
from pipeline.errors import PipelineError
from pipeline.inspection.graph import in_order
from pipeline.nightly import ledger
from pipeline.nightly.night import METRICS, Night
from pipeline.tasks import judging, progress, recording
from pipeline.tasks.base import Artifact, Step, address_of, paths, short_name
from pipeline.tasks.chain import Evaluate, Report, RunAll, today
from pipeline.tasks.parameters import parameter


@inherits(Report)
class Nightly(luigi.Task):
    """Train on a day's rows, compare with the champion on the frozen rows, and write it down.

    Every outcome is a success: ``promoted``, ``kept``, ``unchanged``, ``contract_broken`` or
    ``drift_stop``. Its artifact is ``outputs/<dataset>/nights/<date>/``, one for each day. All of
    RunAll's parameters can be given, and what luigi.cfg says of them under ``[RunAll]`` holds here.
    """

    version = 1

    date = luigi.DateParameter(description="the night: a day such as 2026-11-22")
    since = luigi.DateParameter(
        default=None,
        significant=False,
        positional=False,
        description="also fill the nights from this day on that have data and no record, oldest "
        "first; RangeDailyBase sets it",
    )
    metric = parameter(
        "metric", "choice", "macro_f1", "metric that decides", choices=tuple(METRICS)
    )
    margin = parameter(
        "margin", "float", 0.0, "by how much more than this a new model must be better", low=0
    )
    recall_drop = parameter(
        "recall_drop", "float", 0.05, "the most by which any class' recall may fall", low=0, high=1
    )
    calibration_rise = parameter(
        "calibration_rise",
        "float",
        0.02,
        "the most by which the expected calibration error may rise",
        low=0,
        high=1,
    )

    window: int | None
    stop_words: str | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._run_all = self._as_run_all()
        #: What this process has written down, for the mail.
        self.news: Night | None = None

    @property
    def resources(self) -> dict[str, int]:
        """One night of a dataset at a time."""
        return {f"night of {self.name}": 1}

    @property
    def priority(self) -> int:
        """Older nights first."""
        return datetime.date.max.toordinal() - self.date.toordinal()

    @property
    def name(self) -> str:
        """The dataset."""
        return self.report().dataset

    @property
    def day(self) -> str:
        """The date, year first."""
        return self.date.isoformat()

    def report(self) -> Report:
        """Return the report of this night's model, every setting resolved."""
        return self._run_all.requires()

    def requires(self) -> "list[Nightly]":
        """Return the night before that a backfill is to decide first."""
        row, folder = recording.dataset(self.name)
        if self.since is None:
            return []
        days = [date for date in dated.days(row, folder) if str(self.since) <= date < self.day]
        for earlier in reversed(days):
            night = self.clone(date=datetime.date.fromisoformat(earlier))
            if not night.complete():
                return [night]
        return []

    def output(self) -> Artifact:
        """Return the record of the night."""
        return Artifact(recording.place(self.name, self.day))

    def complete(self) -> bool:
        """Say whether the record is whole; nothing above it is asked."""
        return self.output().exists()

    @classmethod
    def bulk_complete(cls, parameter_tuples: Any) -> Any:
        """Return the dates of a range that have nothing to do: recorded, or past without data."""
        nights = [(date, cls(date)) for date in parameter_tuples]
        return [date for date, night in nights if night.complete() or not night.can_have_data()]

    def can_have_data(self) -> bool:
        """Say whether raw files of the day are there, or may still come."""
        row, folder = recording.dataset(self.name)
        return self.day >= today() or dated.has_data(row, folder, self.day)

    def run(self) -> Iterator[Any]:
        """Judge the night, train if it is worth it, decide, and write it down."""
        progress.lead_to(self, address_of(recording.page(self.name)))
        notes = recording.Notes(self.name, self.day)
        while not self.complete():
            night, against = notes.night(), None
            if not recording.is_recorded(self.name, self.day):
                night, against = yield from self._judged(notes)
                notes.keep(night)
            if recording.record(self.name, self.day, night, against, self._champion):
                self.news = recording.read_night(self.name, self.day)
        notes.forget()
        self._tell_outcome()

    def _judged(self, notes: "recording.Notes") -> Any:
        """Yield what the night needs, and return its record and the champion it was held to."""
        report = self.report()
        download, clean, evaluate = (
            self._step(name) for name in ("DownloadData", "CleanText", "Evaluate")
        )
        assert isinstance(evaluate, Evaluate)
        self._check_frozen()
        progress.tell(self, 0.0, "having raw files")
        yield download
        digests = {"data": download.digest()}
        champion = recording.champion(self.name)

        def night(outcome: str, reason: str, **found: Any) -> tuple[Night, str | None]:
            return (
                Night(
                    self.name,
                    self.day,
                    outcome,
                    reason,
                    evaluate.label,
                    self.limits()["metric"],
                    recording.now(),
                    digests,
                    seconds=notes.seconds(),
                    peak_memory_mib=notes.peak_memory(),
                    **found,
                ),
                champion.digest if champion else None,
            )

        progress.tell(self, 0.1, "reading and cleaning")
        unreadable = judging.unreadable(clean, download.parts())
        if unreadable is not None:
            found = judging.contract_json(None, [unreadable])
            return night(ledger.CONTRACT_BROKEN, unreadable.sentence, contract=found)
        progress.tell(self, 0.2, "checking the contract")
        ...
