"""A finished run with the split and the tokens of its rows."""

from functools import cached_property

from pipeline.data.split import Parts, read_parts
from pipeline.store.run import FinishedRun
from pipeline.text.tokens import Tokens, read_tokens


class EvaluatedRun(FinishedRun):
    """A finished run, by the folder of its Evaluate artifact or of a step below it."""

    @cached_property
    def parts(self) -> Parts:
        """The part of each row."""
        return read_parts(self.path_of("SplitStratified", "split.parquet"))

    @cached_property
    def tokens(self) -> Tokens:
        """The tokens of each row."""
        return read_tokens(self.path_of("Tokenize", "tokens.parquet"))
