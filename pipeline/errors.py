"""Errors that a user can act on, and warnings, each with a stable code.

A code never changes its meaning. ``docs/errors.md`` is generated from this module.
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar


class PipelineError(Exception):
    """Bad input: one line that says what was wrong, received, allowed, and what to do.

    Commands show it with its code and without a traceback; ``--log-level DEBUG`` shows the
    traceback. Raise a subclass: each has a code, a meaning and a fix.

    Examples
    --------
    >>> error = UnknownNameError("dataset 'vadr' is not in the catalogue; did you mean 'vader'?")
    >>> error.code
    'P103'
    """

    code: ClassVar[str] = "P100"
    meaning: ClassVar[str] = "The input cannot be used."
    fix: ClassVar[str] = "Follow the last part of the message."


class SettingError(PipelineError):
    """The value of a setting is not allowed."""

    code = "P101"
    meaning = "The value of a setting has the wrong type, is out of range, or is not a choice."
    fix = "Use a value that the message allows; the parameters page lists types and ranges."


class SettingConflictError(PipelineError):
    """Two settings exclude each other, or one lacks the other."""

    code = "P102"
    meaning = "Two settings exclude each other, or a setting is used without one that it needs."
    fix = "Remove one of the two settings, or add the one that is missing."


class UnknownNameError(PipelineError):
    """A dataset, model, task, parameter or other thing of this name does not exist."""

    code = "P103"
    meaning = (
        "A dataset, model, preset, class, task, parameter, or key of luigi.cfg of this name does "
        "not exist."
    )
    fix = (
        "Use one of the names in the message; `pipeline datasets`, `pipeline models` and `luigi "
        "--module pipeline RunAll --help` list them."
    )


class MissingExtraError(PipelineError):
    """An optional package is not installed."""

    code = "P104"
    meaning = "The model, the encoder or the command needs a package that is not installed."
    fix = "Install the extra in the message, for example `pip install -e '.[encoders]'`."


class DatasetFileError(PipelineError):
    """A dataset's TOML file is not valid."""

    code = "P201"
    meaning = "The TOML file that describes a dataset has a wrong key, type or value."
    fix = "Correct the key in the message; see the page on your own data."


class RawFileError(PipelineError):
    """A raw file is missing, cannot be read or downloaded, or has other bytes than before."""

    code = "P202"
    meaning = "A raw file is missing, cannot be read or downloaded, or its checksum is different."
    fix = "Put the file into the folder in the message, or follow its last sentence."


class DataError(PipelineError):
    """Raw data do not match the description of their dataset."""

    code = "P203"
    meaning = "Raw data do not match the description of their dataset."
    fix = "Correct the file, or describe it as it is in its dataset.toml."


class SplitError(PipelineError):
    """The rows cannot be split as asked."""

    code = "P204"
    meaning = "The labelled rows cannot be split as asked: a part or a class has too few rows."
    fix = "Use other fractions or folds, or more rows."


class ConfigFileError(PipelineError):
    """luigi.cfg cannot be read."""

    code = "P105"
    meaning = (
        "luigi.cfg cannot be read: a line has the wrong form, or a key or section is repeated."
    )
    fix = (
        "Correct the line in the message. The file has sections, comments, and lines `key = value`."
    )


class NotFoundError(PipelineError):
    """An artifact, run or night of this name does not exist."""

    code = "P301"
    meaning = "An artifact, run or night of this name does not exist, or the name is ambiguous."
    fix = "`pipeline ls` lists runs; give more digits of the digest where a name is ambiguous."


class DamagedArtifactError(PipelineError):
    """An artifact is not what its manifest says."""

    code = "P302"
    meaning = "A file of an artifact is missing, or its content is not what the manifest says."
    fix = "`pipeline verify --repair` moves damaged artifacts aside; the next run rebuilds them."


class StorageError(PipelineError):
    """A folder cannot be written, or another process has locked it."""

    code = "P303"
    meaning = "The outputs or data folder cannot be written, or another process has locked it."
    fix = "Check permissions and free space, or wait for the other process."


class SchedulerError(PipelineError):
    """luigid does not answer."""

    code = "P304"
    meaning = "The scheduler luigid cannot be reached, or answers with an error."
    fix = "Start luigid, correct its address, or set `local_scheduler = true` in luigi.cfg."


class TrainingError(PipelineError):
    """Training cannot go on."""

    code = "P401"
    meaning = "Training cannot go on: the loss is not a number, or the rows do not suit the model."
    fix = "Follow the message, for example with a smaller learning rate."


class PretrainedError(PipelineError):
    """Word vectors or a sentence encoder cannot be used."""

    code = "P402"
    meaning = "Word vectors or a sentence encoder are missing, or their files cannot be used."
    fix = "Give the file or folder that the message asks for."


class BundleError(PipelineError):
    """A folder does not contain a model that this version reads."""

    code = "P403"
    meaning = "A folder does not contain a trained model, or it is of another version."
    fix = "Give the folder of a TrainModel artifact, or train the model again."


class NightError(PipelineError):
    """A night cannot be decided."""

    code = "P501"
    meaning = "A night lacks holdout rows or a date, was decided already, or has another model."
    fix = "As the message says: draw rows with `pipeline freeze`, give a date, or add `--redo`."


class RegistryError(PipelineError):
    """The registry of champions cannot be read or does not allow what was asked."""

    code = "P502"
    meaning = "The ledger or the champion pointer cannot be read, or does not allow the request."
    fix = "Restore the ledger from a copy; see the page on nights."


@dataclass(frozen=True)
class Notice:
    """A warning: the run goes on, and its result may not be what the user expects.

    ``code`` is shown at the beginning of the warning; ``meaning`` and ``fix`` are one sentence
    each, for the generated page.
    """

    code: str
    meaning: str
    fix: str

    def __str__(self) -> str:
        return self.code


NO_EFFECT = Notice(
    "W101",
    "The user set a setting that another setting makes irrelevant.",
    "Remove the setting, or change the other one.",
)
RECORDS_REJECTED = Notice(
    "W201",
    "Records of a raw file are malformed and were rejected; the run goes on without them.",
    "Correct the lines in the message, or set delimiter, quoting or escape in dataset.toml; "
    "`rejected.parquet` of CleanText has all of them.",
)
STOP_WORDS_UNUSABLE = Notice(
    "W210",
    "A file of stop words, or a part of it, removes nothing.",
    "Write one word a line, as the tokenizer writes it: without spaces and punctuation.",
)
WORD_VECTORS_UNUSABLE = Notice(
    "W211",
    "Few words of the training rows have a pretrained word vector.",
    "Use vectors of the language and letter case of the tokens.",
)
CODE_CHANGED = Notice(
    "W301",
    "An artifact was built by other code and is kept.",
    "Add `--pipeline-code-changes rerun` to rebuild it, or `ignore` to silence the warning.",
)
UNSPACED_TEXTS = Notice(
    "W302",
    "Texts contain a script without spaces between words, such as Chinese or Thai.",
    "Nothing, or choose how they are split with `--segmentation bigrams`, `icu` or `none`.",
)
INTERRUPTED_WORK_REMOVED = Notice(
    "W310",
    "Work of an interrupted run was done with other code, libraries or cores and is not resumed.",
    "Nothing; the step starts again from the beginning.",
)
INCOMPLETE_ARTIFACT = Notice(
    "W311",
    "The folder of an artifact was incomplete and was replaced.",
    "Nothing; if it happens often, look for a program that changes files in the outputs folder.",
)
NO_FONT = Notice(
    "W401",
    "No installed font has the characters of class names or words; pictures show boxes for them.",
    "Install a font for the script in the message; the next report uses it.",
)
HOLDOUT_ROWS_EXCLUDED = Notice(
    "W501",
    "Holdout rows are excluded from a comparison: the champion was trained on their texts.",
    "Nothing; `pipeline freeze --renew` draws holdout rows that the champion has not seen.",
)
MAIL_NOT_SENT = Notice(
    "W502",
    "The mail of a night could not be sent; the next night sends it.",
    "Check `[email]` and `[smtp]` in luigi.cfg, and that the mail server runs.",
)
NIGHTS_LEFT = Notice(
    "W503",
    "A range of nights was limited by `--task-limit`; later nights may be missing.",
    "Run the same command again, or give a larger `--task-limit`.",
)
LEDGER_LINE_SKIPPED = Notice(
    "W504",
    "A line of the ledger cannot be read and is skipped.",
    "Nothing if a power failure broke the line; else restore the ledger from a copy.",
)


def error_types() -> list[type[PipelineError]]:
    """Return all types of user-facing errors, by code.

    Examples
    --------
    >>> [error.code for error in error_types()][:3]
    ['P100', 'P101', 'P102']
    """
    declared = [one for one in PipelineError.__subclasses__() if one.__module__ == __name__]
    return sorted([PipelineError, *declared], key=lambda error: error.code)


def notices() -> list[Notice]:
    """Return all warnings, by code."""
    return sorted(
        (value for value in globals().values() if isinstance(value, Notice)),
        key=lambda notice: notice.code,
    )


def similar(word: str, names: Iterable[str], cutoff: float = 0.5) -> str:
    """Return a question with the most similar names and a space, or nothing if none is similar.

    Examples
    --------
    >>> similar("vadr", ["vader", "imdb"])
    "did you mean 'vader'? "
    """
    near = difflib.get_close_matches(word, sorted(names), n=2, cutoff=cutoff)
    return f"did you mean {' or '.join(map(repr, near))}? " if near else ""


def nearest(word: str, names: Iterable[str]) -> str:
    """Return a question with the most similar names, if any, and the list of all names.

    Examples
    --------
    >>> nearest("vadr", ["vader", "imdb"])
    "did you mean 'vader'? Known: imdb, vader"
    """
    allowed = sorted(names)
    return f"{similar(word, allowed)}Known: {', '.join(allowed) or 'none'}"
