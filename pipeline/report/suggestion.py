"""What a reader can do next: a sentence with its reason, and the command that does it."""

import shlex
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Suggestion:
    """One piece of advice.

    Attributes
    ----------
    sentence : str
        What was measured, and what may improve it.
    command : str
        What to run; empty where no command does it.
    """

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
    words, name = shlex.split(command), f"--{option.replace('_', '-')}"
    if name in words:
        at = words.index(name)
        del words[at : at + 2]
    return shlex.join([*words, name, str(value)])
