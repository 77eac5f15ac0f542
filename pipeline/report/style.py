"""One style for all figures: see ``templates/figures.mplstyle``."""

import logging
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
# On first use it warns that it builds a cache of fonts.
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)

import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.font_manager import findfont, get_font  # noqa: E402

_STYLE = Path(__file__).with_name("templates") / "figures.mplstyle"
with plt.style.context(_STYLE):
    COLOURS = tuple(plt.rcParams["axes.prop_cycle"].by_key()["color"])
INK, SOFT = "#1b1f24", "#57606a"
FONT = "DejaVu Sans"
_DPI, _PAGE_DPI = 150, 96  # of the file, and of the page: a pixel there is 1/96 inch
_METADATA = {"Software": None}  # the version of matplotlib would change the bytes


@dataclass(frozen=True)
class Figure:
    """A PNG file, its alternative text (what the picture shows) and its caption."""

    path: Path
    alt: str
    caption: str = ""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height on the page in pixels."""
        with open(self.path, "rb") as file:
            width, height = struct.unpack(">II", file.read(24)[16:24])
        return round(width * _PAGE_DPI / _DPI), round(height * _PAGE_DPI / _DPI)


@contextmanager
def drawing(path: Path, **options: Any) -> Iterator[Any]:
    """Yield axes in the style of the report, and then write them to a PNG file.

    Parameters
    ----------
    path : Path
        The PNG file.
    **options
        For `matplotlib.pyplot.subplots`.
    """
    with plt.style.context(_STYLE):
        figure, axes = plt.subplots(**options)
        try:
            yield axes
            figure.savefig(path, dpi=_DPI, metadata=_METADATA)
        finally:
            plt.close(figure)


def shown(text: str, longest: int = 28) -> str:
    r"""Truncate a word or a class name for a figure, and replace what the font cannot draw.

    Examples
    --------
    >>> shown("$up$")
    '\\$up\\$'
    """
    text = text if len(text) <= longest else text[: longest - 1] + "…"
    font = get_font(findfont(FONT))
    drawable = "".join(letter if font.get_char_index(ord(letter)) else "□" for letter in text)
    # A dollar sign would begin a formula.
    return drawable.replace("$", r"\$")
