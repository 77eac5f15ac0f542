"""Terminal output: tables that fit the width, lines, formatted numbers, and JSON."""

import json
import math
import os
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.store.artifacts import strict

if TYPE_CHECKING:  # rich is imported only by commands that print text
    from rich.console import Console
    from rich.text import Text

_UNBOUNDED = 100_000  # cells; a file or a pipe has no width
_GAP = 2  # cells between columns


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Parameters
    ----------
    title : str
    is_number : bool
        Whether cells are aligned to the right.
    drop : int
        Order in which columns are dropped from a table that is too wide, largest first; a column
        with 0 is never dropped.
    least : int
        Width in cells to which the column may be truncated; 0: it is never truncated.
    wraps : bool
        Whether a long text is wrapped instead of truncated.
    """

    title: str
    is_number: bool = False
    drop: int = 0
    least: int = 0
    wraps: bool = False


def console() -> "Console":
    """Return a console as wide as the terminal; without a terminal, as wide as needed."""
    from rich.console import Console

    has_width = sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit()
    return Console(
        width=None if has_width else _UNBOUNDED, highlight=False, markup=False, emoji=False
    )


def print_json(value: Any) -> None:
    """Print a value as strict JSON: nan and infinity become null."""
    text = json.dumps(strict(value), indent=2, ensure_ascii=False, allow_nan=False, default=str)
    # A lone surrogate cannot be encoded as UTF-8; JSON can hold it as \udxxx.
    print(text.encode(errors="backslashreplace").decode())


def print_table(title: str, columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table; columns are truncated and then dropped until it fits the terminal.

    Parameters
    ----------
    title : str
        Printed above the table; empty for none.
    columns : sequence of Column
    rows : iterable of sequence
        Cells: texts, formatted numbers, or `rich.text.Text`.
    """
    from rich.table import Table
    from rich.text import Text

    terminal = console()
    cells = [
        [cell if isinstance(cell, Text) else Text(plain(cell)) for cell in row] for row in rows
    ]
    widths = _fit(columns, cells, terminal.width)
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="bold")
    for index, width in widths.items():
        column = columns[index]
        table.add_column(
            column.title,
            justify="right" if column.is_number else "left",
            no_wrap=not column.wraps,
            overflow="fold" if column.wraps else "ellipsis",
            width=width,
        )
    for row in cells:
        table.add_row(*(row[index] for index in widths))
    if title:
        print_line(title, style="bold")
    with terminal.capture() as printed:
        terminal.print(table)
    # rich pads cells to the width of the column, which only the last column of a line shows.
    terminal.file.write("".join(f"{text.rstrip()}\n" for text in printed.get().splitlines()))
    dropped = [
        column.title for index, column in enumerate(columns) if index not in widths and column.title
    ]
    if dropped:
        print_line(f"(no room for: {', '.join(dropped)}; --json prints all)", style="dim")


def print_line(text: Any = "", style: str = "") -> None:
    """Print a text, wrapped between words at the width of the terminal."""
    from rich.text import Text

    console().print(Text(plain(text), style=style))


def print_pairs(pairs: Iterable[tuple[str, Any]]) -> None:
    """Print names and values in two columns."""
    print_table("", [Column(""), Column("", least=20, wraps=True)], list(pairs))


def plain(text: Any) -> str:
    r"""Return a text in one line, without characters that control a terminal.

    Examples
    --------
    >>> plain("two\nlines \x1b[31mred")
    'two lines ␛[31mred'
    """
    return "".join(_harmless(character) for character in str(text))


def metric(value: float | None, digits: int = 3) -> str:
    """Format a metric; a dash stands for a metric that is missing or undefined.

    Examples
    --------
    >>> metric(0.98765), metric(float("nan"))
    ('0.988', '–')
    """
    return "–" if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def count(value: int | None) -> str:
    """Format a whole number with separators; a dash stands for None.

    Examples
    --------
    >>> count(3103170)
    '3,103,170'
    """
    return "–" if value is None else f"{value:,}"


def size(value: int) -> str:
    """Format a number of bytes in decimal units.

    Examples
    --------
    >>> size(3103170)
    '3.1 MB'
    """
    number, unit = float(value), "B"
    for larger_unit in ("kB", "MB", "GB"):
        if number < 1000:
            break
        number, unit = number / 1000, larger_unit
    return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"


def duration(seconds: float | None) -> str:
    """Format seconds as seconds, minutes or hours.

    Examples
    --------
    >>> duration(0.04), duration(7260)
    ('0.0 s', '2 h 1 min')
    """
    if seconds is None or not math.isfinite(seconds):
        return "unknown"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _fit(columns: Sequence[Column], cells: list[list["Text"]], width: int) -> dict[int, int]:
    """Return the indices of the columns that fit, with the width of each."""
    from rich.cells import cell_len

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
        truncatable = [index for index in shown if widths[index] > least[index]]
        if not truncatable:
            break
        widths[max(truncatable, key=widths.__getitem__)] -= 1
    return widths


def _total(widths: Iterable[int]) -> int:
    """Return the width of a table in cells, with the gaps between its columns."""
    return sum(width + _GAP for width in widths) - _GAP


def _harmless(character: str) -> str:
    """Replace a line end by a space and a control character by a symbol."""
    if character in "\t\n\r\u2028\u2029":
        return " "
    category = unicodedata.category(character)
    if category == "Cc":
        return chr(0x2400 + ord(character)) if ord(character) < 0x20 else "\ufffd"
    if category == "Cs":  # a lone surrogate, which cannot be encoded
        return "\ufffd"
    # Marks of writing direction would reorder the rest of the line.
    is_direction = "\u202a" <= character <= "\u202e" or "\u2066" <= character <= "\u2069"
    return "" if is_direction else character
