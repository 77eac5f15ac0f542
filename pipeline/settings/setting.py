"""A setting: one number or word that a user may choose, with its default, unit and range."""

import datetime
import difflib
import json
from dataclasses import dataclass
from typing import Any

from pipeline.errors import PipelineError

_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "text": "a text",
    "choice": "one of",
    "ints": "a JSON list of whole numbers such as '[128, 64]'",
    "floats": "a JSON list of numbers such as '[0.5, 2]'",
    "words": 'a JSON list such as \'["relu", "tanh"]\' of',
    "flag": "true or false",
    "date": "a date such as 2026-11-22",
}
_FLAGS = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False}


@dataclass(frozen=True)
class Setting:
    """Describe a value, parse it from a command line, and check it.

    Parameters
    ----------
    name : str
        As on the command line, with underscores.
    kind : {"int", "float", "text", "choice", "ints", "floats", "words", "flag", "date"}
        What the value is. Lists become tuples, so that they can be hashed; a date
        stays a text, year first.
    default : object
        The value when neither user, preset nor model says otherwise.
    description : str
        What it does, for ``--help``.
    unit : str
        Unit of the number, such as ``tokens`` or ``epochs``.
    low, high : float, optional
        Least and largest allowed value (of each item of a list).
    above, below : float, optional
        The same, the bound itself not allowed.
    choices : tuple of str
        The allowed words of a ``choice``.
    also : tuple of str
        Words allowed besides, such as ``auto``.
    hint : str
        What to do about a wrong value.
    length : int, optional
        How many items a list must have.
    """

    name: str
    kind: str
    default: Any
    description: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    above: float | None = None
    below: float | None = None
    choices: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    hint: str = ""
    length: int | None = None

    @property
    def help(self) -> str:
        """Description with allowed values and default, one line."""
        unit = f" [{self.unit}]" if self.unit else ""
        return f"{self.description}{unit}; {self.allowed}. Default: {self.serialize(self.default)}"

    @property
    def allowed(self) -> str:
        """The allowed values in words."""
        bounds = [
            f"{word} {bound:g}"
            for word, bound in (
                ("at least", self.low),
                ("above", self.above),
                ("at most", self.high),
                ("below", self.below),
            )
            if bound is not None
        ]
        text = _KINDS[self.kind]
        if self.choices:
            text += " " + ", ".join(self.choices)
        if self.length:
            text += f", {self.length} items"
        if bounds:
            text += (", each " if self.kind in ("ints", "floats") else " ") + " and ".join(bounds)
        return text + "".join(f", or {word}" for word in self.also)

    def parse(self, text: str) -> Any:
        """Read the value from what was typed.

        Raises
        ------
        PipelineError
            If it is not of the setting's kind or out of range.
        """
        if text in self.also:
            return text
        try:
            value = self._convert(text)
        except (ValueError, TypeError, KeyError, OverflowError):
            raise self._error(text) from None
        return self.check(value)

    def check(self, value: Any) -> Any:
        """Return the value in its one normal form (1 becomes 1.0 for a float).

        Raises
        ------
        PipelineError
            If it is not of the setting's kind or out of range.
        """
        if isinstance(value, str) and value in self.also:
            return value
        try:
            value = self._normal(value)
        except (ValueError, TypeError, KeyError, OverflowError):
            raise self._error(value) from None
        items = value if isinstance(value, tuple) else (value,)
        fits = len(items) == self.length if self.length else len(items) > 0
        if not fits or not all(self._in_range(item) for item in items):
            raise self._error(value)
        return value

    def serialize(self, value: Any) -> str:
        """Write the value as it is typed on a command line."""
        if isinstance(value, tuple):
            return json.dumps(list(value))
        if isinstance(value, bool):
            return str(value).lower()
        return str(value)

    def _convert(self, text: str) -> Any:
        if self.kind == "int":
            return int(text)
        if self.kind == "float":
            return float(text)
        if self.kind in ("ints", "floats"):
            items = json.loads(text)
            return items if isinstance(items, list) else [items]
        if self.kind == "words":
            return json.loads(text) if text.startswith("[") else [text]
        if self.kind == "flag":
            return _FLAGS[text.lower()]
        return text

    def _normal(self, value: Any) -> Any:
        if self.kind == "int":
            return _whole(value)
        if self.kind == "float":
            return _number(value)
        if self.kind == "ints":
            return tuple(_whole(item) for item in value)
        if self.kind == "floats":
            return tuple(_number(item) for item in value)
        if self.kind == "words":
            return tuple(map(str, [value] if isinstance(value, str) else value))
        if self.kind == "flag":
            return _FLAGS[str(value).lower()]
        if self.kind == "date":
            return _day(value)
        if not isinstance(value, str):
            raise TypeError(value)
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

    def _error(self, received: Any) -> PipelineError:
        unit = f" ({self.unit})" if self.unit else ""
        shown = received if isinstance(received, str) else self.serialize(received)
        hint = f"; {self.hint}" if self.hint else ""
        near = difflib.get_close_matches(shown, [*self.choices, *self.also], n=1)
        hint += f"; did you mean {near[0]!r}?" if near else ""
        return PipelineError(f"{self.name} must be {self.allowed}{unit}, got {shown}{hint}")


def _whole(value: Any) -> int:
    """Take a whole number, not a truth value or a fraction."""
    if isinstance(value, bool) or int(value) != value:
        raise ValueError(value)
    return int(value)


def _day(value: Any) -> str:
    """Take a date, or one written year first."""
    if not isinstance(value, datetime.date):
        value = datetime.date.fromisoformat(value)
    return value.strftime("%Y-%m-%d")


def _number(value: Any) -> float:
    """Take a finite number, not a truth value or a text."""
    number = float(value)
    if isinstance(value, bool | str) or number != number or abs(number) == float("inf"):
        raise ValueError(value)
    return number
