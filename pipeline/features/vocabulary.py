"""Vocabularies: which words of the training rows a model knows."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.text.tokens import Tokens

VOCABULARY_FILE = "vocabulary.txt"


def fit(
    tokens: Tokens, training: np.ndarray, settings: Mapping[str, Any], reserved: int = 0
) -> list[str]:
    """List the words of the training rows, most frequent first, on a tie alphabetically.

    Parameters
    ----------
    tokens : Tokens
        All texts.
    training : ndarray of bool, shape (n_texts,)
        Which texts are training rows; no other word enters.
    settings : mapping
        ``max_words`` (a number or ``all``) and ``min_count``.
    reserved : int
        Places of ``max_words`` that are taken by padding and unknown.

    Returns
    -------
    list of str
    """
    used = np.repeat(training, tokens.lengths)
    counts = np.bincount(tokens.codes[used], minlength=len(tokens.words))
    known = np.flatnonzero(counts >= settings["min_count"])
    words = sorted(known, key=lambda code: (-counts[code], tokens.words[code]))
    limit = settings["max_words"]
    kept = words if limit == "all" else words[: max(limit - reserved, 0)]
    return [tokens.words[code] for code in kept]


def look_up(tokens: Tokens, vocabulary: Sequence[str], first: int, unknown: int) -> np.ndarray:
    """Return the vocabulary index of every token.

    Parameters
    ----------
    tokens : Tokens
    vocabulary : sequence of str
    first : int
        Index of the first word of the vocabulary.
    unknown : int
        Index of words that are not in it.

    Returns
    -------
    ndarray of int32, shape (n_tokens,)
    """
    place = {word: index for index, word in enumerate(vocabulary, start=first)}
    table = np.array([place.get(word, unknown) for word in tokens.words], dtype=np.int32)
    return table[tokens.codes] if len(table) else np.zeros(0, np.int32)


def write(path: Path, vocabulary: Sequence[str]) -> None:
    """Write one word a line; the line's number, from 0, is the word's index."""
    path.write_bytes("".join(f"{word}\n" for word in vocabulary).encode())


def read(path: Path) -> list[str]:
    """Read what `write` wrote."""
    # Bytes, since reading as text would take a carriage return inside a word for a line's end.
    return path.read_bytes().decode().split("\n")[:-1]
