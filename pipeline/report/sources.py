"""The run that a report describes, with what only the report needs."""

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.data.split import Parts, read_parts
from pipeline.evaluation.groups import group_column
from pipeline.report.siblings import Sibling, find_siblings, right_on_validation
from pipeline.report.suggestion import with_option
from pipeline.store.outputs import Store
from pipeline.store.run import FinishedRun
from pipeline.text.tokens import Tokens, read_tokens

_ROW_COLUMNS = ["id", "raw", "clean", "label", "group"]


class Run(FinishedRun):
    """A finished run, how to repeat it, and other runs on the same split.

    Parameters
    ----------
    places : mapping of str to Path
        Folder of each step's artifact, by task.
    command : str
        Command that repeats the run.
    positive_named : bool
        Whether the user chose the positive class.
    command_of : callable, optional
        Returns the command of another run on the same rows from its settings; by default, this
        run's command with another model.
    """

    def __init__(
        self,
        places: Mapping[str, Path],
        command: str,
        positive_named: bool,
        command_of: Callable[[Mapping[str, Any]], str] | None = None,
    ) -> None:
        store = Store(places["Evaluate"].parents[2])
        super().__init__(places["Evaluate"], store)
        self.steps = {task: FinishedRun(path, store).artifact for task, path in places.items()}
        self.places = places
        self.command = command
        self.command_of = command_of or (
            lambda settings: with_option(command, "model", settings["model"])
        )
        self.positive_named = positive_named

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
        """Whether the predicted class of each validation row is right, by id."""
        return right_on_validation(self.path_of("Evaluate"))

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
    def parts(self) -> Parts:
        """The split."""
        return read_parts(self.path_of("SplitStratified", "split.parquet"))

    @cached_property
    def tokens(self) -> Tokens:
        """The tokens of each row."""
        return read_tokens(self.path_of("Tokenize", "tokens.parquet"))

    @cached_property
    def diversity(self) -> np.ndarray:
        """Distinct tokens divided by tokens of each row, shape (n_rows,)."""
        table = self.read_table("Tokenize", "tokens.parquet", ["lexical_diversity"])
        return table["lexical_diversity"].to_numpy()

    def evaluated(self, name: str) -> pa.Table:
        """Read a table of Evaluate."""
        return self.read_table("Evaluate", f"{name}.parquet")
