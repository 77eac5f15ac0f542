"""Train a model."""

from typing import Any

from luigi.util import inherits

from pipeline.features.specs import REPRESENTATIONS
from pipeline.models import specs
from pipeline.models.presets import PRESETS
from pipeline.settings.hyperparameters import HYPERPARAMETERS
from pipeline.settings.parameter import parameter, with_parameters
from pipeline.settings.resolved import Settings
from pipeline.store import files, publishing
from pipeline.tasks import progress
from pipeline.tasks.base import Step
from pipeline.tasks.graph import once
from pipeline.tasks.split_stratified import SplitStratified
from pipeline.tasks.tokenize import Tokenize
from pipeline.training.saved_epochs import REFIT, saved_epoch


@inherits(SplitStratified)
@with_parameters(HYPERPARAMETERS)
class TrainModel(Step):
    """Train the model and store it with everything that a prediction needs."""

    folder = "6_train"
    version = 2
    resumes = True

    model = parameter("choice", specs.DEFAULT, "the model", choices=tuple(specs.MODELS))
    preset = parameter(
        "choice",
        specs.NO_PRESET,
        "published settings, by their source, for settings without a value",
        choices=(specs.NO_PRESET, *PRESETS),
    )

    def requires(self) -> SplitStratified:
        """Return the split with resolved settings, so that no step above depends on the model."""
        split: SplitStratified = self.clone(SplitStratified, **self.resolved())
        return split

    @property
    def label(self) -> str:
        """The name of the model."""
        return str(self.settings().model)

    @once
    def settings(self) -> Settings:
        """Return the model and its hyper-parameters.

        ``max_train_rows`` is included only if there are more training rows, so that a limit
        without effect does not make another artifact.
        """
        values = self.resolved()
        used = set(specs.MODELS[values.model].hyperparameters)
        if not self._is_limited(values["max_train_rows"]):
            used.discard("max_train_rows")
        settings = {"model": values.model, **{name: values[name] for name in sorted(used)}}
        return Settings(settings, f"model {values.model!r}")

    def _is_limited(self, max_train_rows: int | None) -> bool:
        """Return whether there are more training rows than the limit; False before the split."""
        split = self.upstream()
        if not max_train_rows or split is None or not split.complete():
            return False
        balance = files.read_json(split.path() / "balance.json")
        return balance is not None and bool(balance["rows"]["train"] > max_train_rows)

    def code_specs(self) -> tuple[Any, ...]:
        """Return the model and its representation."""
        model = specs.MODELS[self.settings().model]
        return model, REPRESENTATIONS[model.reads]

    def check_inputs(self) -> None:
        """Raise if the optional package of the model is not installed."""
        specs.MODELS[self.settings().model].check_package()

    def summary(self) -> str:
        """Return the epoch whose weights were kept, and its F1 on validation rows."""
        from pipeline.models.train import summary

        return summary(self.path())

    def saved_work(self) -> tuple[str, float]:
        """Return the epoch after which training continues, and the share of the epochs."""
        folder = self._saved_folder()
        saved = saved_epoch(folder) if folder else None
        if saved is None:
            return "", 0.0
        phase, epoch = saved
        if phase == REFIT:
            return f"epoch {epoch} of the refit", 0.5  # the refit takes about half of the time
        n_epochs = self.settings()["epochs"]
        return f"epoch {epoch} of {n_epochs}", epoch / n_epochs

    def build(self, out: publishing.Workspace) -> None:
        """Write the bundle of the model, the training history, and files for TensorBoard."""
        from pipeline.models.bundle import save
        from pipeline.models.train import read_inputs, write_results
        from pipeline.text.tokenize import stop_words

        settings = self.settings()
        model = specs.MODELS[settings.model]
        self.show_progress(0.0, progress.reading(model))
        folders = self.path_of("Vectorize"), self.path_of("SplitStratified")
        profile = files.read_json(self.path_of("CleanText") / "profile.json")
        class_names = profile["class_names"]
        inputs = read_inputs(model, settings, *folders, class_names)
        logs = out.folder / "tensorboard"
        classifier, training = model.load_family().fit(
            model.name, inputs.data, settings, self.show_progress, logs, out.partial
        )
        steps = {step.task_family: dict(step.settings()) for step in self.chain()}
        tokenize = next(step for step in self.chain() if isinstance(step, Tokenize))
        file = tokenize.stop_word_file()
        choice = file.words if file else tokenize.value("stop_words")
        removed = stop_words(choice, steps["Tokenize"]["language"])
        save(out.folder, classifier, inputs.encoder, class_names, steps, removed)
        write_results(out, classifier, training, inputs, "max_train_rows" in settings)
