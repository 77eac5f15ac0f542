"""Tokens joined by spaces: for models that read text themselves."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.features.texts import Texts

_FILE = "lines.parquet"


class LineEncoder:
    """Turn texts into lines of tokens; there is nothing to fit."""

    width = 0

    @classmethod
    def fit(cls, texts: Texts, training: np.ndarray, settings: Mapping[str, Any]) -> "LineEncoder":
        """Return an encoder."""
        return cls()

    def transform(self, texts: Texts) -> np.ndarray:
        """Return lines of str, an object array of shape (n_texts,)."""
        joined = pc.binary_join(texts.tokens.to_arrow(), " ")
        joined = pc.replace_substring_regex(joined, r"\s", " ")
        return joined.to_numpy(zero_copy_only=False).astype(object)

    def summary(self, vectors: np.ndarray) -> dict[str, Any]:
        """Describe the lines for ``vectors.json``."""
        empty = sum(not line for line in vectors)
        return {"shape": list(vectors.shape), "empty_rows": empty}

    def save(self, folder: Path) -> None:
        """Write nothing: tokens are all that a line needs."""

    @classmethod
    def load(cls, folder: Path) -> "LineEncoder":
        """Return an encoder."""
        return cls()

    @staticmethod
    def save_vectors(vectors: np.ndarray, folder: Path) -> None:
        """Write the lines as a column."""
        pq.write_table(pa.table({"line": pa.array(vectors, pa.string())}), folder / _FILE)

    @staticmethod
    def load_vectors(folder: Path) -> np.ndarray:
        """Read the lines."""
        column = pq.read_table(folder / _FILE)["line"]
        return column.to_numpy().astype(object)
