"""The section on training: epochs, layers, settings and speed."""

from pathlib import Path
from typing import Any

from pipeline.report import figures_results
from pipeline.report.sources import Run


def section(run: Run, folder: Path) -> dict[str, Any]:
    """Return the content of the section, and draw its figure into a folder."""
    has_epochs, preparation = len(run.history) > 1, ("CleanText", "Tokenize", "Vectorize")
    if has_epochs:
        figures_results.draw_training(run, folder)
    seconds = sum(run.manifests[task]["seconds"] for task in preparation)
    return {
        "has_epochs": has_epochs,
        "has_logs": run.path_of("TrainModel", "tensorboard").is_dir(),
        "has_projector": run.path_of("TrainModel", "projector").is_dir(),
        "preparation_seconds": seconds / max(run.profile["kept"], 1),
    }
