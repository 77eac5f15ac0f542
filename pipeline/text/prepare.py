"""Both text steps in a row, as a prediction needs them."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from pipeline.text.clean import clean
from pipeline.text.tokenize import tokenize
from pipeline.text.tokens import Tokens


def prepare(
    raw: pa.Array, cleaning: Mapping[str, Any], tokenizing: Mapping[str, Any]
) -> tuple[pa.Array, Tokens]:
    """Clean texts and cut them into tokens, in this thread.

    Parameters
    ----------
    raw : pa.Array of string, shape (n_texts,)
    cleaning : mapping
        The settings of CleanText.
    tokenizing : mapping
        The settings of Tokenize.

    Returns
    -------
    cleaned : pa.Array of string, shape (n_texts,)
    tokens : Tokens
    """
    cleaned = clean(raw, cleaning, find=False)["clean"]
    return cleaned, tokenize(cleaned, tokenizing)
