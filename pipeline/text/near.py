"""Near copies: texts that say the same in nearly the same words, whatever the run's settings.

The one definition that the split and the leak check share. Two texts are near copies when both
have at least `LEAST_WORDS` different words and the Jaccard similarity of their sets of words is at
least `SIMILAR`. Candidates come from MinHash in bands (Broder 1997); each is compared in full.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from pipeline.data.columns import in_slices, lower, where
from pipeline.data.hashing import combined, mix, of_strings
from pipeline.text.clean import clean

SIMILAR = 0.8  # Jaccard similarity of the sets of words
LEAST_WORDS = 4  # different words; texts of fewer are alike by chance
BANDS, _BAND_ROWS = 10, 4  # finds 99.5 % of the pairs at 0.8, and all but 1 in 10,000 at 0.88
_MOST_PARTNERS = 200  # texts compared with one that is asked about, in a band
_PARTNERS = 32  # first texts of a band's bucket that each later one is compared with
_WORDS_AT_ONCE = 1_000_000  # compared at a time: bounds memory
_PAIR_BITS = 18  # the most pairs compared at a time, as a power of 2

#: Cleaning before the words are taken, whatever the run's own cleaning is.
CLEANING: dict[str, str] = {
    "encoding_repair": "repair",
    "html": "decode",
    "unicode_form": "NFC",
    "urls": "replace",
    "mentions": "replace",
    "hashtags": "keep",
    "numbers": "keep",
    "case": "keep",
}
_PLACEHOLDERS = "<url>|<user>"
# Scripts without spaces between words: each character counts as a word, joined to the next below.
_UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
# What stands between words. A single space, by far the most frequent, stays as it is.
_BETWEEN_ASCII = r" *[^0-9a-z ][^0-9a-z]*| {2,}"
_BETWEEN = r" *[^\p{L}\p{M}\p{N} ][^\p{L}\p{M}\p{N}]*| {2,}"

_RANKS = mix(np.arange(2 * BANDS * _BAND_ROWS, dtype=np.uint64)).reshape(BANDS, _BAND_ROWS, 2)
_RANKS[:, :, 1] |= np.uint64(1)


@dataclass(frozen=True)
class Words:
    """The different words of texts, as hashes.

    Attributes
    ----------
    hashes : ndarray of uint64, shape (n_words,)
        Of the different words of each text, one text after another.
    offsets : ndarray of int64, shape (n_texts + 1,)
        Where in ``hashes`` each text begins; the last entry is the end.
    keys : ndarray of uint64, shape (n_texts,)
        Hash of all words of the text in order: equal where texts differ in letter case,
        punctuation, URLs and mentions alone.
    """

    hashes: np.ndarray
    offsets: np.ndarray
    keys: np.ndarray

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def counts(self) -> np.ndarray:
        """Different words of each text, int64, shape (n_texts,)."""
        return np.diff(self.offsets)

    def places(self, texts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return where in ``hashes`` the words of some texts stand, and how many each has."""
        counts = self.offsets[texts + 1] - self.offsets[texts]
        before = np.cumsum(counts) - counts
        within = np.arange(counts.sum()) - np.repeat(before, counts)
        return np.repeat(self.offsets[texts], counts) + within, counts


def words_of(texts: pa.Array | pa.ChunkedArray) -> Words:
    """Take the different words of raw texts.

    Parameters
    ----------
    texts : pa.Array or pa.ChunkedArray of string, shape (n_texts,)
        Raw texts.

    Returns
    -------
    Words
    """
    return joined(in_slices(texts, words_of_part))


def words_of_part(
    raw: pa.Array, settings: Mapping[str, Any] | None = None, cleaned: pa.Array | None = None
) -> Words:
    """Take the different words of raw texts, in this thread.

    Parameters
    ----------
    raw : pa.Array of string, shape (n_texts,)
    settings : mapping, optional
        The settings of ``cleaned``.
    cleaned : pa.Array of string, shape (n_texts,), optional
        The clean texts, which are used where the settings are `CLEANING`.

    Returns
    -------
    Words
    """
    is_the_same = settings and all(settings[name] == value for name, value in CLEANING.items())
    if cleaned is None or not is_the_same:
        cleaned = clean(raw, CLEANING, find=False)["clean"]
    lists = pc.split_pattern(_canonical(cleaned, raw), " ")
    encoded = lists.flatten().dictionary_encode()
    known = of_strings(encoded.dictionary)
    codes = encoded.indices.to_numpy()
    counts = pc.list_value_length(lists).to_numpy().astype(np.int64)
    starts = np.cumsum(counts) - counts
    in_order = known[codes]
    if len(raw) == 0:
        return Words(in_order, np.zeros(1, np.int64), in_order)
    position = np.arange(len(codes)) - np.repeat(starts, counts)
    keys = mix(np.add.reduceat(mix(in_order + position.astype(np.uint64)), starts))
    codes, in_order = _in_pairs(codes, in_order, encoded.dictionary, position)
    return Words(*_different(codes, in_order, counts), keys)


def joined(parts: Sequence[Words]) -> Words:
    """Return the words of all parts, one after another."""
    counts = np.concatenate([part.counts for part in parts])
    return Words(
        np.concatenate([part.hashes for part in parts]),
        np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)]),
        np.concatenate([part.keys for part in parts]),
    )


def _canonical(cleaned: pa.Array, raw: pa.Array) -> pa.Array:
    """Return lower-case words with a space between; of texts without any, the text as it is."""
    lowered = lower(cleaned)
    column = where(
        lowered,
        pc.match_substring(lowered, "<u"),
        lambda some: pc.replace_substring_regex(some, _PLACEHOLDERS, " "),
    )
    is_ascii = pc.string_is_ascii(column)
    others = pc.invert(is_ascii)
    column = where(column, others, _words_beyond_ascii)
    column = where(
        column, is_ascii, lambda some: pc.replace_substring_regex(some, _BETWEEN_ASCII, " ")
    )
    column = pc.utf8_trim(column, " ")
    for instead in (lowered, pc.utf8_trim(pc.fill_null(raw, ""), " ")):
        column = pc.if_else(pc.equal(column, ""), instead, column)
    return column


def _words_beyond_ascii(column: pa.Array) -> pa.Array:
    """Put spaces between words, and around each character of a script that has none."""
    unspaced = pc.match_substring_regex(column, _UNSPACED)
    column = where(
        column,
        unspaced,
        lambda some: pc.replace_substring_regex(some, f"({_UNSPACED})", r" \1 "),
    )
    return pc.replace_substring_regex(column, _BETWEEN, " ")


def _in_pairs(
    codes: np.ndarray, hashes: np.ndarray, dictionary: pa.Array, position: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Join each character of a script without spaces to the next one; alone it says too little."""
    is_unspaced = np.asarray(pc.match_substring_regex(dictionary, f"^{_UNSPACED}$"))
    if not is_unspaced.any():
        return codes, hashes
    followed = is_unspaced[codes]
    followed[:-1] &= followed[1:] & (position[1:] > 0)
    followed[-1] = False
    at = np.flatnonzero(followed)
    hashes = hashes.copy()
    hashes[at] = combined(hashes[at], hashes[at + 1])
    return np.unique(hashes, return_inverse=True)[1], hashes


def _different(
    codes: np.ndarray, hashes: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Keep each word of a text once."""
    width = int(codes.max(initial=0)) + 1
    of_code = np.zeros(width, np.uint64)
    of_code[codes] = hashes
    rows = np.repeat(np.arange(len(counts)), counts)
    keys = np.sort(rows * width + codes)
    keys = keys[np.diff(keys, prepend=-1) > 0]
    found = np.bincount(keys // width, minlength=len(counts))
    return of_code[keys % width], np.concatenate([np.zeros(1, np.int64), np.cumsum(found)])


@dataclass(frozen=True)
class NearGroups:
    """Which texts are near copies of each other, directly or through others.

    Attributes
    ----------
    first : ndarray of int64, shape (n_asked,)
        Position of the first text of the group: texts with equal keys and near copies.
    founder : ndarray of int64, shape (n_asked,)
        Position of the text that this one follows: the earliest text of which it is a near copy, or
        the one which that text follows; itself without an earlier near copy. A group has several
        founders where a text is a near copy of texts that are not near copies of each other.
    """

    first: np.ndarray
    founder: np.ndarray


def group(words: Words, texts: np.ndarray) -> NearGroups:
    """Group texts that have equal keys or are near copies: connected components.

    In each bucket of a MinHash band, a text is compared with the first texts of the bucket and
    with the one before it. Further texts at the end therefore add comparisons and take none away:
    groups of earlier texts can grow together, and never fall apart, and founders stay the same.

    Parameters
    ----------
    words : Words
    texts : ndarray of int64, shape (n_asked,)
        Positions of the texts to group, ascending.

    Returns
    -------
    NearGroups
    """
    _, first_of_key, of_key = np.unique(words.keys[texts], return_index=True, return_inverse=True)
    first_of_key = texts[first_of_key]
    earliest = np.arange(len(words))  # near copy of each text, itself where there is none before it
    component = np.arange(len(words))
    asked = np.sort(first_of_key[words.counts[first_of_key] >= LEAST_WORDS])
    for band in range(BANDS):
        keys = band_keys(words, asked, band)
        for earlier, later in _compared(asked, keys):
            # What is in one group already and has an earlier near copy has nothing to learn.
            open_ = (earlier < earliest[later]) | (component[earlier] != component[later])
            earlier, later = earlier[open_], later[open_]
            near = similarity(words, earlier, later) >= SIMILAR
            earlier, later = earlier[near], later[near]
            np.minimum.at(earliest, later, earlier)
            component = _merged(component, earlier, later)
    founder = earliest
    while (founder[founder] != founder).any():
        founder = founder[founder]
    first = np.full(len(words), len(words))
    np.minimum.at(first, component[first_of_key], first_of_key)
    return NearGroups(first[component[first_of_key]][of_key], founder[first_of_key][of_key])


def band_keys(words: Words, texts: np.ndarray, band: int) -> np.ndarray:
    """Return equal numbers for texts that agree in a MinHash band, uint64, shape (n_asked,).

    A word's rank follows from the word alone, so that other texts change no agreement.
    """
    keys = np.zeros(len(texts), np.uint64)
    for start, end in _spans(words.offsets[texts + 1] - words.offsets[texts]):
        places, counts = words.places(texts[start:end])
        hashes = words.hashes[places]
        starts = np.cumsum(counts) - counts
        for flip, factor in _RANKS[band]:
            least = np.minimum.reduceat((hashes ^ flip) * factor, starts)
            keys[start:end] = mix(keys[start:end] ^ least)
    return keys


def _spans(counts: np.ndarray, most: int | None = None) -> Iterator[tuple[int, int]]:
    """Yield spans of entries that together have few enough words."""
    totals = np.cumsum(counts)
    start = 0
    while start < len(counts):
        before = totals[start - 1] if start else 0
        end = int(np.searchsorted(totals, before + _WORDS_AT_ONCE, "right"))
        end = max(min(end, start + (most or len(counts))), start + 1)
        yield start, end
        start = end


def _compared(texts: np.ndarray, keys: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield pairs (earlier, later) of texts that share a bucket; texts are in order."""
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.diff(keys[order], prepend=~keys[order[:1]]) != 0)
    sizes = np.diff(starts, append=len(order))
    shared = sizes > 1
    starts, sizes = starts[shared], sizes[shared]
    bucket_start = np.repeat(starts, sizes)
    rank = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    texts = texts[order]
    members = bucket_start + rank
    for number in range(_PARTNERS):
        behind = rank > number
        if not behind.any():
            return
        yield texts[bucket_start[behind] + number], texts[members[behind]]
    behind = rank > _PARTNERS
    yield texts[members[behind] - 1], texts[members[behind]]


def similarity(words: Words, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the Jaccard similarity of the words of pairs of texts; float64, shape (n_pairs,).

    0 for texts whose numbers of words alone keep them below `SIMILAR`.
    """
    result = np.zeros(len(left))
    counts = [words.offsets[texts + 1] - words.offsets[texts] for texts in (left, right)]
    fits = np.flatnonzero(np.minimum(*counts) >= SIMILAR * np.maximum(*counts))
    total = (counts[0] + counts[1])[fits]
    for start, end in _spans(total, 1 << _PAIR_BITS):
        shared = _shared(words, left[fits[start:end]], right[fits[start:end]])
        result[fits[start:end]] = shared / (total[start:end] - shared)
    return result


def most_similar(words: Words, asked: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the similarity and the position of the text most similar to each of the first ones.

    Compared are the first ``asked`` texts with those behind them. Texts of fewer than `LEAST_WORDS`
    words are like no other.

    Parameters
    ----------
    words : Words
    asked : int

    Returns
    -------
    similarity : ndarray of float64, shape (asked,)
        0 where no text is a candidate.
    partner : ndarray of int64, shape (asked,)
        Position among all texts, -1 where there is none.
    """
    best, partner = np.zeros(asked), np.full(asked, -1, dtype=np.int64)
    texts = np.flatnonzero(words.counts >= LEAST_WORDS)
    mine, theirs = texts[texts < asked], texts[texts >= asked]
    for band in range(BANDS if len(mine) and len(theirs) else 0):
        keys = band_keys(words, theirs, band)
        order = np.argsort(keys, kind="stable")
        wanted = band_keys(words, mine, band)
        start = np.searchsorted(keys[order], wanted, "left")
        counts = np.searchsorted(keys[order], wanted, "right") - start
        for number in range(min(counts.max(), _MOST_PARTNERS)):
            there = counts > number
            left, right = mine[there], theirs[order[start[there] + number]]
            similar = similarity(words, left, right)
            # On a tie the first training row, whatever the band that it was met in.
            tied = (similar == best[left]) & (similar > 0) & (right < partner[left])
            better = (similar > best[left]) | tied
            best[left[better]], partner[left[better]] = similar[better], right[better]
    return best, partner


def _shared(words: Words, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Count the words that both texts of each pair have: those that then stand twice."""
    keys = []
    for texts in (left, right):
        places, counts = words.places(texts)
        pairs = np.repeat(np.arange(len(texts), dtype=np.uint64), counts)
        # The number of the pair above, and as much of the word's hash as fits below.
        above = pairs << np.uint64(64 - _PAIR_BITS)
        keys.append(above | (words.hashes[places] >> np.uint64(_PAIR_BITS)))
    both = np.sort(np.concatenate(keys))
    twice = both[1:][both[1:] == both[:-1]] >> np.uint64(64 - _PAIR_BITS)
    return np.bincount(twice.astype(np.int64), minlength=len(left))


def _merged(component: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Join the components of pairs of texts."""
    if not len(left):
        return component
    nodes, at = np.unique(np.concatenate([component[left], component[right]]), return_inverse=True)
    edges = sparse.coo_array(
        (np.ones(len(left), bool), (at[: len(left)], at[len(left) :])), shape=(len(nodes),) * 2
    )
    _, of_node = sparse.csgraph.connected_components(edges, directed=False)
    _, representative = np.unique(of_node, return_index=True)
    renamed = np.arange(len(component))
    renamed[nodes] = nodes[representative[of_node]]
    return renamed[component]
