"""Read a finished run: the only reader that reports, nights and commands use."""

import functools
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import DamagedArtifactError
from pipeline.store.manifests import why_unreadable
from pipeline.store.outputs import Artifact, Store

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

#: Headline metrics: column title, and the path of keys to the metric in ``metrics.json``.
HEADLINES = {
    "accuracy": ("accuracy",),
    "macro_f1": ("macro", "f1"),
    "roc_auc": ("roc_auc",),
    "log_loss": ("log_loss",),
}


def _json_object(task: str, name: str) -> "functools.cached_property[dict[str, Any]]":
    """Return a cached property that reads a JSON object of a task's artifact."""

    def read(run: "FinishedRun") -> dict[str, Any]:
        content = run.step(task).read_json(name)
        if not isinstance(content, dict):
            raise DamagedArtifactError(
                f"{run.path_of(task, name)} is missing or is no JSON object; "
                f"`pipeline verify --repair {run.path_of(task)}` moves the folder aside and the "
                "next run builds it again."
            )
        return content

    return functools.cached_property(read)


class FinishedRun:
    """An artifact with all steps above it; files are read on first use and then cached.

    Parameters
    ----------
    path : Path
        Folder of an artifact, for example of TrainModel, Evaluate or Report.
    store : Store, optional
        The outputs folder of the artifact; pass it to reuse manifests that were read before.

    Attributes
    ----------
    steps : dict of str to Artifact
        The artifact and those above it by task, as far as their folders exist.
    """

    def __init__(self, path: Path, store: Store | None = None) -> None:
        store = store or Store(path.parents[2])
        artifact = store.artifact(path)
        if artifact is None:
            raise DamagedArtifactError(f"{path}: {why_unreadable(path)}; run the step again.")
        self.artifact = artifact
        self.steps = {step.task: step for step in store.chain(artifact)}

    def step(self, task: str) -> Artifact:
        """Return the artifact of a task; raise DamagedArtifactError where it is missing."""
        if task not in self.steps:
            raise DamagedArtifactError(
                f"the artifact of {task} that {self.artifact.path} was made from is missing or "
                f"damaged; present are {', '.join(self.steps)}; run that model again."
            )
        return self.steps[task]

    def path_of(self, task: str, name: str = "") -> Path:
        """Return the folder of a task's artifact, or the path of a file in it."""
        return self.step(task).path / name

    def settings_of(self, task: str) -> dict[str, Any]:
        """Return the settings of a task, from its manifest."""
        settings: dict[str, Any] = self.step(task).manifest["settings"]
        return settings

    def read_table(self, task: str, name: str, columns: Sequence[str] | None = None) -> "pa.Table":
        """Read a Parquet file of a task, or some columns of it."""
        import pyarrow.parquet as pq

        return pq.read_table(self.path_of(task, name), columns=columns)

    @functools.cached_property
    def manifests(self) -> dict[str, dict[str, Any]]:
        """The manifest of each step, by task."""
        return {task: step.manifest for task, step in self.steps.items()}

    source = _json_object("DownloadData", "source.json")
    profile = _json_object("CleanText", "profile.json")
    token_summary = _json_object("Tokenize", "tokens.json")
    vectors = _json_object("Vectorize", "vectors.json")
    balance = _json_object("SplitStratified", "balance.json")
    bundle = _json_object("TrainModel", "bundle.json")
    training = _json_object("TrainModel", "training.json")
    metrics = _json_object("Evaluate", "metrics.json")
    decision = _json_object("Evaluate", "decision.json")
    speed = _json_object("Evaluate", "speed.json")

    @functools.cached_property
    def architecture(self) -> list[dict[str, Any]]:
        """Layers of the network, empty for other models: ``architecture.json``."""
        path = self.path_of("TrainModel", "architecture.json")
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []

    @functools.cached_property
    def history(self) -> "pd.DataFrame":
        """One row for each epoch, empty for models without epochs: ``history.csv``."""
        import pandas as pd

        try:
            return pd.read_csv(self.path_of("TrainModel", "history.csv"))
        except pd.errors.EmptyDataError:
            return pd.DataFrame()

    @property
    def dataset(self) -> str:
        """Name of the dataset."""
        return self.artifact.dataset

    @property
    def model(self) -> str:
        """Name of the model."""
        model: str = self.bundle["model"]
        return model

    @property
    def class_names(self) -> list[str]:
        """Names of the classes, in the order of the columns of probabilities."""
        names: list[str] = self.metrics["class_names"]
        return names


def run_row(store: Store, run: Artifact) -> dict[str, Any]:
    """Return the row of a run in ``pipeline ls``: metrics of test rows, None for a missing one."""
    steps = FinishedRun(run.path, store).steps
    trained, evaluated = steps.get("TrainModel"), steps.get("Evaluate")
    settings = trained.manifest["settings"] if trained else {}
    test = evaluated.summary("metrics.json").get("test", {}) if evaluated else {}
    path = store.short(run.path)
    return {
        "run": run.digest[:8],
        "dataset": run.dataset,
        "model": settings.get("model") or run.path.name.rsplit("-", 1)[0],
        **headline(test),
        "test_rows": test.get("rows"),
        "training_seconds": trained.manifest["seconds"] if trained else None,
        "finished": run.finished,
        "is_latest": path in map(store.short, store.latest.values()),
        "is_complete": trained is not None and (evaluated or steps.get("Validate")) is not None,
        "place": path,
    }


def headline(metrics: Any) -> dict[str, float | None]:
    """Return the headline metrics of one part of ``metrics.json``.

    Examples
    --------
    >>> headline({"accuracy": 0.9, "macro": {"f1": 0.8}})
    {'accuracy': 0.9, 'macro_f1': 0.8, 'roc_auc': None, 'log_loss': None}
    """
    return {title: metric_at(metrics, path) for title, path in HEADLINES.items()}


def metric_at(metrics: Any, path: Sequence[str]) -> float | None:
    """Return the metric at a path of keys, None where it is missing or not finite.

    Examples
    --------
    >>> metric_at({"macro": {"f1": 0.8}}, ("macro", "f1"))
    0.8
    """
    value = _value_at(metrics, path)
    return float(value) if _is_finite(value) else None


def interval(metrics: Any, path: Sequence[str]) -> list[float] | None:
    """Return the 95 % interval of the metric at a path of keys, None where it has none.

    Examples
    --------
    >>> interval({"accuracy": 0.9, "intervals": {"accuracy": [0.85, 0.95]}}, ["accuracy"])
    [0.85, 0.95]
    """
    ends = _value_at(metrics, ("intervals", *path))
    return ends if isinstance(ends, list) and all(map(_is_finite, ends)) else None


def split_digest(store: Store, artifact: Artifact) -> str | None:
    """Return the sha256 of ``split.parquet`` of an artifact's run, None where it was deleted."""
    split = store.of(artifact, "SplitStratified")
    entry = split.manifest["files"].get("split.parquet", {}) if split else {}
    return entry.get("sha256")


def _is_finite(value: Any) -> bool:
    """Return whether a value is a finite number."""
    return isinstance(value, int | float) and math.isfinite(value)


def _value_at(metrics: Any, path: Sequence[str]) -> Any:
    """Return the value at a path of keys in nested mappings, None where a key is missing."""
    for key in path:
        metrics = metrics.get(key) if isinstance(metrics, Mapping) else None
    return metrics
