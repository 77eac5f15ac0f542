"""Tokens joined by spaces, for models that read raw text."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.features.texts import Texts

_FILE = "lines.parquet"


class RawTextEncoder:
    """Turn tokens into one line of text; nothing is fitted or saved."""

    width = 0

    @classmethod
    def fit(cls, texts: Texts, training: np.ndarray, settings: Mapping[str, Any]) -> Self:
        """Return an encoder."""
        return cls()

    def transform(self, texts: Texts) -> np.ndarray:
        """Return lines of str, an object array of shape (n_texts,)."""
        joined = pc.binary_join(texts.tokens.to_arrow(), " ")
        joined = pc.replace_substring_regex(joined, r"\s", " ")
        return joined.to_numpy(zero_copy_only=False).astype(object)

    def summary(self, vectors: np.ndarray) -> dict[str, Any]:
        """Describe the lines for ``vectors.json``."""
        return {"shape": list(vectors.shape), "empty_rows": sum(not line for line in vectors)}

    def save(self, folder: Path) -> None:
        """Write nothing."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return an encoder."""
        return cls()

    @staticmethod
    def save_vectors(vectors: np.ndarray, folder: Path) -> None:
        """Write the lines as a Parquet column."""
        pq.write_table(pa.table({"line": pa.array(vectors, pa.string())}), folder / _FILE)

    @staticmethod
    def load_vectors(folder: Path) -> np.ndarray:
        """Read the lines."""
        return pq.read_table(folder / _FILE)["line"].to_numpy().astype(object)
