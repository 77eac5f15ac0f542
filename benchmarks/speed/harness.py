"""Run both sides of a comparison in turn, each as a process of its own."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parent.parent.parent
# A process' peak begins with what its parent has at that moment, so a small one starts it.
_LAUNCH = """
import json, os, sys, time
result, *command = sys.argv[1:]
started = time.perf_counter()
process = os.posix_spawnp(command[0], command, os.environ)
_, status, usage = os.wait4(process, 0)
taken = os.waitstatus_to_exitcode(status), time.perf_counter() - started, usage.ru_maxrss / 1024
with open(result, "w") as file:
    json.dump(taken, file)
"""


@dataclass(frozen=True)
class Side:
    """One side of a comparison.

    Attributes
    ----------
    name : str
    command : sequence of str
        Run in the project's folder; its last line of output may be a JSON object of facts.
    before : callable, optional
        Called before each run, outside of the measured time; takes away what an earlier run built.
    facts : callable, optional
        Called after each run; returns what the run left behind that is worth knowing.
    """

    name: str
    command: Sequence[str]
    before: Callable[[], None] | None = None
    facts: Callable[[], Mapping[str, Any]] | None = None


@dataclass
class Taken:
    """What the runs of one side took.

    Attributes
    ----------
    seconds : list of float
        Wall time of each run, start-up included.
    memory : list of float
        Peak resident memory of the process or of one that it started and awaited, whichever is
        largest (their sum is not taken), MiB; the fact ``step_memory`` where that is more.
    facts : list of dict
    """

    seconds: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    facts: list[dict[str, Any]] = field(default_factory=list)

    def median(self, name: str = "") -> float:
        """Return the median of the seconds, or of a fact."""
        return statistics.median([each[name] for each in self.facts] if name else self.seconds)


def compare(
    sides: Sequence[Side], rounds: int, say: Callable[[str], None], *, warm_up: bool = True
) -> dict[str, Taken]:
    """Run all sides in turn, several times.

    Parameters
    ----------
    sides : sequence of Side
    rounds : int
        Counted rounds; 0 for a warm-up alone.
    say : callable
        Called with a line for each run.
    warm_up : bool
        Whether a round that is not counted goes first, which files and compiled modules need to
        be in memory. Runs of minutes do without.

    Returns
    -------
    dict of str to Taken
    """
    taken = {side.name: Taken() for side in sides}
    for number in range(rounds + warm_up):
        for side in sides:
            seconds, memory, facts = _run(side)
            counted = number >= warm_up
            say(f"{side.name}: {seconds:.2f} s, {memory:.0f} MiB{'' if counted else ' (warm-up)'}")
            if counted:
                taken[side.name].seconds.append(seconds)
                taken[side.name].memory.append(memory)
                taken[side.name].facts.append(facts)
    return taken


def _run(side: Side) -> tuple[float, float, dict[str, Any]]:
    """Run a side once: seconds, MiB, facts."""
    if side.before:
        side.before()
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    # Compiled files are kept, as on a user's machine.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as name:
        result, output, errors = (Path(name) / each for each in ("result", "output", "errors"))
        launched = [sys.executable, "-S", "-c", _LAUNCH, str(result), *side.command]
        with open(output, "wb") as out, open(errors, "wb") as err:
            subprocess.run(launched, cwd=_ROOT, env=environment, stdout=out, stderr=err, check=True)
        status, seconds, memory = json.loads(result.read_text())
        if status:
            said = errors.read_text(errors="replace")[-2000:]
            raise RuntimeError(f"{side.name} ended with {status}:\n{said}")
        lines = output.read_text(errors="replace").strip().splitlines()
    facts: dict[str, Any] = {}
    if lines and lines[-1].startswith("{"):
        facts |= json.loads(lines[-1])
    if side.facts:
        facts |= side.facts()
    # A step counts its peak from its own beginning, which makes the kernel forget what was before:
    # of a process of several steps `wait4` knows the last one's peak alone.
    return seconds, max(memory, facts.get("step_memory", 0.0)), facts
