"""Vocabularies: which words of the training rows a model knows."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import PipelineError
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
    return most_frequent(tokens.words, counts, settings, reserved)


def most_frequent(
    words: Sequence[str], counts: np.ndarray, settings: Mapping[str, Any], reserved: int = 0
) -> list[str]:
    """List the words that occur often enough, most frequent first, on a tie alphabetically.

    Parameters
    ----------
    words : sequence of str
    counts : ndarray of number, shape (n_words,)
        Occurrences in the training rows.
    settings : mapping
        ``max_words`` (a number or ``all``) and ``min_count``.
    reserved : int
        Places of ``max_words`` that are taken already.

    Returns
    -------
    list of str

    Raises
    ------
    PipelineError
        If no word occurs often enough.
    """
    # A word that no training row has is unknown, whatever min_count says.
    known = np.flatnonzero(counts >= max(settings["min_count"], 1))
    if not len(known):
        raise PipelineError(
            f"no word is left for the vocabulary: of the training rows' "
            f"{np.count_nonzero(counts)} different words none occurs min_count "
            f"{settings['min_count']} times; choose a smaller min_count, or another tokenizer."
        )
    ordered = sorted(known.tolist(), key=lambda code: (-counts[code], words[code]))
    limit = settings["max_words"]
    kept = ordered if limit == "all" else ordered[: max(limit - reserved, 0)]
    return [words[code] for code in kept]


def places(vocabulary: Sequence[str]) -> dict[str, int]:
    """Return the index of each word; encoders keep it, as it takes longer to make than to use."""
    return {word: index for index, word in enumerate(vocabulary)}


def look_up(words: Sequence[str], known: Mapping[str, int], unknown: int) -> np.ndarray:
    """Return the vocabulary index of each word.

    Parameters
    ----------
    words : sequence of str
    known : mapping of str to int
        From `places`.
    unknown : int
        Index of words that are not in it.

    Returns
    -------
    ndarray of int32, shape (n_words,)
    """
    return np.array([known.get(word, unknown) for word in words], dtype=np.int32)


def write(path: Path, vocabulary: Sequence[str]) -> None:
    """Write one word a line; the line's number, from 0, is the word's index."""
    path.write_bytes("".join(f"{word}\n" for word in vocabulary).encode())


def read(path: Path) -> list[str]:
    """Read what `write` wrote."""
    # Bytes, since reading as text would take a carriage return inside a word for a line's end.
    return path.read_bytes().decode().split("\n")[:-1]
