"""Differences between nested settings."""

from collections.abc import Iterable, Mapping
from typing import Any

# Settings that only some models or representations have come and go with these two.
_SWITCHES = ("model", "representation")
_SHOWN = 3


def flatten(settings: Any, name: str = "") -> dict[str, Any]:
    """Flatten nested settings to one level with dotted names; tuples become lists."""
    prefix = f"{name}." if name else ""
    if isinstance(settings, Mapping):
        pairs: Iterable[tuple[Any, Any]] = settings.items()
    elif not isinstance(settings, list | tuple):
        return {name: settings}
    elif any(isinstance(value, Mapping | list | tuple) for value in settings):
        pairs = enumerate(settings)
    else:
        return {name: list(settings)}
    flat: dict[str, Any] = {}
    for key, value in pairs:
        flat |= flatten(value, f"{prefix}{key}")
    return flat


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """List the settings that differ as ``name``, ``from`` and ``to``, None for a missing one.

    Where the model or the representation differs, settings that only one side has are excluded.
    """
    old, new = flatten(before), flatten(after)
    names = old.keys() | new.keys()
    if any(old.get(switch) != new.get(switch) for switch in _SWITCHES):
        names = old.keys() & new.keys()
    return [
        {"name": name, "from": old.get(name), "to": new.get(name)}
        for name in sorted(names)
        if old.get(name) != new.get(name) or (name in old) != (name in new)
    ]


def distance(before: Mapping[str, Any], after: Mapping[str, Any]) -> int:
    """Count the settings that differ or that only one side has."""
    old, new = flatten(before), flatten(after)
    shared = old.keys() & new.keys()
    return len(old.keys() ^ new.keys()) + sum(old[name] != new[name] for name in shared)


def format_value(value: Any) -> str:
    """Format the value of a setting, such as ``[true, none, 3]``."""
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(format_value, value)) + "]"
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return str(value) or "''"


def format_changes(differences: Iterable[Mapping[str, Any]]) -> str:
    """Format the first three of `changes`, such as ``alpha 1.0 -> 0.5``."""
    return shorten(
        f"{change['name']} {format_value(change['from'])} -> {format_value(change['to'])}"
        for change in differences
    )


def shorten(names: Iterable[str]) -> str:
    """Join the first three names and count the rest."""
    names = list(names)
    rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + rest
