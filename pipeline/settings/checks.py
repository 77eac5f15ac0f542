"""Checks of settings against each other. They are pure: no files, no heavy imports."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipeline.errors import SettingConflictError, SettingError, UnknownNameError, nearest

#: Names of stop-word lists; any other value is the path of a file.
STOP_WORD_LISTS = ("none", "scikit-learn", "nltk")
#: Value of ``embedding`` without pretrained word vectors.
LEARNED = "learned"
# A pattern that can match the empty text does so somewhere in this text.
_PROBE = " a b1_-!#@x\n"
_ENGLISH_ONLY = {"porter": "snowball or simplemma", "wordnet": "snowball or simplemma"}


def check_run(given: Mapping[str, Any], settings: Mapping[str, Any], no_test: bool) -> None:
    """Raise if the settings of a run do not fit together.

    Parameters
    ----------
    given : mapping
        Values of the user; None where there is none.
    settings : mapping
        All values, with defaults; None where the model does not use the setting.
    no_test : bool
        Whether only validation rows are scored.

    Raises
    ------
    PipelineError
        Of the first check that fails.
    """
    threshold(settings["threshold_goal"], given["threshold_floor"])
    tokens(given, settings)
    ngrams(settings)
    embedding(given, settings)
    parts = (settings["test_fraction"], settings["validation_fraction"])
    fractions(*parts, settings["folds"], settings["fold"])
    if no_test and settings["refit_on_validation"]:
        raise SettingConflictError(
            "no_test scores validation rows, on which refit_on_validation would train; remove one "
            "of the two."
        )


def fractions(test: float, validation: float, folds: int, fold: int) -> None:
    """Raise if the parts of a split do not leave training rows, or the fold does not exist.

    Examples
    --------
    >>> fractions(0.1, 0.1, folds=0, fold=0)
    """
    if folds > 1:
        test = 1 / folds
    if test + validation >= 1:
        raise SettingConflictError(
            f"test_fraction and validation_fraction must leave rows for training, got {test:g} + "
            f"{validation:g} = {test + validation:g}; choose fractions that add up to below 1."
        )
    if folds == 1 or not 0 <= fold < max(folds, 1):
        raise SettingError(
            f"folds must be 0 or at least 2, and fold from 0 to folds - 1; got fold {fold} of "
            f"{folds} folds."
        )


def tokens(given: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Raise if the settings of Tokenize do not fit together.

    Parameters
    ----------
    given : mapping
        Values of the user; None where there is none.
    settings : mapping
        All values, with defaults.
    """
    if settings["tokenizer"] == "regexp":
        _pattern(settings["pattern"])
    elif given.get("pattern") is not None:
        raise SettingConflictError(
            f"pattern is for tokenizer regexp, got tokenizer {settings['tokenizer']}; add "
            "--tokenizer regexp or remove pattern."
        )
    form, language = settings["word_form"], settings["language"]
    if form in _ENGLISH_ONLY and language != "english":
        raise SettingConflictError(
            f"word_form {form} is English only, got language {language}; use {_ENGLISH_ONLY[form]}."
        )
    if settings["stop_words"] == "scikit-learn" and language != "english":
        raise SettingConflictError(
            f"stop_words scikit-learn is English only, got language {language}; use nltk or a file."
        )


def ngrams(settings: Mapping[str, Any]) -> None:
    """Raise if the shortest word or character n-gram is longer than the longest."""
    for name in ("word_ngrams", "char_ngrams", "subwords"):
        bounds = settings[name]
        if bounds not in (None, "none") and bounds[0] > bounds[1]:
            raise SettingError(
                f"{name} must be the shortest and the longest n-gram, got {list(bounds)}; write "
                f"'{[bounds[1], bounds[0]]}'."
            )


def positive_label(choice: str, class_names: Sequence[str]) -> None:
    """Raise if a positive label is neither auto nor a class of the dataset.

    Examples
    --------
    >>> positive_label("auto", ["bad", "good"])
    """
    if choice != "auto" and choice not in class_names:
        raise UnknownNameError(
            f"positive_label must be a class of the dataset or auto, got {choice!r}; "
            f"{nearest(choice, class_names)}."
        )


def threshold(goal: str, floor: float | None) -> None:
    """Raise if a threshold floor is given for a goal that has none."""
    if goal in ("none", "f1") and floor is not None:
        raise SettingConflictError(
            f"threshold_floor is for the goals recall_at_precision and recall_at_accuracy, got "
            f"threshold_floor {floor:g} and threshold_goal {goal}; add --threshold-goal or remove "
            "threshold_floor."
        )


def embedding(given: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Raise if settings of word vectors do not suit the chosen word vectors."""
    choice = settings["embedding"]
    if choice == LEARNED and settings["freeze_embedding"]:
        raise SettingConflictError(
            "freeze_embedding keeps pretrained word vectors fixed, got embedding learned; add "
            "--embedding glove-6b-50d or a file, or remove freeze_embedding."
        )
    if choice not in (None, LEARNED) and given["embedding_size"] is not None:
        raise SettingConflictError(
            f"embedding_size is for embedding learned, got embedding {choice}, whose vectors have "
            "a size of their own; remove embedding_size."
        )


def days(dataset: str, is_dated: bool, date: str | None, window: int | None) -> None:
    """Raise if a date is missing where it is needed.

    Parameters
    ----------
    dataset : str
        Name of the dataset.
    is_dated : bool
        Whether the names of its files contain the date.
    date, window : str and int, or None
        Values of the user.
    """
    if date not in (None, "none"):
        return
    if is_dated:
        raise SettingConflictError(
            f"the files of dataset {dataset!r} have a date in their names, got none; add --date, "
            "such as --date 2026-11-22."
        )
    if window is not None:
        raise SettingConflictError(
            f"window counts the days up to date, got window {window} and no date; add --date or "
            "remove window."
        )


def _pattern(text: str) -> None:
    """Raise if a text is not a regular expression that matches at least one character."""
    try:
        compiled = re.compile(text)
    except re.error as error:
        raise SettingError(
            f"pattern must be a regular expression, got {text!r}: {error}; quote it for the "
            r"shell, for example '\w+'."
        ) from error
    if any(not match[0] for match in compiled.finditer(_PROBE)):
        raise SettingError(f"pattern {text!r} matches the empty text; use + instead of *.")
    if compiled.groups:
        raise SettingError(
            f"pattern {text!r} has groups, which would replace the token; write (?: ) instead of "
            "( )."
        )


def without_effect(given: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    """List the settings of the user that other settings make irrelevant.

    This is not an error: presets and scripts pass settings on.

    Parameters
    ----------
    given : mapping
        Values of the user; None where there is none.
    settings : mapping
        All values, with defaults; None where the model does not use the setting.

    Returns
    -------
    list of str
        One sentence per setting.
    """
    return [
        f"{name} has no effect: {reason}."
        for name, is_irrelevant, reason in _IRRELEVANT
        if given.get(name) is not None and is_irrelevant(settings)
    ]


def _never_reduces(settings: Mapping[str, Any]) -> bool:
    return bool(settings["reduce_factor"] == 1)


def _monitors_nothing(settings: Mapping[str, Any]) -> bool:
    return bool(settings["patience"] == 0) and _never_reduces(settings)


def _has_no_dense_layer(settings: Mapping[str, Any]) -> bool:
    return bool(settings["dense_units"] == "none")


def _needs_no_language(settings: Mapping[str, Any]) -> bool:
    return bool(settings["stop_words"] != "nltk" and settings["word_form"] == "as_is")


def _hashes_nothing(settings: Mapping[str, Any]) -> bool:
    return bool(settings["longest_run"] == 1 and settings["subwords"] == "none")


_MONITOR = "patience 0 never stops early and reduce_factor 1 never reduces the learning rate"
_DENSE = "dense_units is none, so there is no dense layer before the output"
# A setting, when it is irrelevant, and why. A setting that the model does not use is an error.
_IRRELEVANT: tuple[tuple[str, Callable[[Mapping[str, Any]], bool], str], ...] = (
    ("reduce_patience", _never_reduces, "reduce_factor 1 never reduces the learning rate"),
    ("monitor", _monitors_nothing, _MONITOR),
    ("min_change", _monitors_nothing, _MONITOR),
    ("activations", _has_no_dense_layer, _DENSE),
    ("l2", _has_no_dense_layer, _DENSE),
    ("language", _needs_no_language, "only stop_words nltk and a word_form need it"),
    (
        "token_case",
        lambda settings: bool(settings["tokenizer"] == "words"),
        "tokenizer words always lowers the case of tokens",
    ),
    ("buckets", _hashes_nothing, "longest_run 1 and subwords none leave nothing to hash"),
    (
        "bootstrap_seed",
        lambda settings: bool(settings["bootstrap_samples"] == 0),
        "bootstrap_samples 0 draws no samples",
    ),
)
