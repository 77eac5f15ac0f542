"""Word coverage: the share of words in test rows that the model can use, and warnings about it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.features import vocabulary
from pipeline.features.word_vectors import WORDS_FILE
from pipeline.report.sources import Run
from pipeline.report.suggestion import Suggestion, with_option
from pipeline.text.tokens import Tokens

_MOST_UNKNOWN = 0.5  # share of unknown words from which a warning is given
_MOST_UNSEPARATED = 0.1  # share of texts that consist mostly of unseparated clauses
_LEAST_COVERED = 0.5  # share of the tokens in training rows that have a word vector
# Representations with a list of words; others read character n-grams or texts.
_WITH_WORD_LIST = ("sequences", "tfidf", "multi_hot")
_READS_CHARACTERS = "logistic_regression"
# Thai, Lao, Myanmar, Khmer, kana, Han: scripts without spaces between words (Unicode Standard,
# chapters 16 and 18). Words of these scripts rarely have six characters.
_UNSEPARATED = re.compile(
    "[\u0e01-\u0e5b\u0e81-\u0edf\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u3400-\u9fff]{6}"
)


@dataclass(frozen=True)
class Coverage:
    """Word coverage of a run; all but the first are shares."""

    test_tokens: int
    unseen: float  # tokens in test rows that are in no training row
    unknown: float | None = None  # tokens in test rows that are in no list of words of the model
    unseparated: float = (
        0.0  # texts that are mostly unseparated clauses, in a script without spaces
    )
    vectors: dict[str, Any] | None = None  # words and tokens of training rows with a word vector


def measure(run: Run) -> Coverage:
    """Measure the word coverage of a run."""
    tokens = run.tokens
    train, test = (tokens.take(run.parts.rows(part)).codes for part in ("train", "test"))
    is_unseen = np.ones(len(tokens.words), dtype=bool)
    is_unseen[train] = False
    unknown, words = None, _word_list(run)
    if words is not None:
        is_unknown = [word not in words and word.lower() not in words for word in tokens.words]
        unknown = _share(np.array(is_unknown, dtype=bool), test)
    vectors = run.vectors.get("word_vectors")
    return Coverage(len(test), _share(is_unseen, test), unknown, unseparated(tokens), vectors)


def unseparated(tokens: Tokens) -> float:
    """Return the share of texts in which at least half of the tokens are unseparated clauses.

    Examples
    --------
    >>> unseparated(Tokens.from_lists([["我今天非常高兴见到你"], ["good", "day"]]))
    0.5
    """
    is_clause = np.array([bool(_UNSEPARATED.search(word)) for word in tokens.words], dtype=bool)
    if not is_clause.any():
        return 0.0
    clauses = np.bincount(tokens.rows, weights=is_clause[tokens.codes], minlength=len(tokens))
    return float(np.mean((clauses > 0) & (2 * clauses >= tokens.lengths)))


def problems(run: Run, coverage: Coverage) -> Iterator[Suggestion]:
    """Yield warnings where the word coverage is too low for the metrics to mean much."""
    if coverage.unseparated >= _MOST_UNSEPARATED:
        command = with_option(run.command, "tokenizer", "words")
        yield Suggestion(
            f"In {coverage.unseparated:.0%} of the texts, which are in a script without spaces, "
            "the tokenizer leaves whole clauses as one token: split them into bigrams of "
            "characters.",
            with_option(command, "segmentation", "bigrams"),
        )
    elif (coverage.unseen if coverage.unknown is None else coverage.unknown) >= _MOST_UNKNOWN:
        yield _about_unknown(run, coverage)
    if coverage.vectors and coverage.vectors["tokens_covered"] < _LEAST_COVERED:
        yield Suggestion(
            f"The word vectors contain {coverage.vectors['words_covered']:.0%} of the vocabulary "
            f"and {coverage.vectors['tokens_covered']:.0%} of the tokens in training rows: check "
            "that they have the language and the case of the texts, or learn the vectors.",
            with_option(run.command, "embedding", "learned"),
        )


def _about_unknown(run: Run, coverage: Coverage) -> Suggestion:
    """Warn of unknown words, and suggest a larger vocabulary, n-grams or more rows."""
    if coverage.unknown is not None and coverage.unseen < _MOST_UNKNOWN <= coverage.unknown:
        return Suggestion(
            f"{coverage.unknown:.0%} of the words in test rows are not in the vocabulary of the "
            "model, although training rows have most of them: use a vocabulary of all words.",
            with_option(with_option(run.command, "max_words", "all"), "min_count", 1),
        )
    start = f"{coverage.unseen:.0%} of the words in test rows are in no training row"
    if run.bundle["representation"] in _WITH_WORD_LIST:
        return Suggestion(
            f"{start}: {_READS_CHARACTERS} also reads character n-grams, which words share.",
            run.command_of({"model": _READS_CHARACTERS}),
        )
    return Suggestion(f"{start}: collect more training rows like those that you want to predict.")


def _word_list(run: Run) -> set[str] | None:
    """Return the words of the vocabulary and of the word vectors, if the model has a list."""
    if run.bundle["representation"] not in _WITH_WORD_LIST:
        return None
    words = set(vocabulary.read(run.path_of("Vectorize", vocabulary.VOCABULARY_FILE)))
    pretrained = run.path_of("Vectorize", WORDS_FILE)
    return words | set(vocabulary.read(pretrained)) if pretrained.is_file() else words


def _share(marks: np.ndarray, codes: np.ndarray) -> float:
    """Return the share of tokens that are marked."""
    return float(marks[codes].mean()) if len(codes) else 0.0
