"""RunAll, the root of the eight steps."""

import functools
import logging
import shlex
from pathlib import Path
from typing import Any

import luigi
from luigi.util import inherits

from pipeline.errors import NO_EFFECT
from pipeline.settings import checks
from pipeline.settings.parameter import FlagParameter
from pipeline.store import files
from pipeline.tasks import interrupt, process_setup, provenance, run_result, step_log
from pipeline.tasks.base import Named, Step
from pipeline.tasks.config import outputs_folder, paths, pipeline, set_option
from pipeline.tasks.download_data import DownloadData, today
from pipeline.tasks.graph import in_order, snapshot
from pipeline.tasks.report import Report
from pipeline.tasks.validate import Validate

logger = logging.getLogger("luigi-interface")


@inherits(Report)
class RunAll(Named):
    """The chain of all steps for one dataset and one model.

    Its output is the link ``outputs/latest/<dataset>/<model>`` to the folder of the report.
    """

    no_test = FlagParameter(
        default=False,
        significant=False,
        positional=False,
        description="for comparing settings: score validation rows only, do not read test rows, "
        "and write no report. Default: false",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_linked = False
        self._result_folder: Path | None = None  # of the complete result, once it is known
        # Fixed now: a run can continue past midnight, in other processes and with retries.
        self._today = today() if self.value("today") == "none" else self.value("today")
        self._settings = self.resolved()
        checks.check_run(self.user_values(), self._settings, self.no_test)

    def requires(self) -> Step:
        """Return the last step, with resolved settings; raise if input files are missing."""
        return self._last_step

    def last_step(self) -> Step:
        """Return the last step of the chain."""
        return self._last_step

    @functools.cached_property
    def _last_step(self) -> Step:
        task = Validate if self.no_test else Report
        step: Step = self.clone(task, **self._settings, today=self._today)
        download = next(other for other in step.chain() if isinstance(other, DownloadData))
        if download.row.labels:  # else Evaluate checks: the classes are the values of the column
            names = [label.name for label in download.row.labels]
            checks.positive_label(self._settings.positive_label, names)
        for other in step.chain():
            other.check_inputs()
        return step

    def output(self) -> luigi.Target:
        """Return the link to the newest report of this dataset and model."""
        return self.requires().output() if self.no_test else luigi.LocalTarget(self._link())

    def complete(self) -> bool:
        """Return whether the report is complete and the link points to it."""
        step = self.requires()
        with snapshot():
            step_log.add_run(self, step)
            if not step.complete():
                return False
            is_complete = self.no_test or self._is_linked or self._links_to(step)
            self._result_folder = step.path() if is_complete else None
            return is_complete

    def run(self) -> None:
        """Point the link to the report."""
        if not self.no_test:
            files.point(self._link(), self.requires().path())
            # Another run of this model can replace the link before Luigi checks it.
            self._is_linked = True

    def _link(self) -> Path:
        dataset, model = str(self._settings.dataset), str(self._settings.model)
        return outputs_folder() / "latest" / dataset / model

    def _links_to(self, report: Step) -> bool:
        link = self._link()
        return link.is_symlink() and link.resolve() == report.path().resolve()

    def trigger_event(self, event: str, *args: Any, **kwargs: Any) -> None:
        """Announce a run, also if all its artifacts are complete, and call the event handlers."""
        # Not in an event handler: Luigi catches KeyboardInterrupt there.
        if event in (luigi.Event.DEPENDENCY_DISCOVERED, luigi.Event.DEPENDENCY_PRESENT):
            self.announce()
        super().trigger_event(event, *args, **kwargs)

    def announce(self) -> None:
        """Log warnings about the run, and print its result when the process ends."""
        for line in checks.without_effect(self.user_values(), self._settings):
            logger.warning("%s: %s", NO_EFFECT, line)
        with snapshot():
            steps = [task for task in in_order(self) if isinstance(task, Step)]
            provenance.warn_of_changes(steps)
        sections = {"paths": dict(paths().param_kwargs), "pipeline": dict(pipeline().param_kwargs)}
        process_setup.print_at_exit(lambda: self._result(sections))
        interrupt.end_cleanly_on_sigterm()

    def _result(self, sections: dict[str, dict[str, Any]]) -> str | None:
        """Return metrics, verdict and path of the result; None if the run did not finish."""
        # At exit Luigi has forgotten these options of the command line.
        config = luigi.configuration.get_config()
        outputs = sections["paths"]["outputs"]
        # `pipeline` reads luigi.cfg too, but not this command line.
        is_option = config.get("paths", "outputs", "outputs") != outputs
        for section, options in sections.items():
            for name, value in options.items():
                set_option(section, name, str(value))
        step = self.requires()
        with snapshot():
            # Known unless a child process ran this task.
            folder = self._result_folder or (step.path() if step.complete() else None)
            if folder is None:
                return None
            option = f" --paths-outputs {shlex.quote(outputs)}" if is_option else ""
            if self.no_test:
                return run_result.of_validation(folder, option)
            named = self._settings.positive_label != "auto"
            return run_result.of_report(folder, self._link(), named, option)
