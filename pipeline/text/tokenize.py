"""Cut clean texts into tokens, drop stop words, and reduce words to stems or lemmas."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data.columns import in_slices, lower, whole
from pipeline.errors import PipelineError
from pipeline.text.languages import CODES
from pipeline.text.tokens import Tokens

# The characters that the classic Keras tokenizer drops by default
# (Keras 2 documentation, keras.preprocessing.text.Tokenizer, argument `filters`).
_DROPPED = re.escape('!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n')
# One space between words, by far the most frequent, stays as it is.
_BETWEEN = f" *[{_DROPPED}][{_DROPPED} ]*| {{2,}}"
# Patterns that take runs of one class of characters, of one or of two at least.
_RUNS = re.compile(r"(?P<unit>\\w|\\d|\[[A-Za-z0-9_'-]*[A-Za-z0-9_']\])(?P<twice>(?P=unit))?\+")
_CLASSES = {r"\w": "0-9A-Za-z_", r"\d": "0-9"}
# In processes of their own only where their start (2.5 s to import NLTK) is worth it.
_ROWS_WORTH_A_PROCESS = 20_000
_FREQUENT = 50  # words listed in tokens.json


def tokenize(
    texts: pa.ChunkedArray | pa.Array, settings: Mapping[str, Any], processes: int = 1
) -> Tokens:
    """Cut texts into tokens.

    Parameters
    ----------
    texts : pa.ChunkedArray or pa.Array of string, shape (n_texts,)
        Clean texts.
    settings : mapping
        The settings of Tokenize: ``tokenizer``, ``pattern``, ``token_case``, ``stop_words``,
        ``word_form``, ``language``.
    processes : int
        How many processes may work, where a tokenizer is not a column operation.

    Returns
    -------
    Tokens

    Raises
    ------
    PipelineError
        If the pattern, a stop-word list or an NLTK corpus cannot be used.
    """
    column = whole(texts)
    if settings["tokenizer"] == "words":
        tokens = words(column)
    elif settings["tokenizer"] == "regexp":
        tokens = _by_pattern(column, settings["pattern"], processes)
    else:
        tokens = _by_nltk(column, None, processes)
    if settings["token_case"] == "lower":
        tokens = tokens.map(str.lower)
    unwanted = stop_words(settings["stop_words"], settings["language"])
    if unwanted:
        tokens = tokens.without(unwanted)
    change = word_form(settings["word_form"], settings["language"])
    return tokens.map(change) if change else tokens


def words(column: pa.Array) -> Tokens:
    """Lower the case and cut at white space and punctuation, as the classic Keras tokenizer."""
    lists = in_slices(column, lambda texts: _cut(lower(texts), _BETWEEN))
    return Tokens.from_arrow(pa.chunked_array(lists)).without([""])


def runs(column: pa.Array, unit: str, least: int) -> Tokens:
    """Take the runs of one kind of character out of texts that are ASCII alone.

    Parameters
    ----------
    column : pa.Array of string, shape (n_texts,)
    unit : str
        What stands between the brackets of the character class.
    least : int
        Characters of the shortest run that is taken.
    """
    between = f" *[^{unit} ][^{unit}]*| {{2,}}"
    lists = in_slices(column, lambda texts: _cut(texts, between))
    found = Tokens.from_arrow(pa.chunked_array(lists))
    return found.without(word for word in found.words if len(word) < least)


def _cut(texts: pa.Array, between: str) -> pa.Array:
    """Cut at what stands between words, each distinct word stored once: list<dictionary>."""
    texts = pc.utf8_trim(pc.replace_substring_regex(texts, between, " "), " ")
    return _encoded(pc.split_pattern(texts, " "))


def _encoded(lists: pa.Array) -> pa.Array:
    """Store each distinct word once: list<string> to list<dictionary>."""
    return pa.ListArray.from_arrays(lists.offsets, lists.values.dictionary_encode())


def lexical_diversity(tokens: Tokens) -> np.ndarray:
    """Return distinct tokens over tokens (type-token ratio), float64; 0 for an empty text."""
    lengths = tokens.lengths
    return np.divide(
        tokens.distinct(), lengths, out=np.zeros(len(tokens)), where=lengths > 0, dtype=float
    )


def summary(tokens: Tokens, diversity: np.ndarray) -> dict[str, Any]:
    """Count tokens for ``tokens.json``: totals, lengths, lexical diversity, frequent words."""
    lengths = tokens.lengths
    counts = np.bincount(tokens.codes, minlength=len(tokens.words))
    top = np.argsort(-counts, kind="stable")[:_FREQUENT]
    percentiles = (0, 5, 25, 50, 75, 95, 99, 100)
    values = np.percentile(lengths, percentiles).tolist() if len(lengths) else []
    return {
        "texts": len(tokens),
        "tokens": len(tokens.codes),
        "distinct_tokens": int(np.count_nonzero(counts)),
        "empty_texts": int(np.count_nonzero(lengths == 0)),
        "mean_length": float(lengths.mean()) if len(lengths) else 0.0,
        "length_percentiles": dict(zip(map(str, percentiles), values, strict=False)),
        "mean_lexical_diversity": float(diversity.mean()) if len(diversity) else 0.0,
        "most_frequent": {tokens.words[code]: int(counts[code]) for code in top},
    }


def stop_words(choice: str, language: str) -> frozenset[str]:
    """Return the stop words of a list by name (none, scikit-learn, nltk) or of a file.

    Raises
    ------
    PipelineError
        If NLTK's corpus is not installed.
    """
    if choice == "none":
        return frozenset()
    if choice == "scikit-learn":
        from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

        return ENGLISH_STOP_WORDS
    if choice == "nltk":
        from nltk.corpus import stopwords

        return frozenset(_corpus(stopwords, "stopwords").words(language))
    try:
        return frozenset(Path(choice).read_text(encoding="utf-8").split())
    except UnicodeDecodeError as error:
        raise PipelineError(
            f"stop_words file {choice} is not utf-8 ({error.reason} at byte {error.start}); save "
            "it as utf-8."
        ) from error


def word_form(choice: str, language: str) -> Callable[[str], str] | None:
    """Return the function that takes a word to its stem or lemma, or None to leave it.

    Stems are those of Porter (1980) and Snowball (Porter 2001) as in NLTK, lemmas those of
    simplemma or of WordNet, nouns.

    Raises
    ------
    PipelineError
        If WordNet is not installed.
    """
    if choice == "porter":
        from nltk.stem import PorterStemmer

        return PorterStemmer().stem
    if choice == "snowball":
        from nltk.stem import SnowballStemmer

        return SnowballStemmer(language).stem
    if choice == "simplemma":
        import simplemma

        code = CODES[language]
        return lambda word: simplemma.lemmatize(word, lang=code)
    if choice == "wordnet":
        from nltk.corpus import wordnet
        from nltk.stem import WordNetLemmatizer

        _corpus(wordnet, "wordnet")
        return WordNetLemmatizer().lemmatize
    return None


def _corpus(corpus: Any, name: str) -> Any:
    """Load an NLTK corpus that is installed; never fetch one in silence."""
    try:
        corpus.ensure_loaded()
    except LookupError as error:
        raise PipelineError(
            f"NLTK's corpus {name!r} is not installed; run "
            f"'python -m nltk.downloader {name}' once, or choose another list."
        ) from error
    return corpus


def _by_pattern(column: pa.Array, pattern: str, processes: int) -> Tokens:
    """Tokenize by a regular expression; runs of one class of characters are cut as columns.

    That is done where texts are ASCII alone: beyond, Arrow's classes are not quite NLTK's.
    """
    simple = _RUNS.fullmatch(pattern)
    if not simple:
        return _by_nltk(column, pattern, processes)
    unit = _CLASSES.get(simple["unit"]) or simple["unit"][1:-1]
    is_ascii = pc.string_is_ascii(column)
    fast = runs(column.filter(is_ascii), unit, 2 if simple["twice"] else 1)
    slow = _by_nltk(column.filter(pc.invert(is_ascii)), pattern, processes)
    marks = is_ascii.to_numpy(zero_copy_only=False)
    place = np.empty(len(column), dtype=np.int64)
    place[marks], place[~marks] = np.arange(len(fast)), len(fast) + np.arange(len(slow))
    return fast.joined(slow).take(place)


def _by_nltk(column: pa.Array, pattern: str | None, processes: int) -> Tokens:
    """Tokenize row by row with NLTK, in processes where there are many rows."""
    wanted = min(processes, len(column) // _ROWS_WORTH_A_PROCESS)
    if wanted <= 1:
        return Tokens.from_arrow(_nltk_lists(column, pattern))
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    size = -(-len(column) // (4 * wanted))
    parts = [column.slice(start, size) for start in range(0, len(column), size)]
    # Spawned, not forked: forking a process with running threads can hang the child.
    with ProcessPoolExecutor(wanted, mp_context=get_context("spawn")) as pool:
        done = list(pool.map(_nltk_lists, parts, [pattern] * len(parts)))
    return Tokens.from_arrow(pa.chunked_array(done))


def _nltk_lists(column: pa.Array, pattern: str | None) -> pa.Array:
    """Tokenize with TweetTokenizer, or with RegexpTokenizer: list<dictionary>."""
    if pattern is None:
        from nltk.tokenize.casual import TweetTokenizer

        cut = TweetTokenizer().tokenize
    else:
        from nltk.tokenize.regexp import RegexpTokenizer

        cut = RegexpTokenizer(pattern).tokenize
    # Encoded here, where the processes work side by side, and less is handed over.
    return _encoded(pa.array([cut(text) for text in column.to_pylist()], pa.list_(pa.string())))
