"""RunAll, the root of the eight steps."""

import logging
from pathlib import Path
from typing import Any

import luigi
from luigi.util import inherits

from pipeline.data import catalogue, daily
from pipeline.models import specs as models
from pipeline.settings import checks
from pipeline.store import artifacts
from pipeline.tasks import code_changes, process_setup
from pipeline.tasks.base import Named, Step, paths, short_name
from pipeline.tasks.download_data import today
from pipeline.tasks.graph import frozen, in_order
from pipeline.tasks.hyperparameters import resolved
from pipeline.tasks.report import Report
from pipeline.tasks.validate import Validate

logger = logging.getLogger("luigi-interface")


@inherits(Report)
class RunAll(Named):
    """The whole chain for one dataset and one model.

    Its output is the link ``outputs/latest/<dataset>/<model>`` to the report's folder.
    """

    no_test = luigi.BoolParameter(
        default=False,
        significant=False,
        description="for runs that only choose: score validation rows alone, write no report, and "
        "leave test rows unseen. Default: false",
    )
    date: str | None
    window: int | None
    today: str | None
    pattern: str | None
    threshold_floor: float | None
    refit_on_validation: bool | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._has_pointed = False
        # Once: a run goes on past midnight, in processes of its own and with tasks tried again.
        self._today = today() if self.today in (None, "none") else self.today
        self._check()

    def requires(self) -> Step:
        """Return the report, every setting that depends on the model resolved."""
        values = resolved(self)
        if not self.no_test:
            return self.clone(Report, **values, today=self._today)
        known = dict(Validate.get_params())
        known_values = {name: value for name, value in values.items() if name in known}
        return self.clone(Validate, **known_values, today=self._today)

    def output(self) -> luigi.Target:
        """Return the link to the newest report of this dataset and model."""
        if self.no_test:
            return self.requires().output()
        return luigi.LocalTarget(self._link())

    def _link(self) -> Path:
        """Return where the link is."""
        values = resolved(self)
        return Path(paths().outputs) / "latest" / values["dataset"] / values["model"]

    def complete(self) -> bool:
        """Say whether the report is there and the link leads to it."""
        goal = self.requires()
        with frozen(goal):
            if not goal.complete():
                return False
            return self.no_test or self._has_pointed or self._link_leads_to(goal)

    def run(self) -> None:
        """Let the link lead to the report; a run that only chooses has none."""
        if self.no_test:
            return
        artifacts.point(self._link(), self.requires().path())
        # Another run of this model may move the link on before Luigi looks whether it is there.
        self._has_pointed = True

    def _link_leads_to(self, report: Step) -> bool:
        """Say whether the newest report is this one."""
        link = self._link()
        return link.is_symlink() and link.resolve() == report.path().resolve()

    def announce(self) -> None:
        """Name settings without effect, what other code built, and in the end the report."""
        values = resolved(self)
        for line in checks.without_effect({name: getattr(self, name) for name in values}, values):
            logger.warning(line)
        known, on_change = paths(), code_changes.pipeline().code_changes
        with frozen(self.requires()):
            code_changes.warn_of_changes(task for task in in_order(self) if isinstance(task, Step))

        def where() -> str | None:
            # At exit Luigi has forgotten what the command line said of these.
            config = luigi.configuration.get_config()
            config.set("pipeline", "code_changes", on_change)
            config.set("paths", "data", str(known.data))
            config.set("paths", "outputs", str(known.outputs))
            goal = self.requires()
            with frozen(goal):
                if not goal.complete():
                    return None
                if self.no_test:
                    return f"Validation rows alone: {goal.path() / 'validation.json'}"
                folder = self._link() if self._link_leads_to(goal) else goal.path()
                return f"Report: {folder / 'report.html'}"

        process_setup.announce(where)
        process_setup.end_cleanly_on_sigterm()

    def _check(self) -> None:
        """Raise on what can be seen to be wrong before anything runs."""
        values = resolved(self)
        row = catalogue.load(values["dataset"], Path(paths().data))
        checks.positive_label(values["positive_label"], [label.name for label in row.labels])
        checks.days(row.name, daily.is_daily(row), self.date, self.window)
        checks.threshold(values["threshold_goal"], self.threshold_floor)
        checks.tokens({"pattern": self.pattern}, values)
        checks.runs(values)
        model = models.MODELS[values["model"]]
        checks.extras(model.package, model.extra, values)
        checks.embedding({name: getattr(self, name) for name in values}, values)
        checks.fractions(
            values["test_fraction"],
            values["validation_fraction"],
            values["folds"],
            values["fold"],
        )
        if self.no_test:
            checks.choosing(values)

    def __repr__(self) -> str:
        return short_name(self)


@RunAll.event_handler(luigi.Event.DEPENDENCY_DISCOVERED)
def _on_start(task: RunAll, dependency: luigi.Task) -> None:
    """Announce a run that has something to do."""
    task.announce()


@RunAll.event_handler(luigi.Event.DEPENDENCY_PRESENT)
def _on_nothing_to_do(task: RunAll) -> None:
    """Announce a run in which all is complete."""
    task.announce()
