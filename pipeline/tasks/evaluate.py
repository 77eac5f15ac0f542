"""Evaluate a trained model on test rows."""

import json
from typing import TYPE_CHECKING, Any

from luigi.util import inherits

from pipeline.features import specs as features
from pipeline.settings.parameter import parameter
from pipeline.store import artifacts
from pipeline.tasks.base import Step
from pipeline.tasks.baselines import AUTO, CHEAP, NAME, NONE, names_of, settings_of_baseline
from pipeline.tasks.clean_text import CleanText
from pipeline.tasks.hyperparameters import plain_settings, resolved
from pipeline.tasks.progress import TaskProgress
from pipeline.tasks.tokenize import Tokenize
from pipeline.tasks.train_model import TrainModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.data.split import Parts
    from pipeline.evaluation.predictions import Predictions


@inherits(TrainModel)
class Evaluate(Step):
    """Predict every row, score the test rows, and compare with the baselines."""

    folder = "7_evaluate"
    version = 2
    main_table = "predictions.parquet"

    positive_label = parameter(
        "positive_label",
        "text",
        "auto",
        "class that matters: its metrics come first, and a threshold is chosen for it; auto: the "
        "second of two classes, none of more, and no threshold unless threshold_goal is given",
    )
    threshold_goal = parameter(
        "threshold_goal",
        "choice",
        "none",
        "what the threshold is chosen for on validation rows: highest F1, or highest recall where "
        "precision or accuracy is not below threshold_floor; none: f1 where positive_label names a "
        "class, else no threshold, and the most probable class is predicted",
        choices=("none", "f1", "recall_at_precision", "recall_at_accuracy"),
    )
    threshold_floor = parameter(
        "threshold_floor",
        "float",
        0.9,
        "least precision or accuracy, for the goals that have one",
        low=0,
        high=1,
    )
    bootstrap_samples = parameter(
        "bootstrap_samples",
        "int",
        1000,
        "samples of the test rows for intervals; 0 for no intervals",
        unit="samples",
        low=0,
    )
    bootstrap_seed = parameter(
        "bootstrap_seed", "int", 0, "seed of the samples", low=0, high=2**32 - 1
    )

    baselines = parameter(
        "baselines",
        "words",
        AUTO,
        "models that it is compared with, on the same rows; auto: naive_bayes, and for networks "
        "logistic_regression as well; the largest class always is one",
        choices=CHEAP,
        also=(AUTO, NONE),
    )

    def requires(self) -> list[Step]:
        """Return the model, and the evaluations of its baselines."""
        return [self.clone(TrainModel), *self.baseline_evaluations().values()]

    def baseline_evaluations(self) -> "dict[str, Evaluate]":
        """Return the evaluations of the baselines on the same rows, by name."""
        known, given = plain_settings(self), resolved(self)
        of_tokens = set(dict(Tokenize.get_params())) - set(dict(CleanText.get_params()))
        return {
            name: self.clone(Evaluate, **settings_of_baseline(name, given, known, of_tokens))
            for name in names_of(given["model"], given["baselines"])
        }

    def baseline(self) -> "Evaluate | None":
        """Return the evaluation of naive Bayes, else of the first baseline, None without any."""
        found = self.baseline_evaluations()
        return found.get(NAME) or next(iter(found.values()), None)

    @property
    def label(self) -> str:
        """The model's name."""
        return self.upstream().label  # type: ignore[union-attr]

    def settings(self) -> dict[str, Any]:
        """Return the step's settings, as far as they have an effect.

        A class that is named without a goal has the goal f1, a floor counts only for the goals that
        have one, and baselines are listed.
        """
        values = super().settings()
        if values["threshold_goal"] == "none" and values["positive_label"] != "auto":
            values["threshold_goal"] = "f1"
        if values["threshold_goal"] in ("none", "f1"):
            del values["threshold_floor"]
        values["baselines"] = names_of(self.label, values["baselines"])
        return values

    def registry_rows(self) -> tuple[Any, ...]:
        """Return those of the model that predicts."""
        return self.upstream().registry_rows()  # type: ignore[union-attr]

    def build(self, out: artifacts.Workspace) -> None:
        """Write ``metrics.json``, ``decision.json``, ``speed.json``, predictions and curves."""
        import pyarrow.parquet as pq

        from pipeline.data.split import read_parts
        from pipeline.evaluation import latency
        from pipeline.evaluation.evaluate import Predicted, assess
        from pipeline.models.bundle import load
        from pipeline.text.tokens import read_tokens

        trained = self.path_of("TrainModel")
        bundle = load(trained)
        encoder_class = features.REPRESENTATIONS[bundle.representation].load_encoder()
        vectors = encoder_class.load_vectors(self.path_of("Vectorize"))
        parts = read_parts(self.path_of("SplitStratified") / "split.parquet")
        columns = ["id", "raw", "clean", "group", "near_group", "urls", "mentions", "hashtags"]
        rows = pq.read_table(self.path_of("CleanText") / "rows.parquet", columns=columns)
        training = json.loads((trained / "training.json").read_text(encoding="utf-8"))
        refitted = "refitted_on_validation" in training
        others = self.baseline_evaluations()
        compared = {
            name: other.read_predictions(parts, bundle.class_names)
            for name, other in others.items()
        }
        with TaskProgress(self) as progress:
            progress(0.0, "predicting")
            probabilities = bundle.classifier.predict(vectors)
            progress(0.5, "scoring")
            found = assess(
                Predicted(
                    parts,
                    probabilities,
                    bundle.class_names,
                    rows,
                    read_tokens(self.path_of("Tokenize") / "tokens.parquet"),
                    refitted,
                    compared,
                ),
                self.settings(),
            )
            progress(0.9, "timing")
            out.write_json(
                "speed.json", latency.measure(bundle.classifier.predict, vectors, trained)
            )
        out.write_json("metrics.json", found.metrics)
        out.write_json("decision.json", found.decision)
        for name in ("predictions", "curves", "most_wrong", "leaks"):
            out.write_table(
                f"{name}.parquet", getattr(found, name), dictionary_columns=("part", "label")
            )
        out.counts(len(parts), found.predictions.num_rows)

    def read_predictions(self, parts: "Parts", class_names: "Sequence[str]") -> "Predictions":
        """Read what the evaluated model predicts, and how many rows it was trained on if not all.

        Parameters
        ----------
        parts : Parts
            The split that it must have.
        class_names : sequence of str
        """
        from dataclasses import replace

        from pipeline.evaluation.predictions import read_predictions

        found = read_predictions(self.path() / "predictions.parquet", parts, class_names)
        facts = artifacts.read_json(self.path_of("TrainModel") / "training.json") or {}
        return replace(
            found, trained_on_rows=facts.get("trained_on_rows"), of_rows=facts.get("of_rows")
        )
