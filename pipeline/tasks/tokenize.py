"""Tokenize clean texts."""

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from luigi.util import requires

from pipeline.errors import UNSPACED_TEXTS, SettingError, nearest
from pipeline.settings import checks
from pipeline.settings.parameter import parameter
from pipeline.settings.resolved import Settings
from pipeline.store import files, publishing
from pipeline.tasks.base import Step
from pipeline.tasks.clean_text import CleanText
from pipeline.tasks.graph import once

if TYPE_CHECKING:
    import pyarrow as pa

    from pipeline.text.stop_words import StopWords

logger = logging.getLogger(__name__)
_MANY_UNSPACED = 0.02  # share of texts
_SPLIT = {
    "bigrams": "they are split into bigrams of characters; --segmentation icu splits them into "
    "words",
    "icu": "they are split into words by ICU",
    "none": "the text between two spaces or punctuation marks is one token; use a tokenizer other "
    "than regexp and --segmentation bigrams",
}


@requires(CleanText)
class Tokenize(Step):
    """Split clean texts into tokens."""

    folder = "3_tokenize"
    version = 2

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
        "one word a line, which is cleaned and tokenized as the texts are",
    )
    word_form = parameter(
        "choice",
        "as_is",
        "replace words by stems (porter, snowball) or lemmas (simplemma, or wordnet if the corpus "
        "of NLTK is installed)",
        choices=("as_is", "porter", "snowball", "simplemma", "wordnet"),
    )
    segmentation = parameter(
        "choice",
        "bigrams",
        "how scripts without spaces between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese, "
        "...) are split: bigrams of characters, icu (words of a dictionary; extra segmentation), "
        "or none; no effect on tokenizer regexp",
        choices=("bigrams", "icu", "none"),
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
        values = {**super().settings(), "language": self.value("language")}
        # RunAll passes defaults too: only another pattern than the default is the user's.
        is_default = values["pattern"] == self.declared()["pattern"].default
        checks.tokens({"pattern": None if is_default else self.pattern}, values)
        if values["tokenizer"] == "regexp":
            values["segmentation"] = "none"  # the pattern decides
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

    def stop_word_file(self) -> "StopWords | None":
        """Read the user's file of stop words; None without one."""
        from pipeline.text import stop_words

        choice, clean = self.value("stop_words"), self.upstream()
        if choice in checks.STOP_WORD_LISTS:
            return None
        assert clean is not None
        return stop_words.read(Path(choice), clean.settings(), self.settings())

    def summary(self) -> str:
        """Return the number of distinct tokens and the mean length of a text."""
        tokens = files.read_json(self.path() / "tokens.json")
        return (
            f"{tokens['distinct_tokens']:,} distinct tokens, {tokens['mean_length']:.1f} per text"
        )

    def build(self, out: publishing.Workspace) -> None:
        """Write ``tokens.parquet`` and ``tokens.json``."""
        import pyarrow.parquet as pq

        from pipeline.text.tokenize import all_tokens, filtered, summary, token_table

        rows = pq.read_table(self.path_of("CleanText") / "rows.parquet", columns=["id", "clean"])
        stop_words = self.stop_word_file()
        choice = stop_words.words if stop_words else self.value("stop_words")
        settings = {**self.settings(), "stop_words": choice}
        tokens = all_tokens(rows["clean"], settings, self.value("processes"))
        if stop_words:
            stop_words.warn(tokens)
        tokens = filtered(tokens, settings)
        unspaced = self._unspaced(rows["clean"])
        table, diversity = token_table(rows["id"], tokens)
        with out.write_in_background(
            "tokens.parquet", table, dictionary_columns=("tokens.list.element",)
        ):
            out.write_json(
                "tokens.json", {**summary(tokens, diversity), "unspaced_texts": unspaced}
            )
        out.counts(rows.num_rows, len(tokens))

    def _unspaced(self, texts: "pa.ChunkedArray") -> dict[str, int]:
        """Count texts in scripts without spaces; warn if they are many."""
        from pipeline.text.segment import unspaced_texts

        counts = unspaced_texts(texts)
        if sum(counts.values()) >= max(_MANY_UNSPACED * len(texts), 1):
            logger.warning(
                "%s: %d of %d texts contain a script without spaces between words (%s); %s.",
                UNSPACED_TEXTS,
                max(counts.values()),
                len(texts),
                ", ".join(counts),
                _SPLIT[str(self.settings().segmentation)],
            )
        return counts
