"""Describe a file of the user: which columns have texts and labels, and its dataset.toml."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.data import dataset_file
from pipeline.data.formats import blocks
from pipeline.data.inspection import NAMES, Inspection, is_number
from pipeline.data.problems import MISSING, MOST_CLASSES, in_order
from pipeline.data.records import toml_text
from pipeline.errors import DataError, SettingError, UnknownNameError, nearest

# Values that are a class in some datasets and a missing label in others: missing if they are rare.
_DOUBTFUL = frozenset(["none", "unknown"])
_RARE = 0.1  # share of rows
_LOOKED_AT = 200  # values
_OFTEN = 10  # rows per distinct value; a column of texts has fewer
_LONG = 20  # characters; a value without a space that is longer may be a text
_SHOWN = 30  # characters of a value in comments

#: Returns one of several candidates: arguments are the role, the candidates, and the option.
Choose = Callable[[str, Sequence[str], str], str]


@dataclass
class Description:
    """What ``dataset.toml`` will say about a file."""

    file: str
    inspection: Inspection
    text: str
    label: str
    id: str = ""
    labels: dict[str, str] = field(default_factory=dict)  # raw value: class
    unlabelled: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)  # rows by raw value

    def toml(self) -> str:
        """Return the content of ``dataset.toml``, with comments."""
        found = self.inspection
        lines = ["# Written by pipeline init; docs/your-data.md explains all keys."]
        lines += [f"files = [{toml_text(self.file)}]"]
        if found.format != dataset_file.format_of(self.file):
            lines.append(f'format = "{found.format}"')
        comments = {
            "encoding": ""
            if not found.guesses
            else "# The encoding is a guess: check the letters.",
            "header": "# The file has no header line; these are names for its columns.",
            "escape": "# A backslash precedes quotes that are text.",
            "quoting": "# Quotes are part of the texts.",
            "multiline": "# Each line is a record; lines with stray quotes are rejected.",
        }
        for key, value in found.options.items():
            if comments.get(key):
                lines.append(comments[key])
            lines.append(f"{key} = {_toml(value)}")
        lines += ["", f"text = {toml_text(self.text)}", f"label = {toml_text(self.label)}"]
        if self.id:
            lines.append(f"id = {toml_text(self.id)}")
        counted = [f"{_short(value)} {self.counts.get(value, 0):,}" for value in self.labels]
        lines += ["", f"# Rows by label: {', '.join(counted)}"]
        if all(value == name for value, name in self.labels.items()):
            lines.append(f"labels = {_toml(list(self.labels))}")
        if self.unlabelled:
            n_rows = sum(self.counts.get(value, 0) for value in self.unlabelled)
            lines += [
                f"# Rows with these labels have no class and are predicted (rows: {n_rows:,}).",
                f"unlabelled = {_toml(self.unlabelled)}",
            ]
        if any(value != name for value, name in self.labels.items()):
            lines += ["", "# class = raw values", "[labels]"]
            for name in dict.fromkeys(self.labels.values()):
                values = [value for value, other in self.labels.items() if other == name]
                lines.append(f"{toml_text(name)} = {_toml(values)}")
        return "\n".join(lines) + "\n"


def describe(
    path: Path, found: Inspection, given: Mapping[str, Any], choose: Choose
) -> Description:
    """Choose the columns and the classes.

    Parameters
    ----------
    path : Path
    found : Inspection
    given : mapping
        What the user knows: ``text``, ``label``, ``id`` (names of columns), ``labels`` (class by
        raw value) and ``unlabelled`` (raw values).
    choose : callable
        Asks for one of several columns.

    Raises
    ------
    PipelineError
        If no column can have texts or labels, or a name does not exist.
    """
    for role in ("text", "label", "id"):
        if given.get(role) and given[role] not in found.columns:
            raise UnknownNameError(
                f"{path.name} has no column {given[role]!r}; {nearest(given[role], found.columns)}."
            )
    if given.get("text") and given["text"] == given.get("label"):
        raise SettingError(
            f"--text and --label are both {given['text']!r}; give two different columns."
        )
    counts = _few_values(path, found, given)
    text = given.get("text") or _text_column(path, found, given.get("label"), choose)
    label = given.get("label") or _label_column(path, found, counts, text, choose)
    of_column = counts.get(label, Counter())
    labels, unlabelled = _classes(of_column, given)
    if not labels:
        raise DataError(
            f"{path.name}: column {label!r} does not have 2 to {MOST_CLASSES} distinct values; "
            "give --label with another column, or write bounds of numbers in dataset.toml."
        )
    id = given.get("id") or _id_column(found, text, label)
    described = Description(path.name, found, text, label, id, labels, unlabelled, dict(of_column))
    if not found.has_header:
        _name_columns(described)
    return described


def _name_columns(described: Description) -> None:
    """Give the columns of a file without a header line the usual names."""
    names = {described.text: "text", described.label: "label"}
    header = described.inspection.options["header"]
    described.inspection.options["header"] = [names.get(name, name) for name in header]
    described.text, described.label = "text", "label"


def _few_values(path: Path, found: Inspection, given: Mapping[str, Any]) -> dict[str, Counter[str]]:
    """Count the values of the columns that may have labels, in the whole file."""
    names = [
        name
        for name, values in found.columns.items()
        if len(set(values)) <= max(10, min(MOST_CLASSES, len(values) // 2))
    ]
    names = [given["label"]] if given.get("label") else names
    counts: dict[str, Counter[str]] = {name: Counter() for name in names}
    for start in range(0, len(names), 3):
        some = [*names[start : start + 3], "", ""][:3]
        text, id, label = some
        keys = {**found.options, "text": text, "id": id, "label": label}
        table = dataset_file.table({"file": path.name, "format": found.format, **keys})
        for block in blocks(table, path):
            for name, column in zip(some, (block.texts, block.ids, block.labels), strict=True):
                if name and len(counts[name]) <= MOST_CLASSES:
                    values = zip(column, block.errors, strict=True)
                    counts[name].update(
                        (value or "").strip() for value, error in values if not error
                    )
    return counts


def _text_column(path: Path, found: Inspection, label: str | None, choose: Choose) -> str:
    """Return the column with texts."""
    lengths: dict[str, float] = {}
    # The least likely columns only count if there are no others.
    for is_strict, may_repeat in ((True, False), (False, False), (False, True)):
        lengths = lengths or {
            name: sum(map(len, values)) / len(values) if is_strict else 1.0
            for name, values in found.columns.items()
            if name != label
            and values
            and _has_texts(values, is_strict)
            and (may_repeat or not _repeats(values))
        }
    if not lengths:
        raise DataError(
            f"{path.name}: no column looks like texts; give --text with one of "
            f"{', '.join(found.columns) or 'no columns'}."
        )
    ordered = sorted(lengths, key=lambda name: -lengths[name])
    by_name = _by_name("text", ordered)
    if by_name:
        return by_name[0]
    if len(ordered) == 1 or lengths[ordered[0]] > 3 * lengths[ordered[1]]:
        return ordered[0]
    return choose("the texts", ordered, "--text")


def _repeats(values: Sequence[str]) -> bool:
    """Return whether a column has few values that occur often, as labels do."""
    filled = Counter(filter(None, map(str.strip, values)))
    return len(filled) * _OFTEN <= filled.total()


def _has_texts(values: Sequence[str], is_strict: bool) -> bool:
    """Return whether the values of a column can be texts: mostly distinct, of several words."""
    filled = [value.strip() for value in values if value.strip()]
    if not filled or sum(map(is_number, filled)) > len(filled) / 2:
        return False
    letters = Counter(
        "digit" if character.isdigit() else "other"
        for value in filled[:_LOOKED_AT]
        for character in value
        if character.isalnum()
    )
    is_date = letters["digit"] > letters["other"] / 2
    # Scripts without spaces have texts without spaces.
    n_long = sum(" " in value or len(value) > _LONG or not value.isascii() for value in filled)
    return not is_strict or (n_long > len(filled) / 2 and not is_date)


def _label_column(
    path: Path, found: Inspection, counts: Mapping[str, Counter[str]], text: str, choose: Choose
) -> str:
    """Return the column with labels."""
    fitting = [
        name
        for name, values in counts.items()
        if name != text and 2 <= len(_classes(values, {})[0]) <= MOST_CLASSES
    ]
    if not fitting:
        raise DataError(
            f"{path.name}: no column looks like labels (2 to {MOST_CLASSES} distinct values); "
            f"give --label with one of {', '.join(name for name in found.columns if name != text)}."
        )
    by_name = _by_name("label", fitting)
    if by_name:
        return by_name[0]
    return fitting[0] if len(fitting) == 1 else choose("the labels", fitting, "--label")


def _id_column(found: Inspection, text: str, label: str) -> str:
    """Return the column with ids, or nothing."""
    names = [name for name in found.columns if name not in (text, label)]
    for name in _by_name("id", names):
        if len(set(found.columns[name])) == len(found.columns[name]):
            return name
    return ""


def _by_name(role: str, columns: Sequence[str]) -> list[str]:
    """Return the columns whose names are usual for a role, most usual first."""
    names = NAMES[role].split()
    usual = [name for name in columns if name.lower() in names]
    return sorted(usual, key=lambda name: names.index(name.lower()))


def _classes(
    counts: Mapping[str, int], given: Mapping[str, Any]
) -> tuple[dict[str, str], list[str]]:
    """Return the class of each raw value, and the raw values of rows without a class."""
    if len(counts) > MOST_CLASSES:
        return {}, []
    n_rows = sum(counts.values())
    unlabelled = given.get("unlabelled")
    if unlabelled is not None:
        # An empty value cannot be a class.
        unlabelled = list(dict.fromkeys([*unlabelled, *(value for value in counts if not value)]))
    else:
        unlabelled = [
            value
            for value, count in counts.items()
            if value.lower() in MISSING
            and (value.lower() not in _DOUBTFUL or count < _RARE * n_rows)
            and value not in given.get("labels", ())
        ]
    labels = given.get("labels") or {
        value: value for value in in_order(value for value in counts if value not in unlabelled)
    }
    return (labels if len(set(labels.values())) > 1 else {}), in_order(unlabelled)


def _toml(value: Any) -> str:
    """Return a value as TOML spells it."""
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return str(value).lower() if isinstance(value, bool) else toml_text(str(value))


def _short(value: str) -> str:
    """Return a value for a comment, in one line."""
    return toml_text(value if len(value) <= _SHOWN else f"{value[:_SHOWN]}...")
