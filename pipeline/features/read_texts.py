"""Read the texts of a run as the input of an encoder."""

from pathlib import Path

import pyarrow.parquet as pq

from pipeline.features.texts import Texts
from pipeline.text.tokens import Tokens


def read_texts(tokenize: Path, clean_text: Path | None) -> Texts:
    """Read the tokens of all rows and, where needed, their clean texts.

    Parameters
    ----------
    tokenize : Path
        Folder of the Tokenize artifact.
    clean_text : Path or None
        Folder of the CleanText artifact; None if the representation reads tokens only.

    Returns
    -------
    Texts
    """
    table = pq.read_table(
        tokenize / "tokens.parquet", columns=["tokens"], read_dictionary=["tokens.list.element"]
    )
    clean = None
    if clean_text is not None:
        clean = pq.read_table(clean_text / "rows.parquet", columns=["clean"])["clean"]
    return Texts(Tokens.from_arrow(table["tokens"]), clean)
