"""The finished runs that a report reads: the run that it describes, and others on its split."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.evaluation.finished import EvaluatedRun
from pipeline.evaluation.groups import group_column
from pipeline.store.manifests import is_complete
from pipeline.store.outputs import Store
from pipeline.store.run import split_digest
from pipeline.store.seeds import identity

_ROW_COLUMNS = ["id", "raw", "clean", "label", "group"]
_STEPS_TO_TRAINING = ("CleanText", "Tokenize", "Vectorize", "TrainModel")
# A baseline may be trained on fewer rows to limit its cost; the command of a run has no such limit.
_ROW_LIMIT = "max_train_rows"


@dataclass(frozen=True)
class ScoredRows:
    """Rows with their classes and probabilities.

    ``labels`` are codes of classes, int64, shape (n_rows,); ``raw`` and ``calibrated`` are
    probabilities, float64, shape (n_rows, n_classes).
    """

    labels: np.ndarray
    raw: np.ndarray
    calibrated: np.ndarray
    decided: np.ndarray  # codes of predicted classes


class _ComparedRun(EvaluatedRun):
    """An evaluated run, with its predictions for validation and test rows."""

    @cached_property
    def scored(self) -> ScoredRows:
        """The test rows."""
        names = self.class_names
        columns = [[f"{kind}_{name}" for name in names] for kind in ("p", "calibrated")]
        table = self.read_table(
            "Evaluate",
            "predictions.parquet",
            ["part", "label", "decided", *columns[0], *columns[1]],
        )
        rows = table.filter(pc.equal(table["part"], "test"))
        labels, decided = (
            pc.index_in(rows[column].cast(pa.string()), pa.array(names, pa.string())).to_numpy()
            for column in ("label", "decided")
        )
        raw, calibrated = (
            np.stack([rows[column].to_numpy() for column in of_kind], axis=1) for of_kind in columns
        )
        return ScoredRows(labels.astype(np.int64), raw, calibrated, decided.astype(np.int64))

    @property
    def trained_on_validation(self) -> bool:
        """Whether the final training used the validation rows, so that they cannot score it."""
        return "refitted_on_validation" in self.training

    @cached_property
    def validation_predictions(self) -> pd.DataFrame:
        """Columns ``label`` and ``decided`` (the predicted class) of validation rows, by id."""
        table = self.read_table(
            "Evaluate", "predictions.parquet", ["id", "part", "label", "decided"]
        )
        rows = table.filter(pc.equal(table["part"], "validation")).to_pandas()
        return rows.set_index("id")[["label", "decided"]]


class OtherRun(_ComparedRun):
    """Another evaluated run with the same training, validation and test rows."""

    def __init__(self, evaluated: Path, store: Store, differs_by_seed: bool) -> None:
        super().__init__(evaluated, store)
        self.differs_by_seed = differs_by_seed  # and in nothing else from the run of the report

    @property
    def settings(self) -> dict[str, Any]:
        """Settings of the steps up to TrainModel, by name."""
        settings: dict[str, Any] = {}
        for task in _STEPS_TO_TRAINING:
            settings |= self.settings_of(task)
        settings.pop(_ROW_LIMIT, None)
        return settings


class Run(_ComparedRun):
    """The run that a report describes.

    Parameters
    ----------
    evaluated : Path
        Folder of its Evaluate artifact.
    command : str
        Command that repeats the run.
    command_of : callable
        Returns the command of another run on the same rows from its settings.
    positive_named : bool
        Whether the user chose the positive class.
    """

    def __init__(
        self,
        evaluated: Path,
        command: str,
        command_of: Callable[[Mapping[str, Any]], str],
        positive_named: bool = False,
    ) -> None:
        self.store = Store(evaluated.parents[2])
        super().__init__(evaluated, self.store)
        self.command = command
        self.command_of = command_of
        self.positive_named = positive_named

    @property
    def settings(self) -> dict[str, Any]:
        """Settings of TrainModel: the hyper-parameters of the model."""
        settings: dict[str, Any] = self.bundle["steps"]["TrainModel"]
        return settings

    @cached_property
    def other_runs(self) -> list[OtherRun]:
        """Complete runs of other models on the same split, in the order of their folders.

        The digest of SplitStratified depends on the representation, so the content of
        ``split.parquet`` is compared.
        """
        store, evaluated = self.store, self.artifact
        split, shared = split_digest(store, evaluated), identity(store, evaluated)
        version = evaluated.manifest["version"]
        others = []
        for artifact in store.all(evaluated.dataset, evaluated.path.parent.name):
            if artifact.manifest["version"] != version or split_digest(store, artifact) != split:
                continue
            differs_by_seed = shared is not None and identity(store, artifact) == shared
            other = OtherRun(artifact.path, store, differs_by_seed)
            folders = [other.steps[task].path for task in _STEPS_TO_TRAINING if task in other.steps]
            is_other = self.path_of("TrainModel") not in folders
            if is_other and len(folders) == len(_STEPS_TO_TRAINING):
                others += [other] if all(map(is_complete, [*folders, artifact.path])) else []
        return others

    @cached_property
    def baselines(self) -> dict[str, _ComparedRun]:
        """The trained baselines that still exist, by model, that of the verdict first."""
        judged = self.metrics["verdict"]["baseline"]
        runs = {
            artifact.path.name.rsplit("-", 1)[0]: _ComparedRun(artifact.path, self.store)
            for artifact in self.store.above(self.artifact)
            if artifact.task == "Evaluate" and is_complete(artifact.path)
        }
        names = [name for name in self.metrics["baselines"] if name in runs]
        return {name: runs[name] for name in sorted(names, key=lambda name: name != judged)}

    def source_of(self, n_rows: int, rows: str) -> str:
        """Return what a figure shows: run, dataset and rows, such as ``test rows``."""
        return f"{self.model}-{self.artifact.digest[:8]} on {self.dataset}, {n_rows:,} {rows}"

    @cached_property
    def duplicate_groups(self) -> pd.Series:
        """The duplicate group of each row, by id."""
        column = group_column(self.path_of("CleanText", "rows.parquet"))
        table = self.read_table("CleanText", "rows.parquet", ["id", column])
        return table.to_pandas().set_index("id")[column]

    @cached_property
    def rows(self) -> pa.Table:
        """The cleaned rows."""
        return self.read_table("CleanText", "rows.parquet", _ROW_COLUMNS)

    @cached_property
    def diversity(self) -> np.ndarray:
        """Distinct tokens divided by tokens of each row, float64, shape (n_rows,)."""
        table = self.read_table("Tokenize", "tokens.parquet", ["lexical_diversity"])
        return table["lexical_diversity"].to_numpy()
