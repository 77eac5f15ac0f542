"""``pipeline init``: describe a file with texts and labels as a dataset."""

import codecs
import os
import re
import shutil
import sys
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from pipeline.cli import output
from pipeline.cli.common import as_json, given_folders, with_paths
from pipeline.cli.output import Column
from pipeline.data import catalogue
from pipeline.errors import DataError, RawFileError, SettingError
from pipeline.store import files
from pipeline.tasks.config import data_folder

_EXAMPLE = 60  # characters of an example
_COLUMNS = (
    Column("label"),
    Column("rows", form=output.count, is_number=True),
    Column("example", least=16),
)


@click.command()
@as_json
@with_paths
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", help="Name of the dataset; default: from the file's name.")
@click.option("--text", help="Column with the texts.")
@click.option("--label", help="Column with the labels.")
@click.option("--id", "id_column", help="Column with ids.")
@click.option("--labels", help="Classes, such as 'bad,good' or 'bad=0,good=4' (class=value).")
@click.option("--unlabelled", help="Labels of rows without a class, such as 'N/A,?'.")
@click.option("--delimiter", help="Character between fields, such as ';' or '\\t'.")
@click.option("--encoding", help="Character encoding, such as cp1252.")
@click.option("--header/--no-header", default=None, help="Whether line 1 has column names.")
@click.option("--format", type=click.Choice(["csv", "tsv", "jsonl", "parquet", "excel"]))
@click.option("--force", is_flag=True, help="Replace an existing dataset.toml.")
@click.option("--yes", is_flag=True, help="Ask nothing: take the most likely column.")
def init(as_json: bool, file: Path, name: str | None, force: bool, yes: bool, **given: Any) -> None:
    """Describe FILE as a dataset: write its dataset.toml.

    FILE (CSV, TSV, JSON Lines, Parquet or Excel) is copied into the folder of the dataset.

    Example: pipeline init reviews.csv
    """
    given["id"] = given.pop("id_column")
    result = create(file, name, given, force, asks=not (yes or as_json), takes_first=yes)
    if as_json:
        output.print_json(result)
        return
    labelled = f"text column {result['text']}, label column {result['label']}"
    output.print_line(f"{result['path']}: {result['rows']:,} rows, {labelled}")
    output.print_table("", _COLUMNS, result["classes"])
    for note in result["notes"]:
        output.print_line(f"Note: {note}.", wrap=False)
    output.print_line(f"Run: {result['command']}", wrap=False)


def create(
    file: Path, name: str | None, given: dict[str, Any], force: bool, asks: bool, takes_first: bool
) -> dict[str, Any]:
    """Write ``dataset.toml`` and copy the file next to it; return what `init` prints.

    Nothing is written if the file cannot be read with the description.
    """
    from pipeline.data import dataset_file, readers
    from pipeline.data.description import describe
    from pipeline.data.inspection import inspect

    if not file.is_file():
        raise RawFileError(
            f"{file} is {'a folder' if file.is_dir() else 'not a file'}; give the path of a CSV, "
            "TSV, JSON Lines, Parquet or Excel file."
        )
    given = _decoded(given)
    name = name or _name_of(file)
    folder = data_folder() / name
    _check(name, folder, file, force)
    found = inspect(file, given)
    columns = found.columns

    def choose(role: str, candidates: Sequence[str], option: str) -> str:
        return _choose(role, candidates, option, columns, asks, takes_first)

    described = describe(file, found, given, choose)
    content = described.toml()
    dataset = dataset_file.dataset(name, tomllib.loads(content))
    reading = readers.read(dataset, {file.name: file})
    context = click.get_current_context(silent=True)
    folders = given_folders(context) if context else []
    _put(file, folder, content)
    return {
        "dataset": name,
        "path": str(folder / "dataset.toml"),
        "text": described.text,
        "label": described.label,
        "rows": reading.records,
        "classes": _examples(reading.rows, reading.class_names),
        "notes": [*found.guesses, *_notes(described, reading)],
        "command": " ".join(
            ["luigi --module pipeline RunAll --dataset", name, "--model naive_bayes", *folders]
        ),
    }


def _decoded(given: dict[str, Any]) -> dict[str, Any]:
    """Decode the options that have several values."""
    given = {key: value for key, value in given.items() if value is not None}
    if "delimiter" in given:
        given["delimiter"] = given["delimiter"].replace("\\t", "\t")
        if len(given["delimiter"]) != 1:
            raise SettingError(
                f"--delimiter must be one character, got {given['delimiter']!r}; write for "
                "example --delimiter ';'."
            )
    if "encoding" in given:
        try:
            codecs.lookup(given["encoding"])
        except LookupError as error:
            raise SettingError(
                f"--encoding must be a name that Python knows, got {given['encoding']!r}; write "
                "for example --encoding cp1252."
            ) from error
    if "labels" in given:
        pairs = [part.strip().rpartition("=") for part in given["labels"].split(",")]
        given["labels"] = {value: class_name or value for class_name, _, value in pairs}
    if "unlabelled" in given:
        given["unlabelled"] = [value.strip() for value in given["unlabelled"].split(",")]
    return given


def _name_of(file: Path) -> str:
    """Return the name of a dataset: that of its folder in the data folder, or of the file."""
    folder = file.resolve().parent
    is_in_data = folder.parent == data_folder().resolve()
    if is_in_data and not catalogue.problem_with_name(folder.name):
        return folder.name
    stem = re.sub(r"(?i)(\.(csv|tsv|txt|jsonl|ndjson|json|parquet|xlsx|xlsm|gz))+$", "", file.name)
    stem = "".join(filter(str.isascii, unicodedata.normalize("NFKD", stem)))  # ü becomes u
    name = re.sub("[^a-z0-9]+", "-", stem.lower()).strip("-")
    if not name:
        raise SettingError(
            f"the file name {file.name!r} has no letter from a to z and no digit to name the "
            "dataset by; add --name, such as --name reviews."
        )
    return name


def _check(name: str, folder: Path, file: Path, force: bool) -> None:
    """Raise if the dataset cannot have this name, or exists."""
    problem = catalogue.problem_with_name(name)
    if problem:
        raise SettingError(f"{problem.rstrip('.')}; give --name.")
    path = folder / "dataset.toml"
    if not force and path.exists():
        raise DataError(
            f"{path} exists; give --name for another dataset, or --force to replace it."
        )
    if not force and name in catalogue.names(folder / "no folder"):
        raise DataError(
            f"dataset {name!r} is in the catalogue, which reads its usual files without "
            "dataset.toml; give --name for another dataset, or --force to override it."
        )
    copy = folder / file.name
    is_other = copy.exists() and file.exists() and not copy.samefile(file)
    if not force and is_other and files.sha256_of(copy) != files.sha256_of(file):
        raise DataError(f"{copy} exists and is another file; give --name, or --force.")


def _choose(
    role: str,
    candidates: Sequence[str],
    option: str,
    columns: dict[str, list[str]],
    asks: bool,
    takes_first: bool,
) -> str:
    """Ask which column has a role; raise if nobody can answer."""
    if takes_first:
        return candidates[0]
    if not asks or not is_terminal():
        options = " or ".join(f"{option} {name!r}" for name in candidates)
        raise DataError(
            f"several columns can have {role}: {', '.join(candidates)}; give {options}, or --yes "
            f"for {candidates[0]!r}."
        )
    for name in candidates:
        output.print_line(f"  {name}: {_short(next(filter(None, columns[name]), ''))}")
    answer: str = click.prompt(
        f"Which column has {role}?", type=click.Choice(list(candidates)), default=candidates[0]
    )
    return answer


def is_terminal() -> bool:
    """Return whether a person can answer."""
    return sys.stdin.isatty()


def _put(file: Path, folder: Path, content: str) -> None:
    """Copy the file into the dataset's folder, unless it is there, and write dataset.toml."""
    with files.explained(folder, "--paths-data"):
        folder.mkdir(parents=True, exist_ok=True)
        copy, path = folder / file.name, folder / "dataset.toml"
        if not (copy.exists() and copy.samefile(file)):
            temporary = folder / f".{file.name}.part"
            shutil.copyfile(file, temporary)
            os.replace(temporary, copy)
        temporary = folder / ".dataset.toml.part"
        temporary.write_text(content, encoding="utf-8")
        os.replace(temporary, path)


def _examples(rows: Any, class_names: Sequence[str]) -> list[dict[str, Any]]:
    """Return number of rows and an example of each class, and of unlabelled rows."""
    import pyarrow.compute as pc

    described = []
    for name in [*class_names, None]:
        mask = pc.is_null(rows["label"]) if name is None else pc.equal(rows["label"], name)
        of_class = rows.filter(mask)
        if of_class.num_rows or name is not None:
            example = _short(of_class["raw"][0].as_py()) if of_class.num_rows else ""
            label = "(unlabelled)" if name is None else name
            described.append({"label": label, "rows": of_class.num_rows, "example": example})
    return described


def _notes(described: Any, reading: Any) -> list[str]:
    """Return what the user should check."""
    from pipeline.data.problems import malformed_in_words
    from pipeline.data.rejected import MALFORMED

    notes = []
    if described.unlabelled:
        values = ", ".join(map(repr, described.unlabelled))
        notes.append(
            f"rows with the label {values} are taken as unlabelled; --unlabelled sets this"
        )
    same = Counter(value.casefold() for value in described.labels)
    spellings = [value for value in described.labels if same[value.casefold()] > 1]
    if spellings and len(set(described.labels.values())) == len(described.labels):
        pairs = ",".join(
            f"{value.casefold() if value in spellings else value}={value}"
            for value in described.labels
        )
        notes.append(
            f"labels that differ in case only are different classes: {', '.join(spellings)}; "
            f"--labels {pairs!r} would join them"
        )
    malformed = malformed_in_words(reading.rejected)
    if malformed:
        notes.append(f"malformed records are rejected. {malformed}")
    others = sum(why != MALFORMED for why in reading.rejected["reason"].to_pylist())
    if others:
        notes.append(f"rows without text or label are rejected: {others:,}")
    return notes


def _short(text: str) -> str:
    """Return the beginning of a text, in one line."""
    line = output.plain(text)
    return line if len(line) <= _EXAMPLE else f"{line[:_EXAMPLE]}…"
