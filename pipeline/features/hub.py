"""Download a sentence encoder of TensorFlow Hub: ``python -m pipeline.features.hub URL FOLDER``.

Then use it with ``--encoder FOLDER``. A run itself never downloads an encoder: its files must lie
in a folder, so that they can be hashed.
"""

import gzip
import json
import sys
import tarfile
import zlib
from pathlib import Path

from pipeline.errors import PipelineError, PretrainedError
from pipeline.store import files

# Asks for the model as one compressed archive (TensorFlow Hub, "Model hosting protocol").
_COMPRESSED = {"tf-hub-format": "compressed"}
_TIMEOUT = 60  # seconds without data
_BLOCK = 1 << 20  # bytes


def download(url: str, folder: Path) -> str:
    """Download a SavedModel, unpack it into a missing or empty folder, and return its sha256.

    A URL is for example ``https://tfhub.dev/google/universal-sentence-encoder/4``.
    """
    import requests

    if folder.is_file() or (folder.exists() and any(folder.iterdir())):
        raise PretrainedError(f"{folder} is a file or not empty; give a new folder.")
    with files.scratch_folder() as scratch, open(scratch / "archive", "wb") as archive:
        try:
            with requests.get(url, params=_COMPRESSED, stream=True, timeout=_TIMEOUT) as response:
                response.raise_for_status()
                for block in response.iter_content(_BLOCK):
                    archive.write(block)
        except requests.RequestException as error:
            raise PretrainedError(
                f"{url} cannot be downloaded ({type(error).__name__}: {error}); check the URL, or "
                "download the model yourself and unpack it into a folder."
            ) from error
        archive.flush()
        _unpack(Path(archive.name), url, folder)
        checksum = files.sha256_of(Path(archive.name))
    source = {"address": url, "sha256": checksum}
    (folder / "source.json").write_text(json.dumps(source, indent=2) + "\n", encoding="utf-8")
    return checksum


def _unpack(archive: Path, url: str, folder: Path) -> None:
    """Unpack an archive; tarfile's filter refuses paths that leave the folder."""
    try:
        with gzip.open(archive) as stream:
            while stream.read(_BLOCK):  # to the end, where the checksum is
                pass
        with tarfile.open(archive) as tar:
            if "saved_model.pb" not in map(str, map(Path, tar.getnames())):
                raise PretrainedError(
                    f"{url} sent an archive without saved_model.pb; give the URL of a TensorFlow 2 "
                    "SavedModel that turns texts into vectors."
                )
            folder.mkdir(parents=True, exist_ok=True)
            tar.extractall(folder, filter="data")
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise PretrainedError(
            f"{url} sent no archive of a SavedModel ({error}); give the URL of a model on "
            "TensorFlow Hub."
        ) from error


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m pipeline.features.hub URL FOLDER")
    try:
        sha256 = download(sys.argv[1], Path(sys.argv[2]))
    except PipelineError as failure:
        sys.exit(str(failure))
    print(f"sha256 of the archive: {sha256}\nUse it with --encoder {sys.argv[2]}")
