"""One style for all figures, readable in greyscale and by colour-blind people."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from cycler import cycler

# Okabe and Ito (2008), "Color Universal Design", told apart by line style and marker as well.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555")
_LINES = ("-", "--", "-.", ":", "-", "--", "-.")
INK, SOFT, GRID = "#1b1f24", "#57606a", "#e3e7eb"
STYLE: Any = {
    "figure.figsize": (5.6, 3.6),
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "text.color": INK,
    "text.parse_math": False,  # a class may be called $up$
    "axes.labelcolor": INK,
    "axes.edgecolor": SOFT,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.titleweight": "semibold",
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "axes.prop_cycle": cycler(color=COLOURS) + cycler(linestyle=_LINES),
}
_DPI = 150
_SHOWN_DPI = 96  # of the page: a pixel there is a 96th of an inch
#: Same bytes for the same figure, whatever the version of matplotlib says of itself.
_METADATA = {"Software": None}


@dataclass(frozen=True)
class Figure:
    """A PNG file, and what a page needs to show it.

    Attributes
    ----------
    path : Path
    alt : str
        What it shows, for those who cannot see it.
    caption : str
    """

    path: Path
    alt: str
    caption: str = ""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height on the page, in its pixels."""
        with open(self.path, "rb") as file:
            width, height = struct.unpack(">II", file.read(24)[16:24])
        return round(width * _SHOWN_DPI / _DPI), round(height * _SHOWN_DPI / _DPI)


@contextmanager
def drawing(path: Path, **options: Any) -> Iterator[Any]:
    """Yield axes in the one style, and write them as a PNG afterwards.

    Parameters
    ----------
    path : Path
        Where the PNG goes.
    **options
        For `matplotlib.pyplot.subplots`.
    """
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(**options)
        try:
            yield axes
            figure.savefig(path, dpi=_DPI, metadata=_METADATA)
        finally:
            plt.close(figure)


def shown(text: str, longest: int = 28) -> str:
    """Make a word or a class name fit for a figure: cut, without what the font cannot draw."""
    text = text if len(text) <= longest else text[: longest - 1] + "…"
    # A dollar sign would begin a formula.
    drawable = "".join(letter if _has_glyph(letter) else "□" for letter in text)
    return drawable.replace("$", r"\$")


def _has_glyph(letter: str) -> bool:
    """Say whether the figures' font has a character."""
    from matplotlib.font_manager import findfont, get_font

    return get_font(findfont("DejaVu Sans")).get_char_index(ord(letter)) != 0
