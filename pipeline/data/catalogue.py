"""The catalogue: each dataset is one TOML file, without code.

Datasets of the package are in ``catalogue/``; a user's own dataset is the file
``<data folder>/<name>/dataset.toml``. ``catalogue/README.md`` explains all keys.
"""

import contextlib
import functools
import re
import tomllib
from pathlib import Path

from pipeline.data import dataset_file, raw_files
from pipeline.data.schema import Dataset
from pipeline.errors import DatasetFileError, UnknownNameError, nearest
from pipeline.store.outputs import RESERVED

_PACKAGE = Path(__file__).parent / "catalogue"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


def names(data: Path) -> list[str]:
    """List the datasets of the package and of the data folder, by name."""
    user_names = {path.parent.name for path in data.glob("*/dataset.toml")}
    package_names = {path.stem for path in _PACKAGE.glob("*.toml")}
    return sorted(name for name in user_names | package_names if not problem_with_name(name))


def load(name: str, data: Path) -> Dataset:
    """Load a catalogue entry; ``<data>/<name>/dataset.toml`` overrides one of the package.

    Raises
    ------
    UnknownNameError
        If there is no such dataset.
    DatasetFileError
        If its file has a wrong key or value.

    Examples
    --------
    >>> [label.name for label in load("vader", Path("data")).labels]
    ['negative', 'positive']
    """
    problem = problem_with_name(name)
    if problem:
        raise UnknownNameError(problem)
    for path in (data / name / "dataset.toml", _PACKAGE / f"{name}.toml"):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            state = path.stat()
            layouts = _read(name, path, (state.st_mtime_ns, state.st_size, state.st_ino))
            return _with_files(layouts, data / name)
    raise UnknownNameError(
        f"unknown dataset {name!r}; {nearest(name, names(data))}. "
        f"For your own data run: pipeline init FILE --name {name}"
    )


def problem_with_name(name: str) -> str:
    """Return why a dataset cannot have this name; empty if it can."""
    if name in RESERVED:
        return (
            f"dataset {name!r} has a reserved name, because outputs/{name} has another purpose; "
            "rename the dataset's folder."
        )
    if not _NAME.fullmatch(name):
        return (
            f"dataset name {name!r} is not allowed; use only lower-case letters, digits, - and _."
        )
    return ""


def _with_files(layouts: tuple[Dataset, ...], folder: Path) -> Dataset:
    """Return the first layout whose files are in the folder; else the first of all."""
    for layout in layouts if len(layouts) > 1 else ():
        if all(file.optional or raw_files.locate(file, folder) for file in layout.files):
            return layout
    return layouts[0]


@functools.lru_cache(maxsize=64)
def _read(name: str, path: Path, state: tuple[int, ...]) -> tuple[Dataset, ...]:
    """Read and check a TOML file once, as long as its ``state`` is the same."""
    try:
        # Editors on Windows write a byte order mark before the text.
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DatasetFileError(f"{path} is not valid TOML: {error}.") from error
    except OSError as error:
        raise DatasetFileError(f"{path} cannot be read: {error.strerror or error}.") from error
    try:
        return dataset_file.layouts(name, content)
    except DatasetFileError as error:
        raise DatasetFileError(f"{path}: {error}") from error
