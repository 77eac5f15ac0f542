"""The artifacts of a run, as the report reads them."""

import json
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.data.split import Parts, read_parts
from pipeline.evaluation.groups import group_column
from pipeline.report.siblings import Sibling, find_siblings, right_on_validation
from pipeline.report.suggestion import with_option
from pipeline.store.artifacts import read_manifest
from pipeline.text.tokens import Tokens, read_tokens

_ROW_COLUMNS = ["id", "raw", "clean", "label", "group"]


class Run:
    """What the steps of a run wrote, read when it is asked for.

    Parameters
    ----------
    places : mapping of str to Path
        Folder of each step's artifact, by task.
    command : str
        What makes the run again.
    positive_named : bool
        Whether the user named the class that matters.
    command_of : callable or None
        Returns the command of another run on the same rows, given the settings that it is to have;
        None: the command of this run with another model.
    """

    def __init__(
        self,
        places: Mapping[str, Path],
        command: str,
        positive_named: bool,
        command_of: Callable[[Mapping[str, Any]], str] | None = None,
    ) -> None:
        self.places = places
        self.command = command
        self.command_of = command_of or (
            lambda settings: with_option(command, "model", settings["model"])
        )
        self.positive_named = positive_named
        self.source = self._json("DownloadData", "source.json")
        self.profile = self._json("CleanText", "profile.json")
        self.token_summary = self._json("Tokenize", "tokens.json")
        self.vectors = self._json("Vectorize", "vectors.json")
        self.balance = self._json("SplitStratified", "balance.json")
        self.bundle = self._json("TrainModel", "bundle.json")
        self.training = self._json("TrainModel", "training.json")
        self.metrics = self._json("Evaluate", "metrics.json")
        self.decision = self._json("Evaluate", "decision.json")
        self.speed = self._json("Evaluate", "speed.json")
        self.manifests = {task: read_manifest(place) or {} for task, place in places.items()}

    @property
    def model(self) -> str:
        """Name of the model."""
        return self.bundle["model"]

    @property
    def dataset(self) -> str:
        """Name of the dataset."""
        return self.source["dataset"]

    @property
    def class_names(self) -> list[str]:
        """The classes, in order."""
        return self.metrics["class_names"]

    @property
    def settings(self) -> dict[str, Any]:
        """Settings of TrainModel: the model's hyper-parameters."""
        return self.bundle["steps"]["TrainModel"]

    @cached_property
    def siblings(self) -> list[Sibling]:
        """Other evaluated runs on the same split."""
        return find_siblings(self.places)

    @cached_property
    def right(self) -> pd.Series | None:
        """Whether each validation row's decided class is right, by id."""
        return right_on_validation(self.places["Evaluate"])

    @cached_property
    def duplicate_groups(self) -> pd.Series:
        """The duplicate group of each row, by id."""
        path = self.places["CleanText"] / "rows.parquet"
        column = group_column(path)
        return pq.read_table(path, columns=["id", column]).to_pandas().set_index("id")[column]

    @cached_property
    def architecture(self) -> list[dict[str, Any]]:
        """The network's layers; none for other models."""
        path = self.places["TrainModel"] / "architecture.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []

    @cached_property
    def history(self) -> pd.DataFrame:
        """The epochs; empty where nothing was followed."""
        try:
            return pd.read_csv(self.places["TrainModel"] / "history.csv")
        except pd.errors.EmptyDataError:
            return pd.DataFrame()

    @cached_property
    def rows(self) -> pa.Table:
        """The rows that cleaning kept."""
        return pq.read_table(self.places["CleanText"] / "rows.parquet", columns=_ROW_COLUMNS)

    @cached_property
    def parts(self) -> Parts:
        """The split."""
        return read_parts(self.places["SplitStratified"] / "split.parquet")

    @cached_property
    def tokens(self) -> Tokens:
        """The token lists."""
        return read_tokens(self.places["Tokenize"] / "tokens.parquet")

    @cached_property
    def diversity(self) -> np.ndarray:
        """Share of different tokens among each text's tokens."""
        path = self.places["Tokenize"] / "tokens.parquet"
        return pq.read_table(path, columns=["lexical_diversity"])["lexical_diversity"].to_numpy()

    def evaluated(self, name: str) -> pa.Table:
        """Read a table of Evaluate."""
        return pq.read_table(self.places["Evaluate"] / f"{name}.parquet")

    def _json(self, task: str, name: str) -> dict[str, Any]:
        """Read a summary."""
        return json.loads((self.places[task] / name).read_text(encoding="utf-8"))
