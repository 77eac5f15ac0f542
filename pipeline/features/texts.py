"""The input of encoders."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from pipeline.text.tokens import Tokens


@dataclass(frozen=True)
class Texts:
    """Texts as tokens, and as clean texts (None if the representation does not read them).

    ``language`` decides about the lower case of letters.
    """

    tokens: Tokens
    clean: pa.Array | pa.ChunkedArray | None = None
    language: str = ""

    def __len__(self) -> int:
        return len(self.tokens)


def read_texts(tokenize: Path, clean_text: Path | None, language: str) -> Texts:
    """Read the texts of all rows from the artifacts of Tokenize and, where needed, CleanText."""
    import pyarrow.parquet as pq

    table = pq.read_table(
        tokenize / "tokens.parquet", columns=["tokens"], read_dictionary=["tokens.list.element"]
    )
    clean = None
    if clean_text is not None:
        clean = pq.read_table(clean_text / "rows.parquet", columns=["clean"])["clean"]
    return Texts(Tokens.from_arrow(table["tokens"]), clean, language)
