"""One style for all figures: see ``templates/figures.mplstyle``."""

import logging
import struct
import unicodedata
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.style
from matplotlib import figure as mpl_figure
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from pipeline.report import fonts

# On first use it warns that it builds a cache of fonts.
logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)

_STYLE = Path(__file__).with_name("templates") / "figures.mplstyle"
_PARAMETERS = matplotlib.rc_params_from_file(_STYLE, use_default_template=False)
COLOURS = tuple(_PARAMETERS["axes.prop_cycle"].by_key()["color"])
INK, SOFT = "#1b1f24", "#57606a"
UNIT = (-0.02, 1.02)  # limits of an axis from 0 to 1
_DPI, _PAGE_DPI = 150, 96  # of the file, and of the page: a pixel there is 1/96 inch
_LONGEST_SOURCE = 64  # characters below a figure
# Invisible marks: text from right to left between them does not reorder the text around it.
_ISOLATE, _END_ISOLATE = "\u2068", "\u2069"
_JOINERS = ("\u200c", "\u200d")
_SPACES = ("Cc", "Zl", "Zp", "Zs")  # categories of characters


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
def drawing(path: Path, source: str, **options: Any) -> Iterator[Any]:
    """Yield axes in the style of the report, and then write them to a PNG file.

    Fonts are chosen by the characters of all texts. The figure is independent of pyplot and of a
    ``matplotlibrc`` of the user.

    Parameters
    ----------
    path : Path
        The PNG file.
    source : str
        Model, dataset and rows, for the line below the figure and for the metadata of the file, so
        that a copied picture says where it is from.
    **options
        For `matplotlib.figure.Figure.subplots`, and ``figsize`` in inches.
    """
    size = {"figsize": options.pop("figsize")} if "figsize" in options else {}
    with matplotlib.style.context(_STYLE, after_reset=True), warnings.catch_warnings():
        # `fonts` has already warned once for each script.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure = mpl_figure.Figure(dpi=_DPI, **size)
        FigureCanvasAgg(figure)
        yield figure.subplots(**options)
        note = {"x": 0.008, "ha": "left", "color": SOFT, "fontsize": 7.5}
        figure.supxlabel(shown(source, _LONGEST_SOURCE), **note)
        _choose_fonts(figure)
        # savefig would draw a second time to find the layout.
        engine: Any = figure.get_layout_engine()
        engine.execute(figure)
        figure.set_layout_engine("none")
        figure.savefig(path, metadata=metadata(path, source))


def above_axes() -> dict[str, Any]:
    """Return options of a legend above the axes, where it hides nothing."""
    place = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.2}
    return {**place, "alignment": "left", "handlelength": 2.4}


def metadata(path: Path, source: str) -> dict[str, str | None]:
    """Return the texts in a PNG file; the version of matplotlib would change the bytes.

    Examples
    --------
    >>> metadata(Path("class_sizes.png"), "bilstm on vader")["Title"]
    'class sizes: bilstm on vader'
    """
    title = f"{path.stem.replace('_', ' ')}: {source}"
    return {"Title": title, "Source": source, "Software": None}


def _choose_fonts(figure: Any) -> None:
    """Give each text of a figure the fonts that its characters need."""
    texts = figure.findobj(Text)
    contents = {text.get_text() for text in texts}
    fonts.warn_if_missing(contents, symbols=False)
    families = fonts.families(contents)
    for text in texts:
        text.set_family(families)


def labels_of(names: Sequence[str], longest: int = 28) -> list[str]:
    """Return labels of classes or words for a figure, one for each name and each different.

    A label is numbered if it cannot be told from another one after truncation, or if no installed
    font has its characters.

    Examples
    --------
    >>> labels_of(["a" * 30, "a" * 31, "b"], 5)
    ['1: aa…aa', '2: aa…aa', 'b']
    """
    labels = [shown(name, longest) for name in names]
    counts = Counter(labels)
    return [
        label if counts[label] == 1 and fonts.is_drawable(name) else f"{number}: {label}"
        for number, (name, label) in enumerate(zip(names, labels, strict=True), 1)
    ]


def shown(text: str, longest: int = 28) -> str:
    r"""Return a text for a figure, truncated in the middle, on one line.

    A wide character, such as a Chinese one, counts as two. Nothing is a formula:
    ``text.parse_math`` is off. Control characters become spaces or are dropped.

    Examples
    --------
    >>> shown("$up$"), shown("a\nb"), shown("the customer complains about", 14)
    ('$up$', 'a b', 'the cus… about')
    """
    # The middle of a text of megabytes is not read.
    ends = text if len(text) <= 8 * longest else text[: 4 * longest] + text[-4 * longest :]
    valid = ends.encode(errors="replace").decode()  # a lone surrogate becomes a question mark
    spaced = "".join(" " if unicodedata.category(one) in _SPACES else one for one in valid)
    kept = "".join(one for one in spaced if one in _JOINERS or unicodedata.category(one) != "Cf")
    line = " ".join(kept.split())
    if _width(line) > longest:
        line = f"{_start(line, longest // 2)}…{_end(line, (longest - 1) // 2)}"
    is_right_to_left = any(unicodedata.bidirectional(one) in ("R", "AL") for one in line)
    # matplotlib leaves labels that begin with an underscore out of legends.
    if is_right_to_left or line.startswith("_"):
        return f"{_ISOLATE}{line}{_END_ISOLATE}"
    return line


def _width(text: str) -> int:
    """Return the width of a text in narrow characters; marks and joiners have none."""
    letters = (one for one in text if not _is_joined(one))
    return sum(1 + (unicodedata.east_asian_width(one) in "WF") for one in letters)


def _is_joined(character: str) -> bool:
    """Return whether a character has no width of its own."""
    return unicodedata.category(character)[0] == "M" or character in _JOINERS


def _start(text: str, width: int) -> str:
    """Return the first characters of a text, with the marks that belong to the last one."""
    end = len(text)
    while _width(text[:end]) > width:
        end -= 1
    while end < len(text) and _continues(text, end):
        end += 1
    return text[:end].rstrip()


def _end(text: str, width: int) -> str:
    """Return the last characters of a text, which begin with no mark of an earlier one."""
    start = 0
    while _width(text[start:]) > width or _continues(text, start):
        start += 1
    return text[start:]


def _continues(text: str, position: int) -> bool:
    """Return whether a character belongs to the one before it."""
    if position >= len(text):
        return False
    return _is_joined(text[position]) or text[position - 1 : position] in _JOINERS
