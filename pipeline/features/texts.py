"""The input of encoders."""

from dataclasses import dataclass

import pyarrow as pa

from pipeline.text.tokens import Tokens


@dataclass(frozen=True)
class Texts:
    """Texts as tokens, and as clean texts (None if the representation does not read them)."""

    tokens: Tokens
    clean: pa.Array | pa.ChunkedArray | None = None

    def __len__(self) -> int:
        return len(self.tokens)
