"""Read the input of a training, and write its results."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.data.split import read_parts, stratified_share
from pipeline.features.specs import REPRESENTATIONS
from pipeline.models.base import Classifier, TrainingData
from pipeline.models.specs import Model
from pipeline.store.files import read_json
from pipeline.store.publishing import Workspace
from pipeline.training.tensorboard import write_projector
from pipeline.training.validation import Training


@dataclass(frozen=True)
class Inputs:
    """The input of a training."""

    data: TrainingData
    encoder: Any  # the fitted encoder of the representation
    of_rows: int  # rows in the training part; the data can have fewer


def read_inputs(
    model: Model, settings: Mapping[str, Any], vectorize: Path, split: Path, class_names: list[str]
) -> Inputs:
    """Read training and validation rows from the artifacts of Vectorize and SplitStratified.

    The settings ``train_fraction`` and ``max_train_rows`` select training rows.
    """
    encoder_class = REPRESENTATIONS[model.reads].load_encoder()
    vectors, encoder = encoder_class.load_vectors(vectorize), encoder_class.load(vectorize)
    parts = read_parts(split / "split.parquet")
    labels = parts.labels_of("train")
    share = settings["train_fraction"]
    if settings.get("max_train_rows"):
        share = min(share, settings["max_train_rows"] / len(labels))
    rows = stratified_share(labels, share, settings.get("seed", 0))
    data = TrainingData(
        vectors[parts.rows("train")[rows]],
        labels[rows],
        vectors[parts.rows("validation")],
        parts.labels_of("validation"),
        class_names,
        encoder.width,
        encoder.embedding() if model.reads == "sequences" else None,
        encoder.word_vectors if model.reads == "sequences" else None,
    )
    return Inputs(data, encoder, len(labels))


def summary(folder: Path) -> str:
    """Describe a training in a few words, from the files that `write_results` wrote.

    Returns
    -------
    str
        For example ``epoch 2 of 5 kept, val F1 0.920``: the epoch whose weights were kept, and the
        F1 on validation rows then.
    """
    facts = read_json(folder / "training.json") or {}
    with open(folder / "history.csv", newline="", encoding="utf-8") as file:
        history = list(csv.DictReader(file))
    best = facts.get("best_epoch", len(history))
    kept = f"epoch {best} of {facts['epochs']} kept" if "epochs" in facts else ""
    f1 = history[best - 1].get("val_f1") if 0 < best <= len(history) else None
    return ", ".join(filter(None, [kept, f1 and f"val F1 {float(f1):.3f}"])) or "trained"


def write_results(
    out: Workspace, classifier: Classifier, training: Training, inputs: Inputs, is_limited: bool
) -> None:
    """Write ``history.csv``, ``training.json``, ``architecture.json`` and the projector files.

    ``is_limited`` is whether ``max_train_rows`` applies.
    """
    n_rows = len(inputs.data.train_labels)
    if is_limited and n_rows < inputs.of_rows:
        training.facts |= {"trained_on_rows": n_rows, "of_rows": inputs.of_rows}
    pd.DataFrame(training.history).to_csv(out.path("history.csv"), index=False)
    out.write_json("training.json", training.facts)
    out.write_json("architecture.json", classifier.architecture())
    vectors = classifier.learned_vectors()
    if vectors is not None:
        write_projector(out.folder / "projector", vectors, inputs.encoder.vocabulary)
    out.facts = {**training.facts, **training.interruption}
    out.seconds_before = training.interruption.get("seconds_before", 0.0)
    out.counts(n_rows + len(inputs.data.validation_labels), n_rows)
