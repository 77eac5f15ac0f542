"""Run luigi, or a model on texts, in this process, and print where the time went.

Usage: ``python -m benchmarks.speed.profiled run WORDS...`` with the words of a luigi command, or
``python -m benchmarks.speed.profiled predict FOLDER CSV``. The last line printed is a JSON object:
``steps`` (name, wall and CPU seconds of each) and ``functions`` (by step, seconds by function).
"""

import json
import re
import resource
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

OUTSIDE = "beside the steps"
_INTERVAL = 0.005  # seconds
_IMPORTING = "_find_and_load"
# The innermost function of a thread that waits for others.
_WAITING = ("threading", "queue", "selectors", "concurrent.futures.thread", "subprocess")


class Watch:
    """Wall and CPU seconds of each step, and in which functions they were spent.

    Every few milliseconds all threads are looked at, and the time since the last look is counted
    for what each is doing. That costs next to nothing, where a tracing profiler makes calls dear
    and sees one thread; what lasts less than an interval is seen by chance.
    """

    def __init__(self) -> None:
        self.steps: list[dict[str, Any]] = []
        self.functions: dict[str, Counter[str]] = {}
        self._step = OUTSIDE
        self._began = (0.0, 0.0)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._thread.join()

    def begin(self, name: str) -> None:
        """Note that a step begins."""
        self._step, self._began = name, (time.perf_counter(), _cpu())

    def end(self) -> None:
        """Note that the step ended."""
        wall, cpu = time.perf_counter() - self._began[0], _cpu() - self._began[1]
        self.steps.append({"name": self._step, "seconds": wall, "cpu": cpu})
        self._step = OUTSIDE

    def _look(self) -> None:
        """Count the time since the last look for what each thread is doing."""
        last = time.perf_counter()
        while not self._done.wait(_INTERVAL):
            now = time.perf_counter()
            counted = self.functions.setdefault(self._step, Counter())
            for thread, frame in sys._current_frames().items():
                what = None if thread == threading.get_ident() else doing(frame)
                if what:
                    counted[what] += now - last
            last = now

    def found(self) -> dict[str, Any]:
        """Return steps and functions."""
        functions = {
            step: [[name, seconds] for name, seconds in counted.most_common(8)]
            for step, counted in self.functions.items()
        }
        return {"steps": self.steps, "functions": functions, "cpu": _cpu()}


def doing(frame: FrameType) -> str | None:
    """Say what a thread is doing: a function of the package, with whom it calls, or an import.

    Parameters
    ----------
    frame : frame
        The innermost.

    Returns
    -------
    str or None
        None where it waits.
    """
    if _module(frame).startswith(_WAITING):
        return None
    frames = list(_outwards(frame))
    imported = [
        str(each.f_locals.get("name", "")).split(".")[0]
        for each in frames
        if each.f_code.co_name == _IMPORTING and "importlib" in each.f_code.co_filename
    ]
    if imported:
        others = [name for name in reversed(imported) if name not in ("pipeline", "benchmarks")]
        return f"importing {others[0] if others else 'pipeline'}"
    for number, each in enumerate(frames):
        if _module(each).startswith("pipeline."):
            name = f"{_module(each).removeprefix('pipeline.')}.{_plain(each.f_code.co_qualname)}"
            return f"{name} ({_module(frames[number - 1]).split('.')[0]})" if number else name
    return f"{_module(frame).split('.')[0]}, for luigi"


def _module(frame: FrameType) -> str:
    """Return the name of the module that a frame runs."""
    return str(frame.f_globals.get("__name__", ""))


def _plain(name: str) -> str:
    """Write the name of a nested function without the marks of nesting, comprehensions left out."""
    return re.sub(r"\.<(locals|listcomp|genexpr|dictcomp|setcomp)>|[<>]", "", name)


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    """Yield a frame and those that called it."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def _cpu() -> float:
    """Return the CPU seconds of this process and of those that it awaited."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def run(watch: Watch, words: list[str]) -> None:
    """Run a luigi command."""
    import luigi
    from luigi.cmdline import luigi_run

    @luigi.Task.event_handler(luigi.Event.START)
    def begin(task: Any) -> None:
        watch.begin(f"{task.task_family} {getattr(task, 'label', '')}".strip())

    @luigi.Task.event_handler(luigi.Event.SUCCESS)
    def end(task: Any) -> None:
        watch.end()

    try:
        luigi_run(words)
    except SystemExit as error:
        if error.code:
            raise


def predict(watch: Watch, place: Path, file: Path) -> None:
    """Predict the texts of a CSV file in this process alone."""
    import pandas as pd

    from pipeline.predict.predictor import Predictor

    texts = pd.read_csv(file)["text"].tolist()
    predictor = Predictor.load(place, processes=1)
    predictor.probabilities(texts[:1000])
    watch.begin(f"{len(texts):,} texts")
    predictor.probabilities(texts)
    watch.end()


def main() -> None:
    """Run what is asked for and print what was found."""
    work, *words = sys.argv[1:]
    with Watch() as watch:
        if work == "run":
            run(watch, words)
        else:
            predict(watch, Path(words[0]), Path(words[1]))
    print(json.dumps(watch.found()))


if __name__ == "__main__":
    main()
