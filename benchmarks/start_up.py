"""Measure what commands cost that have nothing to compute, beside a Luigi hello world.

Whole processes, run in turn. Usage: ``python -m benchmarks.start_up [RUNS]``.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.hundred_runs import add_runs

_ROOT = Path(__file__).parent.parent
_HELLO = """
import luigi

class Hello(luigi.Task):
    def output(self):
        return luigi.LocalTarget("hello.txt")

    def run(self):
        with self.output().open("w") as file:
            file.write("hello")
"""


def measure(runs: int, model: str = "bilstm") -> dict[str, list[float]]:
    """Return the seconds of each run of each command, by the command's name.

    Parameters
    ----------
    runs : int
        Counted runs of each, after one that is not counted.
    model : str
        Model of the built chain.
    """
    scripts = Path(sys.executable).parent
    luigi, pipeline = str(scripts / "luigi"), str(scripts / "pipeline")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "hello.py").write_text(_HELLO)
        paths = ["--paths-outputs", f"{folder}/outputs", "--paths-data", f"{folder}/data"]
        chain = [luigi, "--module", "pipeline", "RunAll", "--model", model, *paths]
        commands = {
            "luigi hello world, built": [luigi, "--module", "hello", "Hello", "--local-scheduler"],
            f"RunAll --model {model}, built": chain,
            "pipeline ls, 100 runs": [pipeline, "ls", *paths],
            "pipeline plan, 100 runs": [pipeline, "plan", "RunAll", "--model", model, *paths],
        }
        environment = {**os.environ, "PYTHONPATH": name}
        # Compiled files are kept, as on a user's machine.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        baseline = [*chain[:5], "naive_bayes", *paths]
        for command in (baseline, chain):
            subprocess.run(command, cwd=_ROOT, check=True, capture_output=True)
        add_runs(folder / "outputs", "vader/naive_bayes")
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(runs + 1):
            for name, command in commands.items():
                where = folder if "hello" in name else _ROOT
                started = time.perf_counter()
                subprocess.run(command, cwd=where, env=environment, check=True, capture_output=True)
                seconds[name].append(time.perf_counter() - started)
        return {name: found[1:] for name, found in seconds.items()}


def main() -> None:
    """Print medians, spreads and ratios."""
    found = measure(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
    hello = statistics.median(next(iter(found.values())))
    for name, seconds in found.items():
        median = statistics.median(seconds)
        print(
            f"{name:30} median {median:.3f} s ({min(seconds):.3f} to {max(seconds):.3f}, "
            f"{len(seconds)} runs), {median / hello:.2f} times the first"
        )


if __name__ == "__main__":
    main()
