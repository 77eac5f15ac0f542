"""Figures of probabilities: metrics by threshold, calibration, and histograms."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.evaluation.calibration import BINS
from pipeline.report.sources import Run
from pipeline.report.style import COLOURS, INK, SOFT, UNIT, above_axes, drawing, labels_of, shown

_MOST_PANELS = 12
_PERCENT_BINS = np.linspace(0, 1, 21)  # of histograms


def draw_probabilities(run: Run, folder: Path) -> None:
    """Draw the figures of probabilities of test rows into PNG files of a folder."""
    source = run.source_of(len(run.scored.labels), "test rows")
    table, positive = run.read_table("Evaluate", "curves.parquet"), run.metrics["positive_label"]
    _reliability(run, table, folder / "reliability.png", source)
    if positive:
        _threshold_sweep(run, table, positive, folder / "threshold_sweep.png", source)
        _histogram(run, positive, folder / "probabilities.png", source)
    else:
        _histograms(run, folder / "probabilities.png", source)


def _threshold_sweep(run: Run, table: pa.Table, positive: str, path: Path, source: str) -> None:
    """Draw precision, recall, F1 and accuracy of the positive class by threshold."""
    lines = {
        "precision": _stored(table, "precision_recall", positive, ("threshold", "y")),
        "recall": _stored(table, "roc", positive, ("threshold", "y")),
        "F1": _stored(table, "f1", positive),
        "accuracy": _stored(table, "accuracy", positive),
    }
    with drawing(path, source, figsize=(4.6, 4.2)) as axis:
        for name, (x, y) in lines.items():
            axis.plot(x, y, label=name)
        _mark_threshold(run, axis)
        label = f"threshold on the calibrated probability\nof {shown(positive, 48)}"
        axis.set(xlim=UNIT, ylim=UNIT, xlabel=label, ylabel="metric of test rows")
        axis.legend(ncols=3, **above_axes())


def _mark_threshold(run: Run, axis: Any) -> None:
    """Draw the chosen threshold, or that of the more probable of two classes."""
    if not run.decision.get("not_chosen_because"):
        mark = run.metrics["threshold"]["threshold"]
        axis.axvline(mark, color=INK, lw=1.2, ls=":", label=f"chosen {mark:.3f}")
    elif len(run.class_names) == 2:
        axis.axvline(0.5, color=SOFT, lw=1.2, ls=":", label="0.5, none chosen")


def _reliability(run: Run, table: pa.Table, path: Path, source: str) -> None:
    """Draw accuracy by probability before and after calibration, above the rows of each bin."""
    kinds = {"raw": "before temperature scaling", "calibrated": "after temperature scaling"}
    if run.decision["temperature"] == 1:
        kinds = {"raw": "this run (no temperature scaling)"}
    ratio = {"height_ratios": (3, 1)}
    options = {"nrows": 2, "sharex": True, "figsize": (4.6, 4.7), "gridspec_kw": ratio}
    with drawing(path, source, **options) as (axis, below):
        axis.plot([0, 1], [0, 1], color=SOFT, lw=1, ls=":", label="perfectly calibrated")
        for number, (kind, label) in enumerate(kinds.items()):
            x, y = _stored(table, "reliability", kind)
            _, rows = _stored(table, "reliability", kind, ("x", "rows"))
            axis.plot(x, y, label=label, marker="os"[number], ms=4)
            bins = np.clip(np.ceil(x * BINS) - 1, 0, BINS - 1)
            width = 1 / BINS / len(kinds)
            style = {"color": COLOURS[number], "hatch": ("", "///")[number], "edgecolor": "white"}
            below.bar(bins / BINS + (number + 0.5) * width, rows, width * 0.92, lw=0.4, **style)
        axis.set(xlim=UNIT, ylim=UNIT, ylabel="accuracy")
        axis.legend(**above_axes())
        below.set(xlabel="probability of the predicted class", ylabel="test rows")
        below.yaxis.get_major_locator().set_params(integer=True, nbins=4)
        below.grid(axis="x", visible=False)


def _histogram(run: Run, positive: str, path: Path, source: str) -> None:
    """Draw the probability of the positive class for rows of the class and for the others."""
    scored, code = run.scored, run.class_names.index(positive)
    is_positive, values = scored.labels == code, scored.calibrated[:, code]
    others = [name for name in run.class_names if name != positive]
    other = shown(others[0], 34) if len(others) == 1 else "all other classes"
    groups = (
        (f"true class {shown(positive, 34)}", is_positive),
        (f"true class {other}", ~is_positive),
    )
    options = {"nrows": 2, "sharex": True, "figsize": (4.6, 4.0)}
    with drawing(path, source, **options) as axes:
        for number, (axis, (label, selected)) in enumerate(zip(axes, groups, strict=True)):
            style = {"color": COLOURS[number], "edgecolor": "white", "lw": 0.4}
            axis.hist(values[selected], bins=_PERCENT_BINS, **style)
            axis.set_title(f"{label} ({int(selected.sum()):,})", fontsize=9)
            axis.set(ylabel="test rows", xlim=(0, 1))
            axis.yaxis.get_major_locator().set_params(integer=True, nbins=4)
            axis.grid(axis="x", visible=False)
            _mark_threshold(run, axis)
        if axes[0].get_legend_handles_labels()[0]:
            axes[0].legend(loc="best")
        axes[-1].set_xlabel(f"calibrated probability of {shown(positive, 34)}")


def _histograms(run: Run, path: Path, source: str) -> None:
    """Draw, for each true class, the probability that it received, by whether it was predicted."""
    scored, names = run.scored, labels_of(run.class_names, 20)
    counts = np.bincount(scored.labels, minlength=len(names))
    drawn = np.sort(np.argsort(-counts, kind="stable")[:_MOST_PANELS])
    drawn = drawn[counts[drawn] > 0]
    rows = max(-(-len(drawn) // 2), 1)
    shape = {"nrows": rows, "ncols": 2, "sharex": True, "squeeze": False}
    with drawing(path, source, figsize=(4.8, 1.1 + 1.05 * rows), **shape) as axes:
        for axis, code in zip(axes.flat, drawn, strict=False):
            selected = scored.labels == code
            values, is_right = scored.calibrated[selected, code], scored.decided[selected] == code
            style = {"color": COLOURS[:2], "edgecolor": "white", "lw": 0.4, "stacked": True}
            groups = [values[is_right], values[~is_right]]
            labels = ["predicted correctly", "predicted wrongly"]
            _, _, bars = axis.hist(groups, bins=_PERCENT_BINS, label=labels, **style)
            for bar in bars[1]:
                bar.set_hatch("///")
            axis.set_title(f"{names[code]} ({counts[code]:,})", fontsize=8.5)
            axis.set_xlim(0, 1)
            axis.yaxis.get_major_locator().set_params(integer=True, nbins=3)
            axis.grid(axis="x", visible=False)
        for axis in list(axes.flat)[len(drawn) :]:
            axis.set_visible(False)
        figure = axes[0][0].figure
        handles, labels = axes[0][0].get_legend_handles_labels()
        most = f"The {len(drawn)} of {len(names)} classes with the most test rows"
        title = most if len(drawn) == _MOST_PANELS < len(names) else None
        figure.legend(
            handles, labels, loc="outside upper left", ncols=2, title=title, alignment="left"
        )
        axes[-1][0].set_xlabel("probability of the true class")


def _stored(
    table: pa.Table, curve: str, name: str, columns: Sequence[str] = ("x", "y")
) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y of a line of ``curves.parquet``, without points at infinity."""
    rows = table.filter(pc.and_(pc.equal(table["curve"], curve), pc.equal(table["of"], name)))
    x, y = (rows[column].to_numpy() for column in columns)
    return x[np.isfinite(x)], y[np.isfinite(x)]
