"""Copy one run a hundred times, to measure commands that list many runs."""

import json
import os
import shutil
from pathlib import Path

from pipeline.store.outputs import Store


def add_runs(outputs: Path, run: str, number: int = 100) -> None:
    """Copy TrainModel, Evaluate and Report of a run, with other digests and settings.

    Parameters
    ----------
    outputs : Path
        Folder of artifacts; it grows.
    run : str
        ``dataset/model`` of a naive_bayes run in it.
    number : int
        Copies.
    """
    store = Store(outputs)
    report = store.find(run)
    steps = [store.of(report, task) for task in ("TrainModel", "Evaluate", "Report")]
    for index in range(number):
        above: Path | None = None
        for step in steps:
            manifest = json.loads(json.dumps(step.manifest))
            manifest["digest"] = f"{index:04x}{step.digest[4:]}"
            folder = step.path.with_name(f"naive_bayes-{manifest['digest']}")
            if above is None:
                manifest["settings"]["alpha"] = 10.0 + index
            else:
                manifest["upstream"]["digest"] = above.name[-16:]
                manifest["upstream"]["place"] = os.path.relpath(above, folder)
            shutil.copytree(step.path, folder)
            (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
            above = folder
