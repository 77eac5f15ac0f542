"""Write the report of a run."""

import shlex
from collections.abc import Mapping
from typing import Any

import luigi
from luigi.util import requires

from pipeline.models import specs
from pipeline.settings.parameter import SettingParameter, parameter
from pipeline.settings.resolve import default
from pipeline.store import publishing
from pipeline.tasks.base import Step
from pipeline.tasks.evaluate import Evaluate

# luigi.cfg of the checkout sets these: a command contains them, since other folders may have
# another luigi.cfg.
_IN_LUIGI_CFG = ("test_fraction", "validation_fraction", "split_seed", "group_duplicates", "seed")


@requires(Evaluate)
class Report(Step):
    """Write one HTML page about the run, a model card, and the figures as files."""

    version = 3
    folder = "8_report"
    page = "report.html"

    word_clouds = parameter("flag", False, "whether the report has a word cloud for each class")

    def summary(self) -> str:
        """Return the path of the page."""
        return str(self.path() / self.page)

    def build(self, out: publishing.Workspace) -> None:
        """Write ``report.html``, ``model_card.md`` and ``figures/*.png``."""
        from pipeline.report.page import write_report

        named = self.value("positive_label") != "auto"
        write_report(
            self.path_of("Evaluate"),
            self.command(),
            out.folder,
            command_of=self.command_of,
            positive_named=named,
            word_clouds=self.settings().word_clouds,
            defaults=self.changed_defaults(),
        )

    def changed_defaults(self) -> dict[str, Any]:
        """Return the defaults of the settings that have another value, by name."""
        defaults = {
            name: self._default_of(name, declared)
            for name, declared in self.get_params()
            if name in self.declared() and getattr(self, name) is not None
        }
        return {name: value for name, value in defaults.items() if getattr(self, name) != value}

    def command_of(self, settings: Mapping[str, Any]) -> str:
        """Return the command of another run on the same rows.

        ``settings`` are values by name, also ``model``. Hyper-parameters and settings of the
        representation that are absent have the defaults of that model.
        """
        values = dict(settings)
        for name, declared in self.get_params():
            if name in settings:
                continue
            is_kept = name in (*_IN_LUIGI_CFG, "dataset")
            is_default = getattr(self, name) == self._default_of(name, declared)
            is_of_model = name in specs.PER_MODEL or name == "representation"
            if is_of_model or (is_default and not is_kept):
                values[name] = None
        other: Report = self.clone(Report, **values)
        return other.command()

    def command(self) -> str:
        """Return the command that repeats this run."""
        arguments = ["luigi", "--module", "pipeline", "RunAll"]
        config = luigi.configuration.get_config()
        for name, declared in self.get_params():
            value = getattr(self, name)
            if value is None or not declared.significant:
                continue
            is_stated = config.has_option("RunAll", name) or name in _IN_LUIGI_CFG
            if is_stated or value != self._default_of(name, declared):
                arguments += [f"--{name.replace('_', '-')}", declared.serialize(value)]
        return shlex.join(arguments)

    def _default_of(self, name: str, declared: SettingParameter) -> Any:
        """Return the value that RunAll would use for a setting without a value."""
        if name in ("dataset", "model"):
            return None
        model = specs.MODELS[self.value("model")]
        return model.reads if name == "representation" else default(declared.setting, model)
