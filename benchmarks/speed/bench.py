"""What comparisons share: luigi commands, taking away what was built, reading what was left."""

import itertools
import json
import shutil
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.speed.harness import Side, Taken

_SCRIPTS = Path(sys.executable).parent
_STEPS = {
    "DownloadData": "1_download",
    "CleanText": "2_clean",
    "Tokenize": "3_tokenize",
    "Vectorize": "4_vectorize",
    "SplitStratified": "5_split",
    "TrainModel": "6_train",
    "Evaluate": "7_evaluate",
}
# What is remembered of files and artifacts; a first run has none of it.
_REMEMBERED = (".sha256", ".cache", ".partial")
# Of a record in an event file: its length with a checksum, and the checksum of its content.
_RECORD_HEAD, _RECORD_TAIL = 12, 4

Facts = Callable[[], Mapping[str, Any]]


@dataclass(frozen=True)
class Bench:
    """Where a comparison finds its data and leaves its artifacts, and whom it tells."""

    data: Path
    outputs: Path
    say: Callable[[str], None]

    def luigi(self, task: str, dataset: str, **settings: Any) -> list[str]:
        """Return a luigi command."""
        return [str(_SCRIPTS / "luigi"), *self.words(task, dataset, **settings)]

    def words(self, task: str, dataset: str, **settings: Any) -> list[str]:
        """Return the words of a luigi command after ``luigi``."""
        words = ["--module", "pipeline", task, "--dataset", dataset]
        for name, value in settings.items():
            words += [f"--{name.replace('_', '-')}", str(value)]
        places = ["--paths-data", str(self.data), "--paths-outputs", str(self.outputs)]
        return [*words, *places, "--log-level", "WARNING"]

    def build(self, task: str, dataset: str, **settings: Any) -> None:
        """Run a luigi command that is not measured."""
        subprocess.run(self.luigi(task, dataset, **settings), check=True, capture_output=True)

    def notebook(self, module: str, *words: Any) -> list[str]:
        """Return a command of the notebook way."""
        return [sys.executable, "-m", f"benchmarks.notebook_way.{module}", *map(str, words)]

    def side(
        self, name: str, command: Sequence[str], dataset: str, first: str, *reads: Facts
    ) -> Side:
        """Return a side that runs the pipeline: seconds and peak of the steps that it built.

        Parameters
        ----------
        name : str
        command : sequence of str
        dataset : str
        first : str
            The step that is taken away before each run, with those below it.
        reads : callables
            What else is read after each run.
        """
        began = [0.0]

        def before() -> None:
            self.take_away(dataset, first)
            began[0] = time.time()

        def facts() -> dict[str, Any]:
            built = self.built(dataset, began[0])
            found: dict[str, Any] = {
                "steps": sum(each["seconds"] for each in built),
                "step_memory": max(each["peak_memory_mib"] or 0.0 for each in built),
            }
            for read in reads:
                found |= read()
            return found

        return Side(name, command, before, facts)

    def take_away(self, dataset: str, first: str) -> None:
        """Remove a step of a dataset and those below it; raw files stay."""
        steps = list(_STEPS)
        for step in steps[steps.index(first) :]:
            shutil.rmtree(self.outputs / dataset / _STEPS[step], ignore_errors=True)
        if first == steps[0]:
            for name in _REMEMBERED:
                shutil.rmtree(self.outputs / name, ignore_errors=True)

    def manifests(self, dataset: str, step: str = "*", holds: str = "") -> list[dict[str, Any]]:
        """Return manifests, oldest first, each with the ``place`` that it lies in."""
        folders = (self.outputs / dataset).glob(f"{_STEPS.get(step, step)}/{holds}*/manifest.json")
        files = sorted(folders, key=lambda path: path.stat().st_mtime)
        return [{**json.loads(path.read_text()), "place": path.parent} for path in files]

    def manifest(self, dataset: str, step: str, holds: str = "") -> dict[str, Any]:
        """Return the newest manifest of a step, of a folder whose name begins with a word."""
        return self.manifests(dataset, step, holds)[-1]

    def built(self, dataset: str, since: float) -> list[dict[str, Any]]:
        """Return the manifests that were written after a time, in seconds since 1970."""
        # Clocks of file systems tick more slowly than the processor's.
        return [
            each
            for each in self.manifests(dataset)
            if (each["place"] / "manifest.json").stat().st_mtime >= since - 0.02
        ]

    def chain(self, dataset: str, step: str, holds: str = "") -> dict[str, Path]:
        """Return the folders of a step and of those above it, by task; the newest of the step."""
        manifest: dict[str, Any] | None = self.manifest(dataset, step, holds)
        found: dict[str, Path] = {}
        place = manifest["place"] if manifest else Path()
        while manifest:
            found[manifest["task"]] = place
            above = manifest["upstream"]
            place = (place / above["place"]).resolve() if above else place
            manifest = json.loads((place / "manifest.json").read_text()) if above else None
        return found

    def evaluated(self, dataset: str, model: str) -> Facts:
        """Return what reads the test figures of a model, and what its training took."""

        def read() -> dict[str, Any]:
            place = self.manifest(dataset, "Evaluate", model)["place"]
            metrics = json.loads((place / "metrics.json").read_text())["test"]
            return {
                "accuracy": metrics["accuracy"],
                "f1": list(metrics["by_class"].values())[1]["f1"],
                **self.trained(dataset, model)(),
            }

        return read

    def trained(self, dataset: str, model: str) -> Facts:
        """Return what reads what the training of a model took, and each epoch after the first."""

        def read() -> dict[str, Any]:
            train = self.manifest(dataset, "TrainModel", model)
            found = {"train": train["seconds"], "rows": train["rows_out"]}
            ends = epoch_ends(train["place"] / "tensorboard")
            # Between two epochs' ends; how long the first took is not in the file.
            epochs = [later - sooner for sooner, later in itertools.pairwise(ends)]
            return found | ({"epoch": statistics.median(epochs)} if epochs else {})

        return read


def epoch_ends(folder: Path) -> list[float]:
    """Return when each epoch ended, seconds since 1970, from TensorBoard's event files.

    A file is a row of records, an epoch's event begins with its time (field 1 of the message, a
    double) and its number (field 2), as tensorflow/core/util/event.proto has it.
    """
    ends = []
    for file in sorted(folder.rglob("events.out.tfevents*")) if folder.is_dir() else ():
        content, at = file.read_bytes(), 0
        while at < len(content):
            (size,) = struct.unpack_from("<Q", content, at)
            event = content[at + _RECORD_HEAD :][:size]
            at += _RECORD_HEAD + size + _RECORD_TAIL
            if event[:1] == b"\x09" and event[9:10] == b"\x10":
                ends.append(struct.unpack_from("<d", event, 1)[0])
    return ends


def line(
    work: str, reach: str, measured: str, met: bool | None, short: Sequence[str] = ()
) -> dict[str, Any]:
    """Make a line of the table.

    Parameters
    ----------
    work, reach, measured : str
    met : bool or None
        None where nothing is to be reached.
    short : sequence of str, optional
        The same for the README: work, what the pipeline takes, what the other side does.
    """
    said = "" if met is None else "yes" if met else "no"
    found = {"work": work, "reach": reach, "measured": measured, "met": said}
    return {**found, "short": list(short)} if short else found


def found(
    taken: Mapping[str, Taken], *lines: dict[str, Any], note: str | Sequence[str] = ""
) -> dict[str, Any]:
    """Lay out what a comparison found."""
    said = note if isinstance(note, str) else " ".join(note)
    return {"lines": list(lines), "sides": [_side(*each) for each in taken.items()], "note": said}


def _side(name: str, taken: Taken) -> dict[str, Any]:
    """Lay out what one side took: medians, and the least and the most."""
    seconds = taken.seconds
    span = f" ({min(seconds):.2f} to {max(seconds):.2f})" if len(seconds) > 1 else ""
    medians = []
    for key in taken.facts[0]:
        values = [each[key] for each in taken.facts]
        if all(isinstance(value, int | float) for value in values):
            medians.append(f"{key.replace('_', ' ')} {statistics.median(values):,.4g}")
    return {
        "name": name,
        "runs": len(seconds),
        "seconds": f"{taken.median():.2f}{span}",
        "memory": f"{max(taken.memory):,.0f}" if max(taken.memory) else "",
        "facts": ", ".join(medians),
    }
