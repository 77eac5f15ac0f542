"""Figures, in one style that is readable in greyscale and by colour-blind people."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler

# Okabe and Ito (2008), "Color Universal Design", told apart by line style and marker as well.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
_LINES = ("-", "--", "-.", ":")
STYLE: Any = {
    "figure.figsize": (6.4, 3.8),
    "figure.dpi": 110,
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=_COLOURS) + cycler(linestyle=_LINES),
    "savefig.bbox": "tight",
}
#: Same bytes for the same figure, whatever the version of matplotlib says of itself.
_METADATA = {"Software": None}


def curves(history: Any, kept: int | None, path: Path) -> None:
    """Draw loss and scores by epoch.

    Parameters
    ----------
    history : pandas.DataFrame
        Columns ``epoch``, ``loss``, ``val_loss``, ``val_accuracy``, ...; those there are.
    kept : int or None
        The epoch whose weights were kept, marked.
    path : Path
        Where the PNG goes.
    """
    losses = [name for name in ("loss", "val_loss") if name in history]
    others = [name for name in ("val_accuracy", "val_f1", "val_auc") if name in history]
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, 2, figsize=(9, 3.6))
        for axis, names, title in (
            (axes[0], losses, "Loss (nats)"),
            (axes[1], others, "Validation scores"),
        ):
            for name in names:
                axis.plot(history["epoch"], history[name], marker="o", ms=3, label=_words(name))
            if kept:
                axis.axvline(kept, color="#555555", lw=1, ls=":", label="kept")
            axis.set_xlabel("epoch")
            axis.set_title(title, loc="left")
            axis.xaxis.get_major_locator().set_params(integer=True)
            axis.legend(frameon=False)
        _save(figure, path)


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
    size = 2.4 + 0.9 * len(names)
    with plt.rc_context({**STYLE, "axes.grid": False}):
        figure, axis = plt.subplots(figsize=(size + 1, size))
        axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for (row, column), count in np.ndenumerate(counts):
            colour = "white" if shares[row, column] > 0.5 else "black"
            text = f"{count:,}\n{shares[row, column]:.1%}"
            axis.text(column, row, text, ha="center", va="center", color=colour)
        axis.set_xticks(range(len(names)), names, rotation=20, ha="right")
        axis.set_yticks(range(len(names)), names)
        axis.set_xlabel("predicted")
        axis.set_ylabel("true")
        _save(figure, path)


def lengths(counts: np.ndarray, sequence_length: int | None, path: Path) -> None:
    """Draw how many texts have how many tokens, the sequence length marked.

    Parameters
    ----------
    counts : ndarray of int, shape (n_texts,)
        Tokens of each text.
    sequence_length : int or None
        The length that texts are padded or cut to.
    path : Path
        Where the PNG goes.
    """
    top = int(np.percentile(counts, 99.9)) + 1
    with plt.rc_context(STYLE):
        figure, axis = plt.subplots(figsize=(6.4, 3.2))
        axis.hist(np.minimum(counts, top), bins=min(top + 1, 60), color=_COLOURS[0])
        if sequence_length:
            label = f"sequence length {sequence_length}"
            axis.axvline(sequence_length, color=_COLOURS[1], ls="--", label=label)
            axis.legend(frameon=False)
        axis.set_xlabel("tokens in a text")
        axis.set_ylabel("texts")
        _save(figure, path)


def _words(name: str) -> str:
    """Write a column's name as a reader would."""
    return {"loss": "training", "val_loss": "validation"}.get(
        name, name.removeprefix("val_").replace("auc", "ROC AUC").replace("f1", "F1")
    )


def _save(figure: Any, path: Path) -> None:
    """Write the PNG and let the figure go."""
    figure.savefig(path, metadata=_METADATA)
    plt.close(figure)
