"""The classes of a dataset, read from ``labels`` of its TOML file."""

import math
from collections import Counter
from itertools import combinations
from typing import Any

from pipeline.data.schema import Label
from pipeline.errors import PipelineError, nearest


def labels_of(entry: Any) -> tuple[Label, ...]:
    """Build the classes, in the order of the file, from a list or from a table of rules.

    Parameters
    ----------
    entry : list or dict
        Raw values, which name the classes too; or for each class's name a raw value, a list of
        them, or bounds such as ``{"above": 0.05}``.

    Returns
    -------
    tuple of Label

    Raises
    ------
    PipelineError
        If there are fewer than two classes, one has no name or no rule, or two share a row.
    """
    if isinstance(entry, list):
        names = values_of(entry, "labels")
        twice = sorted(name for name, count in Counter(names).items() if count > 1)
        if twice:
            raise PipelineError(f"labels has {twice[0]!r} twice; name each class once.")
        entry = {name: [name] for name in names}
    if not isinstance(entry, dict) or len(entry) < 2:
        raise PipelineError(
            "there must be at least two labels, such as labels = ['bad', 'good'], "
            f"got {entry if not isinstance(entry, dict) else list(entry)!r}."
        )
    labels = tuple(_label(name, rule) for name, rule in entry.items())
    if len({bool(label.values) for label in labels}) > 1:
        raise PipelineError("labels mix raw values with bounds; use one or the other.")
    for one, other in combinations(labels, 2):
        _check_apart(one, other)
    return labels


def values_of(entry: Any, key: str) -> tuple[str, ...]:
    """Return raw values as the texts that stand in the file.

    Raises
    ------
    PipelineError
        If it is not a list of texts or numbers.
    """
    if not isinstance(entry, list):
        raise PipelineError(f"{key} must be a list, such as ['a', 'b'], got {entry!r}.")
    for value in entry:
        if isinstance(value, bool):
            spelled = str(value).lower()
            raise PipelineError(
                f"{key} must be texts or numbers, got {spelled} without quotes; write the value "
                f"as it stands in the file, such as {spelled!r} (JSON, Parquet) or "
                f"{str(value)!r}."
            )
        if not isinstance(value, str | int | float):
            raise PipelineError(f"{key} must be texts or numbers, got {value!r}.")
    return tuple(str(value) for value in entry)


def _label(name: str, rule: Any) -> Label:
    """Build a class from its rule."""
    if not name.strip():
        raise PipelineError(f"labels has a class without a name: {name!r}; give it one.")
    place = f"labels.{name}"
    if not isinstance(rule, dict):
        values = values_of(rule if isinstance(rule, list) else [rule], place)
        if not values:
            raise PipelineError(f"{place} is an empty list; write the raw values of the class.")
        return Label(name, values=values)
    bounds = {}
    for key, value in rule.items():
        if key not in ("below", "above"):
            raise PipelineError(
                f"unknown key {f'{place}.{key}'!r}; {nearest(key, ('below', 'above'))}."
            )
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            raise PipelineError(f"{place}.{key} must be a number, got {value!r}.")
        bounds[key] = float(value)
    if not bounds:
        raise PipelineError(f"{place} has no rule; write raw values, or above = and below =.")
    label = Label(name, below=bounds.get("below"), above=bounds.get("above"))
    low, high = _interval(label)
    if low >= high:
        raise PipelineError(f"{place}: no number is above {low:g} and below {high:g}.")
    return label


def _interval(label: Label) -> tuple[float, float]:
    """Return between which numbers, both left out, a class lies."""
    low = -math.inf if label.above is None else label.above
    high = math.inf if label.below is None else label.below
    return low, high


def _check_apart(one: Label, other: Label) -> None:
    """Raise if a raw label could be of two classes."""
    shared = sorted({*one.values} & {*other.values})
    if shared:
        raise PipelineError(
            f"the raw value {shared[0]!r} stands in labels.{one.name} and labels.{other.name}; "
            "it can be of one class only."
        )
    if one.values:
        return
    (low, high), (other_low, other_high) = _interval(one), _interval(other)
    low, high = max(low, other_low), min(high, other_high)
    if low < high:
        raise PipelineError(
            f"labels.{one.name} and labels.{other.name} overlap between {low:g} and {high:g}; "
            "let the bounds leave no number in both."
        )
