"""Record and check which part each row belongs to."""

import json
from typing import TYPE_CHECKING

from luigi.util import requires

from pipeline.store import artifacts
from pipeline.tasks.base import Step

if TYPE_CHECKING:
    pass
from pipeline.tasks.vectorize import Vectorize


@requires(Vectorize)
class SplitStratified(Step):
    """Write down which row is for training, validation and test, and check it."""

    folder = "5_split"
    version = 2

    @property
    def label(self) -> str:
        """Seed or fold of the split."""
        settings = self.upstream().settings()  # type: ignore[union-attr]
        if settings["folds"]:
            return f"fold-{settings['fold']}-of-{settings['folds']}"
        return f"seed-{settings['split_seed']}"

    def build(self, out: artifacts.Workspace) -> None:
        """Write ``split.parquet`` and ``balance.json``."""
        import pyarrow as pa

        from pipeline.data import split
        from pipeline.data.groups import kept_apart

        vectorize = self.upstream()
        assert isinstance(vectorize, Vectorize)
        rows, labels, parts = vectorize.assignment()
        fitted_on = json.loads((vectorize.path() / "vectors.json").read_text(encoding="utf-8"))[
            "fitted_on"
        ]
        apart = kept_apart(rows, vectorize.settings()["group_duplicates"])
        split.check(parts, apart, fitted_on)
        profile = json.loads(
            (self.path_of("CleanText") / "profile.json").read_text(encoding="utf-8")
        )
        table = pa.table(
            {
                "id": rows["id"],
                "label": pa.array(labels, pa.int32()),
                "part": pa.array(split.PARTS, pa.string()).take(pa.array(parts)),
            }
        )
        out.write_table("split.parquet", table, dictionary_columns=("part",))
        groups = rows["group"].to_numpy()
        out.write_json("balance.json", split.balance(parts, labels, profile["class_names"], groups))
        out.counts(rows.num_rows, table.num_rows)
