"""Evaluate a trained model on test rows."""

from typing import Any

from luigi.util import inherits

from pipeline.settings.parameter import parameter
from pipeline.settings.resolved import Settings
from pipeline.store import publishing
from pipeline.tasks import baselines, progress, run_result
from pipeline.tasks.base import Step
from pipeline.tasks.clean_text import CleanText
from pipeline.tasks.tokenize import Tokenize
from pipeline.tasks.train_model import TrainModel


@inherits(TrainModel)
class Evaluate(Step):
    """Predict every row, score the test rows, and compare the model with baselines."""

    folder = "7_evaluate"
    version = 3
    main_table = "predictions.parquet"

    positive_label = parameter(
        "text",
        "auto",
        "class of interest: its metrics come first, and the threshold is chosen for it; auto: the "
        "second of two classes, else none, and no threshold without threshold_goal",
    )
    threshold_goal = parameter(
        "choice",
        "none",
        "goal of the threshold on validation rows: highest F1, or highest recall with precision or "
        "accuracy of at least threshold_floor; none: f1 if positive_label names a class, else no "
        "threshold, and the most probable class is predicted",
        choices=("none", "f1", "recall_at_precision", "recall_at_accuracy"),
    )
    threshold_floor = parameter(
        "float", 0.9, "lowest precision or accuracy, for the goals that have one", low=0, high=1
    )
    bootstrap_samples = parameter(
        "int",
        1000,
        "samples of the test rows for confidence intervals; 0: no intervals",
        unit="samples",
        low=0,
    )
    bootstrap_seed = parameter("int", 0, "seed of the samples", low=0, high=2**32 - 1)
    baselines = parameter(
        "words",
        baselines.AUTO,
        "models to compare with on the same rows; auto: naive_bayes, and for networks also "
        "logistic_regression; the majority class is always included",
        choices=baselines.CHEAP,
        also=(baselines.AUTO, baselines.NONE),
    )

    def requires(self) -> list[Step]:
        """Return the model, and the evaluations of its baselines."""
        return [self.clone(TrainModel), *self.baseline_evaluations().values()]

    def baseline_evaluations(self) -> "dict[str, Evaluate]":
        """Return the evaluations of the baselines on the same rows, by name."""
        declared, values = self.declared(), self.resolved()
        of_tokenize = Tokenize.declared().keys() - CleanText.declared().keys()
        return {
            name: self.clone(
                Evaluate, **baselines.settings_of_baseline(name, values, declared, of_tokenize)
            )
            for name in baselines.names_of(values.model, values.baselines)
        }

    def baseline(self) -> "Evaluate | None":
        """Return the evaluation of naive Bayes, else of the first baseline, or None."""
        evaluations = self.baseline_evaluations()
        return evaluations.get(baselines.NAME) or next(iter(evaluations.values()), None)

    def settings(self) -> Settings:
        """Return the settings that have an effect.

        A positive label without a goal has the goal f1, only goals with a floor have
        ``threshold_floor``, and ``baselines`` lists the names.
        """
        values = dict(super().settings())
        if values["threshold_goal"] == "none" and values["positive_label"] != "auto":
            values["threshold_goal"] = "f1"
        if values["threshold_goal"] in ("none", "f1"):
            del values["threshold_floor"]
        values["baselines"] = baselines.names_of(self.label, values["baselines"])
        return Settings(values)

    def code_specs(self) -> tuple[Any, ...]:
        """Return the model and its representation."""
        return self.required[0].code_specs()

    def summary(self) -> str:
        """Return the leading metric of the test rows with its interval."""
        return run_result.leading_metric(self.path(), self.value("positive_label") != "auto")

    def build(self, out: publishing.Workspace) -> None:
        """Write ``metrics.json``, ``decision.json``, ``speed.json``, predictions and curves."""
        from pipeline.evaluation.run import evaluate_model

        evaluations = self.baseline_evaluations()
        others = {name: other.folders() for name, other in evaluations.items()}
        self.show_progress(0.0, progress.reading(self.code_specs()[0]))
        evaluate_model(self.folders(), others, self.settings(), self.show_progress, out)
