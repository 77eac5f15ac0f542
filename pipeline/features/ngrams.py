"""Runs of words and of characters, as whole-column operations."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from pipeline.data.columns import as_array, lower
from pipeline.text.tokens import Tokens

# Characters from which on words are cut one by one: few are as long, and each further start is a
# pass over the column, in which a slice is looked for from the word's first character.
_LONG = 40


def of_words(tokens: Tokens, low: int, high: int) -> Tokens:
    """List the runs of ``low`` to ``high`` words of each text, the words joined by a space.

    Parameters
    ----------
    tokens : Tokens
    low, high : int
        Least and most words of a run.

    Returns
    -------
    Tokens
        The runs of a text, shorter runs first.
    """
    if low == high == 1:
        return tokens
    words = pa.array(tokens.words, pa.string())
    rows, n_words = tokens.rows, len(tokens.words)
    starts, codes, runs = np.arange(len(rows)), tokens.codes.astype(np.int64), words
    found = [(rows, codes, runs)] if low == 1 else []
    for size in range(2, high + 1):
        last = starts + size - 1
        inside = last < len(rows)
        inside[inside] = rows[starts[inside]] == rows[last[inside]]
        starts, last = starts[inside], last[inside]
        pairs = codes[inside] * n_words + tokens.codes[last]
        distinct, codes = np.unique(pairs, return_inverse=True)
        runs = pc.binary_join_element_wise(
            runs.take(pa.array(distinct // max(n_words, 1))),
            words.take(pa.array(distinct % max(n_words, 1))),
            " ",
        )
        if size >= low:
            found.append((rows[starts], codes, runs))
    # A token may hold a space, so that two different runs read alike: they become one.
    every = pa.chunked_array([runs for _, _, runs in found]).combine_chunks().dictionary_encode()
    names = every.indices.to_numpy(zero_copy_only=False)
    first = np.cumsum([0, *(len(runs) for _, _, runs in found)])
    codes = np.concatenate(
        [names[at + mine] for at, (_, mine, _) in zip(first, found, strict=False)]
    )
    rows = np.concatenate([rows for rows, _, _ in found])
    order = np.argsort(rows, kind="stable")
    ends = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(tokens)))])
    return Tokens(codes[order].astype(np.int32), ends, every.dictionary.to_pylist())


def pieces(texts: pa.Array | pa.ChunkedArray) -> Tokens:
    """Cut texts, in lower case, at white space."""
    column = pc.utf8_trim_whitespace(lower(as_array(texts)))
    return Tokens.from_arrow(pc.utf8_split_whitespace(column)).without([""])


def of_characters(words: Sequence[str], low: int, high: int) -> tuple[sparse.csr_matrix, list[str]]:
    """Count the runs of ``low`` to ``high`` characters of each word, a space put at both its ends.

    The same runs as scikit-learn's analyzer ``char_wb``. What a word holds is counted once,
    however many texts it is in.

    Parameters
    ----------
    words : sequence of str
    low, high : int
        Least and most characters of a run. A word that is shorter than ``low`` counts whole.

    Returns
    -------
    counts : csr_matrix of float32, shape (n_words, n_runs)
    runs : list of str
    """
    padded = pc.binary_join_element_wise(" ", pa.array(words, pa.string()), " ", "")
    lengths = pc.utf8_length(padded).to_numpy(zero_copy_only=False)
    short = np.flatnonzero(lengths < low)
    owners, runs = [short], [padded.take(pa.array(short))]
    for size in range(low, high + 1):
        for start in range(min(max(int(lengths.max(initial=0)) - size + 1, 0), _LONG)):
            owner = np.flatnonzero(lengths >= start + size)
            owners.append(owner)
            runs.append(pc.utf8_slice_codeunits(padded.take(pa.array(owner)), start, start + size))
        owner, of_rest = _rest(padded, lengths, size)
        owners.append(owner)
        runs.append(of_rest)
    encoded = pa.chunked_array(runs, pa.string()).combine_chunks().dictionary_encode()
    columns = encoded.indices.to_numpy(zero_copy_only=False)
    shape = (len(words), len(encoded.dictionary))
    ones = np.ones(len(columns), dtype=np.float32)
    counts = sparse.coo_matrix((ones, (np.concatenate(owners), columns)), shape=shape).tocsr()
    return counts, encoded.dictionary.to_pylist()


def _rest(padded: pa.Array, lengths: np.ndarray, size: int) -> tuple[np.ndarray, pa.Array]:
    """Cut the runs that begin behind the first characters of long words, first start first."""
    long = np.flatnonzero(lengths >= _LONG + size)
    counts = lengths[long] - (_LONG + size) + 1
    runs = [
        word[start : start + size]
        for word, count in zip(padded.take(pa.array(long)).to_pylist(), counts, strict=True)
        for start in range(_LONG, _LONG + count)
    ]
    owner = np.repeat(long, counts)
    starts = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    order = np.argsort(starts, kind="stable")
    return owner[order], pa.array(runs, pa.string()).take(pa.array(order))
