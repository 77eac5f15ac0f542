"""Figures about training and results."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.report.style import COLOURS, INK, SOFT, drawing, shown

_SCORES = {"val_accuracy": "accuracy", "val_auc": "ROC AUC", "val_f1": "F1"}


def training_curves(history: Any, kept: int | None, path: Path) -> None:
    """Draw loss, scores on validation rows, and learning rate by epoch.

    Parameters
    ----------
    history : pandas.DataFrame
        Columns ``epoch``, ``loss``, ``val_loss``, ``val_accuracy``, ...; those there are.
    kept : int or None
        The epoch whose weights were kept, marked.
    path : Path
        Where the PNG goes.
    """
    panels: list[tuple[str, dict[str, str]]] = [
        ("Loss (nats)", {"loss": "training", "val_loss": "validation"}),
        ("Scores on validation rows", _SCORES),
        ("Learning rate", {"learning_rate": ""}),
    ]
    panels = [(title, names) for title, names in panels if any(name in history for name in names)]
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


def confusion_matrix(matrix: Sequence[Sequence[int]], names: Sequence[str], path: Path) -> None:
    """Draw counts and, as shades, shares of each true class.

    Parameters
    ----------
    matrix : sequence of sequence of int, shape (n_classes, n_classes)
        Rows true, columns predicted.
    names : sequence of str
    path : Path
        Where the PNG goes.
    """
    counts = np.asarray(matrix)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = max(3.2, 1.6 + 0.8 * len(names))
    with drawing(path, figsize=(min(size + 1.2, 9), min(size, 8))) as axis:
        axis.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        for (row, column), count in np.ndenumerate(counts):
            colour = "white" if shares[row, column] > 0.55 else INK
            text = f"{count:,}\n{shares[row, column]:.1%}"
            axis.text(column, row, text, ha="center", va="center", color=colour, fontsize=9.5)
        labels = [shown(name, 18) for name in names]
        turned = {"rotation": 20, "ha": "right"} if len(names) > 3 else {}
        axis.set_xticks(range(len(names)), labels, **turned)
        axis.set_yticks(range(len(names)), labels)
        axis.set_xlabel("predicted")
        axis.set_ylabel("true")
        axis.grid(visible=False)
        axis.spines[:].set_visible(False)


def curve(
    lines: Mapping[str, tuple[np.ndarray, np.ndarray]],
    axes_names: tuple[str, str],
    path: Path,
    *,
    chance: bool = False,
    mark: float | None = None,
    steps: bool = False,
) -> None:
    """Draw lines over the unit square.

    Parameters
    ----------
    lines : mapping of str to (ndarray, ndarray)
        x and y by label.
    axes_names : (str, str)
        Names of x and y.
    path : Path
        Where the PNG goes.
    chance : bool
        Whether to draw the diagonal.
    mark : float or None
        An x to mark, such as the chosen threshold.
    steps : bool
        Whether y stays until the next x, as precision does.
    """
    with drawing(path, figsize=(4.6, 3.7)) as axis:
        if chance:
            axis.plot([0, 1], [0, 1], color=SOFT, lw=1, ls=":")
        for name, (x, y) in lines.items():
            style = {"drawstyle": "steps-post"} if steps else {}
            markers = {"marker": "o", "ms": 4} if len(x) < 30 else {}
            axis.plot(x, y, label=shown(name, 34), **style, **markers)
        if mark is not None:
            axis.axvline(mark, color=INK, lw=1, ls=":")
            axis.annotate(f" chosen {mark:.3f}", (mark, 0.02), color=INK, fontsize=9)
        axis.set_xlim(-0.02, 1.02)
        axis.set_ylim(-0.02, 1.02)
        axis.set_xlabel(axes_names[0])
        axis.set_ylabel(axes_names[1])
        if len(lines) > 1:
            axis.legend(loc="best")


def intervals(
    entries: Sequence[tuple[str, float, Sequence[float] | None]],
    name: str,
    path: Path,
    reference: float | None = None,
) -> None:
    """Draw figures with their intervals, one below the other.

    Parameters
    ----------
    entries : sequence of (str, float, (float, float) or None)
        Label, figure, interval; the first at the top.
    name : str
        Of the figure.
    path : Path
        Where the PNG goes.
    reference : float, optional
        A figure to compare with, as a line.
    """
    with drawing(path, figsize=(5.6, 1.0 + 0.27 * len(entries))) as axis:
        for place, (_, value, bounds) in enumerate(entries):
            if bounds:
                axis.hlines(place, *bounds, color=COLOURS[0], ls="-", lw=2)
            axis.plot([value], [place], "o", color=COLOURS[0], ms=5)
        if reference is not None:
            axis.axvline(reference, color=SOFT, lw=1, ls="--")
        axis.set_yticks(range(len(entries)), [shown(label, 48) for label, _, _ in entries])
        axis.invert_yaxis()
        axis.set_xlabel(name)
        axis.grid(axis="y", visible=False)
