"""The table of tokens, ``tokens.parquet``."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa

from pipeline.text.tokenize import lexical_diversity
from pipeline.text.tokens import Tokens


def token_table(ids: pa.ChunkedArray, tokens: Tokens) -> tuple[pa.Table, np.ndarray]:
    """Return tokens as columns, and the lexical diversity of each text.

    Parameters
    ----------
    ids : pa.ChunkedArray of int64, shape (n_texts,)
    tokens : Tokens

    Returns
    -------
    table : pa.Table
        ``id``, ``tokens``, ``words`` (number of tokens) and ``lexical_diversity``.
    diversity : ndarray of float64, shape (n_texts,)
    """
    with ThreadPoolExecutor(1) as thread:
        column = thread.submit(tokens.to_arrow)
        diversity = lexical_diversity(tokens)
        table = pa.table(
            {
                "id": ids,
                "tokens": column.result(),
                "words": pa.array(tokens.lengths, pa.int32()),
                "lexical_diversity": pa.array(diversity, pa.float32()),
            }
        )
    return table, diversity
