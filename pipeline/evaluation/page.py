"""Gather what the report shows from the artifacts of a run."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from pipeline.artifacts import read_manifest
from pipeline.evaluation import plots
from pipeline.evaluation.report import render

_SHOWN = ("train", "validation", "test")


def write_report(places: Mapping[str, Path], command: str, folder: Path) -> None:
    """Write ``report.html`` and ``figures/*.png``.

    Parameters
    ----------
    places : mapping
        Folder of each step's artifact, by task, Evaluate first.
    command : str
        What makes the run again.
    folder : Path
        Where the files go.
    """
    profile = _json(places["CleanText"] / "profile.json")
    balance = _json(places["SplitStratified"] / "balance.json")
    metrics = _json(places["Evaluate"] / "metrics.json")
    training = _json(places["TrainModel"] / "training.json")
    bundle = _json(places["TrainModel"] / "bundle.json")
    source = _json(places["DownloadData"] / "source.json")
    test = metrics["test"]
    majority = max(row["rows"] for row in test["by_class"].values()) / test["rows"]
    content = {
        "model": bundle["model"],
        "dataset": source["dataset"],
        "title": source["title"] or source["dataset"],
        "citation": source["citation"],
        "licence": source["licence"],
        "homepage": source["homepage"],
        "command": command,
        "summary": f"{bundle['model']} reading {bundle['representation']}",
        "headline": [
            ("accuracy", test["accuracy"]),
            ("macro F1", test["macro"]["f1"]),
            ("ROC AUC", test["roc_auc"]),
            ("log loss (nats)", test["log_loss"]),
        ],
        "verdict": _verdict(test["accuracy"], majority),
        "lineage": _lineage(places),
        "records": profile["records"],
        "kept": profile["kept"],
        "set_aside": profile["set_aside"],
        "reasons": list(profile["reasons"].items()),
        "repeated": profile["repeated_clean"],
        "contradicting": profile["contradicting_texts"],
        "parts": _SHOWN,
        "classes": [
            (name, [balance["classes"][part][name] for part in _SHOWN])
            for name in metrics["class_names"]
        ],
        "other_rows": _other_rows(balance["rows"]),
        "training": _training(training),
        "test_rows": test["rows"],
        "by_class": test["by_class"],
        "means": [(name, test[name]) for name in ("macro", "weighted")],
        "unlabelled": _unlabelled(places["Evaluate"] / "predictions.parquet"),
    }
    html = render(content, _figures(places, metrics, training, folder))
    (folder / "report.html").write_text(html, encoding="utf-8")


def _verdict(accuracy: float, majority: float) -> str:
    """Say in a sentence how the model compares with always naming the largest class."""
    if accuracy > majority:
        return (
            f"Always naming the largest class would be right in {majority:.1%} of the test rows; "
            f"the model is right in {accuracy:.1%}."
        )
    return (
        f"The model does not beat always naming the largest class: {accuracy:.1%} of the test "
        f"rows are right, against {majority:.1%}."
    )


def _figures(
    places: Mapping[str, Path], metrics: dict[str, Any], training: dict[str, Any], folder: Path
) -> dict[str, tuple[Path, str]]:
    """Draw the figures and return their paths and alternative texts."""
    target = folder / "figures"
    target.mkdir()
    matrix, lengths, curves = (
        target / f"{name}.png" for name in ("confusion_matrix", "lengths", "curves")
    )
    names = metrics["class_names"]
    plots.confusion_matrix(metrics["test"]["confusion_matrix"], names, matrix)
    words = pq.read_table(places["Tokenize"] / "tokens.parquet", columns=["words"])["words"]
    vectors = _json(places["Vectorize"] / "vectors.json")
    plots.lengths(words.to_numpy(), vectors.get("sequence_length"), lengths)
    figures = {
        "confusion_matrix": (matrix, "Confusion matrix: rows true class, columns predicted class"),
        "lengths": (lengths, "Histogram of tokens in a text"),
    }
    history = _history(places["TrainModel"] / "history.csv")
    if len(history) > 1:
        plots.curves(history, training.get("best_epoch"), curves)
        figures["curves"] = (curves, "Loss and validation scores by epoch")
    return figures


def _history(path: Path) -> pd.DataFrame:
    """Read the epochs; empty where nothing was followed."""
    try:
        return pd.read_csv(path)
    except pd.errors.EmptyDataError:
        return pd.DataFrame()


def _lineage(places: Mapping[str, Path]) -> list[dict[str, Any]]:
    """Describe the steps, the first first."""
    steps = []
    for task, place in reversed(list(places.items())):
        manifest = read_manifest(place) or {}
        settings = {} if task == "DownloadData" else manifest["settings"]
        shown = ", ".join(f"{name} {_words(value)}" for name, value in settings.items())
        counts = {
            name: "" if manifest[name] is None else f"{manifest[name]:,}"
            for name in ("rows_in", "rows_out")
        }
        where = "/".join(place.parts[-2:])
        seconds = f"{manifest['seconds']:.1f}"
        steps.append(
            {"task": task, "settings": shown, "seconds": seconds, "place": where, **counts}
        )
    return steps


def _words(value: Any) -> str:
    """Write a setting's value."""
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _training(training: dict[str, Any]) -> str:
    """Say how long training went and what was kept."""
    sentence = f"{training['parameters']:,} parameters."
    if "epochs" in training:
        sentence += f" {training['epochs']} epochs, epoch {training['best_epoch']} kept."
    if "refitted_on_validation" in training:
        sentence += (
            f" Trained again from scratch on training and validation rows for "
            f"{training['refitted_on_validation']} epochs."
        )
    return sentence


def _other_rows(rows: dict[str, int]) -> str:
    """Say what became of rows that are in no part."""
    sentences = []
    if rows["unlabelled"]:
        sentences.append(f"{rows['unlabelled']:,} rows have no label and are predicted only.")
    if rows["excluded"]:
        sentences.append(
            f"{rows['excluded']:,} rows are left out of training because their text is in the "
            "dataset's own test or validation part."
        )
    return " ".join(sentences)


def _unlabelled(path: Path) -> list[tuple[str, int]]:
    """Count the predicted classes of rows without a label."""
    table = pq.read_table(path, columns=["predicted"], filters=[("part", "=", "unlabelled")])
    counts = table["predicted"].value_counts().to_pylist()
    return sorted(((row["values"], row["counts"]) for row in counts), key=lambda row: -row[1])


def _json(path: Path) -> dict[str, Any]:
    """Read a summary."""
    return json.loads(path.read_text(encoding="utf-8"))
