"""What encoders are fitted on and turn into arrays."""

from dataclasses import dataclass

import pyarrow as pa

from pipeline.text.tokens import Tokens


@dataclass(frozen=True)
class Texts:
    """Texts as tokens and, for representations that read characters, as they were cleaned.

    Attributes
    ----------
    tokens : Tokens
        From Tokenize.
    clean : pa.Array or pa.ChunkedArray of string, shape (n_texts,), or None
        From CleanText; None where the representation reads tokens alone
        (`pipeline.features.specs.Representation.reads_clean`).
    """

    tokens: Tokens
    clean: pa.Array | pa.ChunkedArray | None = None

    def __len__(self) -> int:
        return len(self.tokens)
