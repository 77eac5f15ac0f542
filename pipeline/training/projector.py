"""The two files that TensorBoard's Embedding Projector reads."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

_MOST_WORDS = 10_000  # the projector in a browser is slow above
_NAMES = {"": "(padding)"}


def write(folder: Path, vectors: np.ndarray, words: Sequence[str]) -> None:
    """Write ``vectors.tsv`` and ``metadata.tsv``, a word a line, the most frequent words alone.

    Parameters
    ----------
    folder : Path
        Made when missing.
    vectors : ndarray of float, shape (n_words, n_dimensions)
        Learned word vectors.
    words : sequence of str, length n_words
        The word of each vector, most frequent first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = min(len(words), len(vectors), _MOST_WORDS)
    np.savetxt(folder / "vectors.tsv", vectors[:kept], fmt="%.5g", delimiter="\t")
    # One column has no header; a tab or line break within a word would shift all that follow.
    names = (" ".join(_NAMES.get(word, word).split()) or "(space)" for word in words[:kept])
    (folder / "metadata.tsv").write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
