"""Which words are frequent, and which tell classes apart."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.text.entities import PLACEHOLDERS
from pipeline.text.tokenize import tokenize, word_form
from pipeline.text.tokens import Tokens

_PRIOR_TOKENS = 1000.0  # how much text the prior weighs


def placeholders(
    words: Collection[str], cleaning: Mapping[str, Any], tokenizing: Mapping[str, Any]
) -> frozenset[str]:
    """Return the tokens that stand for URLs, mentions, hashtags or numbers.

    A tokenizer may keep the brackets of ``<user>``, drop them, or keep them with punctuation.

    Parameters
    ----------
    words : collection of str
        The distinct tokens.
    cleaning, tokenizing : mapping
        Settings of CleanText and of Tokenize.

    Returns
    -------
    frozenset of str
        In lower case.
    """
    marks = [mark for kind, (_, mark) in PLACEHOLDERS.items() if cleaning[kind] == "replace"]
    # Stop words, whose file may be gone, change nothing: what they drop is in no list of words.
    kept = {**tokenizing, "stop_words": "none"}
    written = tokenize(pa.array(marks, pa.string()), kept).to_lists()
    # A tokenizer that cuts a mark to pieces leaves letters or parts of words, not a placeholder.
    alone = [found for tokens in written if len(found := _with_letters(tokens)) == 1]
    forms = {tokens[0].lower() for tokens in alone}
    forms |= {word.lower() for word in words if any(mark in word.lower() for mark in marks)}
    return frozenset(forms)


def function_words(tokenizing: Mapping[str, Any]) -> frozenset[str]:
    """Return English function words as the tokenizer writes them; none for other languages."""
    if tokenizing["language"] != "english":
        return frozenset()
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    change = word_form(tokenizing["word_form"], "english")
    return ENGLISH_STOP_WORDS | {change(word) for word in ENGLISH_STOP_WORDS if change}


def _with_letters(tokens: list[str]) -> list[str]:
    return [token for token in tokens if any(map(str.isalnum, token))]


@dataclass(frozen=True)
class WordCounts:
    """How often each class has each word.

    Attributes
    ----------
    words : list of str
    counts : ndarray of int64, shape (n_classes, n_words)
    """

    words: list[str]
    counts: np.ndarray

    @classmethod
    def of(cls, tokens: Tokens, labels: np.ndarray, n_classes: int) -> "WordCounts":
        """Count tokens that hold a letter or digit, in labelled texts.

        Parameters
        ----------
        tokens : Tokens
        labels : ndarray of int, shape (n_texts,)
            Class index, -1 without a label.
        n_classes : int
        """
        of_token = np.repeat(labels, tokens.lengths)
        known = of_token >= 0
        width = len(tokens.words)
        keys = of_token[known].astype(np.int64) * width + tokens.codes[known]
        counts = np.bincount(keys, minlength=n_classes * width).reshape(n_classes, width)
        is_word = np.array([any(map(str.isalnum, word)) for word in tokens.words], dtype=bool)
        used = np.flatnonzero(is_word & (counts.sum(axis=0) > 0))
        return cls([tokens.words[code] for code in used], counts[:, used])

    def frequent(
        self, most: int, label: int | None = None, without: Collection[str] = ()
    ) -> list[tuple[str, int]]:
        """List the most frequent words, of one class or of all, on a tie alphabetically."""
        counts = self.counts.sum(axis=0) if label is None else self.counts[label]
        left_out = set(without)
        order = np.argsort(-counts, kind="stable")[: most + len(left_out) + 50]
        found = [
            (self.words[code], int(counts[code]))
            for code in order
            if counts[code] and self.words[code].lower() not in left_out
        ]
        return sorted(found, key=lambda pair: (-pair[1], pair[0]))[:most]

    def telling(
        self, most: int, label: int, without: Collection[str] = ()
    ) -> list[tuple[str, float]]:
        """List the words that are most typical of a class, with z-scores above 0."""
        scores = log_odds(self.counts[label], self.counts.sum(axis=0) - self.counts[label])
        left_out = set(without)
        order = np.argsort(-scores, kind="stable")[: most + len(left_out)]
        found = [(self.words[code], float(scores[code])) for code in order if scores[code] > 0]
        return [pair for pair in found if pair[0].lower() not in left_out][:most]


def log_odds(counts: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return z-scores of log odds ratios with an informative Dirichlet prior.

    The prior is the words' shares in all the text, weighed as 1,000 tokens, so that rare words
    need more evidence (Monroe, Colaresi and Quinn 2008, "Fightin' Words", equations 15, 18, 20).

    Parameters
    ----------
    counts, others : ndarray of int, shape (n_words,)
        Occurrences in the class and in the rest; each word occurs at least once.

    Returns
    -------
    ndarray of float64, shape (n_words,)
        Above 0 for words of the class.
    """
    together = counts + others
    prior = _PRIOR_TOKENS * together / max(together.sum(), 1)
    first, second = counts + prior, others + prior
    odds = np.log(first / (first.sum() - first)) - np.log(second / (second.sum() - second))
    return odds / np.sqrt(1 / first + 1 / second)
