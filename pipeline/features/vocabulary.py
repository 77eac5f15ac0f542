"""Vocabularies: the words of the training rows that a model distinguishes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import SettingError
from pipeline.text.tokens import Tokens

VOCABULARY_FILE = "vocabulary.txt"


def fit(
    tokens: Tokens, training: np.ndarray, settings: Mapping[str, Any], reserved: int = 0
) -> list[str]:
    """List the words of the training rows (bool, shape (n_texts,)), as `most_frequent` does."""
    used = np.repeat(training, tokens.lengths)
    counts = np.bincount(tokens.codes[used], minlength=len(tokens.words))
    return most_frequent(tokens.words, counts, settings, reserved)


def most_frequent(
    words: Sequence[str], counts: np.ndarray, settings: Mapping[str, Any], reserved: int = 0
) -> list[str]:
    """List the frequent words, most frequent first, ties in alphabetical order.

    A word without occurrences is never listed. ``max_words`` includes ``reserved`` special words.
    """
    frequent = np.flatnonzero(counts >= max(settings["min_count"], 1))
    if not len(frequent):
        raise SettingError(
            f"the vocabulary is empty: none of the {np.count_nonzero(counts)} different words of "
            f"the training rows occurs min_count {settings['min_count']} times; use a smaller "
            "min_count, or another tokenizer."
        )
    ordered = sorted(frequent.tolist(), key=lambda code: (-counts[code], words[code]))
    limit = len(ordered) if settings["max_words"] == "all" else settings["max_words"] - reserved
    return [words[code] for code in ordered[: max(limit, 0)]]


def index(vocabulary: Sequence[str]) -> dict[str, int]:
    """Return the position of each word."""
    return {word: position for position, word in enumerate(vocabulary)}


def look_up(words: Sequence[str], positions: Mapping[str, int], unknown: int) -> np.ndarray:
    """Return the position of each word in a vocabulary, or ``unknown``; int32, shape (n_words,)."""
    return np.array([positions.get(word, unknown) for word in words], dtype=np.int32)


def write(path: Path, vocabulary: Sequence[str]) -> None:
    """Write one word per line, in the order of the vocabulary."""
    path.write_bytes("".join(f"{word}\n" for word in vocabulary).encode())


def read(path: Path) -> list[str]:
    """Read the words that `write` wrote."""
    # As bytes, because text mode splits lines at a carriage return inside a word.
    return path.read_bytes().decode().split("\n")[:-1]
