"""The figure of a night's drift."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.ticker import PercentFormatter

from pipeline.report.style import COLOURS, drawing, labels_of, shown

_MOST_TOKENS = 12  # of the figure
_SMALLEST = 1e-6  # added to shares, because an empty bin would have an infinite contribution
_SIDES = (
    {"label": "champion's training data", "color": COLOURS[0]},
    {"label": "tonight", "color": COLOURS[1], "hatch": "///"},
)


def drift(distributions: Sequence[Mapping[str, Any]], path: Path, source: str) -> None:
    """Draw the bins of each distribution of ``night.json`` in the training data and in the night.

    ``source`` is dataset and night, for the line below the figure.

    Of the tokens, those with the largest contributions to the index are drawn.
    """
    columns = min(len(distributions), 2)
    rows = -(-len(distributions) // max(columns, 1))
    size = (4.6 * columns, 0.5 + 3.2 * rows)
    shape = {"nrows": rows, "ncols": columns, "figsize": size, "squeeze": False}
    with drawing(path, source, **shape) as axes:
        for axis, one in zip(axes.flat, distributions, strict=False):
            bins, *sides = _shares(one)
            positions = np.arange(len(bins))
            for offset, shares, style in zip((-0.2, 0.2), sides, _SIDES, strict=True):
                axis.barh(positions + offset, shares, 0.4, edgecolor="white", **style)
            axis.set_yticks(positions, labels_of(bins, 18))
            axis.invert_yaxis()
            axis.grid(axis="y", visible=False)
            axis.xaxis.set_major_formatter(PercentFormatter(1))
            level = "" if one["level"] == "ok" else f", {one['level']}"
            values = f"PSI {one['psi']:.3f}, distance {one['distance']:.3f}{level}"
            axis.set_title(f"{one['name'].capitalize()}: {values}")
            axis.set_xlabel(shown(one["about"], 60))
        for axis in list(axes.flat)[len(distributions) :]:
            axis.set_visible(False)
        handles, labels = axes[0][0].get_legend_handles_labels()
        axes[0][0].figure.legend(handles, labels, loc="outside upper left", ncols=2)


def _shares(one: Mapping[str, Any]) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Return names and shares of the bins; of the tokens, those that changed most."""
    before, now = (np.asarray(one[side]) / sum(one[side]) for side in ("reference", "current"))
    if one["name"] != "tokens":
        return one["bins"], before, now
    contributions = (now - before) * np.log((now + _SMALLEST) / (before + _SMALLEST))
    top = np.argsort(-contributions, kind="stable")[:_MOST_TOKENS]
    return [one["bins"][index] for index in top], before[top], now[top]
