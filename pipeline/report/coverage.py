"""How many words of the test rows the model knows, and what is wrong where it knows too few."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.features import vocabulary as vocabularies
from pipeline.features.word_vectors import WORDS_FILE
from pipeline.report.sources import Run
from pipeline.report.suggestion import Suggestion, with_option
from pipeline.text.tokens import Tokens

#: Share of unknown words from which on a model is told to know too few.
MOST_UNKNOWN = 0.5
#: Share of the texts that may be one token for each clause.
MOST_UNSEPARATED = 0.1
#: Share of the training rows' words that word vectors must have.
LEAST_COVERED = 0.5
# Representations whose vocabulary is a list of words; others read runs of characters or texts.
_OF_WORDS = ("sequences", "tfidf", "multi_hot")
_READS_CHARACTERS = "logistic_regression"
# Thai, Lao, Myanmar, Khmer, kana, Han: scripts that put no space between words (Unicode Standard,
# chapters 16 and 18). Words of these scripts are rarely as long as a run of six characters.
_UNSEPARATED = re.compile(
    "[\u0e01-\u0e5b\u0e81-\u0edf\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u3400-\u9fff]{6}"
)


@dataclass(frozen=True)
class Coverage:
    """What is known of the words of a run.

    Attributes
    ----------
    test_tokens : int
    unseen : float
        Share of the test rows' tokens that no training row has.
    unknown : float or None
        Share of the test rows' tokens that the model's vocabulary and word vectors lack; None for
        models without a list of words.
    unseparated : float
        Share of all texts that consist mostly of unseparated clauses, in a script without spaces.
    vectors : dict or None
        Shares of words and tokens of the training rows that have a pretrained vector.
    """

    test_tokens: int
    unseen: float
    unknown: float | None = None
    unseparated: float = 0.0
    vectors: dict[str, Any] | None = None

    @property
    def share(self) -> float:
        """Share of unknown words, of unseen ones for models without a list of words."""
        return self.unseen if self.unknown is None else self.unknown


def measure(run: Run) -> Coverage:
    """Measure the coverage of a run's words."""
    tokens = run.tokens
    test = tokens.take(run.parts.rows("test"))
    seen = np.zeros(len(tokens.words), dtype=bool)
    seen[tokens.take(run.parts.rows("train")).codes] = True
    unseen = _share(~seen, test.codes)
    known = _known(run)
    unknown = None
    if known is not None:
        is_known = [word in known or word.lower() in known for word in tokens.words]
        unknown = _share(~np.array(is_known, dtype=bool), test.codes)
    vectors = run.vectors.get("word_vectors")
    return Coverage(len(test.codes), unseen, unknown, unseparated(tokens), vectors)


def unseparated(tokens: Tokens) -> float:
    """Return the share of texts of which at least half of the tokens are unseparated clauses."""
    is_clause = np.array([bool(_UNSEPARATED.search(word)) for word in tokens.words], dtype=bool)
    if not is_clause.any():
        return 0.0
    clauses = np.bincount(tokens.rows, weights=is_clause[tokens.codes], minlength=len(tokens))
    return float(np.mean((clauses > 0) & (2 * clauses >= tokens.lengths)))


def problems(run: Run, coverage: Coverage) -> Iterator[Suggestion]:
    """Yield why the words of a run are covered too badly for its metrics to mean much."""
    with_characters = _with_characters(run)
    if coverage.unseparated >= MOST_UNSEPARATED:
        yield Suggestion(
            f"In {coverage.unseparated:.0%} of the texts, written in a script without spaces, the "
            "tokenizer leaves whole clauses as one token"
            + (
                f"; {_READS_CHARACTERS} also reads runs of characters."
                if with_characters
                else ". Put spaces between the words before the pipeline reads the texts."
            ),
            with_characters,
        )
    elif coverage.share >= MOST_UNKNOWN:
        yield _about_unknown(run, coverage, with_characters)
    if coverage.vectors and coverage.vectors["tokens_covered"] < LEAST_COVERED:
        yield Suggestion(
            f"The word vectors know {coverage.vectors['words_covered']:.0%} of the vocabulary and "
            f"{coverage.vectors['tokens_covered']:.0%} of the words in training rows: check that "
            "their language and case are those of the texts, or learn the vectors.",
            with_option(run.command, "embedding", "learned"),
        )


def _about_unknown(run: Run, coverage: Coverage, with_characters: str) -> Suggestion:
    """Say that too many words are unknown, and what helps."""
    if coverage.unknown is not None and coverage.unseen < MOST_UNKNOWN <= coverage.unknown:
        return Suggestion(
            f"{coverage.unknown:.0%} of the words in test rows are not in the model's vocabulary, "
            "although training rows have most of them: let the vocabulary have all words.",
            with_option(with_option(run.command, "max_words", "all"), "min_count", 1),
        )
    start = f"{coverage.unseen:.0%} of the words in test rows are in no training row"
    if with_characters:
        return Suggestion(
            f"{start}: {_READS_CHARACTERS} also reads runs of characters, which words share.",
            with_characters,
        )
    return Suggestion(f"{start}: collect more training rows like those that you want to predict.")


def _with_characters(run: Run) -> str:
    """Return a command of a model that reads characters, empty where this one does."""
    reads_words = run.bundle["representation"] in _OF_WORDS
    return run.command_of({"model": _READS_CHARACTERS}) if reads_words else ""


def _known(run: Run) -> set[str] | None:
    """Return the words of the model's vocabulary and of its word vectors, if it has a list."""
    folder = run.places["Vectorize"]
    if run.bundle["representation"] not in _OF_WORDS:
        return None
    known = set(vocabularies.read(folder / vocabularies.VOCABULARY_FILE))
    pretrained = folder / WORDS_FILE
    return known | set(vocabularies.read(pretrained)) if pretrained.is_file() else known


def _share(marks: np.ndarray, codes: np.ndarray) -> float:
    return float(marks[codes].mean()) if len(codes) else 0.0
