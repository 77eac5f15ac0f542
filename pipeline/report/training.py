"""The section on training: epochs, layers, settings and speed."""

from pathlib import Path
from typing import Any

from pipeline.report import figures_results
from pipeline.report.sources import Run


def section(run: Run, folder: Path) -> dict[str, Any]:
    """Return the content of the section, and draw its figure into a folder."""
    manifest, preparation = run.manifests["TrainModel"], ("CleanText", "Tokenize", "Vectorize")
    seconds = sum(run.manifests[task]["seconds"] for task in preparation)
    has_epochs = len(run.history) > 1
    if has_epochs:
        figures_results.draw_training(run, folder)
    return {
        "facts": run.training,
        "architecture": run.architecture,
        "settings": run.settings,
        "seconds": manifest.get("seconds"),
        "peak_memory_mib": manifest.get("peak_memory_mib"),
        "preparation_seconds": seconds / max(run.profile["kept"], 1),
        "speed": run.speed,
        "has_logs": run.path_of("TrainModel", "tensorboard").is_dir(),
        "has_projector": run.path_of("TrainModel", "projector").is_dir(),
        "has_epochs": has_epochs,
    }
