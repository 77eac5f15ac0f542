"""Near copies of texts, as the split and the leakage check define them, for any settings.

Two texts are near copies if both have at least `LEAST_WORDS` different words and the Jaccard
similarity of their sets of words is at least `SIMILAR`. Candidates come from MinHash in bands
(Broder 1997); each is then compared exactly.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from pipeline.data.columns import is_group_start, lower, map_slices, offsets_of, replacing, where
from pipeline.data.hashing import combined, mix, string_hashes
from pipeline.text.clean import clean

SIMILAR = 0.8  # Jaccard similarity
LEAST_WORDS = 4  # different words; shorter texts are similar by chance
_BANDS, _BAND_ROWS = 10, 4  # finds 99.5 % of pairs with similarity 0.8, and 99.99 % with 0.88
_MAX_PARTNERS = 200  # texts of a band that `most_similar` compares with a text
_BUCKET_FIRST = 32  # first texts of a bucket that `group` compares with each later one
_WORDS_AT_ONCE = 1_000_000  # bounds memory
_PAIR_BITS = 18  # log2 of the most pairs that are compared at once

#: Settings of the cleaning before words are taken, whatever the settings of the run are.
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
# Scripts without spaces: each character is a word, combined with the next one below.
_UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]"
# Joiners and variation selectors that cleaning keeps: words with and without them are equal.
_INVISIBLE = r"[\x{200C}\x{200D}\x{FE0E}\x{FE0F}\x{E0030}-\x{E007F}]"
# Separators of words, except a single space, which stays as it is and is by far most frequent.
_BETWEEN_ASCII = r" *[^0-9a-z ][^0-9a-z]*| {2,}"
_BETWEEN = r" *[^\p{L}\p{M}\p{N} ][^\p{L}\p{M}\p{N}]*| {2,}"

# For each MinHash: (mask for XOR, odd factor), a cheap permutation of 64-bit hashes.
_RANKS = mix(np.arange(2 * _BANDS * _BAND_ROWS, dtype=np.uint64)).reshape(_BANDS, _BAND_ROWS, 2)
_RANKS[:, :, 1] |= np.uint64(1)


@dataclass(frozen=True)
class Words:
    """The different words of texts, as hashes."""

    hashes: np.ndarray  # different words of each text, one text after another; uint64
    offsets: np.ndarray  # start of each text in ``hashes``, and the end of the last; int64
    # Hash of all words of each text in order, uint64: equal for texts that differ only in letter
    # case, punctuation, URLs and mentions.
    keys: np.ndarray

    def __len__(self) -> int:
        return len(self.keys)

    @cached_property
    def counts(self) -> np.ndarray:
        """Number of different words of each text, int64, shape (n_texts,)."""
        return np.diff(self.offsets)

    def positions(self, texts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return positions in ``hashes`` of the words of some texts, and the number of each."""
        counts = self.counts[texts]
        before = np.cumsum(counts) - counts
        within = np.arange(counts.sum()) - np.repeat(before, counts)
        return np.repeat(self.offsets[texts], counts) + within, counts


@dataclass(frozen=True)
class NearGroups:
    """Groups of near copies, as positions for each text, int64.

    A group has several founders if texts are near copies only through others.
    """

    # First text of the group: of texts with equal keys and near copies, also through other texts.
    first: np.ndarray
    # Founder of the earliest near copy, or the text itself if it has no earlier one.
    founder: np.ndarray


def words_of(texts: pa.Array | pa.ChunkedArray) -> Words:
    """Return the different words of raw texts; null counts as empty."""
    return joined(map_slices(texts, words_of_slice))


def words_of_slice(
    raw: pa.Array, settings: Mapping[str, Any] | None = None, cleaned: pa.Array | None = None
) -> Words:
    """Return the different words of raw texts, in this thread.

    Clean texts save cleaning again if their settings are those of `CLEANING`.
    """
    is_the_same = settings and all(settings[name] == value for name, value in CLEANING.items())
    if cleaned is None or not is_the_same:
        cleaned = clean(raw, CLEANING, find=False)["clean"]
    lists = pc.split_pattern(_canonical(cleaned, raw), " ")
    encoded = lists.flatten().dictionary_encode()
    codes = encoded.indices.to_numpy()
    hashes = string_hashes(encoded.dictionary)[codes]
    counts = pc.list_value_length(lists).to_numpy().astype(np.int64)
    starts = np.cumsum(counts) - counts
    if len(raw) == 0:
        return Words(hashes, np.zeros(1, np.int64), hashes)
    position = np.arange(len(codes)) - np.repeat(starts, counts)
    keys = mix(np.add.reduceat(mix(hashes + position.astype(np.uint64)), starts))
    codes, hashes = _in_pairs(codes, hashes, encoded.dictionary, position)
    return Words(*_different(codes, hashes, counts), keys)


def joined(parts: Sequence[Words]) -> Words:
    """Concatenate words of texts."""
    counts = np.concatenate([part.counts for part in parts])
    return Words(
        np.concatenate([part.hashes for part in parts]),
        offsets_of(counts),
        np.concatenate([part.keys for part in parts]),
    )


def _canonical(cleaned: pa.Array, raw: pa.Array) -> pa.Array:
    """Return lower-case words separated by one space; a text without words stays as it is."""
    lowered = lower(cleaned)
    column = where(lowered, pc.match_substring(lowered, "<u"), replacing("<url>|<user>", " "))
    is_ascii = pc.string_is_ascii(column)
    column = where(column, pc.invert(is_ascii), _words_beyond_ascii)
    column = pc.utf8_trim(where(column, is_ascii, replacing(_BETWEEN_ASCII, " ")), " ")
    for instead in (lowered, pc.utf8_trim(pc.fill_null(raw, ""), " ")):
        column = pc.if_else(pc.equal(column, ""), instead, column)
    return column


def _words_beyond_ascii(column: pa.Array) -> pa.Array:
    """Separate words, and each character of a script without spaces, by spaces."""
    column = pc.replace_substring_regex(column, _INVISIBLE, "")
    is_unspaced = pc.match_substring_regex(column, _UNSPACED)
    column = where(column, is_unspaced, replacing(f"({_UNSPACED})", r" \1 "))
    return pc.replace_substring_regex(column, _BETWEEN, " ")


def _in_pairs(
    codes: np.ndarray, hashes: np.ndarray, dictionary: pa.Array, position: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Combine each character of a script without spaces with the next one: a word is longer."""
    is_unspaced = np.asarray(pc.match_substring_regex(dictionary, f"^{_UNSPACED}$"))
    if not is_unspaced.any():
        return codes, hashes
    has_next = is_unspaced[codes]
    has_next[:-1] &= has_next[1:] & (position[1:] > 0)
    has_next[-1] = False
    positions = np.flatnonzero(has_next)
    hashes = hashes.copy()
    hashes[positions] = combined(hashes[positions], hashes[positions + 1])
    return np.unique(hashes, return_inverse=True)[1], hashes


def _different(
    codes: np.ndarray, hashes: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Keep each word of a text once: hashes and offsets."""
    n_codes = int(codes.max(initial=0)) + 1
    hash_of_code = np.zeros(n_codes, np.uint64)
    hash_of_code[codes] = hashes
    rows = np.repeat(np.arange(len(counts)), counts)
    keys = np.sort(rows * n_codes + codes)
    keys = keys[is_group_start(keys)]
    kept = np.bincount(keys // n_codes, minlength=len(counts))
    return hash_of_code[keys % n_codes], offsets_of(kept)


def group(words: Words, texts: np.ndarray) -> NearGroups:
    """Group texts that have equal keys or are near copies, into connected components.

    In each bucket of a MinHash band, a text is compared with the first texts of the bucket and
    with the previous one. Texts that are added at the end add comparisons and remove none: groups
    of earlier texts can merge, but never split, and founders stay the same. ``texts`` are the
    positions of the texts to group, ascending.

    Examples
    --------
    >>> words = words_of(pa.array(["a b c d", "other text", "d c b a e"]))
    >>> group(words, np.arange(3)).first.tolist()
    [0, 1, 0]
    """
    _, first_of_key, index_of_key = np.unique(
        words.keys[texts], return_index=True, return_inverse=True
    )
    first_of_key = texts[first_of_key]
    earliest = np.arange(len(words))  # earliest near copy of each text, or the text itself
    component = np.arange(len(words))
    asked = np.sort(first_of_key[words.counts[first_of_key] >= LEAST_WORDS])
    for band in range(_BANDS):
        for earlier, later in _pairs(asked, _band_keys(words, asked, band)):
            # Pairs in one group, whose later text has an earlier near copy, change nothing.
            can_change = (earlier < earliest[later]) | (component[earlier] != component[later])
            earlier, later = earlier[can_change], later[can_change]
            near = _similarity(words, earlier, later) >= SIMILAR
            earlier, later = earlier[near], later[near]
            np.minimum.at(earliest, later, earlier)
            component = _merged(component, earlier, later)
    founder = earliest
    while (founder[founder] != founder).any():
        founder = founder[founder]
    first = np.full(len(words), len(words))
    np.minimum.at(first, component[first_of_key], first_of_key)
    return NearGroups(
        first[component[first_of_key]][index_of_key],
        founder[first_of_key][index_of_key],
    )


def most_similar(words: Words, asked: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the most similar text of the others for each of the first ``asked`` texts.

    Texts with fewer than `LEAST_WORDS` words are similar to no other.

    Returns
    -------
    similarity : ndarray of float64, shape (asked,)
        0 if no text is a candidate.
    partner : ndarray of int64, shape (asked,)
        Position among all texts, -1 if there is none.
    """
    best, partner = np.zeros(asked), np.full(asked, -1, dtype=np.int64)
    texts = np.flatnonzero(words.counts >= LEAST_WORDS)
    first, others = texts[texts < asked], texts[texts >= asked]
    for band in range(_BANDS if len(first) and len(others) else 0):
        keys = _band_keys(words, others, band)
        order = np.argsort(keys, kind="stable")
        wanted = _band_keys(words, first, band)
        start = np.searchsorted(keys[order], wanted, "left")
        counts = np.searchsorted(keys[order], wanted, "right") - start
        for number in range(min(counts.max(), _MAX_PARTNERS)):
            exists = counts > number
            left, right = first[exists], others[order[start[exists] + number]]
            similar = _similarity(words, left, right)
            # On a tie the first text, whatever the band.
            tied = (similar == best[left]) & (similar > 0) & (right < partner[left])
            better = (similar > best[left]) | tied
            best[left[better]], partner[left[better]] = similar[better], right[better]
    return best, partner


def _band_keys(words: Words, texts: np.ndarray, band: int) -> np.ndarray:
    """Return equal uint64 keys for texts in the same bucket of a MinHash band."""
    keys = np.zeros(len(texts), np.uint64)
    for start, end in _spans(words.counts[texts]):
        positions, counts = words.positions(texts[start:end])
        hashes = words.hashes[positions]
        starts = np.cumsum(counts) - counts
        # The rank of a word depends only on the word, so that other texts do not matter.
        for flip, factor in _RANKS[band]:
            least = np.minimum.reduceat((hashes ^ flip) * factor, starts)
            keys[start:end] = mix(keys[start:end] ^ least)
    return keys


def _spans(counts: np.ndarray, most: int | None = None) -> Iterator[tuple[int, int]]:
    """Yield spans of at most ``most`` entries with at most `_WORDS_AT_ONCE` words together."""
    totals = np.cumsum(counts)
    start = 0
    while start < len(counts):
        before = totals[start - 1] if start else 0
        end = int(np.searchsorted(totals, before + _WORDS_AT_ONCE, "right"))
        end = max(min(end, start + (most or len(counts))), start + 1)
        yield start, end
        start = end


def _pairs(texts: np.ndarray, keys: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield pairs (earlier, later) of texts in the same bucket; texts are ascending."""
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(is_group_start(keys[order]))
    sizes = np.diff(starts, append=len(order))
    starts, sizes = starts[sizes > 1], sizes[sizes > 1]
    bucket_start = np.repeat(starts, sizes)
    rank = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    texts = texts[order]
    members = bucket_start + rank
    for number in range(_BUCKET_FIRST):
        later = rank > number
        if not later.any():
            return
        yield texts[bucket_start[later] + number], texts[members[later]]
    later = rank > _BUCKET_FIRST
    yield texts[members[later] - 1], texts[members[later]]


def _similarity(words: Words, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the Jaccard similarity of pairs of texts; 0 if it is below `SIMILAR` by length."""
    result = np.zeros(len(left))
    counts = words.counts[left], words.counts[right]
    fits = np.flatnonzero(np.minimum(*counts) >= SIMILAR * np.maximum(*counts))
    total = (counts[0] + counts[1])[fits]
    for start, end in _spans(total, 1 << _PAIR_BITS):
        shared = _shared(words, left[fits[start:end]], right[fits[start:end]])
        result[fits[start:end]] = shared / (total[start:end] - shared)
    return result


def _shared(words: Words, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Count the words that the two texts of each pair share.

    A shared word occurs twice in the sorted words of both texts.
    """
    keys = []
    for texts in (left, right):
        positions, counts = words.positions(texts)
        pairs = np.repeat(np.arange(len(texts), dtype=np.uint64), counts)
        # Number of the pair in the upper bits, as much of the hash as fits in the lower ones.
        upper = pairs << np.uint64(64 - _PAIR_BITS)
        keys.append(upper | (words.hashes[positions] >> np.uint64(_PAIR_BITS)))
    both = np.sort(np.concatenate(keys))
    twice = both[1:][both[1:] == both[:-1]] >> np.uint64(64 - _PAIR_BITS)
    return np.bincount(twice.astype(np.int64), minlength=len(left))


def _merged(component: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Merge the components of pairs of texts."""
    if not len(left):
        return component
    nodes, node_of_text = np.unique(
        np.concatenate([component[left], component[right]]), return_inverse=True
    )
    edges = sparse.coo_array(
        (np.ones(len(left), bool), (node_of_text[: len(left)], node_of_text[len(left) :])),
        shape=(len(nodes),) * 2,
    )
    _, component_of_node = sparse.csgraph.connected_components(edges, directed=False)
    _, representative = np.unique(component_of_node, return_index=True)
    renamed = np.arange(len(component))
    renamed[nodes] = nodes[representative[component_of_node]]
    return renamed[component]
