"""Compare two sets of settings; nested settings are compared key by key."""

from collections.abc import Iterator, Mapping
from typing import Any

#: Value of a setting that one side does not have.
ABSENT = None
_SWITCHES = ("model", "representation")


def flat(value: Any, name: str = "") -> dict[str, Any]:
    """Flatten nested settings to one level with dotted names; tuples become lists.

    Returns
    -------
    dict
        The values are numbers, texts, None, and lists of these.

    Examples
    --------
    >>> flat({"dataset": {"name": "toy", "labels": ("a", "b")}})
    {'dataset.name': 'toy', 'dataset.labels': ['a', 'b']}
    """
    return dict(_leaves(value, name))


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[dict[str, Any]]:
    """List the settings that differ, with both values.

    If the model or the representation differs, settings that only one side has are not listed:
    they belong to that model.

    Examples
    --------
    >>> changes({"alpha": 1.0}, {"alpha": 0.5})
    [{'name': 'alpha', 'from': 1.0, 'to': 0.5}]
    """
    old, new = flat(before), flat(now)
    names = sorted(old.keys() | new.keys())
    if any(old.get(switch) != new.get(switch) for switch in _SWITCHES):
        names = [name for name in names if name in old and name in new]
    return [
        {"name": name, "from": old.get(name, ABSENT), "to": new.get(name, ABSENT)}
        for name in names
        if old.get(name, ABSENT) != new.get(name, ABSENT) or (name in old) != (name in new)
    ]


def distance(before: Mapping[str, Any], now: Mapping[str, Any]) -> int:
    """Count the settings that differ or that only one side has.

    Examples
    --------
    >>> distance({"alpha": 1.0}, {"alpha": 0.5, "beta": 1.0})
    2
    """
    old, new = flat(before), flat(now)
    shared = old.keys() & new.keys()
    return len(old.keys() ^ new.keys()) + sum(bool(old[name] != new[name]) for name in shared)


def shown(value: Any) -> str:
    """Format the value of a setting as text.

    Examples
    --------
    >>> shown([True, None, 2])
    '[true, none, 2]'
    """
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(shown, value)) + "]"
    return str(value) or "''"


def sentence(change: Mapping[str, Any]) -> str:
    """Format a change of `changes` as text, such as ``alpha 1.0 -> 0.5``."""
    return f"{change['name']} {shown(change['from'])} -> {shown(change['to'])}"


def _leaves(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, f"{name}.{key}" if name else str(key))
    elif not isinstance(value, list | tuple):
        yield name, value
    elif any(isinstance(inner, Mapping | list | tuple) for inner in value):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{name}.{index}")
    else:
        yield name, list(value)
