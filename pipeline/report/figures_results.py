"""Figures of the sections on training and results."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.report.sources import Run
from pipeline.report.style import COLOURS, INK, SOFT, drawing, shown
from pipeline.store.run import interval

_PANELS = {
    "Loss (nats)": {"loss": "training", "val_loss": "validation"},
    "Metrics of validation rows": {
        "val_accuracy": "accuracy",
        "val_auc": "ROC AUC",
        "val_f1": "F1",
    },
    "Learning rate": {"learning_rate": ""},
}
_MOST_CURVES = 7

_Line = tuple[np.ndarray, np.ndarray]


def draw_training(run: Run, folder: Path) -> None:
    """Draw loss, validation metrics and learning rate by epoch into ``training_curves.png``."""
    history, kept = run.history, run.training.get("best_epoch")
    panels = [title for title, names in _PANELS.items() if any(name in history for name in names)]
    options = {"ncols": len(panels), "figsize": (3.4 * len(panels), 2.9), "squeeze": False}
    with drawing(folder / "training_curves.png", **options) as axes:
        for axis, title in zip(axes[0], panels, strict=True):
            for name, label in _PANELS[title].items():
                if name in history:
                    axis.plot(history["epoch"], history[name], marker="o", ms=3, label=label)
            if kept:
                axis.axvline(kept, color=SOFT, lw=1, ls=":", zorder=0)
                position = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
                style = {"color": SOFT, "fontsize": 8.5}
                axis.annotate("kept", (kept, 1), xytext=(3, -9), **position, **style)
            axis.set(xlabel="epoch", title=title)
            axis.xaxis.get_major_locator().set_params(integer=True)
            if any(_PANELS[title].values()):
                axis.legend()
        if "learning_rate" in history:
            axes[0][-1].set_ylim(bottom=0)
            axes[0][-1].ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))


def draw_results(run: Run, folder: Path) -> None:
    """Draw the figures of test rows into PNG files of a folder."""
    table, positive = run.read_table("Evaluate", "curves.parquet"), run.metrics["positive_label"]
    names = [positive] if positive else run.class_names[:_MOST_CURVES]
    roc = {name: _line(table, "roc", name) for name in names}
    _curve(folder / "roc.png", roc, "false positive rate", "true positive rate", diagonal=True)
    precision = {name: _line(table, "precision_recall", name) for name in names}
    _curve(folder / "precision_recall.png", precision, "recall", "precision")
    reliability = {
        "before temperature scaling": _line(table, "reliability", "raw"),
        "after temperature scaling": _line(table, "reliability", "calibrated"),
    }
    label = "mean probability of the predicted class"
    _curve(folder / "reliability.png", reliability, label, "accuracy", diagonal=True)
    if positive:
        _threshold_sweep(run, table, positive, folder / "threshold_sweep.png")
    _confusion_matrix(run, folder / "confusion_matrix.png")
    _baselines(run, folder / "baselines.png")
    if run.metrics["slices"]:
        _slices(run, folder / "slices.png")


def _line(table: pa.Table, curve: str, name: str, columns: Sequence[str] = ("x", "y")) -> _Line:
    """Return x and y of a line of ``curves.parquet``, without points at infinity."""
    rows = table.filter(pc.and_(pc.equal(table["curve"], curve), pc.equal(table["of"], name)))
    x, y = (rows[column].to_numpy() for column in columns)
    return x[np.isfinite(x)], y[np.isfinite(x)]


def _threshold_sweep(run: Run, table: pa.Table, positive: str, path: Path) -> None:
    """Draw F1, accuracy and recall of the positive class by threshold."""
    lines = {
        "F1": _line(table, "f1", positive),
        "accuracy": _line(table, "accuracy", positive),
        "recall": _line(table, "roc", positive, ("threshold", "y")),
    }
    is_chosen = not run.decision.get("not_chosen_because")
    chosen = run.metrics["threshold"]["threshold"] if is_chosen else None
    label = f"threshold on the calibrated probability of {positive}"[:60]
    _curve(path, lines, label, "", mark=chosen)


def _curve(
    path: Path,
    lines: Mapping[str, _Line],
    x_label: str,
    y_label: str,
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
        axis.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel=x_label, ylabel=y_label)
        if len(lines) > 1:
            axis.legend(loc="best")


def _confusion_matrix(run: Run, path: Path) -> None:
    """Draw counts and, as shades, shares of each true class."""
    names = run.class_names
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


def _baselines(run: Run, path: Path) -> None:
    """Draw accuracy and balanced accuracy of model and baselines."""
    baselines = run.metrics["baselines"]
    order = sorted(baselines, key=lambda name: name == "majority")
    models = {run.model: run.metrics["test"], **{name: baselines[name] for name in order}}
    entries = [
        (f"{name}: {metric.replace('_', ' ')}", entry[metric], interval(entry, [metric]))
        for metric in ("accuracy", "balanced_accuracy")
        for name, entry in models.items()
    ]
    _intervals(path, entries, "share of test rows, with 95 % interval")


def _slices(run: Run, path: Path) -> None:
    """Draw the accuracy of each slice, and that of all test rows as a dashed line."""
    entries = [
        (
            f"{entry['by']}: {entry['value']} ({entry['rows']:,})",
            entry["accuracy"],
            entry.get("accuracy_interval"),
        )
        for entry in run.metrics["slices"]
    ]
    _intervals(path, entries, "accuracy, with 95 % interval", run.metrics["test"]["accuracy"])


def _intervals(
    path: Path,
    entries: Sequence[tuple[str, float, Sequence[float] | None]],
    axis_label: str,
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
