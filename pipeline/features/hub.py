"""Fetch a sentence encoder of TensorFlow Hub: ``python -m pipeline.features.hub ADDRESS FOLDER``.

``--encoder FOLDER`` then uses it. An address is fetched once and by hand, so that the bytes that
vectors are made from lie in a folder, where a run finds and hashes them.
"""

import contextlib
import gzip
import json
import sys
import tarfile
import tempfile
import zlib
from pathlib import Path

from pipeline.errors import PipelineError
from pipeline.store import artifacts

# What the hub adds to a handle to send the model as one compressed archive
# (TensorFlow Hub, "Model hosting protocol").
_COMPRESSED = {"tf-hub-format": "compressed"}
_TIMEOUT = 60  # seconds without an answer
_BLOCK = 1 << 20  # bytes
_SOURCE = "source.json"


def download(address: str, folder: Path) -> str:
    """Fetch a SavedModel and unpack it into a folder.

    Parameters
    ----------
    address : str
        Handle of a model, such as ``https://tfhub.dev/google/universal-sentence-encoder/4``.
    folder : Path
        Made, and must not hold anything.

    Returns
    -------
    str
        Sha256 of the archive, in hexadecimal; it is in ``source.json`` too.

    Raises
    ------
    PipelineError
        If the folder is not empty, the address does not answer, or sends no SavedModel.
    """
    import requests

    if folder.is_file() or (folder.exists() and any(folder.iterdir())):
        raise PipelineError(f"{folder} is a file or not empty; name a new folder.")
    with tempfile.NamedTemporaryFile() as archive:
        try:
            with requests.get(address, params=_COMPRESSED, stream=True, timeout=_TIMEOUT) as answer:
                answer.raise_for_status()
                for block in answer.iter_content(_BLOCK):
                    archive.write(block)
        except requests.RequestException as error:
            raise PipelineError(
                f"{address} does not answer ({type(error).__name__}: {error}); check the address, "
                "or fetch the model by hand and unpack it into a folder."
            ) from error
        archive.flush()
        _unpack(Path(archive.name), address, folder)
        checksum = artifacts.sha256_of(Path(archive.name))
    note = {"address": address, "sha256": checksum}
    (folder / _SOURCE).write_text(json.dumps(note, indent=2) + "\n", encoding="utf-8")
    return checksum


def _unpack(archive: Path, address: str, folder: Path) -> None:
    """Unpack an archive, of which no file may lie outside of the folder."""
    try:
        with contextlib.suppress(gzip.BadGzipFile), gzip.open(archive) as stream:
            # To the end, where the checksum is: unpacking stops before it.
            while stream.read(_BLOCK):
                pass
        with tarfile.open(archive) as tar:
            if not any(Path(name) == Path("saved_model.pb") for name in tar.getnames()):
                raise PipelineError(
                    f"{address} sent an archive without saved_model.pb; name the handle of a "
                    "TensorFlow 2 SavedModel that turns texts into vectors."
                )
            folder.mkdir(parents=True, exist_ok=True)
            tar.extractall(folder, filter="data")
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise PipelineError(
            f"{address} sent no archive of a SavedModel ({error}); name the handle of a model on "
            "TensorFlow Hub."
        ) from error


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m pipeline.features.hub ADDRESS FOLDER")
    try:
        checksum = download(sys.argv[1], Path(sys.argv[2]))
    except PipelineError as failure:
        sys.exit(str(failure))
    print(f"sha256 of the archive: {checksum}\nUse it with --encoder {sys.argv[2]}")
