"""Text steps row by row: from a CSV file to padded word indices."""

import html
import json
import re
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

# Without the punctuation that ends a sentence, as both sides are to come to the same tokens.
_URL = re.compile(
    r"\b(?:https?://|www\.|pic\.twitter\.com/)[^\s<>\"]*[^\s<>\".,;:!?'()\[\]…]",
    re.IGNORECASE | re.ASCII,
)
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
    """Words of texts, and each word's index by frequency; 1 stands for unknown words.

    Like the class that Keras had up to version 2 it takes texts or lists of words, and cuts texts
    anew each time they are given; it does not count in how many texts a word stands, as that did.
    """

    def __init__(self, num_words: int) -> None:
        self.num_words = num_words
        self.index: dict[str, int] = {}

    @staticmethod
    def words(text: str) -> list[str]:
        """Cut one text at white space and punctuation, in lower case."""
        return text.lower().translate(_PUNCTUATION).split()

    def fit_on_texts(self, texts: Sequence[str | list[str]]) -> None:
        """Count words."""
        counts: Counter[str] = Counter()
        for text in texts:
            for word in self.words(text) if isinstance(text, str) else text:
                counts[word] += 1
        for place, (word, _) in enumerate(counts.most_common(), start=2):
            self.index[word] = place

    def texts_to_sequences(self, texts: Sequence[str | list[str]]) -> list[list[int]]:
        """Look every word up."""
        sequences = []
        for text in texts:
            sequence = []
            for word in self.words(text) if isinstance(text, str) else text:
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


def diversity(words: list[str]) -> float:
    """Return distinct words over words."""
    return len(set(words)) / len(words) if words else 0.0


def steps(path: Path, kind: str, num_words: int = 10_000, length: int = 35) -> dict[str, Any]:
    """Bring the texts of a file to padded indices, and find out what the pipeline's steps do.

    Parameters
    ----------
    path : Path
        CSV file with the columns ``text`` and ``label``.
    kind : {"words", "stems", "tweet"}
        Plain words; NLTK's regexp tokens without stop words, stemmed by Porter's stemmer; tokens
        of NLTK's TweetTokenizer.
    num_words, length : int
    """
    frame = read(path)
    frame["clean"] = frame["text"].apply(clean)
    for name, pattern in (("urls", _URL), ("mentions", _MENTION), ("hashtags", _HASHTAG)):
        frame[name] = frame["text"].apply(pattern.findall)
    frame["repeated"] = frame.duplicated("clean")
    cut = {"words": lambda: Tokenizer.words, "stems": stems, "tweet": tweets}[kind]()
    frame["tokens"] = frame["clean"].apply(cut)
    frame["diversity"] = frame["tokens"].apply(diversity)
    training, _ = train_test_split(frame, test_size=0.2, stratify=frame["label"], random_state=0)
    tokenizer = Tokenizer(num_words)
    tokenizer.fit_on_texts(list(training["tokens"]))
    padded = pad(tokenizer.texts_to_sequences(list(frame["tokens"])), length)
    return {"frame": frame, "padded": padded}


def stems() -> Callable[[str], list[str]]:
    """Return NLTK's regexp tokenizer with stop words left out and Porter's stems."""
    from nltk.stem import PorterStemmer
    from nltk.tokenize import RegexpTokenizer
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    tokenizer, stemmer = RegexpTokenizer(r"\w+"), PorterStemmer()

    def cut(text: str) -> list[str]:
        words = (word.lower() for word in tokenizer.tokenize(text))
        return [stemmer.stem(word) for word in words if word not in ENGLISH_STOP_WORDS]

    return cut


def tweets() -> Callable[[str], list[str]]:
    """Return NLTK's TweetTokenizer."""
    from nltk.tokenize import TweetTokenizer

    return TweetTokenizer().tokenize


def main() -> None:
    """Do the steps of a file and say how long they took; imports are not counted."""
    path, kind = Path(sys.argv[1]), sys.argv[2]
    import ftfy  # noqa: F401

    stems()
    started = time.perf_counter()
    found = steps(path, kind)
    seconds = time.perf_counter() - started
    rows = len(found["frame"])
    if len(sys.argv) > 3:
        pairs = zip(found["frame"]["clean"], found["frame"]["tokens"], strict=True)
        Path(sys.argv[3]).write_text("".join(f"{json.dumps(pair)}\n" for pair in pairs))
    print(json.dumps({"seconds": seconds, "rows": rows}))


if __name__ == "__main__":
    main()
