"""Figures of a dataset's nights."""

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.report.style import COLOURS, INK, SOFT, drawing, shown

_WIDE = (10.4, 3.5)
_HALF = (5.0, 3.0)
# Markers and colours of outcomes; the shape alone tells them apart.
_MARKS = {
    "promoted": ("promoted", "D", COLOURS[2], 7.0),
    "kept": ("champion kept", "o", COLOURS[0], 5.5),
    "drift_stop": ("stopped by drift", "X", COLOURS[1], 7.0),
    "contract_broken": ("contract broken", "v", COLOURS[1], 7.0),
    "unchanged": ("unchanged data", "_", SOFT, 8.0),
}
_DRIFT = ("classes", "lengths", "tokens", "scores")
_LEAST_PSI = 1e-3  # shown; a logarithmic scale has no zero


def metric(
    nights: Sequence[Mapping[str, Any]],
    champions: Sequence[tuple[str, float]],
    changes: Sequence[tuple[str, str]],
    name: str,
    path: Path,
) -> None:
    """Draw the metric of each night's model with its interval, and the champion's.

    Parameters
    ----------
    nights : sequence of mapping
        ``date``, ``outcome``, ``value`` and ``interval`` (None without a decision), by date.
    champions : sequence of (str, float)
        Date and the champion's metric after each night.
    changes : sequence of (str, str)
        Dates at which the champion changed, and how (``promoted``, ``rollback``).
    name : str
        Of the metric.
    path : Path
        Where the PNG goes.
    """
    with drawing(path, figsize=_WIDE) as axis:
        for number, (date, how) in enumerate(changes):
            label = "champion changed" if number == 0 else None
            dashes = "--" if how == "rollback" else ":"
            axis.axvline(_day(date), color=SOFT, lw=1, ls=dashes, zorder=0, label=label)
        if champions:
            days = [_day(date) for date, _ in champions]
            values = [value for _, value in champions]
            axis.step(days, values, where="post", color=INK, lw=1.6, ls="-", label="champion")
        for outcome, (label, marker, colour, size) in _MARKS.items():
            some = [
                night
                for night in nights
                if night["outcome"] == outcome and night["value"] is not None
            ]
            if not some:
                continue
            days = [_day(night["date"]) for night in some]
            bounded = [night for night in some if night["interval"]]
            axis.vlines(
                [_day(night["date"]) for night in bounded],
                [night["interval"][0] for night in bounded],
                [night["interval"][1] for night in bounded],
                color=colour,
                lw=1.4,
                ls="-",
                alpha=0.6,
            )
            values = [night["value"] for night in some]
            axis.plot(days, values, marker, color=colour, ms=size, ls="", label=label)
        _without_value(axis, nights)
        axis.set_ylabel(name)
        _dates(axis, nights)
        _legend(axis)


def _without_value(axis: Any, nights: Sequence[Mapping[str, Any]]) -> None:
    """Mark nights without a decision at the bottom."""
    for outcome, (label, marker, colour, size) in _MARKS.items():
        some = [night for night in nights if night["outcome"] == outcome and night["value"] is None]
        if some:
            days = [_day(night["date"]) for night in some]
            axis.plot(
                days,
                [0.03] * len(days),
                marker,
                color=colour,
                ms=size,
                ls="",
                label=label,
                transform=axis.get_xaxis_transform(),
            )


def drift(
    nights: Sequence[Mapping[str, Any]], levels: tuple[float, float] | None, path: Path
) -> None:
    """Draw the population stability index of each distribution by night.

    Parameters
    ----------
    nights : sequence of mapping
        ``date`` and ``psi``, a mapping of distribution to index (None where not measured).
    levels : (float, float) or None
        Warning and stop level.
    path : Path
        Where the PNG goes.
    """
    measured = [night for night in nights if night["psi"]]
    with drawing(path, figsize=_WIDE) as axis:
        for number, name in enumerate(_DRIFT):
            some = [night for night in measured if name in night["psi"]]
            axis.plot(
                [_day(night["date"]) for night in some],
                [max(night["psi"][name], _LEAST_PSI) for night in some],
                marker="os^D"[number],
                ms=4,
                lw=1.3,
                color=COLOURS[number],
                label=name,
            )
        for level, word in zip(levels or (), ("warning", "stop"), strict=False):
            axis.axhline(level, color=INK, lw=1, ls="--" if word == "warning" else "-")
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
        _dates(axis, nights)
        _legend(axis)


def shares(nights: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw the share of each class by night.

    Parameters
    ----------
    nights : sequence of mapping
        ``date`` and ``shares``, a mapping of class to share (None where it is not known).
    path : Path
        Where the PNG goes.
    """
    known = [night for night in nights if night["shares"]]
    names = list(dict.fromkeys(name for night in known for name in night["shares"]))
    with drawing(path, figsize=_HALF) as axis:
        for number, name in enumerate(names):
            some = [night for night in known if name in night["shares"]]
            axis.plot(
                [_day(night["date"]) for night in some],
                [night["shares"][name] for night in some],
                marker="os^Dv"[number % 5],
                ms=3.5,
                lw=1.3,
                label=shown(name, 14),
            )
        axis.set_ylim(bottom=0)
        axis.set_ylabel("share of labelled rows")
        axis.yaxis.set_major_formatter("{x:.0%}")
        _dates(axis, nights)
        _legend(axis, 3)


def bars(
    nights: Sequence[Mapping[str, Any]],
    key: str,
    name: str,
    path: Path,
    marked: Mapping[str, str] | None = None,
) -> None:
    """Draw one number of each night.

    Parameters
    ----------
    nights : sequence of mapping
        ``date``, ``outcome`` and the number (None where it is not known).
    key : str
        Of the number.
    name : str
        Of the number with its unit.
    path : Path
        Where the PNG goes.
    marked : mapping of str to str, optional
        Outcomes that are drawn apart, and their labels.
    """
    marked = marked or {}
    groups = [("", [night for night in nights if night["outcome"] not in marked])]
    groups += [
        (label, [night for night in nights if night["outcome"] == outcome])
        for outcome, label in marked.items()
    ]
    styles = ({"color": COLOURS[0]}, {"color": COLOURS[1], "hatch": "///"})
    with drawing(path, figsize=_HALF) as axis:
        for number, (label, some) in enumerate(groups):
            known = [night for night in some if night[key] is not None]
            if not known:
                continue
            axis.bar(
                [_day(night["date"]) for night in known],
                [night[key] for night in known],
                width=0.8,
                edgecolor="white",
                lw=0.4,
                label=label or None,
                **styles[min(number, 1)],
            )
        axis.set_ylabel(name)
        axis.yaxis.set_major_formatter("{x:,.10g}")
        axis.grid(axis="x", visible=False)
        _dates(axis, nights)
        if any(label and some for label, some in groups):
            _legend(axis)


def _day(date: str) -> Any:
    """Return a date as the figures' axis has it."""
    return np.datetime64(datetime.date.fromisoformat(date))


def _dates(axis: Any, nights: Sequence[Mapping[str, Any]]) -> None:
    """Label days, as many as there is room for."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=3, maxticks=8, interval_multiples=False)
    axis.xaxis.set_major_locator(locator)
    axis.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    if nights:
        days = [_day(night["date"]) for night in nights]
        edge = np.timedelta64(18, "h")
        axis.set_xlim(min(days) - edge, max(days) + edge)


def _legend(axis: Any, columns: int = 4) -> None:
    """Put the legend above the axes, where it covers nothing."""
    handles, _ = axis.get_legend_handles_labels()
    if handles:
        axis.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, borderaxespad=0.2)
