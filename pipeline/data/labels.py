"""Decode the classes of a dataset, the key ``labels`` of its TOML file."""

import math
from itertools import combinations
from typing import Any

import msgspec

from pipeline.data.schema import Label, decode
from pipeline.errors import DatasetFileError

_Value = str | int | float


class _Bounds(msgspec.Struct, forbid_unknown_fields=True):
    """A class of numbers."""

    below: float | None = None
    above: float | None = None


def labels_of(entry: Any) -> tuple[Label, ...]:
    """Decode the classes: a list of names, or a table from a name to raw values or bounds.

    Raises
    ------
    DatasetFileError
        If there are fewer than two classes, a class has no name or no rule, or two classes match
        the same raw label.

    Examples
    --------
    >>> [label.values for label in labels_of({"bad": [0, 1], "good": 2})]
    [('0', '1'), ('2',)]
    """
    if isinstance(entry, list):
        names = [str(value) for value in decode(entry, tuple[_Value, ...], "labels")]
        for name in names:
            if names.count(name) > 1:
                raise DatasetFileError(f"labels has {name!r} twice; name each class once.")
        entry = {name: [name] for name in names}
    if not isinstance(entry, dict) or len(entry) < 2:
        raise DatasetFileError(
            "there must be at least two labels, such as labels = ['bad', 'good'], "
            f"got {list(entry) if isinstance(entry, dict) else entry!r}."
        )
    labels = tuple(_label(name, rule) for name, rule in entry.items())
    if len({bool(label.values) for label in labels}) > 1:
        raise DatasetFileError("labels mix raw values with bounds; use only one of the two.")
    for label, other in combinations(labels, 2):
        _check_disjoint(label, other)
    return labels


def _label(name: str, rule: Any) -> Label:
    """Decode a class from its rule."""
    key = f"labels.{name}"
    if not name.strip():
        raise DatasetFileError(f"labels has a class without a name: {name!r}; give it a name.")
    if isinstance(rule, list):
        if not rule:
            raise DatasetFileError(f"{key} is an empty list; write the raw values of the class.")
        return Label(name, tuple(map(str, decode(rule, tuple[_Value, ...], key))))
    if not isinstance(rule, dict):
        return Label(name, (str(decode(rule, _Value, key)),))
    bounds: _Bounds = decode(rule, _Bounds, key)
    for side, value in rule.items():
        if not math.isfinite(value):
            raise DatasetFileError(f"{key}.{side} must be a finite number, got {value!r}.")
    if not rule:
        raise DatasetFileError(f"{key} has no rule; write raw values, or above = and below =.")
    label = Label(name, below=bounds.below, above=bounds.above)
    low, high = _interval(label)
    if low >= high:
        raise DatasetFileError(f"{key}: no number is above {low:g} and below {high:g}.")
    return label


def _interval(label: Label) -> tuple[float, float]:
    """Return the open interval of a class."""
    low = -math.inf if label.above is None else label.above
    high = math.inf if label.below is None else label.below
    return low, high


def _check_disjoint(label: Label, other: Label) -> None:
    """Raise if a raw label could belong to both classes."""
    shared = sorted({*label.values} & {*other.values})
    if shared:
        raise DatasetFileError(
            f"the raw value {shared[0]!r} is in labels.{label.name} and labels.{other.name}; "
            "use it for one class only."
        )
    if label.values:
        return
    (low, high), (other_low, other_high) = _interval(label), _interval(other)
    low, high = max(low, other_low), min(high, other_high)
    if low < high:
        raise DatasetFileError(
            f"labels.{label.name} and labels.{other.name} overlap between {low:g} and {high:g}; "
            "change the bounds so that no number is in both."
        )
