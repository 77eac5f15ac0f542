"""Differences between nested settings."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

# Settings that only some models or representations have come and go with these two.
_SWITCHES = ("model", "representation")
_SHOWN = 3


def flatten(settings: Any) -> dict[str, Any]:
    """Flatten nested settings to one level with dotted names; tuples become lists.

    Examples
    --------
    >>> flatten({"model": "bilstm", "optimizer": {"name": "adam"}, "units": (64, 32)})
    {'model': 'bilstm', 'optimizer.name': 'adam', 'units': [64, 32]}
    """
    return dict(_leaves(settings, ""))


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """List the settings that differ, by name, with both values; None stands for a missing one.

    Where the model or the representation differs, settings that only one side has are excluded.

    Examples
    --------
    >>> changes({"alpha": 1.0, "seed": 0}, {"alpha": 0.5, "seed": 0})
    [{'name': 'alpha', 'from': 1.0, 'to': 0.5}]
    """
    old, new = flatten(before), flatten(after)
    names = sorted(old.keys() | new.keys())
    if any(old.get(switch) != new.get(switch) for switch in _SWITCHES):
        names = [name for name in names if name in old and name in new]
    return [
        {"name": name, "from": old.get(name), "to": new.get(name)}
        for name in names
        if old.get(name) != new.get(name) or (name in old) != (name in new)
    ]


def distance(before: Mapping[str, Any], after: Mapping[str, Any]) -> int:
    """Count the settings that differ or that only one side has.

    Examples
    --------
    >>> distance({"alpha": 1.0, "seed": 0}, {"alpha": 0.5, "folds": 3})
    3
    """
    old, new = flatten(before), flatten(after)
    shared = old.keys() & new.keys()
    return len(old.keys() ^ new.keys()) + sum(old[name] != new[name] for name in shared)


def format_value(value: Any) -> str:
    """Format the value of a setting for a reader.

    Examples
    --------
    >>> format_value((True, None, 3))
    '[true, none, 3]'
    """
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(format_value, value)) + "]"
    return str(value) or "''"


def format_changes(differences: Iterable[Mapping[str, Any]]) -> str:
    """Format the first changes of `changes`.

    Examples
    --------
    >>> format_changes([{"name": "alpha", "from": 1.0, "to": 0.5}])
    'alpha 1.0 -> 0.5'
    """
    return shorten(
        f"{one['name']} {format_value(one['from'])} -> {format_value(one['to'])}"
        for one in differences
    )


def shorten(names: Iterable[str]) -> str:
    """Join the first three names and count the rest.

    Examples
    --------
    >>> shorten("abcde")
    'a, b, c and 2 more'
    """
    names = list(names)
    rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + rest


def _leaves(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Yield dotted names and values; a list of plain values is one value."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple):
        if any(isinstance(inner, Mapping | list | tuple) for inner in value):
            for index, inner in enumerate(value):
                yield from _leaves(inner, f"{name}.{index}")
        else:
            yield name, list(value)
    else:
        yield name, value
