"""A suggestion: one sentence on what to change, and the command that does it."""

import shlex
from typing import Any, NamedTuple


class Suggestion(NamedTuple):
    """A sentence with a measurement and what may improve it, and a command, which may be empty."""

    sentence: str
    command: str = ""

    def __str__(self) -> str:
        return f"{self.sentence} {self.command}".rstrip()


def with_option(command: str, option: str, value: Any) -> str:
    """Return a command with another value of an option.

    Examples
    --------
    >>> with_option("luigi RunAll --dropout 0.5 --seed 0", "dropout", 0.7)
    'luigi RunAll --seed 0 --dropout 0.7'
    """
    arguments, flag = shlex.split(command), f"--{option.replace('_', '-')}"
    if flag in arguments:
        index = arguments.index(flag)
        del arguments[index : index + 2]
    return shlex.join([*arguments, flag, str(value)])
