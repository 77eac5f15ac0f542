"""Word n-grams and character n-grams, as operations on whole columns."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from pipeline.data.columns import lower, whole
from pipeline.text.tokens import Tokens

# Start positions up to this one are sliced by Arrow, in one pass over all words per position. Few
# words are longer; Python slices the rest of them.
_MAX_START = 40


def word_ngrams(tokens: Tokens, low: int, high: int) -> Tokens:
    """List the n-grams of ``low`` to ``high`` words of each text, shorter ones first.

    Examples
    --------
    >>> word_ngrams(Tokens.from_lists([["a", "cat", "sat"]]), 1, 2).to_lists()
    [['a', 'cat', 'sat', 'a cat', 'cat sat']]
    """
    if low == high == 1:
        return tokens
    words, n_words = pa.array(tokens.words, pa.string()), max(len(tokens.words), 1)
    rows, starts = tokens.rows, np.arange(len(tokens.codes))
    codes, names = tokens.codes.astype(np.int64), words
    found = [(rows, codes, names)] if low == 1 else []
    for size in range(2, high + 1):
        # Each n-gram is extended by the next word of its text.
        last = starts + size - 1
        inside = last < len(rows)
        inside[inside] = rows[starts[inside]] == rows[last[inside]]
        starts, last = starts[inside], last[inside]
        pairs = codes[inside] * n_words + tokens.codes[last]
        distinct, codes = np.unique(pairs, return_inverse=True)
        shorter, word = names.take(distinct // n_words), words.take(distinct % n_words)
        names = pc.binary_join_element_wise(shorter, word, " ")
        if size >= low:
            found.append((rows[starts], codes, names))
    return _merged(found, len(tokens))


def _merged(found: list[tuple[np.ndarray, np.ndarray, pa.Array]], n_texts: int) -> Tokens:
    """Merge n-grams of several sizes, each as rows, codes and names, in the order of the texts."""
    # Equal names become one: a token may contain a space.
    names = pa.chunked_array([names for *_, names in found]).combine_chunks().dictionary_encode()
    merged_codes = names.indices.to_numpy(zero_copy_only=False)
    offsets = np.cumsum([0, *(len(names) for *_, names in found)])
    codes = np.concatenate(
        [
            merged_codes[offset + codes]
            for offset, (_, codes, _) in zip(offsets, found, strict=False)
        ]
    )
    rows = np.concatenate([rows for rows, *_ in found])
    order = np.argsort(rows, kind="stable")
    ends = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n_texts))])
    return Tokens(codes[order].astype(np.int32), ends, names.dictionary.to_pylist())


def split_at_spaces(texts: pa.Array | pa.ChunkedArray) -> Tokens:
    """Split texts, in lower case, at white space."""
    column = pc.utf8_trim_whitespace(lower(whole(texts)))
    return Tokens.from_arrow(pc.utf8_split_whitespace(column)).without([""])


def character_ngrams(
    words: Sequence[str], low: int, high: int
) -> tuple[sparse.csr_matrix, list[str]]:
    """Count the n-grams of ``low`` to ``high`` characters of each word between two spaces.

    As scikit-learn's analyzer ``char_wb`` does; a shorter word is one n-gram.

    Returns
    -------
    counts : csr_matrix of float32, shape (n_words, n_ngrams)
    names : list of str

    Examples
    --------
    >>> counts, names = character_ngrams(["cat", "a"], 4, 4)
    >>> names, counts.toarray().tolist()
    ([' a ', ' cat', 'cat '], [[0.0, 1.0, 1.0], [1.0, 0.0, 0.0]])
    """
    padded = pc.binary_join_element_wise(" ", pa.array(words, pa.string()), " ", "")
    lengths = pc.utf8_length(padded).to_numpy(zero_copy_only=False)
    short = np.flatnonzero(lengths < low)
    owners, ngrams = [short], [padded.take(short)]
    for size in range(low, high + 1):
        n_starts = max(int(lengths.max(initial=0)) - size + 1, 0)
        for start in range(min(n_starts, _MAX_START)):
            owner = np.flatnonzero(lengths >= start + size)
            owners.append(owner)
            ngrams.append(pc.utf8_slice_codeunits(padded.take(owner), start, start + size))
        long = np.flatnonzero(lengths >= _MAX_START + size)
        owners.append(np.repeat(long, lengths[long] - (_MAX_START + size) + 1))
        rest = [
            word[start : start + size]
            for word in padded.take(long).to_pylist()
            for start in range(_MAX_START, len(word) - size + 1)
        ]
        ngrams.append(pa.array(rest, pa.string()))
    encoded = pa.chunked_array(ngrams, pa.string()).combine_chunks().dictionary_encode()
    columns = encoded.indices.to_numpy(zero_copy_only=False)
    shape = (len(words), len(encoded.dictionary))
    ones = np.ones(len(columns), dtype=np.float32)
    counts = sparse.coo_matrix((ones, (np.concatenate(owners), columns)), shape=shape).tocsr()
    return counts, encoded.dictionary.to_pylist()
