"""Problems of a raw file, gathered while it is read and reported in one message."""

import re
from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data.records import toml_text
from pipeline.data.rejected import MALFORMED
from pipeline.data.schema import Dataset
from pipeline.errors import DataError, nearest

#: Values that say that a label is missing.
MISSING = frozenset(["", "?", "na", "n/a", "#n/a", "nan", "null", "none", "unknown", r"\n"])
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_MOST = 10  # problems of a kind in a message
_MOST_LINES = 5  # line numbers of a problem
#: Distinct values of a label column; more are hardly classes.
MOST_CLASSES = 200


class Problems:
    """Problems by kind; those of one kind are listed together, with the advice that they share."""

    def __init__(self) -> None:
        self._texts: dict[str, list[str]] = {}
        self._advice: dict[str, str] = {}

    def add(self, kind: str, text: str, advice: str) -> None:
        """Add a problem; the last advice of a kind is shown."""
        self._texts.setdefault(kind, []).append(text)
        self._advice[kind] = advice

    def __bool__(self) -> bool:
        return bool(self._texts)

    def raise_if_any(self, name: str) -> None:
        """Raise DataError with all problems of a file."""
        parts = [f"{_listed(texts)}; {self._advice[kind]}" for kind, texts in self._texts.items()]
        if len(parts) > 1:
            parts = [f"({number}) {part}" for number, part in enumerate(parts, start=1)]
        if parts:
            raise DataError(f"{name}: {'. '.join(parts)}.")


class UnknownValues:
    """Values that are not allowed in a column, with the lines where they are."""

    def __init__(self) -> None:
        self._lines: dict[str, list[int]] = {}
        self._counts: dict[str, int] = {}

    def add(self, values: Iterable[str], lines: Iterable[int]) -> None:
        """Add values with their lines."""
        for value, line in zip(values, lines, strict=True):
            self._counts[value] = self._counts.get(value, 0) + 1
            some = self._lines.setdefault(value, [])
            if len(some) < _MOST_LINES:
                some.append(line)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Yield each value, the most frequent first, with its rows in words."""
        for value in sorted(self._counts, key=lambda value: -self._counts[value]):
            yield value, rows_in_words(self._counts[value], self._lines[value])


def rows_in_words(count: int, lines: Sequence[int]) -> str:
    """Return a number of rows with their first lines.

    Examples
    --------
    >>> rows_in_words(12, [3, 9])
    '12 rows, lines 3, 9, ...'
    """
    listed = ", ".join(map(str, lines)) + (", ..." if count > len(lines) else "")
    return f"{count:,} row{'s'[: count != 1]}, line{'s'[: count != 1]} {listed}"


def add_labels(problems: Problems, unknown: UnknownValues, column: str, dataset: Dataset) -> None:
    """Add the labels that are not among the dataset's labels."""
    allowed = [value for label in dataset.labels for value in label.values]
    values = list(unknown)
    missing = [value for value, _ in values if value.strip().lower() in MISSING]
    others = [value for value, _ in values if value not in missing]
    advice = (
        "" if not others else f"{nearest(others[0], allowed)}. Correct them or add them to labels"
    )
    if missing:
        option = f"unlabelled = [{', '.join(map(toml_text, missing))}]"
        advice += (
            f"{', and ' if advice else ''}write {option} if rows with that value have no label"
        )
    for value, where in values:
        problems.add(
            "labels",
            f"column {column!r}: label {value!r} ({where}) is not among the dataset's labels",
            advice,
        )


def add_malformed(problems: Problems, rejected: pa.Table, records: int) -> None:
    """Add rejected records: an error if they are most records, else for information."""
    malformed = rejected.filter(pc.equal(rejected["reason"], MALFORMED))
    if not problems and malformed.num_rows * 2 <= records:
        return
    for detail, where in rejections(malformed, "detail"):
        problems.add(
            "records",
            f"{detail} ({where})",
            "such records are rejected; if there are many, check delimiter, header and quoting in "
            "the dataset's TOML file",
        )


def malformed_in_words(rejected: pa.Table) -> str:
    """Return how many records of each file are malformed, and why; empty if there are none."""
    malformed = rejected.filter(pc.equal(rejected["reason"], MALFORMED))
    texts = []
    for name in malformed["file"].unique().to_pylist():
        of_file = malformed.filter(pc.equal(malformed["file"], name))
        causes = [f"{why} ({where})" for why, where in rejections(of_file, "detail")]
        texts.append(f"{name}: {_listed(causes)}")
    return ". ".join(texts)


def rejections(rejected: pa.Table, column: str) -> list[tuple[str, str]]:
    """Return the values of a column of rejected rows, the most frequent first, with their rows."""
    values = UnknownValues()
    values.add(rejected[column].to_pylist(), rejected["line"].to_pylist())
    return list(values)


def class_names(values: pa.ChunkedArray, name: str, column: str) -> list[str]:
    """Return the distinct values of a label column without nulls, as classes in order.

    Numbers are in their order, before other values. Columns whose values are hardly classes raise
    DataError.
    """
    distinct = values.unique().drop_null().to_pylist()
    n_rows = len(values) - values.null_count
    hint = "set label to the column of the classes, or list labels, in the dataset's TOML file."
    if len(distinct) < 2:
        raise DataError(
            f"{name}: column {column!r} has only the value {distinct[0]!r}; at least two classes "
            f"are needed: {hint}"
        )
    if len(distinct) > MOST_CLASSES or len(distinct) > max(10, n_rows / 2):
        raise DataError(
            f"{name}: column {column!r} has {len(distinct):,} distinct values in {n_rows:,} rows, "
            f"such as {distinct[0]!r} and {distinct[1]!r}, which are hardly classes; {hint}"
        )
    return in_order(distinct)


def in_order(values: Iterable[str]) -> list[str]:
    """Return values in the order of classes: numbers first.

    Examples
    --------
    >>> in_order(["10", "b", "9", "a"])
    ['9', '10', 'a', 'b']
    """
    return sorted(values, key=_order)


def _order(value: str) -> tuple[int, float, str]:
    """Return the sort key of a class."""
    is_number = _NUMBER.fullmatch(value)
    return (0, float(value), value) if is_number else (1, 0.0, value)


def _listed(texts: Sequence[str]) -> str:
    """List the first texts and count the rest."""
    rest = f"; and {len(texts) - _MOST:,} more" if len(texts) > _MOST else ""
    return "; ".join(texts[:_MOST]) + rest
