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
# Word forms that lack a language.
_LACKING = {"azerbaijani": ("snowball", "simplemma"), "turkish": ("snowball",)}
#: Languages in which the lower case of I is the dotless i.
DOTTED = ("azerbaijani", "turkish")
_ENGLISH_ONLY = {"porter": "snowball or simplemma", "wordnet": "snowball or simplemma"}


def check_run(user_values: Mapping[str, Any], settings: Mapping[str, Any], no_test: bool) -> None:
    """Raise if the settings of a run do not fit together.

    ``user_values`` has the values of the user, ``settings`` all values, with defaults.
    """
    threshold(settings["threshold_goal"], user_values["threshold_floor"])
    tokens(user_values, settings)
    ngrams(settings)
    embedding(user_values, settings)
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


def tokens(user_values: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Raise if the settings of Tokenize do not fit together; see `check_run`."""
    if settings["tokenizer"] == "regexp":
        _pattern(settings["pattern"])
    elif user_values.get("pattern") is not None:
        raise SettingConflictError(
            f"pattern is for tokenizer regexp, got tokenizer {settings['tokenizer']}; add "
            "--tokenizer regexp or remove pattern."
        )
    form, language = settings["word_form"], settings["language"]
    if form in _ENGLISH_ONLY and language != "english":
        raise SettingConflictError(
            f"word_form {form} is English only, got language {language}; use {_ENGLISH_ONLY[form]}."
        )
    if form in _LACKING.get(language, ()):
        raise SettingConflictError(
            f"word_form {form} has no rules for language {language}; use word_form "
            f"{'simplemma' if 'simplemma' not in _LACKING[language] else 'as_is'}."
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
    """Raise if a threshold floor is set for a goal that has none."""
    if goal in ("none", "f1") and floor is not None:
        raise SettingConflictError(
            f"threshold_floor is for the goals recall_at_precision and recall_at_accuracy, got "
            f"threshold_floor {floor:g} and threshold_goal {goal}; add --threshold-goal or remove "
            "threshold_floor."
        )


def embedding(user_values: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Raise if settings of word vectors do not suit the chosen word vectors."""
    choice = settings["embedding"]
    if choice == LEARNED and settings["freeze_embedding"]:
        raise SettingConflictError(
            "freeze_embedding keeps pretrained word vectors fixed, got embedding learned; add "
            "--embedding glove-6b-50d or a file, or remove freeze_embedding."
        )
    if choice not in (None, LEARNED) and user_values["embedding_size"] is not None:
        raise SettingConflictError(
            f"embedding_size is for embedding learned, got embedding {choice}, whose vectors have "
            "another size; remove embedding_size."
        )


def days(dataset: str, is_dated: bool, date: str | None, window: int | None) -> None:
    """Raise if a date is needed, by a dated dataset (with dates in file names) or a window."""
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


def without_effect(user_values: Mapping[str, Any], settings: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each setting of the user that other settings make irrelevant.

    This is not an error: presets and scripts pass settings on. See `check_run`.
    """
    return [
        f"{name} has no effect: {reason}."
        for names, is_irrelevant, reason in _IRRELEVANT
        for name in names
        if user_values.get(name) is not None and is_irrelevant(settings)
    ]


# Settings, when they are irrelevant, and why. A setting that the model does not use is an error.
_IRRELEVANT: tuple[tuple[tuple[str, ...], Callable[[Mapping[str, Any]], bool], str], ...] = (
    (
        ("reduce_patience",),
        lambda settings: settings["reduce_factor"] == 1,
        "reduce_factor 1 never reduces the learning rate",
    ),
    (
        ("monitor", "min_change"),
        lambda settings: settings["patience"] == 0 and settings["reduce_factor"] == 1,
        "patience 0 never stops early and reduce_factor 1 never reduces the learning rate",
    ),
    (
        ("activations", "l2"),
        lambda settings: settings["dense_units"] == "none",
        "dense_units is none, so there is no dense layer before the output",
    ),
    (
        ("language",),
        lambda settings: (
            settings["stop_words"] != "nltk"
            and settings["word_form"] == "as_is"
            and settings["language"] not in DOTTED
        ),
        "only stop_words nltk, a word_form, and the letter case of Turkish and Azerbaijani need it",
    ),
    (
        ("segmentation",),
        lambda settings: settings["tokenizer"] == "regexp",
        "the pattern of tokenizer regexp decides where tokens end",
    ),
    (
        ("token_case",),
        lambda settings: settings["tokenizer"] == "words",
        "tokenizer words always lowers the case of tokens",
    ),
    (
        ("buckets",),
        lambda settings: settings["longest_run"] == 1 and settings["subwords"] == "none",
        "longest_run 1 and subwords none leave nothing to hash",
    ),
    (
        ("bootstrap_seed",),
        lambda settings: settings["bootstrap_samples"] == 0,
        "bootstrap_samples 0 draws no samples",
    ),
)
