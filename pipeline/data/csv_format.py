"""Separated fields (CSV, TSV): from lines to blocks of records.

Python's csv module accepts text after a closing quote and quotes that close many lines later. Both
silently change or swallow records, so they are problems here.
"""

import csv
import re
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.data import records
from pipeline.data.records import Block, Problem, Record, column_indices, display_name, toml_text
from pipeline.data.schema import Table
from pipeline.errors import DataError

_FIELD_LIMIT = 1 << 27  # bytes; Python's limit of 131,072 is less than a long review
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\r?\n?')  # Excel's first line, no record
_MOST_VALUES = 200  # distinct values of a column whose values tell a record from a text
#: What a problem says about an open quote.
NEVER_CLOSED = "a quote that is never closed"
_ZERO_BYTE = "it contains a zero byte"
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_NO_QUOTES = "quoting = false (quotes are text)"
_BY_LINE = "multiline = false (each line is a record; damaged ones are rejected)"
_ESCAPE = 'escape = "\\\\" (a backslash precedes quotes that are text)'
_ACCEPT = "multiline = true (the lines are part of the text)"


class Rows(NamedTuple):
    """Fields of records, the lines where they start, and an error for each (empty if none)."""

    lines: list[int]
    values: list[list[str]]
    errors: list[str]
    problems: list[Problem]


def blocks(table: Table, path: Path, lines: Iterator[str]) -> Iterator[Block]:
    """Read separated fields; a record with another number of fields than the header is an error."""
    name = display_name(table, path)
    first, lines = _after_separator_line(table, name, lines)
    header = list(table.header)
    indices = None
    for rows in split(table, lines, first):
        if not header:
            header = _header(rows, name)
            rows = Rows(rows.lines[1:], rows.values[1:], rows.errors[1:], rows.problems)
        indices = indices or column_indices(header, table, path)
        if rows.lines or rows.problems:
            yield _block(rows, indices, len(header), table.delimiter)


def split(table: Table, lines: Iterator[str], first: int = 1) -> Iterator[Rows]:
    """Split lines into fields; ``first`` is the number of the first line.

    The first record, which may be the header, is a block: it is checked before the rest is read.
    """
    csv.field_size_limit(_FIELD_LIMIT)
    if table.escape:
        lines = map(_with_escapes_only(table), lines)
    return (_by_line if table.multiline is False else _multiline)(table, lines, first)


def separator_of(line: str) -> str | None:
    """Return the delimiter in Excel's line ``sep=;``; None if the line is another one.

    Examples
    --------
    >>> separator_of("sep=;")
    ';'
    """
    match = _SEPARATOR_LINE.fullmatch(line)
    return match[1] if match else None


def _after_separator_line(
    table: Table, name: str, lines: Iterator[str]
) -> tuple[int, Iterator[str]]:
    """Skip Excel's line with the delimiter; return the number of the next line, and the lines."""
    line = next(lines, "")
    separator = separator_of(line)
    if separator is None:
        return 1, chain([line] if line else (), lines)
    if separator != table.delimiter:
        raise DataError(
            f"{name} says in line 1 that its delimiter is {separator!r}, the dataset's is "
            f"{table.delimiter!r}; write delimiter = {toml_text(separator)} in its TOML file."
        )
    return 2, lines


def _header(rows: Rows, name: str) -> list[str]:
    """Return the column names in the first record."""
    if rows.problems:
        raise DataError(f"{name}: {rows.problems[0].text}; {rows.problems[0].advice}.")
    if rows.errors[0]:
        advice = ""
        if rows.errors[0] == _ZERO_BYTE:
            advice = "; write encoding = 'utf-16-le' in the dataset's TOML file"
        raise DataError(
            f"{name}: line {rows.lines[0]}, the header, cannot be read: {rows.errors[0]}{advice}."
        )
    return [column.strip() for column in rows.values[0]]


def _block(rows: Rows, indices: list[int | None], expected: int, delimiter: str) -> Block:
    """Select the columns; the text of a malformed record is all its fields, joined."""
    lines, values, errors, problems = rows
    if not any(errors) and set(map(len, values)) == {expected}:
        ids, texts, labels, partitions = (
            [None] * len(values) if index is None else [fields[index] for fields in values]
            for index in indices
        )
        return Block(lines, ids, texts, labels, partitions, errors, problems)
    made = []
    for line, fields, error in zip(lines, values, errors, strict=True):
        if not error and len(fields) != expected:
            error = f"{expected} fields expected, {len(fields)} found"
        if error:
            made.append(Record(line, None, delimiter.join(fields), None, None, error))
        else:
            selected = [None if index is None else fields[index] for index in indices]
            made.append(records.record(line, selected))
    columns = list(zip(*made, strict=True)) if made else [()] * len(Record._fields)
    return Block._make([*columns, problems])


def _style(table: Table) -> dict[str, Any]:
    """Return the arguments of the csv module."""
    style: dict[str, Any] = {"delimiter": table.delimiter, "strict": True}
    if not table.quoting:
        style["quoting"] = csv.QUOTE_NONE
    if table.escape:
        style["escapechar"] = table.escape
    return style


def _with_escapes_only(table: Table) -> Callable[[str], str]:
    r"""Return a function that doubles escape characters that escape nothing: they are text.

    The csv module drops them: ``C:\temp`` would be ``C:temp``. Files without quotes, such as those
    of ``mysql --batch``, write white space as ``\n``, ``\r`` and ``\t``. Fields that are ``\N``, as
    MySQL writes a missing value, become empty.
    """
    escape, delimiter = re.escape(table.escape), re.escape(table.delimiter)
    missing = re.compile(rf"(?:(?<=^)|(?<={delimiter})){escape}N(?=$|\r?\n|{delimiter})")
    escaped = re.compile(rf'{escape}(?:([{escape}{delimiter}"\r\n])|([nrt]))?')
    white_space = {} if table.quoting else {"n": "\n", "r": "\r", "t": "\t"}

    def with_escape(match: re.Match) -> str:
        sign, letter = match.groups()
        if sign:
            return match.group()
        return table.escape + (white_space.get(letter) or match.group())

    def convert(line: str) -> str:
        if table.escape not in line:
            return line
        return escaped.sub(with_escape, missing.sub("", line))

    return convert


def _multiline(table: Table, lines: Iterator[str], first: int) -> Iterator[Rows]:
    """Split records whose quoted fields may contain line breaks."""
    recent: list[str] = []  # lines of the block

    def remembered() -> Iterator[str]:
        for line in lines:
            recent.append(line)
            yield line

    reader = csv.reader(remembered(), **_style(table))
    rows, size, start, header = Rows([], [], [], []), 1, first, list(table.header)
    ends: dict[int, int] = {}  # last line of each record of several lines
    is_open = True
    while is_open:
        try:
            is_open = False
            for values in reader:
                after = first + reader.line_num
                if values:
                    if after > start + 1:
                        ends[len(rows.lines)] = after - 1
                    rows.lines.append(start)
                    rows.values.append(values)
                start = after
                if len(rows.lines) == size:
                    is_open = True
                    break
        except csv.Error as error:
            is_open, after = True, first + reader.line_num
            rows.problems.append(_problem(error, start, recent[start - after :]))
            start = after
            if size > 1:  # the reader continues with the next line
                continue
        if rows.lines or rows.problems:
            header = header or (rows.values[0] if rows.values else [])
            if ends and table.multiline is None and (size > 1 or table.header):
                rows.problems.extend(_swallowed(rows, ends, recent, start, header, table))
            rows.errors.extend(_errors(rows.lines, recent, start))
            yield rows
            rows, size, ends = Rows([], [], [], []), records.BLOCK, {}
        recent.clear()


def _errors(lines: Sequence[int], recent: Sequence[str], after: int) -> list[str]:
    """Return an error for each record: zero bytes are damage, or another encoding."""
    if not any("\0" in line for line in recent):
        return [""] * len(lines)
    base = after - len(recent)
    parts = (
        recent[line - base : end - base]
        for line, end in zip(lines, [*lines[1:], after], strict=True)
    )
    return [_ZERO_BYTE if any("\0" in line for line in part) else "" for part in parts]


def _problem(error: csv.Error, start: int, lines: Sequence[str]) -> Problem:
    """Describe a record that cannot be split; the csv module stopped in the last of its lines."""
    end = start + len(lines) - 1
    where = f"the record that begins in line {start}"
    has_backslash = any('\\"' in line for line in lines)
    options = [_ESCAPE] if has_backslash else []
    if "unexpected end" in str(error):
        text = f"{where} has {NEVER_CLOSED}"
    elif "expected after" in str(error):
        span = f" of lines {start} to {end}" if end > start else f" in line {start}"
        text = f"the record{span} has text after a closing quote in line {end}"
    else:
        return Problem(
            f"{where} cannot be read: {_reason(error)}",
            f"correct it, or write {_BY_LINE} in the dataset's TOML file",
        )
    options += [_NO_QUOTES, _BY_LINE]
    return Problem(
        text, f"correct the quotes, or write {' or '.join(options)} in the dataset's TOML file"
    )


def _swallowed(
    rows: Rows,
    ends: Mapping[int, int],
    recent: Sequence[str],
    after: int,
    header: Sequence[str],
    table: Table,
) -> Iterator[Problem]:
    """Find records of several lines that look like records themselves.

    ``ends`` has the last line of each record of several lines, by its index; ``recent`` are the
    lines before line ``after``. Lines of a text hardly have as many tabs as a record; they can have
    as many commas, so that also the values must be like those of the columns.
    """
    base = after - len(recent)
    shapes: list[Any] | None = None
    for index, end in ends.items():
        lines = [line.rstrip("\r\n") for line in recent[rows.lines[index] - base : end + 1 - base]]
        fields = [line.split(table.delimiter) for line in lines]
        alike = [one for one in fields if len(one) == len(header) > 1]
        if len(alike) < 2:
            continue
        if shapes is None:
            shapes = _shapes(rows, ends, header, table)
        n_alike, least = len(alike), 2
        if table.delimiter not in "\t|":
            n_alike = _count_fits(alike, shapes, rows.values[index])
            if all(shape is None for shape in shapes) and table.delimiter == ",":
                least = max(len(lines), 3)
        if n_alike < least:
            continue
        options = [_ESCAPE] if any('\\"' in line for line in lines) else []
        options += [_NO_QUOTES, _BY_LINE, _ACCEPT]
        yield Problem(
            f"the quoted field of lines {rows.lines[index]} to {end} contains {n_alike} lines that "
            "look like records",
            f"close the quote, or write {' or '.join(options)} in the dataset's TOML file",
        )


def _shapes(rows: Rows, skipped: Container[int], header: Sequence[str], table: Table) -> list[Any]:
    """Return what values a column has in records of one line: a set, a pattern, or None (any)."""
    values = [
        fields
        for number, fields in enumerate(rows.values)
        if number not in skipped and len(fields) == len(header)
    ]
    if not values:
        return [None] * len(header)
    shapes: list[Any] = []
    for name, column in zip(header, zip(*values, strict=True), strict=True):
        distinct = set(column)
        is_category = name.strip() in (table.label, table.partition_column)
        most = _MOST_VALUES if is_category else min(_MOST_VALUES, len(values) // 2)
        if name.strip() == table.text:  # that some texts are repeated says nothing about others
            shapes.append(None)
        elif len(distinct) <= most:
            shapes.append(distinct)
        else:
            shapes.append(_NUMBER if all(map(_NUMBER.fullmatch, column)) else None)
    return shapes


def _count_fits(lines: Sequence[Sequence[str]], shapes: Sequence[Any], own: Sequence[str]) -> int:
    """Return how many lines have fields of the shapes of the columns.

    A repeated value fits, too: a class can have all its records in one quoted field.
    """
    columns = [[fields[index].strip('"') for fields in lines] for index in range(len(shapes))]
    allowed = list(shapes)
    for index, (shape, column) in enumerate(zip(shapes, columns, strict=True)):
        if isinstance(shape, set):
            counts = Counter(column)
            repeated = {value for value in counts if counts[value] > 1 and value == value.strip()}
            allowed[index] = shape | repeated | set(own[index : index + 1])
    return sum(_fits(values, allowed) for values in zip(*columns, strict=True))


def _fits(values: Sequence[str], shapes: Sequence[Any]) -> bool:
    """Return whether the values of a line have the shapes of the columns."""
    checked = [(value, s) for value, s in zip(values, shapes, strict=True) if s is not None]
    # A line of a text that ends with a comma is no record with an empty label.
    if checked and not any(value for value, _ in checked):
        return False
    return all(
        value in shape if isinstance(shape, set) else shape.fullmatch(value)
        for value, shape in checked
    )


def _by_line(table: Table, lines: Iterator[str], first: int) -> Iterator[Rows]:
    """Split records of one line each; empty lines are skipped."""
    style, size = _style(table), 1
    while block := list(islice(lines, size)):
        values, errors = _split_lines(block, style)
        kept = [index for index, fields in enumerate(values) if fields]
        if kept:
            yield Rows(
                [first + index for index in kept],
                [values[index] for index in kept],
                [errors[index] for index in kept],
                [],
            )
        # The first record has its own block, as above.
        first, size = first + len(block), records.BLOCK if kept else size


def _split_lines(block: list[str], style: dict[str, Any]) -> tuple[list[list[str]], list[str]]:
    """Split lines at once, or one by one if a line is malformed."""
    zero = [_ZERO_BYTE if "\0" in line else "" for line in block]
    try:
        values = list(csv.reader(block, **style))
        if len(values) == len(block):
            return values, zero
    except csv.Error:
        pass
    values, errors = [], []
    for line, error in zip(block, zero, strict=True):
        try:
            values.append(next(csv.reader((line,), **style), []))
            errors.append(error)
        except csv.Error as malformed:
            values.append([line.rstrip("\r\n")])
            errors.append(_reason(malformed))
    return values, errors


def _reason(error: csv.Error) -> str:
    """Return the cause of an error; Python's texts are for programmers."""
    if "new-line character" in str(error):
        return "a carriage return (CR) is within the line but not in quotes"
    if "unexpected end" in str(error):
        return "a quote is never closed"
    if "expected after" in str(error):
        return "text follows a closing quote"
    return str(error)
