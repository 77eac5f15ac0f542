"""Write the report of a run."""

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import luigi
from luigi.util import requires

from pipeline.features import specs as features
from pipeline.models import specs as models
from pipeline.settings.parameter import SettingParameter
from pipeline.store import artifacts
from pipeline.tasks.base import Step

if TYPE_CHECKING:
    pass
from pipeline.tasks.evaluate import Evaluate

_IN_LUIGI_CFG = ("test_fraction", "validation_fraction", "split_seed", "group_duplicates", "seed")


@requires(Evaluate)
class Report(Step):
    """Write one HTML page about the run, a model card, and the figures as files."""

    version = 2
    folder = "8_report"
    page = "report.html"
    positive_label: str | None

    @property
    def label(self) -> str:
        """The model's name."""
        return self.upstream().label  # type: ignore[union-attr]

    def build(self, out: artifacts.Workspace) -> None:
        """Write ``report.html``, ``model_card.md`` and ``figures/*.png``."""
        from pipeline.report.page import write_report

        named = self.positive_label not in (None, "auto")
        write_report(
            self.path_of("Evaluate"),
            self.command(),
            out.folder,
            command_of=self.command_of,
            positive_named=named,
        )

    def command_of(self, settings: Mapping[str, Any]) -> str:
        """Return the command of another run on the same rows.

        Parameters
        ----------
        settings : mapping
            Values by name, the model's among them. Hyper-parameters and settings of the
            representation that are not there get the other model's defaults.
        """
        values: dict[str, Any] = {}
        for name, known in self.get_params():
            value = getattr(self, name)
            is_of_model = name in (*models.HYPERPARAMETERS, *features.SETTINGS, "representation")
            is_kept = name in (*_IN_LUIGI_CFG, "dataset") or not isinstance(known, SettingParameter)
            if name in settings:
                values[name] = settings[name]
            elif is_of_model or (not is_kept and value == self._default_of(name, known)):
                values[name] = None
        return self.clone(Report, **values).command()

    def command(self) -> str:
        """Return a command that makes this run again."""
        words = ["luigi", "--module", "pipeline", "RunAll"]
        config = luigi.configuration.get_config()
        for name, known in self.get_params():
            value = getattr(self, name)
            by_default = not config.has_option("RunAll", name) and name not in _IN_LUIGI_CFG
            if value is None or not known.significant:
                continue
            if not (by_default and value == self._default_of(name, known)):
                words += [f"--{name.replace('_', '-')}", known.serialize(value)]
        return shlex.join(words)

    def _default_of(self, name: str, known: SettingParameter) -> Any:
        """Return what RunAll would take for a setting that is not given."""
        if name in ("dataset", "model"):
            return None
        row = models.MODELS[self.model or models.DEFAULT]
        if name == "representation":
            return row.reads
        return known.setting.check(row.defaults.get(name, known.setting.default))
