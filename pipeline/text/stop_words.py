"""Read a user's file of stop words."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.errors import STOP_WORDS_UNUSABLE, DataError
from pipeline.text.prepare import prepare
from pipeline.text.tokens import Tokens

_EXAMPLES = 5  # in a warning
_COMMENT = "# "

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class StopWords:
    """The stop words of a file.

    Examples
    --------
    >>> StopWords(Path("stop.txt"), frozenset({"the"}), ["of course"]).unusable
    ['of course']
    """

    path: Path
    words: frozenset[str]  # as the tokenizer writes them
    unusable: list[str]  # lines that the tokenizer splits or drops: no token is ever equal to one

    def warn(self, tokens: Tokens) -> None:
        """Log a warning if the file, or a part of it, has no effect on some tokenized texts."""
        lines = len(self.words) + len(self.unusable)
        if not lines:
            logger.warning(
                "%s: %s contains no stop words, so no word is removed.",
                STOP_WORDS_UNUSABLE,
                self.path,
            )
        if self.unusable:
            examples = ", ".join(map(repr, self.unusable[:_EXAMPLES]))
            logger.warning(
                "%s: %d of %d stop words of %s never occur, because the tokenizer splits or drops "
                "them: %s%s; write one token a line.",
                STOP_WORDS_UNUSABLE,
                len(self.unusable),
                lines,
                self.path,
                examples,
                ", ..." if len(self.unusable) > _EXAMPLES else "",
            )
        if self.words and self.words.isdisjoint(tokens.words):
            logger.warning(
                "%s: none of the %d stop words of %s occurs in the texts; check their language "
                "and letter case.",
                STOP_WORDS_UNUSABLE,
                len(self.words),
                self.path,
            )


def read(path: Path, cleaning: Mapping[str, Any], tokenizing: Mapping[str, Any]) -> StopWords:
    """Read one stop word per line, cleaned and tokenized as the texts are.

    So a word is found whatever its letter case and Unicode form in the file, where the texts do
    not keep them. Empty lines and lines that begin with ``#`` and a space are comments.

    Parameters
    ----------
    path : Path
    cleaning, tokenizing : mapping
        Settings of CleanText and of Tokenize.

    Raises
    ------
    DataError
        If the file is not text in utf-8.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"stop_words file {path} is not utf-8 ({error.reason} at byte {error.start}); save "
            "it as utf-8."
        ) from error
    if "\0" in text:
        raise DataError(f"stop_words file {path} is not a text file; save it as utf-8 text.")
    lines = [line.strip() for line in text.splitlines() if not line.startswith(_COMMENT)]
    lines = sorted({line for line in lines if line})
    # Stop words are removed before stems or lemmas are made.
    plain = {**tokenizing, "stop_words": "none", "word_form": "as_is"}
    tokenized = prepare(pa.array(lines, pa.string()), cleaning, plain)[1].to_lists()
    unusable = [line for line, tokens in zip(lines, tokenized, strict=True) if len(tokens) != 1]
    return StopWords(path, frozenset(t[0] for t in tokenized if len(t) == 1), unusable)
