"""Figures of the sections on training and results."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np

from pipeline.report.figures_curves import draw_curves
from pipeline.report.figures_probabilities import draw_probabilities
from pipeline.report.sources import Run
from pipeline.report.style import COLOURS, INK, SOFT, drawing, labels_of
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
_MOST_WITH_SHARES, _MOST_WITH_COUNTS = 6, 16  # classes of a confusion matrix with numbers
_NO_ROWS = "#e3e7eb"


def draw_training(run: Run, folder: Path) -> None:
    """Draw loss, validation metrics and a changing learning rate by epoch, one below the other."""
    history, kept = run.history, run.training.get("best_epoch")
    is_drawn = {title: any(name in history for name in names) for title, names in _PANELS.items()}
    is_drawn["Learning rate"] &= len(set(history.get("learning_rate", ()))) > 1
    panels = [title for title in _PANELS if is_drawn[title]]
    source = run.source_of(run.balance["rows"]["train"], "training rows")
    size = {"figsize": (4.8, 0.6 + 2.1 * len(panels)), "squeeze": False}
    with drawing(
        folder / "training_curves.png", source, nrows=len(panels), sharex=True, **size
    ) as axes:
        for axis, title in zip(axes[:, 0], panels, strict=True):
            for name, label in _PANELS[title].items():
                if name in history:
                    axis.plot(history["epoch"], history[name], marker="o", ms=3, label=label)
            if kept:
                label = "" if axis is not axes[0, 0] else f"kept epoch {kept}"
                axis.axvline(kept, color=INK, lw=1.2, ls=":", zorder=0, label=label)
            axis.set_title(title)
            if axis.get_legend_handles_labels()[0]:
                # Beside the axes, where it hides no line.
                axis.legend(loc="upper left", bbox_to_anchor=(1, 1), handlelength=2.2)
        axes[-1, 0].set_xlabel("epoch")
        axes[-1, 0].xaxis.get_major_locator().set_params(integer=True)
        if is_drawn["Learning rate"]:
            axes[-1, 0].set_ylim(bottom=0)
            axes[-1, 0].ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))


def draw_results(run: Run, folder: Path) -> None:
    """Draw the figures of test rows into PNG files of a folder."""
    draw_curves(run, folder)
    draw_probabilities(run, folder)
    source = run.source_of(run.metrics["test"]["rows"], "test rows")
    _confusion_matrix(run, folder / "confusion_matrix.png", source)
    _baselines(run, folder / "baselines.png", source)
    if run.metrics["slices"]:
        _slices(run, folder / "slices.png", source)


def _confusion_matrix(run: Run, path: Path, source: str) -> None:
    """Draw counts and, as shades, shares of each true class; classes without test rows are grey."""
    counts = np.asarray(run.metrics["test"]["confusion_matrix"])
    n_classes, rows = len(counts), counts.sum(axis=1)
    shares = counts / np.maximum(rows[:, None], 1)
    is_small = n_classes > _MOST_WITH_SHARES
    labels = labels_of(run.class_names, 18)
    fontsize = {"fontsize": np.clip(11 - 0.25 * n_classes, 7, 10)}
    with drawing(path, source, figsize=_matrix_size(n_classes, labels)) as axis:
        axis.imshow(
            np.ma.masked_array(shares, np.repeat(rows[:, None] == 0, n_classes, axis=1)),
            cmap=matplotlib.colormaps["Blues"].with_extremes(bad=_NO_ROWS),
            vmin=0,
            vmax=1,
            aspect="auto",
        )
        if n_classes <= _MOST_WITH_COUNTS:
            for (row, column), count in np.ndenumerate(counts):
                if count or not is_small:
                    colour = "white" if shares[row, column] > 0.55 else INK
                    text = f"{count:,}" if is_small else f"{count:,}\n{shares[row, column]:.1%}"
                    position = {"ha": "center", "va": "center"}
                    axis.text(column, row, text, color=colour, **position, **fontsize)
        turned = {"rotation": 90} if n_classes > 3 else {}
        axis.set_xticks(range(n_classes), labels, **turned, **fontsize)
        axis.set_yticks(range(n_classes), labels, **fontsize)
        axis.set(xlabel="predicted class", ylabel="true class")
        axis.grid(visible=False)
        axis.spines[:].set_visible(False)


def _matrix_size(n_classes: int, labels: Sequence[str]) -> tuple[float, float]:
    """Return width and height in inches; the labels below the columns are turned."""
    margin = 0.6 + 0.075 * max(map(len, labels))
    side = float(np.clip(0.85 * n_classes, 1.8, max(3.2, 0.125 * n_classes)))
    return margin + max(side, 2.6), (margin if n_classes > 3 else 0.9) + side


def _baselines(run: Run, path: Path, source: str) -> None:
    """Draw accuracy and balanced accuracy of model and baselines."""
    baselines = run.metrics["baselines"]
    order = sorted(baselines, key=lambda name: name == "majority")
    models = {run.model: run.metrics["test"], **{name: baselines[name] for name in order}}
    entries = [
        (f"{name}: {metric.replace('_', ' ')}", entry[metric], interval(entry, [metric]))
        for metric in ("accuracy", "balanced_accuracy")
        for name, entry in models.items()
    ]
    _intervals(path, source, entries, "share of test rows, with 95 % interval")


def _slices(run: Run, path: Path, source: str) -> None:
    """Draw the accuracy of each slice, and that of all test rows as a dashed line."""
    entries = [
        (
            f"{entry['by']}: {entry['value']} ({entry['rows']:,})",
            entry["accuracy"],
            entry.get("accuracy_interval"),
        )
        for entry in run.metrics["slices"]
    ]
    _intervals(
        path, source, entries, "accuracy, with 95 % interval", run.metrics["test"]["accuracy"]
    )


def _intervals(
    path: Path,
    source: str,
    entries: Sequence[tuple[str, float, Sequence[float] | None]],
    axis_label: str,
    reference: float | None = None,
) -> None:
    """Draw values with their intervals, one below the other; the reference is a dashed line."""
    with drawing(path, source, figsize=(4.8, 1.1 + 0.25 * len(entries))) as axis:
        for row, (_, value, ends) in enumerate(entries):
            if ends:
                axis.hlines(row, *ends, color=COLOURS[0], ls="-", lw=2)
            axis.plot([value], [row], "o", color=COLOURS[0], ms=5)
        if reference is not None:
            axis.axvline(reference, color=SOFT, lw=1, ls="--")
        labels = labels_of([label for label, _, _ in entries], 38)
        axis.set_yticks(range(len(entries)), labels, fontsize=9)
        axis.set_ylim(len(entries) - 0.4, -0.6)
        axis.set_xlabel(axis_label, loc="right")
        axis.grid(axis="y", visible=False)
