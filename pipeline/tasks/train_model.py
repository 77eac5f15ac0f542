"""Train a model."""

import json
from typing import Any

from luigi.util import inherits

from pipeline.features import specs as features
from pipeline.models import specs as models
from pipeline.settings.parameter import parameter
from pipeline.store import artifacts
from pipeline.tasks.base import Step
from pipeline.tasks.hyperparameters import resolved, with_hyperparameters
from pipeline.tasks.progress import TaskProgress
from pipeline.tasks.split_stratified import SplitStratified


@inherits(SplitStratified)
@with_hyperparameters
class TrainModel(Step):
    """Train the model and keep it with everything that a prediction needs."""

    folder = "6_train"
    version = 2
    resumes = True
    stop_words: str | None

    model = parameter(
        "model",
        "choice",
        models.DEFAULT,
        "which model, a row of the registry",
        choices=tuple(models.MODELS),
    )
    preset = parameter(
        "preset",
        "choice",
        models.NO_PRESET,
        "published settings, named by their source, for whatever is not given",
        choices=(models.NO_PRESET, *models.PRESETS),
    )

    def requires(self) -> SplitStratified:
        """Return the split, upstream settings resolved, so that it never sees the model's name."""
        return self.clone(SplitStratified, **resolved(self))

    @property
    def label(self) -> str:
        """The model's name."""
        return self.settings()["model"]

    def settings(self) -> dict[str, Any]:
        """Return the model's name and the hyper-parameters that it uses.

        A bound on the training rows is among them only where there are more rows, so that it makes
        no other artifact where it changes nothing.
        """
        values = resolved(self)
        used = set(models.MODELS[values["model"]].hyperparameters)
        if not self._is_bound(values.get("max_train_rows")):
            used.discard("max_train_rows")
        return {"model": values["model"], **{name: values[name] for name in sorted(used)}}

    def _is_bound(self, most: int | None) -> bool:
        """Return whether there are more training rows than a bound; not before the split exists."""
        split = self.upstream()
        if not most or split is None or not split.complete():
            return False
        balance = artifacts.read_json(split.path() / "balance.json")
        return balance is not None and balance["rows"]["train"] > most

    def registry_rows(self) -> tuple[Any, ...]:
        """Return the model and what it reads."""
        row = models.MODELS[self.settings()["model"]]
        return row, features.REPRESENTATIONS[row.reads]

    def build(self, out: artifacts.Workspace) -> None:
        """Write the model's bundle, how training went, its layers, and what TensorBoard reads."""
        import pandas as pd

        from pipeline.data.split import read_parts, stratified_share
        from pipeline.models.base import TrainingData
        from pipeline.models.bundle import save
        from pipeline.text.tokenize import stop_words
        from pipeline.training.tensorboard import write_projector

        settings = self.settings()
        row = models.MODELS[settings["model"]]
        vectorize = self.path_of("Vectorize")
        encoder_class = features.REPRESENTATIONS[row.reads].load_encoder()
        vectors = encoder_class.load_vectors(vectorize)
        encoder = encoder_class.load(vectorize)
        parts = read_parts(self.path_of("SplitStratified") / "split.parquet")
        profile = json.loads(
            (self.path_of("CleanText") / "profile.json").read_text(encoding="utf-8")
        )
        labels = parts.labels_of("train")
        share = settings["train_fraction"]
        most = settings.get("max_train_rows")
        if most:
            share = min(share, most / len(labels))
        kept = stratified_share(labels, share, settings.get("seed", 0))
        data = TrainingData(
            vectors[parts.rows("train")[kept]],
            labels[kept],
            vectors[parts.rows("validation")],
            parts.labels_of("validation"),
            profile["class_names"],
            encoder.width,
            encoder.embedding() if row.reads == "sequences" else None,
            encoder.word_vectors if row.reads == "sequences" else None,
        )
        with TaskProgress(self) as progress:
            classifier, training = row.load_family().fit(
                row.name, data, settings, progress, out.folder / "tensorboard", out.partial
            )
        steps = {step.task_family: step.settings() for step in self.chain()}
        unwanted = stop_words(resolved(self)["stop_words"], steps["Tokenize"]["language"])
        save(out.folder, classifier, encoder, profile["class_names"], steps, unwanted)
        if most and len(kept) < len(labels):
            training.facts |= {"trained_on_rows": len(kept), "of_rows": len(labels)}
        pd.DataFrame(training.history).to_csv(out.path("history.csv"), index=False)
        out.write_json("training.json", training.facts)
        out.write_json("architecture.json", classifier.architecture())
        learned = classifier.learned_vectors()
        if learned is not None:
            write_projector(out.folder / "projector", learned, encoder.vocabulary)
        out.facts = {**training.facts, **training.interruption}
        out.seconds_before = training.interruption.get("seconds_before", 0.0)
        out.counts(len(data.train_labels) + len(data.validation_labels), len(data.train_labels))
