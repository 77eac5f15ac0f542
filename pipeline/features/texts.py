"""The input of encoders."""

from dataclasses import dataclass

import pyarrow as pa

from pipeline.text.tokens import Tokens


@dataclass(frozen=True)
class Texts:
    """Texts as tokens and, for representations that read characters, as clean texts.

    Attributes
    ----------
    tokens : Tokens
    clean : pa.Array or pa.ChunkedArray of string, shape (n_texts,), or None
        None if the representation reads tokens alone (`Representation.reads_clean`).
    """

    tokens: Tokens
    clean: pa.Array | pa.ChunkedArray | None = None

    def __len__(self) -> int:
        return len(self.tokens)
