"""The catalogue: a dataset is one TOML file and no code.

Rows that come with the package lie in ``catalogue/``; a user's own dataset is the same file at
``<data folder>/<name>/dataset.toml``. ``catalogue/README.md`` explains every key.
"""

import contextlib
import functools
import re
import tomllib
from pathlib import Path

from pipeline.data import dataset_file
from pipeline.data.schema import Dataset
from pipeline.errors import PipelineError, nearest
from pipeline.store.outputs import RESERVED

_BUILT_IN = Path(__file__).parent / "catalogue"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


def names(data: Path) -> list[str]:
    """List the datasets that can be chosen: the package's and those under the data folder."""
    own = {path.parent.name for path in data.glob("*/dataset.toml")}
    built_in = {path.stem for path in _BUILT_IN.glob("*.toml")}
    return sorted(name for name in own | built_in if not _refusal(name))


def load(name: str, data: Path) -> Dataset:
    """Read one row of the catalogue.

    Parameters
    ----------
    name : str
        The dataset; a file ``<data>/<name>/dataset.toml`` comes before the package's own row.
    data : Path
        The data folder.

    Returns
    -------
    Dataset

    Raises
    ------
    PipelineError
        If there is no such dataset, or its file has a wrong key or value.
    """
    refusal = _refusal(name)
    if refusal:
        raise PipelineError(refusal)
    for path in (data / name / "dataset.toml", _BUILT_IN / f"{name}.toml"):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            state = path.stat()
            return _read(name, path, (state.st_mtime_ns, state.st_size, state.st_ino))
    raise PipelineError(
        f"unknown dataset {name!r}; {nearest(name, names(data))}. "
        f"For your own data write {data / name / 'dataset.toml'} (see README)."
    )


def _refusal(name: str) -> str:
    """Say why a dataset cannot have the name; nothing where it can."""
    if name in RESERVED:
        return (
            f"dataset {name!r} has a reserved name: outputs/{name} holds something else; "
            "rename the dataset's folder."
        )
    if not _NAME.fullmatch(name):
        return f"dataset name {name!r} is not allowed: use small letters, digits, - and _ only."
    return ""


@functools.lru_cache(maxsize=64)
def _read(name: str, path: Path, state: tuple[int, ...]) -> Dataset:
    """Read and check a dataset's TOML file, once while its state stays the same."""
    try:
        # Editors of Windows put a byte order mark before the text.
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PipelineError(f"{path} is not valid TOML: {error}.") from error
    except OSError as error:
        raise PipelineError(f"{path} cannot be read: {error.strerror or error}.") from error
    try:
        return dataset_file.dataset(name, content)
    except PipelineError as error:
        raise PipelineError(f"{path}: {error}") from error
