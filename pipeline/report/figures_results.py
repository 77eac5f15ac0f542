"""Figures of the sections on training and results."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.report.sources import Run
from pipeline.report.style import COLOURS, INK, SOFT, Figure, drawing, shown
from pipeline.store.run import interval

_SCORES = {"val_accuracy": "accuracy", "val_auc": "ROC AUC", "val_f1": "F1"}
_MOST_CURVES = 7

_Line = tuple[np.ndarray, np.ndarray]


def training_curves(history: Any, kept: int | None, folder: Path) -> Figure:
    """Draw loss, validation metrics and learning rate by epoch.

    Parameters
    ----------
    history : pandas.DataFrame
        ``epoch`` and any of ``loss``, ``val_loss``, ``val_accuracy``, ``learning_rate``, ...
    kept : int or None
        The epoch whose weights were kept.
    folder : Path
    """
    panels: list[tuple[str, dict[str, str]]] = [
        ("Loss (nats)", {"loss": "training", "val_loss": "validation"}),
        ("Metrics of validation rows", _SCORES),
        ("Learning rate", {"learning_rate": ""}),
    ]
    panels = [(title, names) for title, names in panels if any(name in history for name in names)]
    path = folder / "training_curves.png"
    with drawing(path, ncols=len(panels), figsize=(3.4 * len(panels), 2.9), squeeze=False) as axes:
        for axis, (title, names) in zip(axes[0], panels, strict=True):
            for name, label in names.items():
                if name in history:
                    axis.plot(history["epoch"], history[name], marker="o", ms=3, label=label)
            if kept:
                axis.axvline(kept, color=SOFT, lw=1, ls=":", zorder=0)
                axis.annotate(
                    "kept",
                    (kept, 1),
                    xycoords=("data", "axes fraction"),
                    xytext=(3, -9),
                    textcoords="offset points",
                    color=SOFT,
                    fontsize=8.5,
                )
            axis.set_xlabel("epoch")
            axis.set_title(title)
            axis.xaxis.get_major_locator().set_params(integer=True)
            if any(names.values()):
                axis.legend()
        if "learning_rate" in history:
            axes[0][-1].set_ylim(bottom=0)
            axes[0][-1].ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))
    return Figure(path, "Loss, validation metrics and learning rate by epoch")


def draw(run: Run, folder: Path) -> dict[str, Figure]:
    """Draw the figures of test rows.

    Parameters
    ----------
    run : Run
    folder : Path

    Returns
    -------
    dict of str to Figure
        ``roc``, ``precision``, ``reliability``, ``confusion`` and ``baselines``; ``sweep`` where
        there is a positive class; ``slices`` where there are slices.
    """
    table, positive = run.read_table("Evaluate", "curves.parquet"), run.metrics["positive_label"]
    names = [positive] if positive else run.class_names[:_MOST_CURVES]
    figures = {
        "roc": _roc(table, names, positive, folder),
        "precision": _precision_recall(table, names, positive, folder),
        "reliability": _reliability(table, folder),
        "confusion": _confusion_matrix(run, folder),
        "baselines": _baselines(run, folder),
    }
    if positive:
        figures["sweep"] = _threshold_sweep(run, table, positive, folder)
    if run.metrics["slices"]:
        figures["slices"] = _slices(run, folder)
    return figures


def _roc(table: pa.Table, names: Sequence[str], positive: str | None, folder: Path) -> Figure:
    """Draw ROC curves."""
    path, title = folder / "roc.png", f"ROC curve{_of(positive)}"
    lines = {name: _line(table, "roc", name) for name in names}
    _curve(lines, ("false positive rate", "true positive rate"), path, diagonal=True)
    return Figure(path, title, f"{title}.")


def _precision_recall(
    table: pa.Table, names: Sequence[str], positive: str | None, folder: Path
) -> Figure:
    """Draw precision-recall curves."""
    path, title = folder / "precision_recall.png", f"Precision-recall curve{_of(positive)}"
    lines = {name: _line(table, "precision_recall", name) for name in names}
    _curve(lines, ("recall", "precision"), path)
    return Figure(path, title, f"{title}.")


def _reliability(table: pa.Table, folder: Path) -> Figure:
    """Draw reliability curves before and after temperature scaling."""
    path = folder / "reliability.png"
    lines = {
        "before temperature scaling": _line(table, "reliability", "raw"),
        "after temperature scaling": _line(table, "reliability", "calibrated"),
    }
    axis_labels = ("mean probability of the predicted class", "accuracy")
    _curve(lines, axis_labels, path, diagonal=True)
    return Figure(
        path,
        "Reliability curve, before and after temperature scaling",
        "Reliability curve: the points of calibrated probabilities are on the diagonal.",
    )


def _threshold_sweep(run: Run, table: pa.Table, positive: str, folder: Path) -> Figure:
    """Draw F1, accuracy and recall of the positive class by threshold."""
    path = folder / "threshold_sweep.png"
    roc = table.filter(pc.and_(pc.equal(table["curve"], "roc"), pc.equal(table["of"], positive)))
    lines = {
        "F1": _line(table, "f1", positive),
        "accuracy": _line(table, "accuracy", positive),
        "recall": (roc["threshold"].to_numpy()[1:], roc["y"].to_numpy()[1:]),
    }
    is_chosen = not run.decision.get("not_chosen_because")
    chosen = run.metrics["threshold"]["threshold"] if is_chosen else None
    axis_labels = (f"threshold on the calibrated probability of {positive}"[:60], "")
    _curve(lines, axis_labels, path, mark=chosen)
    return Figure(
        path,
        f"F1, accuracy and recall of {positive} by threshold, on test rows",
        "Metrics of test rows by threshold; "
        + ("it was chosen on validation rows." if is_chosen else "no threshold was chosen."),
    )


def _of(positive: str | None) -> str:
    """Return the end of the title of a curve."""
    return f" of {positive}" if positive else " of each class against the other classes"


def _line(table: pa.Table, curve: str, name: str) -> _Line:
    """Return x and y of a line of ``curves.parquet``."""
    rows = table.filter(pc.and_(pc.equal(table["curve"], curve), pc.equal(table["of"], name)))
    x, y = rows["x"].to_numpy(), rows["y"].to_numpy()
    return x[np.isfinite(x)], y[np.isfinite(x)]


def _curve(
    lines: Mapping[str, _Line],
    axis_labels: tuple[str, str],
    path: Path,
    *,
    diagonal: bool = False,
    mark: float | None = None,
) -> None:
    """Draw lines in the unit square, with the diagonal or a chosen threshold."""
    with drawing(path, figsize=(4.6, 3.7)) as axis:
        if diagonal:
            axis.plot([0, 1], [0, 1], color=SOFT, lw=1, ls=":")
        for name, (x, y) in lines.items():
            markers = {"marker": "o", "ms": 4} if len(x) < 30 else {}
            axis.plot(x, y, label=shown(name, 34), **markers)
        if mark is not None:
            axis.axvline(mark, color=INK, lw=1, ls=":")
            axis.annotate(f" chosen {mark:.3f}", (mark, 0.02), color=INK, fontsize=9)
        axis.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel=axis_labels[0])
        axis.set_ylabel(axis_labels[1])
        if len(lines) > 1:
            axis.legend(loc="best")


def _confusion_matrix(run: Run, folder: Path) -> Figure:
    """Draw counts and, as shades, shares of each true class."""
    path, names = folder / "confusion_matrix.png", run.class_names
    counts = np.asarray(run.metrics["test"]["confusion_matrix"])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = max(3.2, 1.6 + 0.8 * len(names))
    with drawing(path, figsize=(min(size + 1.2, 9), min(size, 8))) as axis:
        axis.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        for (row, column), count in np.ndenumerate(counts):
            colour = "white" if shares[row, column] > 0.55 else INK
            text = f"{count:,}\n{shares[row, column]:.1%}"
            axis.text(column, row, text, ha="center", va="center", color=colour, fontsize=9.5)
        labels = [shown(name, 18) for name in names]
        rotation = {"rotation": 20, "ha": "right"} if len(names) > 3 else {}
        axis.set_xticks(range(len(names)), labels, **rotation)
        axis.set_yticks(range(len(names)), labels)
        axis.set(xlabel="predicted class", ylabel="true class")
        axis.grid(visible=False)
        axis.spines[:].set_visible(False)
    return Figure(
        path,
        "Confusion matrix: rows true class, columns predicted class",
        "Test rows by true and predicted class; shares are of the true class.",
    )


def _baselines(run: Run, folder: Path) -> Figure:
    """Draw accuracy and balanced accuracy of model and baselines."""
    path, baselines = folder / "baselines.png", run.metrics["baselines"]
    order = sorted(baselines, key=lambda name: name == "majority")
    models = {run.model: run.metrics["test"], **{name: baselines[name] for name in order}}
    entries = [
        (f"{name}: {metric.replace('_', ' ')}", entry[metric], interval(entry, [metric]))
        for metric in ("accuracy", "balanced_accuracy")
        for name, entry in models.items()
    ]
    _intervals(entries, "share of test rows, with 95 % interval", path)
    return Figure(path, "Accuracy and balanced accuracy of model and baselines")


def _slices(run: Run, folder: Path) -> Figure:
    """Draw the accuracy of each slice."""
    path = folder / "slices.png"
    entries = [
        (
            f"{one['by']}: {one['value']} ({one['rows']:,})",
            one["accuracy"],
            one.get("accuracy_interval"),
        )
        for one in run.metrics["slices"]
    ]
    _intervals(entries, "accuracy, with 95 % interval", path, run.metrics["test"]["accuracy"])
    return Figure(
        path,
        "Accuracy of each slice of the test rows, the lowest first",
        "Numbers of rows are in brackets; the dashed line is the accuracy on all test rows.",
    )


def _intervals(
    entries: Sequence[tuple[str, float, Sequence[float] | None]],
    axis_label: str,
    path: Path,
    reference: float | None = None,
) -> None:
    """Draw values with their intervals, one below the other; the reference is a dashed line."""
    with drawing(path, figsize=(5.6, 1.0 + 0.27 * len(entries))) as axis:
        for row, (_, value, ends) in enumerate(entries):
            if ends:
                axis.hlines(row, *ends, color=COLOURS[0], ls="-", lw=2)
            axis.plot([value], [row], "o", color=COLOURS[0], ms=5)
        if reference is not None:
            axis.axvline(reference, color=SOFT, lw=1, ls="--")
        axis.set_yticks(range(len(entries)), [shown(label, 48) for label, _, _ in entries])
        axis.invert_yaxis()
        axis.set_xlabel(axis_label)
        axis.grid(axis="y", visible=False)
