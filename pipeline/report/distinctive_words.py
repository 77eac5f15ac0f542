"""Count the words of each class, and find those that are frequent or distinctive."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.text.entities import ENTITIES
from pipeline.text.tokenize import tokenize, word_form
from pipeline.text.tokens import Tokens

_PRIOR_TOKENS = 1000.0  # weight of the prior


def placeholders(
    words: Collection[str], cleaning: Mapping[str, Any], tokenizing: Mapping[str, Any]
) -> frozenset[str]:
    """Return the tokens that stand for URLs, mentions, hashtags or numbers, in lower case.

    ``words`` are the distinct tokens, ``cleaning`` and ``tokenizing`` the settings of CleanText and
    Tokenize. A tokenizer may keep the brackets of ``<user>``, drop them, or keep them with
    punctuation.
    """
    marks = [entity.placeholder for kind, entity in ENTITIES.items() if cleaning[kind] == "replace"]
    # Stop words are not among the words already, and their file may have been deleted.
    settings = {**tokenizing, "stop_words": "none"}
    tokenized = tokenize(pa.array(marks, pa.string()), settings).to_lists()
    # A tokenizer that splits a mark leaves letters or parts of words, which are not placeholders.
    lists = [[token for token in tokens if _has_letter(token)] for tokens in tokenized]
    forms = {tokens[0].lower() for tokens in lists if len(tokens) == 1}
    forms |= {word.lower() for word in words if any(mark in word.lower() for mark in marks)}
    return frozenset(forms)


def function_words(tokenizing: Mapping[str, Any]) -> frozenset[str]:
    """Return English function words as the tokenizer writes them; none for other languages.

    Examples
    --------
    >>> "because" in function_words({"language": "english", "word_form": "as_is"})
    True
    """
    if tokenizing["language"] != "english":
        return frozenset()
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    change = word_form(tokenizing["word_form"], "english")
    return ENGLISH_STOP_WORDS | {change(word) for word in ENGLISH_STOP_WORDS if change}


@dataclass(frozen=True)
class WordCounts:
    """Counts of each word in each class: ndarray of int64, shape (n_classes, n_words)."""

    words: list[str]
    counts: np.ndarray

    @classmethod
    def of(cls, tokens: Tokens, labels: np.ndarray, n_classes: int) -> "WordCounts":
        """Count tokens with a letter or digit in labelled texts; -1 means without a label."""
        token_labels = np.repeat(labels, tokens.lengths)
        is_labelled = token_labels >= 0
        width = len(tokens.words)
        keys = token_labels[is_labelled].astype(np.int64) * width + tokens.codes[is_labelled]
        counts = np.bincount(keys, minlength=n_classes * width).reshape(n_classes, width)
        is_word = np.array([_has_letter(word) for word in tokens.words], dtype=bool)
        used = np.flatnonzero(is_word & (counts.sum(axis=0) > 0))
        return cls([tokens.words[code] for code in used], counts[:, used])

    def frequent(
        self, n_words: int, label: int | None = None, without: Collection[str] = ()
    ) -> list[tuple[str, int]]:
        """List the most frequent words of one class or of all, alphabetically on a tie."""
        counts = self.counts.sum(axis=0) if label is None else self.counts[label]
        # More words than needed, so that excluded words and ties do not shorten the list.
        order = np.argsort(-counts, kind="stable")[: n_words + len(without) + 50]
        pairs = [
            (self.words[code], int(counts[code]))
            for code in order
            if counts[code] and self.words[code].lower() not in without
        ]
        return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:n_words]

    def distinctive(
        self, n_words: int, label: int, without: Collection[str] = ()
    ) -> list[tuple[str, float]]:
        """List the most distinctive words of a class with their z-scores, all above 0."""
        scores = log_odds(self.counts[label], self.counts.sum(axis=0) - self.counts[label])
        order = np.argsort(-scores, kind="stable")[: n_words + len(without)]
        pairs = [(self.words[code], float(scores[code])) for code in order if scores[code] > 0]
        return [pair for pair in pairs if pair[0].lower() not in without][:n_words]


def log_odds(counts: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return z-scores of log odds ratios with an informative Dirichlet prior.

    The prior is the shares of the words in all texts with the weight of 1,000 tokens, so that rare
    words need more evidence (Monroe, Colaresi and Quinn 2008, "Fightin' Words", equations 15, 18
    and 20).

    Parameters
    ----------
    counts, others : ndarray of int, shape (n_words,)
        Occurrences in the class and in the other classes; each word occurs at least once.

    Returns
    -------
    ndarray of float64, shape (n_words,)
        Above 0 for words of the class.

    Examples
    --------
    >>> log_odds(np.array([9, 1]), np.array([5, 5])).round(3).tolist()
    [0.355, -0.232]
    """
    together = counts + others
    prior = _PRIOR_TOKENS * together / max(together.sum(), 1)
    first, second = counts + prior, others + prior
    odds = np.log(first / (first.sum() - first)) - np.log(second / (second.sum() - second))
    return odds / np.sqrt(1 / first + 1 / second)


def _has_letter(token: str) -> bool:
    """Return whether a token has a letter or a digit."""
    return any(map(str.isalnum, token))
