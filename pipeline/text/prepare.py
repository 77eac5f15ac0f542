"""Clean and tokenize texts, as a prediction needs it."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from pipeline.text.clean import clean
from pipeline.text.tokenize import tokenize
from pipeline.text.tokens import Tokens


def prepare(
    raw: pa.Array, cleaning: Mapping[str, Any], tokenizing: Mapping[str, Any]
) -> tuple[pa.Array, Tokens]:
    """Clean and tokenize texts in this thread, by the settings of CleanText and of Tokenize."""
    cleaned = clean(raw, cleaning, find=False)["clean"]
    return cleaned, tokenize(cleaned, tokenizing)
