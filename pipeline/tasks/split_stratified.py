"""Record and check the part of each row."""

from luigi.util import requires

from pipeline.store import files, publishing
from pipeline.tasks.base import Step
from pipeline.tasks.vectorize import Vectorize


@requires(Vectorize)
class SplitStratified(Step):
    """Record which rows are for training, validation and test, and check the split."""

    folder = "5_split"
    version = 2

    @property
    def label(self) -> str:
        """Seed or fold of the split."""
        settings = self.required[0].settings()
        if settings.folds:
            return f"fold-{settings.fold}-of-{settings.folds}"
        return f"seed-{settings.split_seed}"

    def summary(self) -> str:
        """Return the number of rows of each part."""
        rows = files.read_json(self.path() / "balance.json")["rows"]
        return ", ".join(f"{rows[part]:,} {part}" for part in ("train", "validation", "test"))

    def build(self, out: publishing.Workspace) -> None:
        """Write ``split.parquet`` and ``balance.json``."""
        vectorize = self.upstream()
        assert isinstance(vectorize, Vectorize)
        assignment = vectorize.assignment()
        fitted_on = files.read_json(vectorize.path() / "vectors.json")["fitted_on"]
        assignment.check(vectorize.settings().group_duplicates, fitted_on)
        table = assignment.table()
        out.write_table("split.parquet", table, dictionary_columns=("part",))
        out.write_json("balance.json", assignment.balance())
        out.counts(assignment.rows.num_rows, table.num_rows)
