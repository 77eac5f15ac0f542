"""Score a trained model on validation rows only."""

from typing import Any

from luigi.util import requires

from pipeline.errors import SplitError
from pipeline.store import publishing
from pipeline.tasks import progress, run_result
from pipeline.tasks.base import Step
from pipeline.tasks.train_model import TrainModel


@requires(TrainModel)
class Validate(Step):
    """Score validation rows only, for comparing settings without looking at test rows.

    The most probable class is scored: a threshold would be chosen on these very rows, which would
    make the metrics optimistic.
    """

    folder = "7_validate"

    def code_specs(self) -> tuple[Any, ...]:
        """Return the model and its representation."""
        return self.required[0].code_specs()

    def summary(self) -> str:
        """Return the leading metric of the validation rows."""
        return run_result.validation_metric(self.path())

    def build(self, out: publishing.Workspace) -> None:
        """Write ``validation.json``."""
        from pipeline.evaluation.metrics import evaluate
        from pipeline.evaluation.run import read_vectors
        from pipeline.models.bundle import load

        folders = self.folders()
        self.show_progress(0.0, progress.reading(self.code_specs()[0]))
        bundle = load(folders["TrainModel"])
        parts, vectors = read_vectors(bundle, folders)
        labels = parts.labels_of("validation")
        if not len(labels):
            raise SplitError(
                "no_test scores validation rows, and there are none; set validation_fraction, "
                "for example to 0.1."
            )
        probabilities = bundle.classifier.predict(vectors[parts.rows("validation")])
        names = bundle.class_names
        metrics = evaluate(labels, probabilities, names)
        out.write_json("validation.json", {"class_names": names, "validation": metrics})
        out.counts(len(labels), len(labels))
