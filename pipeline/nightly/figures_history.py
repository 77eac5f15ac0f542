"""Figures of the page of a dataset's nights, written as PNG files.

A night is a line of `pipeline.nightly.history.history_lines`, with None for a missing value.
``source`` is dataset and nights, for the line below a figure.
"""

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.report.style import COLOURS, INK, SOFT, drawing, labels_of

_WIDE = (10.4, 3.5)
_HALF = (5.0, 3.0)
# Label, marker, colour and size of each outcome; the marker alone identifies it.
_MARKS = {
    "promoted": ("promoted", "D", COLOURS[2], 7.0),
    "kept": ("champion kept", "o", COLOURS[0], 5.5),
    "drift_stop": ("stopped by drift", "X", COLOURS[1], 7.0),
    "contract_broken": ("contract broken", "v", COLOURS[1], 7.0),
    "unchanged": ("unchanged data", "_", SOFT, 8.0),
}
_DRIFT = ("classes", "lengths", "tokens", "scores")
_LEAST_PSI = 1e-3  # a logarithmic scale has no zero
Nights = Sequence[Mapping[str, Any]]


def metric(nights: Nights, lines: Nights, name: str, path: Path, source: str) -> None:
    """Draw the metric of each night's model with its interval, and the champion's.

    ``lines`` are all lines of the ledger, rollbacks included, by day.
    """
    with drawing(path, source, figsize=_WIDE) as axis:
        for number, line in enumerate(line for line in lines if line["is_change"]):
            label = "champion changed" if number == 0 else None
            dashes = "--" if line["outcome"] == "rollback" else ":"
            axis.axvline(_day(line["day"]), color=SOFT, lw=1, ls=dashes, zorder=0, label=label)
        measured = [line for line in lines if line["champion_value"] is not None]
        if measured:
            days = [_day(line["day"]) for line in measured]
            values = [line["champion_value"] for line in measured]
            axis.step(days, values, where="post", color=INK, lw=1.6, ls="-", label="champion")
        decided = [night for night in nights if night["value"] is not None]
        for night in decided:
            if night["interval"]:
                colour = _MARKS[night["outcome"]][2]
                day, bounds = _day(night["date"]), night["interval"]
                axis.vlines(day, *bounds, color=colour, lw=1.4, ls="-", alpha=0.6)
        _plot_outcomes(axis, decided, lambda night: night["value"])
        # Nights without a decision are marked at the bottom.
        undecided = [night for night in nights if night["value"] is None]
        at_bottom = axis.get_xaxis_transform()
        _plot_outcomes(axis, undecided, lambda night: 0.03, transform=at_bottom)
        axis.set_ylabel(name)
        _finish(axis, nights)


def drift(nights: Nights, path: Path, source: str) -> None:
    """Draw the population stability index of each distribution by night, with its levels."""
    measured = [night for night in nights if night["psi"]]
    values = [(night["date"], night["psi"]) for night in measured]
    with drawing(path, source, figsize=_WIDE) as axis:
        _plot_lines(axis, values, _DRIFT, ms=4, least=_LEAST_PSI)
        for word, dashes in (("warning", "--"), ("stop", "-")):
            level = measured[-1]["limits"][f"{word}_psi"]
            axis.axhline(level, color=INK, lw=1, ls=dashes)
            axis.annotate(
                f"{word} {level:g}",
                (1, level),
                xycoords=("axes fraction", "data"),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                color=INK,
                fontsize=8.5,
            )
        axis.set_yscale("log")
        axis.yaxis.set_major_formatter("{x:g}")
        axis.set_ylabel("population stability index")
        _finish(axis, nights)


def shares(nights: Nights, path: Path, source: str) -> None:
    """Draw the share of each class by night."""
    values = [(night["date"], night["shares"]) for night in nights if night["shares"]]
    names = list(dict.fromkeys(name for _, by_class in values for name in by_class))
    with drawing(path, source, figsize=_HALF) as axis:
        _plot_lines(axis, values, names, ms=3.5)
        axis.set_ylim(bottom=0)
        axis.set_ylabel("share of labelled rows")
        axis.yaxis.set_major_formatter("{x:.0%}")
        _finish(axis, nights, 3)


def bars(
    nights: Nights, key: str, name: str, marked: Mapping[str, str], path: Path, source: str
) -> None:
    """Draw one number of each night; bars of marked outcomes are hatched and labelled."""
    groups: dict[str | None, Nights] = {
        None: [night for night in nights if night["outcome"] not in marked]
    }
    for outcome, mark in marked.items():
        groups[mark] = [night for night in nights if night["outcome"] == outcome]
    with drawing(path, source, figsize=_HALF) as axis:
        for label, group in groups.items():
            values = {night["date"]: night[key] for night in group if night[key] is not None}
            if values:
                style: dict[str, Any] = {"edgecolor": "white", "lw": 0.4, "label": label}
                style |= {"color": COLOURS[1], "hatch": "///"} if label else {"color": COLOURS[0]}
                axis.bar([_day(date) for date in values], values.values(), width=0.8, **style)
        axis.set_ylabel(name)
        axis.yaxis.set_major_formatter("{x:,.10g}")
        axis.grid(axis="x", visible=False)
        _finish(axis, nights)


def _plot_outcomes(
    axis: Any, nights: Nights, height: Callable[[Mapping[str, Any]], float], **options: Any
) -> None:
    """Plot a marker for each night, by outcome."""
    for outcome, (label, marker, colour, size) in _MARKS.items():
        group = [night for night in nights if night["outcome"] == outcome]
        if group:
            days, heights = [_day(night["date"]) for night in group], [height(n) for n in group]
            style = {"color": colour, "ms": size, "ls": "", "label": label}
            axis.plot(days, heights, marker, **style, **options)


def _plot_lines(
    axis: Any,
    values: Sequence[tuple[str, Mapping[str, float]]],
    names: Iterable[str],
    ms: float,
    least: float = 0.0,
) -> None:
    """Plot a line of each name over dates."""
    names = list(names)
    labels = labels_of(names, 16)
    for number, name in enumerate(names):
        points = [
            (_day(date), max(by_name[name], least)) for date, by_name in values if name in by_name
        ]
        days, heights = zip(*points, strict=True) if points else ((), ())
        marker = "os^Dv"[number % 5]
        axis.plot(days, heights, marker=marker, ms=ms, lw=1.3, label=labels[number])


def _day(date: str) -> Any:
    """Return a date as a value of the axis."""
    return np.datetime64(datetime.date.fromisoformat(date))


def _finish(axis: Any, nights: Nights, columns: int = 4) -> None:
    """Label as many days as fit, and put the legend above the axes."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=3, maxticks=8, interval_multiples=False)
    axis.xaxis.set_major_locator(locator)
    axis.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    days = [_day(night["date"]) for night in nights]
    margin = np.timedelta64(18, "h")
    axis.set_xlim(min(days) - margin, max(days) + margin)
    handles, _ = axis.get_legend_handles_labels()
    if handles:
        axis.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, borderaxespad=0.2)
