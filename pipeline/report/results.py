"""The report's sections on training and results."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.report import figures_results
from pipeline.report.data import cut
from pipeline.report.sources import Run
from pipeline.report.style import Figure

_MOST_WRONG, _LEAKS, _UNLABELLED = 8, 8, 10
_MOST_CURVES = 7


def training(run: Run, figures: Path) -> dict[str, Any]:
    """Gather what the section on training shows, and draw its figure."""
    manifest = run.manifests["TrainModel"]
    content: dict[str, Any] = {
        "facts": run.training,
        "architecture": run.architecture,
        "settings": run.bundle["steps"]["TrainModel"],
        "seconds": manifest.get("seconds"),
        "peak_memory_mib": manifest.get("peak_memory_mib"),
        "speed": run.speed,
        "has_logs": (run.places["TrainModel"] / "tensorboard").is_dir(),
        "has_projector": (run.places["TrainModel"] / "projector").is_dir(),
        "curves": None,
    }
    if len(run.history) > 1:
        path = figures / "training_curves.png"
        figures_results.training_curves(run.history, run.training.get("best_epoch"), path)
        content["curves"] = Figure(path, "Loss, validation scores and learning rate by epoch")
    return content


def results(run: Run, figures: Path) -> dict[str, Any]:
    """Gather what the sections on results show, and draw their figures."""
    return {
        "figures": _curves(run, figures) | _summaries(run, figures),
        "most_wrong": _most_wrong(run),
        "leaks": _leaks(run),
        "predictions": _unlabelled(run),
    }


def _summaries(run: Run, folder: Path) -> dict[str, Figure]:
    """Draw the confusion matrix, the comparison with baselines, and the slices."""
    test = run.metrics["test"]
    matrix, compared, slices = (
        folder / f"{name}.png" for name in ("confusion_matrix", "baselines", "slices")
    )
    figures_results.confusion_matrix(test["confusion_matrix"], run.class_names, matrix)
    found = {
        "confusion": Figure(
            matrix,
            "Confusion matrix: rows true class, columns predicted class",
            "Test rows by true and predicted class; shares are of the true class.",
        )
    }
    baselines = run.metrics["baselines"]
    order = sorted(baselines, key=lambda name: name == "majority")
    everyone = {run.model: test, **{name: baselines[name] for name in order}}
    entries = [
        (f"{name}: {label}", entry[figure], entry.get("intervals", {}).get(figure))
        for figure, label in (("accuracy", "accuracy"), ("balanced_accuracy", "balanced accuracy"))
        for name, entry in everyone.items()
    ]
    figures_results.intervals(entries, "share of test rows, with 95 % interval", compared)
    found["baselines"] = Figure(compared, "Accuracy and balanced accuracy of model and baselines")
    if run.metrics["slices"]:
        entries = [
            (
                f"{one['by']}: {one['value']} ({one['rows']:,})",
                one["accuracy"],
                one.get("accuracy_interval"),
            )
            for one in run.metrics["slices"]
        ]
        figures_results.intervals(entries, "accuracy, with 95 % interval", slices, test["accuracy"])
        found["slices"] = Figure(
            slices,
            "Accuracy of each slice of the test rows, the lowest first",
            "Rows in brackets; the dashed line is the accuracy on all test rows.",
        )
    return found


def _curves(run: Run, folder: Path) -> dict[str, Figure]:
    """Draw ROC, precision-recall, threshold and reliability curves."""
    table = run.evaluated("curves")
    positive = run.metrics["positive_label"]
    named = [positive] if positive else run.class_names[:_MOST_CURVES]
    roc, precision, sweep, reliability = (
        folder / f"{name}.png"
        for name in ("roc", "precision_recall", "threshold_sweep", "reliability")
    )
    of = f" of {positive}" if positive else ", each class against the rest"
    axes_names = ("false positive rate", "true positive rate")
    figures_results.curve(_lines(table, "roc", named), axes_names, roc, chance=True)
    figures_results.curve(
        _lines(table, "precision_recall", named), ("recall", "precision"), precision
    )
    rates = {
        f"{name}: {label}": line
        for name, label in (("raw", "as the model says"), ("calibrated", "after temperature"))
        for line in _lines(table, "reliability", [name]).values()
    }
    figures_results.curve(
        rates, ("mean probability of the predicted class", "share right"), reliability, chance=True
    )
    found = {
        "roc": Figure(roc, f"ROC curve{of}", f"ROC curve{of}."),
        "precision": Figure(precision, f"Precision-recall curve{of}", f"Precision and recall{of}."),
        "reliability": Figure(
            reliability,
            "Reliability curve, before and after temperature scaling",
            "Reliability: on the diagonal, probabilities are calibrated.",
        ),
    }
    if positive:
        recall = table.filter(
            pc.and_(pc.equal(table["curve"], "roc"), pc.equal(table["of"], positive))
        )
        lines = {
            "F1": _lines(table, "f1", [positive])[positive],
            "accuracy": _lines(table, "accuracy", [positive])[positive],
            "recall": (recall["threshold"].to_numpy()[1:], recall["y"].to_numpy()[1:]),
        }
        unchosen = run.decision.get("not_chosen_because")
        mark = None if unchosen else run.metrics["threshold"]["threshold"]
        axes_names = (f"threshold on the calibrated probability of {positive}"[:60], "")
        figures_results.curve(lines, axes_names, sweep, mark=mark)
        found["sweep"] = Figure(
            sweep,
            f"F1, accuracy and recall of {positive} by threshold, on test rows",
            "Test rows by threshold; "
            + ("none was chosen." if unchosen else "it was chosen on validation rows."),
        )
    return found


def _lines(
    table: pa.Table, curve: str, names: list[str]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Take lines of a kind out of the table of curves."""
    lines = {}
    for name in names:
        mine = table.filter(pc.and_(pc.equal(table["curve"], curve), pc.equal(table["of"], name)))
        x, y = mine["x"].to_numpy(), mine["y"].to_numpy()
        lines[name] = (x[np.isfinite(x)], y[np.isfinite(x)])
    return lines


def _most_wrong(run: Run) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return the most certain mistakes by true class."""
    rows = run.evaluated("most_wrong").to_pylist()
    by_class = []
    for name in run.class_names:
        mine = [row for row in rows if row["label"] == name][:_MOST_WRONG]
        by_class.append((name, [{**row, "raw": cut(row["raw"])} for row in mine]))
    return [(name, mine) for name, mine in by_class if mine]


def _leaks(run: Run) -> list[dict[str, Any]]:
    """Return examples of test texts that training has seen, near ones first."""
    rows = run.evaluated("leaks").to_pylist()
    rows.sort(key=lambda row: row["kind"] == "exact")
    shown = rows[: _LEAKS // 2] + [row for row in rows if row["kind"] == "exact"][: _LEAKS // 2]
    unique = {row["id"]: row for row in shown}.values()
    return [
        {**row, "clean": cut(row["clean"]), "training_clean": cut(row["training_clean"])}
        for row in unique
    ]


def _unlabelled(run: Run) -> dict[str, Any] | None:
    """Count the predicted classes of rows without a label, and draw a sample of them."""
    table = run.evaluated("predictions")
    places = np.flatnonzero(np.asarray(pc.equal(table["part"], "unlabelled")))
    if not len(places):
        return None
    mine = table.take(pa.array(places))
    counts = {row["values"]: row["counts"] for row in mine["decided"].value_counts().to_pylist()}
    drawn = np.sort(
        np.random.default_rng(0).choice(len(places), min(_UNLABELLED, len(places)), replace=False)
    )
    texts = run.rows["raw"].take(pa.array(places[drawn])).to_pylist()
    columns = [f"calibrated_{name}" for name in run.class_names]
    probabilities = np.stack([mine[name].to_numpy()[drawn] for name in columns], axis=1)
    decided = mine["decided"].take(pa.array(drawn)).to_pylist()
    return {
        "rows": len(places),
        "counts": [(name, counts.get(name, 0)) for name in run.class_names],
        "sample": [
            {"raw": cut(text), "decided": name, "probability": row[run.class_names.index(name)]}
            for text, name, row in zip(texts, decided, probabilities, strict=True)
        ],
    }
