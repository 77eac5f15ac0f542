"""Terminal output: tables that fit the width, lines, formatted numbers, and JSON."""

import json
import math
import os
import sys
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.store.files import strict

if TYPE_CHECKING:  # rich is imported only by commands that print text
    from rich.console import Console
    from rich.text import Text

_UNBOUNDED = 100_000  # cells; a file or a pipe has no width
_GAP = 2  # cells between columns


def _text(value: Any) -> str:
    """Return a value as text, None as an empty one."""
    return "" if value is None else str(value)


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    title: str
    # Key of the value in a row, or a function of the row; None: the title is the key.
    value: str | Callable[[Mapping[str, Any]], Any] | None = None
    # Function that formats the value.
    form: Callable[[Any], Any] = _text
    is_number: bool = False
    # Columns are dropped from a table that is too wide, the largest number first, never 0.
    drop: int = 0
    # Width in cells to which the column may be truncated; 0: it is never truncated.
    least: int = 0
    # Whether a long text is wrapped instead of truncated.
    wraps: bool = False

    def cell(self, row: Mapping[str, Any]) -> "Text":
        """Return the cell of a row, empty if the row has no value."""
        from rich.text import Text

        if callable(self.value):
            cell = self.value(row)
        else:
            key = self.value or self.title
            cell = self.form(row[key]) if key in row else ""
        return cell if isinstance(cell, Text) else Text(plain(cell))


def console() -> "Console":
    """Return a console as wide as the terminal; without a terminal, as wide as needed."""
    from rich.console import Console

    has_width = sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit()
    return Console(
        width=None if has_width else _UNBOUNDED, highlight=False, markup=False, emoji=False
    )


def print_json(value: Any) -> None:
    """Print a value as strict JSON: nan and infinity become null."""
    # Other encodings may lack a character, which JSON then holds as \\uxxxx.
    is_ascii = "utf" not in (sys.stdout.encoding or "utf-8").lower()
    text = json.dumps(strict(value), indent=2, ensure_ascii=is_ascii, allow_nan=False, default=str)
    # A lone surrogate cannot be encoded as UTF-8; JSON can hold it as \udxxx.
    print(text.encode(errors="backslashreplace").decode())


def print_table(title: str, columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> None:
    """Print a table; columns are truncated and then dropped until it fits the terminal."""
    from rich.table import Table

    terminal = console()
    cells = [[column.cell(row) for column in columns] for row in rows]
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
    for row_cells in cells:
        table.add_row(*(row_cells[index] for index in widths))
    if title:
        print_line(title, style="bold")
    with terminal.capture() as printed:
        terminal.print(table)
    # rich pads the cells of the last column too.
    terminal.file.write("".join(f"{text.rstrip()}\n" for text in printed.get().splitlines()))
    dropped = [column.title for at, column in enumerate(columns) if at not in widths]
    if any(dropped):
        names = ", ".join(filter(None, dropped))
        print_line(f"(no room for: {names}; --json prints all)", style="dim")


def print_pairs(pairs: Iterable[tuple[str, Any]]) -> None:
    """Print names and values in two columns."""
    columns = [Column("", "name"), Column("", "value", least=20, wraps=True)]
    print_table("", columns, [{"name": name, "value": value} for name, value in pairs])


def print_line(text: Any = "", style: str = "", *, wrap: bool = True) -> None:
    """Print a text, wrapped between words at the width of the terminal, or as one line to copy."""
    from rich.text import Text

    console().print(Text(plain(text), style=style), soft_wrap=not wrap)


def plain(text: Any) -> str:
    """Return a text in one line, without characters that control a terminal."""
    return "".join(_harmless(character) for character in str(text))


def metric(value: float | None, digits: int = 3) -> str:
    """Format a metric, a missing or undefined one as a dash."""
    return "–" if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def count(value: int | None) -> str:
    """Format an integer with separators, None as a dash."""
    return "–" if value is None else f"{value:,}"


def size(value: int) -> str:
    """Format a number of bytes in decimal units."""
    from rich.filesize import decimal

    return decimal(value)


def duration(seconds: float | None) -> str:
    """Format seconds as seconds, minutes or hours, such as ``2 h 1 min``."""
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

    widths = {
        index: max([cell_len(column.title), *(row[index].cell_len for row in cells)])
        for index, column in enumerate(columns)
    }
    least = {index: min(widths[index], columns[index].least or widths[index]) for index in widths}
    for index in sorted(widths, key=lambda index: -columns[index].drop):
        if columns[index].drop and sum(least[kept] + _GAP for kept in widths) - _GAP > width:
            del widths[index]
    while sum(widths.values()) + _GAP * (len(widths) - 1) > width:
        truncatable = [index for index in widths if widths[index] > least[index]]
        if not truncatable:
            break
        widths[max(truncatable, key=widths.__getitem__)] -= 1
    return widths


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
