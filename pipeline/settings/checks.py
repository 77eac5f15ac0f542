"""Checks of settings against each other, before anything runs; nothing heavy is imported."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError, nearest
from pipeline.features import pretrained

#: Stop-word lists by name; anything else is a file.
STOP_WORD_LISTS = ("none", "scikit-learn", "nltk")
# Where a pattern can match nothing, it does so somewhere in here.
_PROBE = " a b1_-!#@x\n"
_ENGLISH_ONLY = {"porter": "snowball or simplemma", "wordnet": "snowball or simplemma"}


def fractions(test: float, validation: float, folds: int, fold: int) -> None:
    """Raise unless the parts of a split fit.

    Raises
    ------
    PipelineError
        With the sum that is too large, or the fold that does not exist.
    """
    if folds > 1:
        test = 1 / folds
    if test + validation >= 1:
        raise PipelineError(
            f"test_fraction and validation_fraction must leave rows for training, got {test:g} + "
            f"{validation:g} = {test + validation:g}; choose fractions that add up to below 1."
        )
    if folds == 1 or not 0 <= fold < max(folds, 1):
        raise PipelineError(
            f"folds must be 0 or at least 2, and fold from 0 to folds - 1; got fold {fold} of "
            f"{folds} folds."
        )


def tokens(given: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Raise unless the settings of tokenizing fit together.

    Parameters
    ----------
    given : mapping
        What the user gave, None where nothing.
    settings : mapping
        The same, resolved.

    Raises
    ------
    PipelineError
    """
    if settings["tokenizer"] == "regexp":
        pattern(settings["pattern"])
    elif given.get("pattern") is not None:
        raise PipelineError(
            f"pattern is for tokenizer regexp, got tokenizer {settings['tokenizer']}; add "
            "--tokenizer regexp or leave pattern out."
        )
    form, language = settings["word_form"], settings["language"]
    if form in _ENGLISH_ONLY and language != "english":
        raise PipelineError(
            f"word_form {form} is English only, got language {language}; use {_ENGLISH_ONLY[form]}."
        )
    choice = settings["stop_words"]
    if choice == "scikit-learn" and language != "english":
        raise PipelineError(
            f"stop_words scikit-learn is English only, got language {language}; use nltk or a file."
        )
    if choice not in STOP_WORD_LISTS and not Path(choice).is_file():
        raise PipelineError(
            f"stop_words must be {', '.join(STOP_WORD_LISTS)} or a file with one word a line, got "
            f"{choice!r}, which is no file; {nearest(choice, STOP_WORD_LISTS)}."
        )


def runs(settings: Mapping[str, Any]) -> None:
    """Raise unless runs of words and characters have a least length that is not above the most.

    Raises
    ------
    PipelineError
    """
    for name in ("word_ngrams", "char_ngrams", "subwords"):
        bounds = settings[name]
        if bounds not in (None, "none") and bounds[0] > bounds[1]:
            raise PipelineError(
                f"{name} must be the least and the most of a run, got {list(bounds)}; write "
                f"'{[bounds[1], bounds[0]]}'."
            )


def positive_label(choice: str, class_names: Sequence[str]) -> None:
    """Raise unless it is a class of the dataset, or auto.

    Raises
    ------
    PipelineError
    """
    if choice != "auto" and choice not in class_names:
        raise PipelineError(
            f"positive_label must be a class of the dataset or auto, got {choice!r}; "
            f"{nearest(choice, class_names)}."
        )


def threshold(goal: str, floor: float | None) -> None:
    """Raise where a floor was given for a goal that has none.

    Raises
    ------
    PipelineError
    """
    if goal in ("none", "f1") and floor is not None:
        raise PipelineError(
            f"threshold_floor is for the goals recall_at_precision and recall_at_accuracy, got "
            f"threshold_floor {floor:g} and threshold_goal {goal}; add --threshold-goal or leave "
            "threshold_floor out."
        )


def extras(package: str, extra: str, settings: Mapping[str, Any]) -> None:
    """Raise unless what a model needs besides the package's own requirements is there.

    Parameters
    ----------
    package, extra : str
        Module that the model needs and the extra that installs it; empty for none.
    settings : mapping
        Resolved settings.

    Raises
    ------
    PipelineError
    """
    if package:
        pretrained.package_folder(package, extra, f"model {settings['model']!r}")
    if settings["encoder"] is not None:
        pretrained.encoder_files(settings["encoder"])


def embedding(given: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Raise unless the word vectors are there and the settings about them fit.

    Parameters
    ----------
    given : mapping
        What the user gave, None where nothing.
    settings : mapping
        The same, resolved; None where the model does not use a setting.

    Raises
    ------
    PipelineError
    """
    choice = settings["embedding"]
    if choice is None:
        return
    pretrained.word_vector_files(choice)
    if choice == pretrained.LEARNED and settings["freeze_embedding"]:
        raise PipelineError(
            "freeze_embedding keeps pretrained word vectors as they are, got embedding learned; "
            f"add --embedding {next(iter(pretrained.PACKAGED_VECTORS))} or a file, or leave it out."
        )
    if choice != pretrained.LEARNED and given["embedding_size"] is not None:
        raise PipelineError(
            f"embedding_size is for embedding learned, got embedding {choice}, whose vectors have "
            "a size of their own; leave embedding_size out."
        )


def days(dataset: str, is_dated: bool, date: str | None, window: int | None) -> None:
    """Raise unless a date is there where it is needed.

    Parameters
    ----------
    dataset : str
    is_dated : bool
        Whether its files have the date in their names.
    date, window : str and int, or None
        What the user gave.

    Raises
    ------
    PipelineError
    """
    if date not in (None, "none"):
        return
    if is_dated:
        raise PipelineError(
            f"the files of dataset {dataset!r} have a date in their names, got none; add --date, "
            "such as --date 2026-11-22."
        )
    if window is not None:
        raise PipelineError(
            f"window counts the days up to date, got window {window} and no date; add --date or "
            "leave window out."
        )


def pattern(text: str) -> None:
    """Raise unless the text is a regular expression that takes at least one character.

    Raises
    ------
    PipelineError
        With what is wrong with it.
    """
    try:
        compiled = re.compile(text)
    except re.error as error:
        raise PipelineError(
            f"pattern must be a regular expression, got {text!r}: {error}; quote it for the "
            r"shell, for example '\w+'."
        ) from error
    if any(not found[0] for found in compiled.finditer(_PROBE)):
        raise PipelineError(f"pattern {text!r} matches the empty text; use + in the place of *.")
    if compiled.groups:
        raise PipelineError(
            f"pattern {text!r} has groups, which would take the place of the token; write (?: ) "
            "in the place of ( )."
        )


def choosing(settings: Mapping[str, Any]) -> None:
    """Check that a run that only chooses does not train on the rows that it chooses by.

    Raises
    ------
    PipelineError
        If ``refit_on_validation`` is set.
    """
    if settings["refit_on_validation"]:
        raise PipelineError(
            "no_test scores validation rows, on which refit_on_validation would train; leave out "
            "one of the two."
        )


def without_effect(given: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    """Name what was given and changes nothing beside the other settings.

    That is no error: presets and scripts hand settings on that another setting leaves idle.

    Parameters
    ----------
    given : mapping
        What the user gave, None where nothing.
    settings : mapping
        The same, resolved; None where the model does not use a setting.

    Returns
    -------
    list of str
        A line for each.
    """
    return [
        f"{name} has no effect: {why}."
        for name, is_idle, why in _IDLE
        if given.get(name) is not None and is_idle(settings)
    ]


def _never_reduces(settings: Mapping[str, Any]) -> bool:
    return settings["reduce_factor"] == 1


def _follows_nothing(settings: Mapping[str, Any]) -> bool:
    return settings["patience"] == 0 and _never_reduces(settings)


def _has_no_head(settings: Mapping[str, Any]) -> bool:
    return settings["dense_units"] == "none"


def _needs_no_language(settings: Mapping[str, Any]) -> bool:
    return settings["stop_words"] != "nltk" and settings["word_form"] == "as_is"


def _lowers_anyway(settings: Mapping[str, Any]) -> bool:
    return settings["tokenizer"] == "words"


def _hashes_nothing(settings: Mapping[str, Any]) -> bool:
    return settings["longest_run"] == 1 and settings["subwords"] == "none"


def _draws_nothing(settings: Mapping[str, Any]) -> bool:
    return settings["bootstrap_samples"] == 0


_FOLLOWS = "patience 0 never stops early and reduce_factor 1 never reduces the learning rate"
_HEAD = "dense_units is none, so that there is no dense layer before the output"
# A setting, when it is idle, and why; a setting that the model does not use was refused before.
_IDLE: tuple[tuple[str, Callable[[Mapping[str, Any]], bool], str], ...] = (
    ("reduce_patience", _never_reduces, "reduce_factor 1 never reduces the learning rate"),
    ("monitor", _follows_nothing, _FOLLOWS),
    ("min_change", _follows_nothing, _FOLLOWS),
    ("activations", _has_no_head, _HEAD),
    ("l2", _has_no_head, _HEAD),
    ("language", _needs_no_language, "only stop_words nltk and a word_form need it"),
    ("token_case", _lowers_anyway, "tokenizer words lowers the case of tokens in any case"),
    ("buckets", _hashes_nothing, "longest_run 1 and subwords none leave nothing to hash"),
    ("bootstrap_seed", _draws_nothing, "bootstrap_samples 0 draws nothing"),
)
