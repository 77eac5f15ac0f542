"""Score a trained model on validation rows only."""

from typing import Any

from luigi.util import requires

from pipeline.errors import PipelineError
from pipeline.features import specs as features
from pipeline.store import artifacts
from pipeline.tasks.base import Step
from pipeline.tasks.train_model import TrainModel


@requires(TrainModel)
class Validate(Step):
    """Score validation rows alone, for runs that only choose: test rows are not looked at.

    The most probable class is scored: a threshold would be chosen on these very rows, and its
    metrics on them would be too good.
    """

    folder = "7_validate"
    model: str

    @property
    def label(self) -> str:
        """The model's name."""
        return self.upstream().label  # type: ignore[union-attr]

    def registry_rows(self) -> tuple[Any, ...]:
        """Return those of the model that predicts."""
        return self.upstream().registry_rows()  # type: ignore[union-attr]

    def build(self, out: artifacts.Workspace) -> None:
        """Write ``validation.json``."""
        from pipeline.data.split import read_parts
        from pipeline.evaluation.metrics import evaluate
        from pipeline.models.bundle import load

        bundle = load(self.path_of("TrainModel"))
        encoder_class = features.REPRESENTATIONS[bundle.representation].load_encoder()
        vectors = encoder_class.load_vectors(self.path_of("Vectorize"))
        parts = read_parts(self.path_of("SplitStratified") / "split.parquet")
        labels = parts.labels_of("validation")
        if not len(labels):
            raise PipelineError(
                "no_test scores validation rows alone, and there are none; give a "
                "validation_fraction such as 0.1."
            )
        probabilities = bundle.classifier.predict(vectors[parts.rows("validation")])
        figures = evaluate(labels, probabilities, bundle.class_names)
        out.write_json(
            "validation.json", {"class_names": bundle.class_names, "validation": figures}
        )
        out.counts(len(labels), len(labels))
