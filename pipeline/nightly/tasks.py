"""A night: train on what a day brought, and let it become champion if it is better."""

import datetime
import logging
import os
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import luigi
from luigi.util import inherits

from pipeline.data import daily
from pipeline.errors import PipelineError
from pipeline.nightly import attempts, day_rows, gates, ledger, notifications, outbox, records
from pipeline.nightly.contract import unreadable
from pipeline.nightly.ledger import Champion, Entry
from pipeline.nightly.night import METRICS, Night
from pipeline.nightly.registry import ChampionChanged
from pipeline.settings.parameter import parameter
from pipeline.store import artifacts
from pipeline.tasks import process_setup, progress
from pipeline.tasks.base import Artifact, Named, Step
from pipeline.tasks.clean_text import CleanText
from pipeline.tasks.config import paths, url_of
from pipeline.tasks.download_data import DownloadData
from pipeline.tasks.evaluate import Evaluate
from pipeline.tasks.graph import in_order
from pipeline.tasks.report import Report
from pipeline.tasks.run_all import RunAll

if TYPE_CHECKING:
    from pipeline.nightly.trained_model import Evaluated

logger = logging.getLogger("luigi-interface")


@inherits(Report)
class Nightly(Named):
    """Train on a day's rows, compare with the champion on the frozen rows, and write it down.

    Every outcome is a success: ``promoted``, ``kept``, ``unchanged``, ``contract_broken`` and
    ``drift_stop``. Its artifact is ``outputs/<dataset>/nights/<date>/``, one for each day. RunAll's
    parameters can be given, and what luigi.cfg says of them under ``[RunAll]`` holds here too.
    """

    date = luigi.DateParameter(description="the night: a day such as 2026-11-22")
    since = parameter(
        "since",
        "date",
        "none",
        "first day of a backfill: nights from there on that have data and no record are decided "
        "before this one. RangeDailyBase sets it",
        also=("none",),
        significant=False,
    )
    redo = parameter(
        "redo",
        "int",
        0,
        "which time a date that is decided is decided again: 1, then 2; `pipeline nightly --redo` "
        "counts by itself",
        low=0,
    )
    metric = parameter(
        "metric", "choice", "macro_f1", "metric that decides", choices=tuple(METRICS)
    )
    margin = parameter(
        "margin", "float", 0.0, "by how much more than this a new model must be better", low=0
    )
    confidence = parameter(
        "confidence",
        "float",
        0.95,
        "1 minus the probability of any false promotion on one set of frozen rows, over all nights",
        low=0.5,
        high=1,
    )
    recall_drop = parameter(
        "recall_drop", "float", 0.05, "the most by which a class' recall may fall", low=0, high=1
    )
    calibration_rise = parameter(
        "calibration_rise",
        "float",
        0.02,
        "the most by which the expected calibration error may rise",
        low=0,
        high=1,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # RunAll takes from luigi.cfg what is not given here, and checks all of it.
        known = dict(RunAll.get_params()).keys() & dict(self.get_params()).keys()
        given = {name: getattr(self, name) for name in known}
        self._run_all = RunAll(**{name: v for name, v in given.items() if v is not None})
        self._report = self._run_all.requires()
        self._redo: int = self.redo or 0

    @property
    def name(self) -> str:
        """The dataset."""
        return self._report.dataset

    @property
    def day(self) -> str:
        """The date, year first."""
        return self.date.isoformat()

    @property
    def called(self) -> str:
        """Name of its folder: its date, and which time it is decided."""
        return ledger.night_name(self.day, self._redo)

    @property
    def resources(self) -> dict[str, int]:  # type: ignore[override]
        """One night of a dataset at a time, among those that share a scheduler."""
        return {f"night of {self.name}": 1}

    @property
    def priority(self) -> int:  # type: ignore[override]
        """Older nights first."""
        return datetime.date.max.toordinal() - self.date.toordinal()

    def requires(self) -> "list[Nightly]":
        """Return, in a backfill, the night that is to be decided before this one."""
        if self.since in (None, "none"):
            return []
        download = self._step(DownloadData)
        days = daily.days(download.row, download.raw_folder)
        for day in reversed([day for day in days if self.since <= day < self.day]):
            # The nights before are decided for the first time.
            night = self.clone(date=datetime.date.fromisoformat(day), redo=0)
            if not night.is_recorded():
                return [night]
        return []

    def output(self) -> Artifact:
        """Return the record of the night."""
        return Artifact(records.path(self.name, self.day, self._redo))

    def complete(self) -> bool:
        """Say whether the night's record is whole; nothing above it is asked.

        Raises
        ------
        PipelineError
            If it is of another model, unless this is a night of a backfill.
        """
        if not self.is_recorded():
            return False
        if self.since in (None, "none"):
            attempts.check_model(self.name, self.day, self._step(Evaluate).label)
        return True

    def is_recorded(self) -> bool:
        """Say whether the night's record is whole, of whatever model, and was told or tried to."""
        folder = records.registry_of(self.name)
        return self.output().exists() and outbox.is_settled(folder, self.called)

    @classmethod
    def bulk_complete(cls, parameter_tuples: Any) -> list[Any]:
        """Return the dates with nothing to do: recorded, or past and without data."""
        nights = [(date, cls(date)) for date in parameter_tuples]
        return [date for date, night in nights if night.is_recorded() or not night.may_have_data()]

    def may_have_data(self) -> bool:
        """Say whether raw files of the day are there, or can still come."""
        download = self._step(DownloadData)
        return self.day >= download.now or not download.missing()

    def run(self) -> Generator[Any, Any, None]:
        """Judge the day's rows, train where that is worth it, decide, and write it down."""
        progress.set_link(self, url_of(records.page(self.name)))
        notifications.tell(self.name, self.called, again=False)  # what nights before could not
        notes = records.Notes(self.name, self.day, self._redo)
        folder = records.registry_of(self.name)
        entry, night = None, notes.night()
        stands = records.read(self.name, self.day, self._redo)
        while stands is None:
            if attempts.is_open(ledger.read(folder).of(self.day), self.day, self._redo):
                champion = ledger.read(folder).champion
                entry, night = yield from self._judged(notes, champion)
                notes.keep(night)
            try:
                stands = records.record(self.name, self.day, self._redo, entry, night)
            except ChampionChanged as error:
                logger.info("%s", error)
            else:
                if stands is None:
                    raise RuntimeError(f"the ledger of {self.name} has no line of {self.output()}")
        notes.forget()
        notifications.tell(self.name, self.called)
        self._tell_outcome(stands)

    def _judged(
        self, notes: records.Notes, champion: Champion | None
    ) -> Generator[Any, Any, tuple[Entry, Night]]:
        """Yield what the night needs; return its line for the ledger and its record."""
        found: dict[str, Any] = {"digests": {}}
        outcome, reason = yield from self._outcome(notes, champion, found)
        evaluate, time = self._step(Evaluate), records.now()
        places = [Path(place) for place in notes.once("made", "", list)]
        own: dict[str, Any] = {"metric": self._limits()["metric"], "model": evaluate.label}
        costs = notes.costs(places)
        night = Night(
            self.name,
            self.day,
            outcome,
            reason,
            time=time,
            redo=self._redo,
            **own,
            **found,
            **costs,
        )
        figures = found["decision"]["figures"] if "decision" in found else {}
        # What counts how often the frozen rows were used is in the ledger, which is never deleted.
        used = {name: figures[name] for name in ("holdout", "comparison_number") if figures}
        promoted = Champion(self.day, evaluate.digest(), _path(evaluate))
        entry = Entry(
            self.day,
            outcome,
            reason,
            time,
            found["digests"],
            {**own, "rows": night.rows, **figures.get("values", {}), **used},
            champion.digest if champion else None,
            promoted if outcome == ledger.PROMOTED else None,
            self._redo,
        )
        return entry, night

    def _outcome(
        self, notes: records.Notes, champion: Champion | None, found: dict[str, Any]
    ) -> Generator[Any, Any, tuple[str, str]]:
        """Yield what the night needs; return outcome and reason, and lay down what was found."""
        download, clean, evaluate = map(self._step, (DownloadData, CleanText, Evaluate))
        self._check_frozen(download)
        progress.set_status(self, 0.0, "having raw files")
        yield download
        found["digests"]["data"] = download.digest()
        progress.set_status(self, 0.1, "reading raw files")
        problem = notes.once(
            "problem",
            download.digest(),
            lambda: gates.problem_with_files(clean, download.parts()),
        )
        if problem is not None:
            found["contract"] = gates.contract_json(None, [unreadable(problem)])
            return ledger.CONTRACT_BROKEN, problem
        # From here on what is made is a task of its own, that a scheduler shows and tries again.
        notes.once("made", "", self._not_made_yet)
        yield clean
        progress.set_status(self, 0.2, "checking the contract")
        standing = self._evaluated(champion)
        names = [label.name for label in download.row.labels]
        tonight = gates.Tonight(clean, names, standing)
        about = [clean.digest(), day_rows.own_names(clean), champion and champion.digest]
        unknown = notes.once("unknown_share", about, tonight.unknown_share)
        measures = replace(tonight.measures(), unknown_share=unknown)
        earlier = [night for night in records.decided(self.name) if night.date < self.day]
        breaches, found["contract"] = gates.breaches(measures, earlier, standing)
        found["rows"] = measures.rows
        if breaches:
            return ledger.CONTRACT_BROKEN, "; ".join(breach.sentence for breach in breaches)
        found["digests"]["evaluate"] = evaluate.digest()
        same = self._same_content(evaluate.digest(), champion)
        if same is not None:
            return ledger.UNCHANGED, (
                f"content and model are those of the night of {same.date}, which ended with "
                f"{same.decision}"
            )
        progress.set_status(self, 0.3, "comparing with the champion's training data")
        found["drift"] = notes.once("drift", about, tonight.drift)
        if found["drift"] and found["drift"]["level"] == "stop":
            return ledger.DRIFT_STOP, found["drift"]["sentence"]
        progress.set_status(self, 0.4, "training")
        yield self._report
        found["digests"]["report"] = self._report.digest()
        found["report"] = _path(self._report)
        progress.set_status(self, 0.9, "deciding")
        from pipeline.nightly.rules import Limits

        entries = ledger.read(records.registry_of(self.name)).entries
        decided = gates.decision(evaluate, standing, Limits(**self._limits()), entries)
        found["decision"] = decided.as_json()
        return ledger.PROMOTED if decided.promoted else ledger.KEPT, decided.reason

    def _step(self, task: type[Any]) -> Any:
        """Return a step of the night's chain."""
        return next(step for step in self._report.chain() if type(step) is task)

    def _check_frozen(self, download: DownloadData) -> None:
        """Raise where there are no frozen test rows."""
        if not daily.holdout_files(download.raw_folder):
            raise PipelineError(
                f"dataset {self.name!r} has no frozen test rows, on which the models of all nights "
                f"are compared: {download.raw_folder / daily.HOLDOUT_FOLDER} is empty. Make a "
                f"first set with: pipeline freeze --dataset {self.name} --date {self.day}"
            )

    def _limits(self) -> dict[str, Any]:
        """Return what a challenger must keep to, defaults filled in."""
        known = dict(self.get_params())
        names = ("metric", "margin", "confidence", "recall_drop", "calibration_rise")
        given = {name: getattr(self, name) for name in names}
        return {
            name: known[name].setting.default if value is None else value
            for name, value in given.items()
        }

    def _evaluated(self, champion: Champion | None) -> "Evaluated | None":
        """Return the champion's model."""
        if champion is None:
            return None
        from pipeline.nightly.trained_model import Evaluated

        return Evaluated(Path(paths().outputs) / champion.path)

    def _same_content(self, digest: str, champion: Champion | None) -> Entry | None:
        """Return the line of a night that decided on the same model of the same rows.

        Where it was kept out by another champion, or on another metric, it is decided on again.
        """
        present, metric = champion and champion.digest, self._limits()["metric"]
        for entry in ledger.read(records.registry_of(self.name)).entries:
            # What is decided again on purpose is not settled by what it is decided again.
            if entry.digests.get("evaluate") != digest or entry.date == self.day:
                continue
            kept_alike = entry.against == present and entry.metrics.get("metric") == metric
            if entry.decision == ledger.PROMOTED or (entry.decision == ledger.KEPT and kept_alike):
                return entry
        return None

    def _not_made_yet(self) -> list[str]:
        """Return the places of what is to be made for this night."""
        steps = (step for step in in_order(self._report) if isinstance(step, Step))
        return [str(step.path()) for step in steps if not artifacts.is_complete(step.path())]

    def _tell_outcome(self, night: Night) -> None:
        """Say what came of the night."""
        progress.set_status(self, 1.0, f"{night.outcome}: {night.reason}")
        report = notifications.report_of(night)
        if report:
            progress.set_link(self, report)
        logger.info("Night of %s, %s: %s: %s", self.day, self.name, night.outcome, night.reason)


def _path(step: Step) -> str:
    """Return the place of a step from the outputs folder on."""
    return Path(os.path.relpath(step.path(), paths().outputs)).as_posix()


@Nightly.event_handler(luigi.Event.START)
def _on_start(task: Nightly) -> None:
    """End cleanly when told to."""
    process_setup.end_cleanly_on_sigterm()
