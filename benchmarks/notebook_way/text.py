"""Text steps row by row: from a CSV file to padded word indices."""

import html
import re
import unicodedata
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

_URL = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_MENTION = re.compile(r"\B@\w+", re.ASCII)
_HASHTAG = re.compile(r"\B#\w+")
_SPACE = re.compile(r"\s+")
# The default of the tokenizer class that Keras had up to version 2.
_PUNCTUATION = str.maketrans(dict.fromkeys('!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n', " "))


def read(path: Path) -> pd.DataFrame:
    """Read a CSV file with the columns ``text`` and ``label``."""
    return pd.read_csv(path, encoding="utf-8")


def clean(text: str) -> str:
    """Do to one text what CleanText does to a column by default."""
    import ftfy

    text = ftfy.fix_encoding(text)
    text = unicodedata.normalize("NFC", html.unescape(text))
    text = _URL.sub("<url>", text)
    text = _MENTION.sub("<user>", text)
    return _SPACE.sub(" ", text).strip()


class Tokenizer:
    """Words of texts, and each word's index by frequency; 1 stands for unknown words."""

    def __init__(self, num_words: int) -> None:
        self.num_words = num_words
        self.index: dict[str, int] = {}

    @staticmethod
    def words(text: str) -> list[str]:
        """Cut one text at white space and punctuation, in lower case."""
        return text.lower().translate(_PUNCTUATION).split()

    def fit_on_texts(self, texts: list[str]) -> None:
        """Count words."""
        counts: Counter[str] = Counter()
        for text in texts:
            for word in self.words(text):
                counts[word] += 1
        for place, (word, _) in enumerate(counts.most_common(), start=2):
            self.index[word] = place

    def texts_to_sequences(self, texts: list[str]) -> list[list[int]]:
        """Look every word up."""
        sequences = []
        for text in texts:
            sequence = []
            for word in self.words(text):
                place = self.index.get(word, 1)
                sequence.append(place if place < self.num_words else 1)
            sequences.append(sequence)
        return sequences


def pad(sequences: list[list[int]], length: int) -> np.ndarray:
    """Pad with zeros after each text, or cut it."""
    padded = np.zeros((len(sequences), length), dtype=np.int32)
    for row, sequence in enumerate(sequences):
        kept = sequence[:length]
        padded[row, : len(kept)] = kept
    return padded


def plain_words(path: Path, num_words: int = 10_000, length: int = 35) -> np.ndarray:
    """Clean, tokenize and pad all texts of a file."""
    frame = read(path)
    frame["clean"] = frame["text"].apply(clean)
    frame["hashtags"] = frame["clean"].apply(_HASHTAG.findall)
    tokenizer = Tokenizer(num_words)
    tokenizer.fit_on_texts(list(frame["clean"]))
    return pad(tokenizer.texts_to_sequences(list(frame["clean"])), length)
