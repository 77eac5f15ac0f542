"""Tokenize clean texts."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from luigi.util import requires

from pipeline.settings import checks
from pipeline.settings.parameter import parameter
from pipeline.store import artifacts
from pipeline.tasks.base import Step
from pipeline.text.languages import CODES

if TYPE_CHECKING:
    pass
from pipeline.tasks.clean_text import CleanText


@requires(CleanText)
class Tokenize(Step):
    """Cut clean texts into tokens."""

    folder = "3_tokenize"

    tokenizer = parameter(
        "tokenizer",
        "choice",
        "words",
        "words: lower case, punctuation split off; tweet: NLTK's TweetTokenizer; regexp: NLTK's "
        "RegexpTokenizer with pattern",
        choices=("words", "tweet", "regexp"),
    )
    pattern = parameter(
        "pattern", "text", r"\w+", "regular expression of a token, for tokenizer regexp"
    )
    token_case = parameter(
        "token_case",
        "choice",
        "keep",
        "letter case of tokens; tokenizer words lowers it in any case",
        choices=("keep", "lower"),
    )
    stop_words = parameter(
        "stop_words",
        "text",
        "none",
        "words to leave out: none, scikit-learn, nltk (its corpus must be installed), or a file "
        "with one word a line",
    )
    word_form = parameter(
        "word_form",
        "choice",
        "as_is",
        "stems (porter, snowball) or lemmas (simplemma, or wordnet when NLTK's corpus is "
        "installed) in the place of words",
        choices=("as_is", "porter", "snowball", "simplemma", "wordnet"),
    )
    language = parameter(
        "language",
        "choice",
        "english",
        "language of stop words, stems and lemmas",
        choices=tuple(CODES),
    )
    processes = parameter(
        "processes",
        "int",
        os.cpu_count() or 1,
        "most processes at once, where a tokenizer works text by text",
        low=1,
        significant=False,
    )

    @property
    def label(self) -> str:
        """Tokenizer and word form."""
        settings = self.settings()
        form = settings["word_form"]
        return settings["tokenizer"] + ("" if form == "as_is" else f"-{form}")

    def settings(self) -> dict[str, Any]:
        """Return the step's settings; a stop-word file counts by its content, not by its path."""
        values = super().settings()
        # RunAll hands every value down, so a pattern of one's own is one that is not the default.
        is_own = values["pattern"] != self.own_settings()["pattern"].default
        checks.tokens({"pattern": self.pattern if is_own else None}, values)
        if values["stop_words"] not in checks.STOP_WORD_LISTS:
            values["stop_words"] = "file"
        return values

    def external_inputs(self) -> dict[str, Any]:
        """Return the sha256 of a stop-word file."""
        choice = self.stop_words or "none"
        if choice in checks.STOP_WORD_LISTS:
            return {}
        return {"stop_words": self.checksum(Path(choice))}

    def build(self, out: artifacts.Workspace) -> None:
        """Write ``tokens.parquet`` and ``tokens.json``."""
        from concurrent.futures import ThreadPoolExecutor

        import pyarrow as pa
        import pyarrow.parquet as pq

        from pipeline.text.tokenize import lexical_diversity, summary, tokenize

        place = self.path_of("CleanText")
        rows = pq.read_table(place / "rows.parquet", columns=["id", "clean"])
        processes = self.processes or os.cpu_count() or 1
        settings = {**self.settings(), "stop_words": self.stop_words or "none"}
        tokens = tokenize(rows["clean"], settings, processes)
        with ThreadPoolExecutor(1) as beside:
            column = beside.submit(tokens.to_arrow)
            diversity = lexical_diversity(tokens)
            table = pa.table(
                {
                    "id": rows["id"],
                    "tokens": column.result(),
                    "words": pa.array(tokens.lengths, pa.int32()),
                    "lexical_diversity": pa.array(diversity, pa.float32()),
                }
            )
        with out.write_in_background(
            "tokens.parquet", table, dictionary_columns=("tokens.list.element",)
        ):
            out.write_json("tokens.json", summary(tokens, diversity))
        out.counts(rows.num_rows, len(tokens))
