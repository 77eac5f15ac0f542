"""Split words of scripts that have no spaces between words, such as Chinese, Japanese and Thai."""

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby, pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data.columns import offsets_of
from pipeline.errors import MissingExtraError
from pipeline.text.tokens import Tokens

#: Scripts without spaces between words, as Unicode scripts in RE2.
SCRIPTS = {
    "Chinese or Japanese": r"\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}",
    "Thai": r"\p{Thai}",
    "Lao": r"\p{Lao}",
    "Khmer": r"\p{Khmer}",
    "Burmese": r"\p{Myanmar}",
    "Tibetan": r"\p{Tibetan}",
    "Javanese": r"\p{Javanese}",
    "Balinese": r"\p{Balinese}",
    "Tai": r"\p{Tai_Le}\p{New_Tai_Lue}\p{Tai_Tham}\p{Tai_Viet}",
}
_ALL = "".join(SCRIPTS.values())
# Unicode assigns the prolonged sound mark of Japanese to no script, and its half-width voiced marks
# neither to a script nor to the marks.
_CHARACTER = rf"[{_ALL}\x{{30FC}}\x{{FF70}}][\pM\x{{FF9E}}\x{{FF9F}}]*"
# Punctuation beyond ASCII, such as the full stop of Japanese; the tokenizer handles that of ASCII.
_PUNCTUATION = r"[^\x00-\x7F\PP]"
_BREAK, _MARK = "\x1e", "\x1f"  # clean texts contain no control characters


class _Part(NamedTuple):
    """A part of a word: characters of a script without spaces, or other texts."""

    is_unspaced: bool
    characters: list[str]


def unspaced_texts(texts: pa.Array | pa.ChunkedArray) -> dict[str, int]:
    """Count the texts that contain a script without spaces between words, by script.

    Parameters
    ----------
    texts : pa.Array or pa.ChunkedArray of string, shape (n_texts,)

    Examples
    --------
    >>> unspaced_texts(pa.array(["good", "最悪だった", "ไม่ดี", "แย่"]))
    {'Chinese or Japanese': 1, 'Thai': 2}
    """
    beyond_ascii = texts.filter(pc.invert(pc.string_is_ascii(texts)))
    if not pc.any(pc.match_substring_regex(beyond_ascii, f"[{_ALL}]")).as_py():
        return {}
    counts = {
        name: pc.sum(pc.match_substring_regex(beyond_ascii, f"[{script}]")).as_py()
        for name, script in SCRIPTS.items()
    }
    return {name: count for name, count in counts.items() if count}


def segment(tokens: Tokens, segmentation: str) -> Tokens:
    """Split those tokens that contain a script without spaces between words.

    Letters of other scripts, digits and emoji next to such a script become tokens of their own.
    Punctuation between them is dropped.

    Parameters
    ----------
    tokens : Tokens
        Tokens that end at spaces.
    segmentation : str
        ``bigrams``: two neighbouring characters each, a lone character as it is (as search engines
        index Chinese; Lucene's CJKBigramFilter). ``icu``: words by the dictionaries of ICU.
        ``none``: the tokens as they are.

    Raises
    ------
    MissingExtraError
        If ``icu`` is chosen and icu4py is not installed.

    Examples
    --------
    >>> segment(Tokens.from_lists([["見て", "iPhoneは最悪"]]), "bigrams").to_lists()
    [['見て', 'iPhone', 'は最', '最悪']]
    """
    if segmentation == "none":
        return tokens
    split = _SEGMENTERS[segmentation]()
    words = pa.array(tokens.words, pa.string())
    is_unspaced = np.asarray(pc.match_substring_regex(words, f"[{_ALL}]"))
    if not is_unspaced.any():
        return tokens
    rows = np.flatnonzero(is_unspaced)
    segments = [[word] for word in tokens.words]
    for row, parts in zip(rows.tolist(), _parts(words.filter(is_unspaced)), strict=True):
        segments[row] = [
            piece
            for part in parts
            for piece in (split(part.characters) if part.is_unspaced else part.characters)
        ]
    return _replaced(tokens, segments)


def _parts(words: pa.Array) -> Iterator[list[_Part]]:
    """Yield the parts of each word, in order."""
    words = pc.replace_substring_regex(words, _PUNCTUATION, _BREAK)
    marked = pc.replace_substring_regex(words, f"({_CHARACTER})", rf"{_MARK}\1{_MARK}")
    for pieces in pc.split_pattern(marked, _MARK).to_pylist():
        # Every second piece is a character of a script without spaces. Its digits are no letters.
        named = [
            (index % 2 == 1 and not piece.isdecimal(), piece)
            for index, piece in enumerate(pieces)
            if piece
        ]
        parts = []
        for is_unspaced, group in groupby(named, key=lambda pair: pair[0]):
            characters = [piece for _, piece in group]
            if not is_unspaced:
                characters = [text for text in "".join(characters).split(_BREAK) if text]
            parts.append(_Part(is_unspaced, characters))
        yield parts


def _bigrams() -> Callable[[list[str]], list[str]]:
    """Return the function from characters to their bigrams."""

    def split(characters: list[str]) -> list[str]:
        if len(characters) == 1:
            return characters
        return [first + second for first, second in pairwise(characters)]

    return split


def _icu() -> Callable[[list[str]], list[str]]:
    """Return the function from characters to the words of ICU (Unicode Standard Annex 29)."""
    try:
        from icu4py.breakers import WordBreaker
    except ImportError as error:
        raise MissingExtraError(
            "segmentation icu needs icu4py; run pip install 'text-classification-pipeline"
            "[segmentation]', or use --segmentation bigrams."
        ) from error

    def split(characters: list[str]) -> list[str]:
        text = "".join(characters)
        # The dictionaries are chosen by script; the locale has no effect on them.
        return [text[start:end] for start, end in WordBreaker(text, "root").segments()]

    return split


_SEGMENTERS: Mapping[str, Callable[[], Callable[[list[str]], list[str]]]] = {
    "bigrams": _bigrams,
    "icu": _icu,
}


def _replaced(tokens: Tokens, segments: list[list[str]]) -> Tokens:
    """Replace each token by its segments, one list for each distinct token."""
    flat = pa.array([piece for pieces in segments for piece in pieces], pa.string())
    encoded = flat.dictionary_encode()
    by_word = Tokens(
        encoded.indices.to_numpy().astype(np.int32),
        offsets_of(np.fromiter(map(len, segments), np.int64, len(segments))),
        encoded.dictionary.to_pylist(),
    )
    expanded = by_word.take(tokens.codes)  # one list for each token
    return Tokens(expanded.codes, expanded.offsets[tokens.offsets], by_word.words)
