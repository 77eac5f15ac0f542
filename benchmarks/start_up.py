"""Measure what a run costs in which all is built, beside a Luigi hello world.

Both are whole processes, run in turn. Usage: ``python -m benchmarks.start_up [RUNS]``.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

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


def measure(runs: int) -> tuple[list[float], list[float]]:
    """Return seconds of each hello world and of each run of the built chain."""
    luigi = str(Path(sys.executable).parent / "luigi")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "hello.py").write_text(_HELLO)
        environment = {**os.environ, "PYTHONPATH": folder}
        # Compiled files are kept, as on a user's machine.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        hello = [luigi, "--module", "hello", "Hello", "--local-scheduler"]
        chain = [luigi, "--module", "pipeline", "RunAll", "--model", "bilstm"]
        chain += ["--paths-outputs", folder, "--paths-data", f"{folder}/data"]
        subprocess.run(chain, cwd=_ROOT, check=True, capture_output=True)
        seconds: tuple[list[float], list[float]] = ([], [])
        for _ in range(runs + 1):
            for command, where, found in (
                (hello, folder, seconds[0]),
                (chain, _ROOT, seconds[1]),
            ):
                started = time.perf_counter()
                subprocess.run(command, cwd=where, env=environment, check=True, capture_output=True)
                found.append(time.perf_counter() - started)
        return seconds[0][1:], seconds[1][1:]


def main() -> None:
    """Print medians, spreads and their ratio."""
    hello, chain = measure(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
    for name, found in (("luigi hello world, built", hello), ("RunAll, built", chain)):
        print(
            f"{name:26} median {statistics.median(found):.3f} s "
            f"({min(found):.3f} to {max(found):.3f}, {len(found)} runs)"
        )
    print(f"ratio of medians           {statistics.median(chain) / statistics.median(hello):.2f}")


if __name__ == "__main__":
    main()
