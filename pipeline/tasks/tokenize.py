"""Tokenize clean texts."""

import os
from pathlib import Path

from luigi.util import requires

from pipeline.errors import SettingError, nearest
from pipeline.settings import checks
from pipeline.settings.parameter import parameter
from pipeline.settings.resolved import Settings
from pipeline.store import files, publishing
from pipeline.tasks.base import Step
from pipeline.tasks.clean_text import CleanText
from pipeline.tasks.graph import once
from pipeline.text.languages import CODES


@requires(CleanText)
class Tokenize(Step):
    """Split clean texts into tokens."""

    folder = "3_tokenize"

    tokenizer = parameter(
        "choice",
        "words",
        "words: lower case, punctuation removed; tweet: TweetTokenizer of NLTK; regexp: "
        "RegexpTokenizer of NLTK with pattern",
        choices=("words", "tweet", "regexp"),
    )
    pattern = parameter("text", r"\w+", "regular expression of a token, for tokenizer regexp")
    token_case = parameter(
        "choice",
        "keep",
        "letter case of tokens; tokenizer words always lowers it",
        choices=("keep", "lower"),
    )
    stop_words = parameter(
        "text",
        "none",
        "words to remove: none, scikit-learn, nltk (its corpus must be installed), or a file with "
        "one word a line",
    )
    word_form = parameter(
        "choice",
        "as_is",
        "replace words by stems (porter, snowball) or lemmas (simplemma, or wordnet if the corpus "
        "of NLTK is installed)",
        choices=("as_is", "porter", "snowball", "simplemma", "wordnet"),
    )
    language = parameter(
        "choice", "english", "language of stop words, stems and lemmas", choices=tuple(CODES)
    )
    processes = parameter(
        "int",
        os.cpu_count() or 1,
        "largest number of processes, for tokenizers that work text by text",
        low=1,
        significant=False,
    )

    @property
    def label(self) -> str:
        """Tokenizer and word form."""
        settings = self.settings()
        form = settings.word_form
        return str(settings.tokenizer) + ("" if form == "as_is" else f"-{form}")

    def settings(self) -> Settings:
        """Return the settings; a stop-word file counts by its content, not by its path."""
        values = dict(super().settings())
        # RunAll passes defaults too: only another pattern than the default is the user's.
        is_default = values["pattern"] == self.declared()["pattern"].default
        checks.tokens({"pattern": None if is_default else self.pattern}, values)
        if values["stop_words"] not in checks.STOP_WORD_LISTS:
            values["stop_words"] = "file"
        return Settings(values)

    def check_inputs(self) -> None:
        """Raise if the stop-word file does not exist."""
        choice, lists = self.value("stop_words"), checks.STOP_WORD_LISTS
        if choice not in lists and not Path(choice).is_file():
            raise SettingError(
                f"stop_words must be {', '.join(lists)} or a file with one word a line, got "
                f"{choice!r}, which is not a file; {nearest(choice, lists)}."
            )

    @once
    def external_inputs(self) -> dict[str, str]:
        """Return the sha256 of a stop-word file."""
        self.check_inputs()
        choice = self.value("stop_words")
        if choice in checks.STOP_WORD_LISTS:
            return {}
        return {"stop_words": self.checksum(Path(choice))}

    def summary(self) -> str:
        """Return the number of distinct tokens and the mean length of a text."""
        tokens = files.read_json(self.path() / "tokens.json")
        return (
            f"{tokens['distinct_tokens']:,} distinct tokens, {tokens['mean_length']:.1f} per text"
        )

    def build(self, out: publishing.Workspace) -> None:
        """Write ``tokens.parquet`` and ``tokens.json``."""
        import pyarrow.parquet as pq

        from pipeline.text.tokenize import summary, token_table, tokenize

        rows = pq.read_table(self.path_of("CleanText") / "rows.parquet", columns=["id", "clean"])
        settings = {**self.settings(), "stop_words": self.value("stop_words")}
        tokens = tokenize(rows["clean"], settings, self.value("processes"))
        table, diversity = token_table(rows["id"], tokens)
        with out.write_in_background(
            "tokens.parquet", table, dictionary_columns=("tokens.list.element",)
        ):
            out.write_json("tokens.json", summary(tokens, diversity))
        out.counts(rows.num_rows, len(tokens))
