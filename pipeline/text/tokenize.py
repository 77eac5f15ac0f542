"""Tokenize clean texts, drop stop words, and replace words by stems or lemmas."""

import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data.columns import as_array, lower, map_slices
from pipeline.errors import MissingExtraError
from pipeline.text.languages import CODES
from pipeline.text.segment import segment
from pipeline.text.tokens import Tokens

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

# Characters that the classic Keras tokenizer drops by default (Keras 2 documentation,
# keras.preprocessing.text.Tokenizer, argument `filters`).
_DROPPED = re.escape('!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n')
# A single space between words stays as it is: it is by far the most frequent separator.
_BETWEEN = f" *[{_DROPPED}][{_DROPPED} ]*| {{2,}}"
# Patterns of sequences of one character class, of at least one or two characters.
_SEQUENCE = re.compile(r"(?P<unit>\\w|\\d|\[[A-Za-z0-9_'-]*[A-Za-z0-9_']\])(?P<twice>(?P=unit))?\+")
_CLASSES = {r"\w": "0-9A-Za-z_", r"\d": "0-9"}
# A process takes 2.5 s to import NLTK.
_ROWS_PER_PROCESS = 20_000
_FREQUENT = 50  # words in tokens.json


def tokenize(
    texts: pa.ChunkedArray | pa.Array, settings: Mapping[str, Any], processes: int = 1
) -> Tokens:
    """Tokenize clean texts by the settings of Tokenize, with processes for slow tokenizers.

    The setting ``stop_words`` can also be a frozenset of tokens.

    Raises
    ------
    MissingExtraError
        If an NLTK corpus or a package is not installed.
    """
    return filtered(all_tokens(texts, settings, processes), settings)


def all_tokens(
    texts: pa.ChunkedArray | pa.Array, settings: Mapping[str, Any], processes: int = 1
) -> Tokens:
    """Return the tokens before stop words are dropped and words replaced; see `tokenize`."""
    tokens = TOKENIZERS[settings["tokenizer"]](as_array(texts), settings, processes)
    # Models of earlier versions were trained without segmentation.
    tokens = segment(tokens, settings.get("segmentation", "none"))
    if settings["token_case"] == "lower":
        lowered = lower(pa.array(tokens.words, pa.string()), settings["language"]).to_pylist()
        tokens = tokens.map(dict(zip(tokens.words, lowered, strict=True)).__getitem__)
    return tokens


def filtered(tokens: Tokens, settings: Mapping[str, Any]) -> Tokens:
    """Drop stop words, and replace words by stems or lemmas; see `tokenize`."""
    unwanted = stop_words(settings["stop_words"], settings["language"])
    if unwanted:
        tokens = tokens.without(unwanted)
    change = word_form(settings["word_form"], settings["language"])
    return tokens.map(change) if change else tokens


def words(column: pa.Array, language: str = "") -> Tokens:
    """Convert to lower case and split at spaces and punctuation, as the classic Keras tokenizer."""
    lists = map_slices(column, lambda texts: _split(lower(texts, language), _BETWEEN))
    return Tokens.from_arrow(pa.chunked_array(lists)).without([""])


def _sequences(column: pa.Array, characters: str, least: int) -> Tokens:
    """Return the sequences of ``least`` or more characters of a class, in texts of ASCII."""
    between = f" *[^{characters} ][^{characters}]*| {{2,}}"
    lists = map_slices(column, lambda texts: _split(texts, between))
    tokens = Tokens.from_arrow(pa.chunked_array(lists))
    return tokens.without(word for word in tokens.words if len(word) < least)


def _split(texts: pa.Array, between: str) -> pa.Array:
    """Split at a pattern into list<dictionary>, which stores each distinct word once."""
    texts = pc.utf8_trim(pc.replace_substring_regex(texts, between, " "), " ")
    return _encoded(pc.split_pattern(texts, " "))


def _encoded(lists: pa.Array) -> pa.Array:
    """Convert list<string> to list<dictionary>."""
    return pa.ListArray.from_arrays(lists.offsets, lists.values.dictionary_encode())


def lexical_diversity(tokens: Tokens) -> np.ndarray:
    """Return the type-token ratio of each text, distinct tokens over tokens; 0 without tokens."""
    lengths = tokens.lengths
    return np.divide(
        tokens.distinct(), lengths, out=np.zeros(len(tokens)), where=lengths > 0, dtype=float
    )


def token_table(ids: pa.ChunkedArray, tokens: Tokens) -> tuple[pa.Table, np.ndarray]:
    """Return the columns of ``tokens.parquet``, and the lexical diversity of each text."""
    with ThreadPoolExecutor(1) as thread:
        column = thread.submit(tokens.to_arrow)
        diversity = lexical_diversity(tokens)
        columns = {
            "id": ids,
            "tokens": column.result(),
            "words": pa.array(tokens.lengths, pa.int32()),
            "lexical_diversity": pa.array(diversity, pa.float32()),
        }
    return pa.table(columns), diversity


def summary(tokens: Tokens, diversity: np.ndarray) -> dict[str, Any]:
    """Return the content of ``tokens.json``: totals, lengths, lexical diversity, frequent words."""
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


def stop_words(choice: str | frozenset[str], language: str) -> frozenset[str]:
    """Return the stop words of a list (none, scikit-learn, nltk) or of a model's file.

    A user's file is read by `pipeline.text.stop_words.read`. In the file of a model, each line is
    a token.
    """
    if isinstance(choice, frozenset):
        return choice
    if choice == "none":
        return frozenset()
    if choice == "scikit-learn":
        from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

        return ENGLISH_STOP_WORDS
    if choice == "nltk":
        from nltk.corpus import stopwords

        return frozenset(_corpus(stopwords, "stopwords").words(language))
    return frozenset(Path(choice).read_bytes().decode().split("\n")) - {""}


def word_form(choice: str, language: str) -> Callable[[str], str] | None:
    """Return the function from a word to its stem or lemma; None for ``as_is``.

    Stems are those of Porter (1980) and Snowball (Porter 2001) in NLTK, lemmas those of simplemma
    or of WordNet (as nouns).
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
    """Load an installed NLTK corpus; the user decides about downloads."""
    try:
        corpus.ensure_loaded()
    except LookupError as error:
        raise MissingExtraError(
            f"NLTK's corpus {name!r} is not installed; run "
            f"'python -m nltk.downloader {name}' once, or choose another list."
        ) from error
    return corpus


def _by_pattern(column: pa.Array, pattern: str, processes: int) -> Tokens:
    """Tokenize by a regular expression, as a column operation if it is simple and texts are ASCII.

    Beyond ASCII, the character classes of Arrow and of NLTK differ.
    """
    simple = _SEQUENCE.fullmatch(pattern)
    if not simple:
        return _by_nltk(column, pattern, processes)
    characters = _CLASSES.get(simple["unit"]) or simple["unit"][1:-1]
    is_ascii = pc.string_is_ascii(column)
    fast = _sequences(column.filter(is_ascii), characters, 2 if simple["twice"] else 1)
    slow = _by_nltk(column.filter(pc.invert(is_ascii)), pattern, processes)
    mask = is_ascii.to_numpy(zero_copy_only=False)
    rows = np.empty(len(column), dtype=np.int64)
    rows[mask], rows[~mask] = np.arange(len(fast)), len(fast) + np.arange(len(slow))
    return fast.joined(slow).take(rows)


def _by_nltk(column: pa.Array, pattern: str | None, processes: int) -> Tokens:
    """Tokenize row by row with NLTK, in processes if there are many rows."""
    workers = min(processes, len(column) // _ROWS_PER_PROCESS)
    if workers <= 1:
        return Tokens.from_arrow(_nltk_lists(column, pattern))
    size = -(-len(column) // (4 * workers))
    slices = [column.slice(start, size) for start in range(0, len(column), size)]
    with process_pool(workers) as pool:
        # The iterator cancels what has not started if the loop is left.
        lists = list(pool.map(_nltk_lists, slices, [pattern] * len(slices)))
    return Tokens.from_arrow(pa.chunked_array(lists))


def process_pool(workers: int) -> "ProcessPoolExecutor":
    """Start processes that do not receive Ctrl-C: they would print a traceback each."""
    import signal
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # Spawned, not forked: forking a process with running threads can hang the child.
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    # Processes inherit the mask, also those of a program with its own handler of Ctrl-C.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        pool.submit(int)  # the first call starts all processes
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    return pool


def _nltk_lists(column: pa.Array, pattern: str | None) -> pa.Array:
    """Tokenize with TweetTokenizer, or with RegexpTokenizer if there is a pattern."""
    if pattern is None:
        from nltk.tokenize.casual import TweetTokenizer

        split = TweetTokenizer().tokenize
    else:
        from nltk.tokenize.regexp import RegexpTokenizer

        split = RegexpTokenizer(pattern).tokenize
    # Encoded in the process, which then returns less.
    return _encoded(pa.array([split(text) for text in column.to_pylist()], pa.list_(pa.string())))


#: From column, settings and number of processes to tokens; the parameter ``tokenizer`` of the task
#: Tokenize has the same names.
TOKENIZERS: Mapping[str, Callable[[pa.Array, Mapping[str, Any], int], Tokens]] = {
    "words": lambda column, settings, _: words(column, settings["language"]),
    "tweet": lambda column, _, processes: _by_nltk(column, None, processes),
    "regexp": lambda column, settings, processes: _by_pattern(
        column, settings["pattern"], processes
    ),
}
