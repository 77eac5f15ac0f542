"""Put things on the terminal: tables whose columns fit, colours where they are wanted, JSON."""

import json
import math
import os
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.store.artifacts import strict

_UNBOUNDED = 100_000  # cells: a file or a pipe has no edge to fit to
_GAP = 2


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    title : str
    is_number : bool
        Numbers stand to the right.
    drop : int
        Where a table is too wide, columns go in this order, largest first; 0 stays.
    least : int
        Cells below which the column is not cut; 0 for its whole width.
    wraps : bool
        Whether a text that is too long goes on in the next line rather than being cut.
    """

    title: str
    is_number: bool = False
    drop: int = 0
    least: int = 0
    wraps: bool = False


def console() -> Console:
    """Return where to print: as wide as the terminal, or as wide as needed elsewhere."""
    has_width = sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit()
    return Console(
        width=None if has_width else _UNBOUNDED, highlight=False, markup=False, emoji=False
    )


def print_json(value: Any) -> None:
    """Print a value for other programs, as strict JSON."""
    text = json.dumps(strict(value), indent=2, ensure_ascii=False, allow_nan=False, default=str)
    # Half of a pair of surrogates has no bytes; written as \udxxx, JSON has it all the same.
    print(text.encode(errors="backslashreplace").decode())


def plain(text: Any) -> str:
    """Write a text in one line without anything that a terminal would obey."""
    return "".join(_harmless(character) for character in str(text))


def table(
    title: str, columns: Sequence[Column], rows: Iterable[Sequence[Any]], on: Console | None = None
) -> None:
    """Print a table; cells are texts, numbers already written, or `rich.text.Text`."""
    on = on or console()
    cells = [
        [cell if isinstance(cell, Text) else Text(plain(cell)) for cell in row] for row in rows
    ]
    widths = _fitting(columns, cells, on.width)
    made = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="bold")
    for index, width in widths.items():
        column = columns[index]
        made.add_column(
            column.title,
            justify="right" if column.is_number else "left",
            no_wrap=not column.wraps,
            overflow="fold" if column.wraps else "ellipsis",
            width=width,
        )
    for row in cells:
        made.add_row(*(row[index] for index in widths))
    if title:
        on.print(Text(plain(title), style="bold"))
    with on.capture() as printed:
        on.print(made)
    # Cells are filled up to the column's width; the last one of a line need not be.
    on.file.write("".join(f"{text.rstrip()}\n" for text in printed.get().splitlines()))
    hidden = [
        column.title for index, column in enumerate(columns) if index not in widths and column.title
    ]
    if hidden:
        on.print(Text(f"(no room for: {', '.join(hidden)}; --json has all)", style="dim"))


def line(text: Any = "", style: str = "", on: Console | None = None) -> None:
    """Print a line, folded at words where the terminal ends."""
    (on or console()).print(Text(plain(text), style=style))


def figure(value: float | None, digits: int = 3) -> str:
    """Write a metric, or a dash where there is none or it is not defined."""
    return "–" if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def count(value: int | None) -> str:
    """Write a whole number with separators, or a dash where there is none."""
    return "–" if value is None else f"{value:,}"


def size(value: int) -> str:
    """Write bytes in the unit that suits."""
    number, unit = float(value), "B"
    for bigger in ("kB", "MB", "GB"):
        if number < 1000:
            break
        number, unit = number / 1000, bigger
    return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"


def duration(seconds: float | None) -> str:
    """Write seconds in words."""
    if seconds is None or not math.isfinite(seconds):
        return "unknown"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _fitting(columns: Sequence[Column], cells: list[list[Text]], width: int) -> dict[int, int]:
    """Choose the columns that fit, by number, and the width of each."""
    natural = {
        index: max([cell_len(column.title), *(cell_len(row[index].plain) for row in cells)])
        for index, column in enumerate(columns)
    }
    least = {
        index: min(natural[index], column.least) if column.least else natural[index]
        for index, column in enumerate(columns)
    }
    shown = list(natural)
    for index in sorted(shown, key=lambda index: -columns[index].drop):
        if columns[index].drop and _total(least[other] for other in shown) > width:
            shown.remove(index)
    widths = {index: natural[index] for index in shown}
    while _total(widths.values()) > width:
        cut = [index for index in shown if widths[index] > least[index]]
        if not cut:
            break
        widths[max(cut, key=widths.__getitem__)] -= 1
    return widths


def _total(widths: Iterable[int]) -> int:
    """Return the cells that columns of these widths take with the gaps between them."""
    return sum(width + _GAP for width in widths) - _GAP


def _harmless(character: str) -> str:
    """Replace line ends by spaces and show what controls a terminal as a symbol."""
    kind = unicodedata.category(character)
    if character in "\t\n\r\u2028\u2029":
        return " "
    if kind == "Cc":
        return chr(0x2400 + ord(character)) if ord(character) < 0x20 else "\ufffd"
    if kind == "Cs":  # half of a pair of surrogates, which has no bytes
        return "\ufffd"
    # Marks that turn the direction of writing would reorder the rest of the line.
    is_direction = "\u202a" <= character <= "\u202e" or "\u2066" <= character <= "\u2069"
    return "" if is_direction else character
