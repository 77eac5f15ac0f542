"""A setting: one value that a user may choose, with its default, unit and range."""

import datetime
import difflib
import json
import math
from dataclasses import dataclass
from typing import Any

from pipeline.errors import SettingError

_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "text": "a text",
    "choice": "one of",
    "ints": "a JSON list of whole numbers such as '[128, 64]'",
    "floats": "a JSON list of numbers such as '[0.5, 2]'",
    "words": "a JSON list such as '{example}' of",
    "flag": "true or false",
    "date": "a date such as 2026-11-22",
}
_FLAGS = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False}
_INVALID = (ValueError, TypeError, KeyError, OverflowError)


@dataclass(frozen=True)
class Setting:
    """Declare a value; parse it from a command line; check it.

    Bounds are for each item of a list. Lists become tuples, so that they can be hashed. A date
    stays a text, year first.

    Examples
    --------
    >>> units = Setting("units", "ints", (64,), "width of each layer", unit="cells", low=1)
    >>> units.parse("[128, 64]")
    (128, 64)
    >>> units.help
    "width of each layer [cells]; a JSON list of whole numbers such as '[128, 64]', each at least \
1. Default: [64]"
    """

    name: str  # on the command line, with underscores
    kind: str  # a key of _KINDS
    default: Any  # the value if neither user, preset nor model sets one
    description: str
    unit: str = ""
    low: float | None = None  # inclusive bounds
    high: float | None = None
    above: float | None = None  # exclusive bounds
    below: float | None = None
    choices: tuple[str, ...] = ()  # allowed values of a choice, or items of words
    also: tuple[str, ...] = ()  # additional allowed words, such as auto
    hint: str = ""  # what to do about a wrong value
    length: int | None = None  # number of items that a list must have

    @property
    def help(self) -> str:
        """Description with unit, allowed values and default, in one line."""
        unit = f" [{self.unit}]" if self.unit else ""
        return f"{self.description}{unit}; {self.allowed}. Default: {self.serialize(self.default)}"

    @property
    def allowed(self) -> str:
        """Description of the allowed values."""
        bounds = [
            f"{word} {_bound_text(bound)}"
            for word, bound in (
                ("at least", self.low),
                ("above", self.above),
                ("at most", self.high),
                ("below", self.below),
            )
            if bound is not None
        ]
        text = _KINDS[self.kind].replace("{example}", json.dumps(self.choices[:2]))
        if self.choices:
            text += " " + ", ".join(self.choices)
        if self.length:
            text += f", {self.length} items"
        if bounds:
            text += (", each " if self.kind in ("ints", "floats") else " ") + " and ".join(bounds)
        return text + "".join(f", or {word}" for word in self.also)

    def parse(self, text: str) -> Any:
        """Read the value from the text of a command line; see `check`."""
        if text in self.also:
            return text
        try:
            value = self._convert(text)
        except _INVALID:
            raise self._error(text) from None
        return self.check(value)

    def check(self, value: Any) -> Any:
        """Return the value in its normal form: 1 becomes 1.0 for a float.

        Raises
        ------
        SettingError
            If the type is wrong or the value is out of range.
        """
        if isinstance(value, str) and value in self.also:
            return value
        try:
            value = self._normalize(value)
        except _INVALID:
            raise self._error(value) from None
        items = value if isinstance(value, tuple) else (value,)
        fits = len(items) == self.length if self.length else len(items) > 0
        if not fits or not all(self._in_range(item) for item in items):
            raise self._error(value)
        return value

    def serialize(self, value: Any) -> str:
        """Format the value for a command line."""
        if isinstance(value, tuple):
            return json.dumps(list(value))
        return str(value).lower() if isinstance(value, bool) else str(value)

    def _convert(self, text: str) -> Any:
        """Convert the text of a command line to the type of the setting."""
        if self.kind in ("int", "float"):
            return int(text) if self.kind == "int" else float(text)
        if self.kind in ("ints", "floats"):
            items = json.loads(text)
            return items if isinstance(items, list) else [items]
        if self.kind == "words":
            return json.loads(text) if text.startswith("[") else [text]
        return text

    def _normalize(self, value: Any) -> Any:
        """Return the value in the form in which it is compared and hashed."""
        match self.kind:
            case "int":
                return _integer(value)
            case "float":
                return _number(value)
            case "ints":
                return tuple(map(_integer, value))
            case "floats":
                return tuple(map(_number, value))
            case "words":
                return tuple(map(str, [value] if isinstance(value, str) else value))
            case "flag":
                return _FLAGS[str(value).lower()]
            case "date":
                return _date(value)
        if not isinstance(value, str):
            raise TypeError(value)
        if not value.strip():
            raise ValueError(value)
        return value

    def _in_range(self, item: Any) -> bool:
        if self.kind in ("choice", "words"):
            return item in self.choices
        if self.kind in ("text", "flag", "date"):
            return True
        return (
            (self.low is None or item >= self.low)
            and (self.high is None or item <= self.high)
            and (self.above is None or item > self.above)
            and (self.below is None or item < self.below)
        )

    def _error(self, received: Any) -> SettingError:
        unit = f" ({self.unit})" if self.unit else ""
        shown = received if isinstance(received, str) else self.serialize(received)
        shown = shown if shown.strip() else "an empty value"
        hint = f"; {self.hint}" if self.hint else ""
        near = difflib.get_close_matches(shown, [*self.choices, *self.also], n=1)
        hint += f"; did you mean {near[0]!r}?" if near else ""
        return SettingError(f"{self.name} must be {self.allowed}{unit}, got {shown}{hint}")


def _bound_text(bound: float) -> str:
    """Format a bound; whole numbers have all digits."""
    return str(int(bound)) if float(bound).is_integer() else f"{bound:g}"


def _integer(value: Any) -> int:
    """Return a whole number; reject bool and fractions."""
    if isinstance(value, bool) or int(value) != value:
        raise ValueError(value)
    return int(value)


def _number(value: Any) -> float:
    """Return a finite number; reject bool and text."""
    number = float(value)
    if isinstance(value, bool | str) or not math.isfinite(number):
        raise ValueError(value)
    return number


def _date(value: Any) -> str:
    """Return a date as text, year first."""
    if not isinstance(value, datetime.date):
        value = datetime.date.fromisoformat(value)
    return str(value.strftime("%Y-%m-%d"))
