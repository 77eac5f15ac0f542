"""Evaluate a trained model from its artifacts, and write the results."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipeline.data.split import Parts, read_parts
from pipeline.evaluation import latency
from pipeline.evaluation.evaluate import Predicted, assess
from pipeline.evaluation.predictions import read_predictions
from pipeline.features.specs import REPRESENTATIONS
from pipeline.models.bundle import Bundle, load
from pipeline.store.publishing import Workspace
from pipeline.text.tokens import read_tokens

_COLUMNS = [
    *("id", "source_id", "file", "line", "raw", "clean", "group", "near_group"),
    *("urls", "mentions", "hashtags"),
]
_FEW_VALUES = ("part", "label", "predicted", "decided", "file")


def evaluate_model(
    folders: Mapping[str, Path],
    baselines: Mapping[str, Mapping[str, Path]],
    settings: Mapping[str, Any],
    progress: Callable[[float, str], None],
    out: Workspace,
) -> None:
    """Predict all rows, score them, and write the files of the Evaluate artifact.

    Parameters
    ----------
    folders : mapping of str to Path
        Folders of the chain's artifacts, by task.
    baselines : mapping of str to mapping
        The same for each baseline, by its name.
    progress : callable
        Called with the share done, 0 to 1, and a text.
    """
    trained = folders["TrainModel"]
    bundle = load(trained)
    parts, vectors = read_vectors(bundle, folders)
    names = bundle.class_names
    training = json.loads((trained / "training.json").read_text(encoding="utf-8"))
    progress(0.0, "predicting")
    predicted = Predicted(
        parts,
        bundle.classifier.predict(vectors),
        names,
        pq.read_table(folders["CleanText"] / "rows.parquet", columns=_COLUMNS),
        read_tokens(folders["Tokenize"] / "tokens.parquet"),
        "refitted_on_validation" in training,
        {name: read_predictions(other, parts, names) for name, other in baselines.items()},
    )
    progress(0.5, "scoring")
    assessment = assess(predicted, settings)
    progress(0.9, "timing")
    out.write_json("speed.json", latency.measure(bundle.classifier.predict, vectors, trained))
    out.write_json("metrics.json", assessment.metrics)
    out.write_json("decision.json", assessment.decision)
    for name in ("predictions", "curves", "most_wrong", "leaks"):
        table = getattr(assessment, name)
        out.write_table(f"{name}.parquet", table, dictionary_columns=_FEW_VALUES)
    out.counts(len(parts), assessment.predictions.num_rows)


def read_vectors(bundle: Bundle, folders: Mapping[str, Path]) -> tuple[Parts, Any]:
    """Read the split and the vectors of all rows, shape (n_rows, ...), from folders by task."""
    encoder_class = REPRESENTATIONS[bundle.representation].load_encoder()
    vectors = encoder_class.load_vectors(folders["Vectorize"])
    return read_parts(folders["SplitStratified"] / "split.parquet"), vectors
