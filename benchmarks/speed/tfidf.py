"""Tf-idf values of runs of one and two words, from tokens that are there: ours or scikit-learn's.

Usage: ``python -m benchmarks.speed.tfidf pipeline|scikit-learn|same TOKENIZE_FOLDER``; ``same``
compares the values of both.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

_SETTINGS = {
    "max_words": "all",
    "min_count": 1,
    "norm": "l2",
    "sublinear_tf": True,
    "word_ngrams": (1, 2),
    "char_ngrams": "none",
}


def ours(file: Path) -> tuple[Any, list[str], float]:
    """Return matrix, terms and seconds of the pipeline."""
    import numpy as np

    from pipeline.features.ngrams import NgramEncoder
    from pipeline.features.texts import Texts
    from pipeline.text.tokens import read_tokens

    tokens = read_tokens(file)
    started = time.perf_counter()
    encoder = NgramEncoder.fit(Texts(tokens), np.ones(len(tokens), bool), _SETTINGS)
    matrix = encoder.transform(Texts(tokens))
    return matrix, encoder.vocabulary, time.perf_counter() - started


def theirs(file: Path) -> tuple[Any, list[str], float]:
    """Return matrix, terms and seconds of scikit-learn."""
    import pyarrow.parquet as pq
    from sklearn.feature_extraction.text import TfidfVectorizer

    lists = pq.read_table(file, columns=["tokens"])["tokens"].to_pylist()
    vectorizer = TfidfVectorizer(
        analyzer="word",
        tokenizer=list,
        preprocessor=list,
        token_pattern=None,
        lowercase=False,
        ngram_range=(1, 2),
        min_df=1,
        sublinear_tf=True,
    )
    started = time.perf_counter()
    matrix = vectorizer.fit_transform(lists)
    seconds = time.perf_counter() - started
    return matrix, list(vectorizer.get_feature_names_out()), seconds


def largest_difference(file: Path) -> float:
    """Return the largest difference between any value of ours and of scikit-learn's."""
    mine, names, _ = ours(file)
    other, their_names, _ = theirs(file)
    place = {name: column for column, name in enumerate(their_names)}
    difference = mine - other[:, [place[name] for name in names]]
    return float(abs(difference).max()) if len(names) == len(their_names) else float("inf")


def main() -> None:
    """Make the matrix and print how long that took."""
    side, file = sys.argv[1], Path(sys.argv[2]) / "tokens.parquet"
    if side == "same":
        print(json.dumps({"difference": largest_difference(file)}))
        return
    matrix, _, seconds = (ours if side == "pipeline" else theirs)(file)
    print(json.dumps({"seconds": seconds, "shape": matrix.shape, "values": int(matrix.nnz)}))


if __name__ == "__main__":
    main()
