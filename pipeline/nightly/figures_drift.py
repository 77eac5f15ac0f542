"""The figure of a night's drift."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.ticker import PercentFormatter

from pipeline.report.style import COLOURS, drawing, shown

_TELLING = 12  # tokens shown
_LEGEND = ("champion's training data", "tonight")


def drift(distributions: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw each distribution before and now, with its figures.

    Parameters
    ----------
    distributions : sequence of mapping
        ``distributions`` of `pipeline.nightly.drift.Drift.as_json`; of tokens, those that
        contribute most are shown.
    path : Path
        Where the PNG goes.
    """
    columns = min(len(distributions), 2)
    rows = -(-len(distributions) // max(columns, 1))
    size = (4.6 * columns, 0.5 + 3.2 * rows)
    with drawing(path, nrows=rows, ncols=columns, figsize=size, squeeze=False) as axes:
        for axis, one in zip(axes.flat, distributions, strict=False):
            bins, before, now = _shares(one)
            places = np.arange(len(bins))
            styles = ({"color": COLOURS[0]}, {"color": COLOURS[1], "hatch": "///"})
            for number, (shares, style) in enumerate(zip((before, now), styles, strict=True)):
                offset = (number - 0.5) * 0.4
                label = _LEGEND[number]
                axis.barh(places + offset, shares, 0.4, label=label, edgecolor="white", **style)
            axis.set_yticks(places, [shown(name, 16) for name in bins])
            axis.invert_yaxis()
            axis.grid(axis="y", visible=False)
            axis.xaxis.set_major_formatter(PercentFormatter(1))
            level = "" if one["level"] == "ok" else f", {one['level']}"
            figures = f"PSI {one['psi']:.3f}, distance {one['distance']:.3f}{level}"
            axis.set_title(f"{one['name'].capitalize()}: {figures}")
            axis.set_xlabel(shown(one["about"], 60))
        for axis in list(axes.flat)[len(distributions) :]:
            axis.set_visible(False)
        handles, labels = axes[0][0].get_legend_handles_labels()
        axes[0][0].figure.legend(handles, labels, loc="outside upper left", ncols=2)


def _shares(one: Mapping[str, Any]) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Return names and shares of the bins, of tokens those that moved most."""
    before, now = (np.asarray(one[side], dtype=float) for side in ("reference", "current"))
    before, now = before / before.sum(), now / now.sum()
    bins = list(one["bins"])
    if one["name"] == "tokens":
        # What a bin adds to the index, up to the smoothing of empty ones.
        tiny = 1e-6
        moved = (now - before) * np.log((now + tiny) / (before + tiny))
        top = np.argsort(-moved, kind="stable")[:_TELLING]
        return [bins[place] for place in top], before[top], now[top]
    return bins, before, now
