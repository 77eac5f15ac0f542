"""Clean whole columns of texts."""

import html
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.text import patterns
from pipeline.text.columns import each, find_all, lower, where, whole

_MOST_ROUNDS = 100
PLACEHOLDERS = {
    "urls": (patterns.URL, "<url>"),
    "mentions": (patterns.MENTION, "<user>"),
    "hashtags": (patterns.HASHTAG, "<hashtag>"),
    "numbers": (patterns.NUMBER, "<number>"),
}
_LISTED = ("urls", "mentions", "hashtags")


def clean(
    texts: pa.ChunkedArray | pa.Array, settings: Mapping[str, Any], *, find: bool = True
) -> dict[str, pa.Array]:
    """Clean texts.

    Parameters
    ----------
    texts : pa.ChunkedArray or pa.Array of string, shape (n_texts,)
        Raw texts; null counts as empty.
    settings : mapping
        The settings of CleanText: ``encoding_repair``, ``html``, ``unicode_form``, ``urls``,
        ``mentions``, ``hashtags``, ``numbers``, ``case``.
    find : bool
        Whether to list what was found, a fifth of the time.

    Returns
    -------
    dict of str to pa.Array
        ``clean``: string, shape (n_texts,); with ``find``, ``urls``, ``mentions``, ``hashtags``:
        list<string>, what was found before it was replaced or removed.
    """
    column = pc.utf8_trim(pc.fill_null(whole(texts), ""), " ")
    # Most texts need few of the steps; a search that finds nothing is cheaper than a step.
    column = where(column, pc.match_substring_regex(column, patterns.UNTIDY), _ascii_basics)
    column = repaired(column, settings)
    cleaned, found = _once(column, settings, find)
    return {"clean": _settled(column, cleaned, settings), **found}


def _settled(
    before: pa.Array, cleaned: pa.Array, settings: Mapping[str, Any], rounds: int = _MOST_ROUNDS
) -> pa.Array:
    """Clean the texts that changed again until they stay as they are.

    What one step takes away can lay bare work for an earlier one (a mention behind a mention, an
    entity inside an entity). Only text made to be hostile wants more than a few rounds. What
    encoding repair did needs none, as it goes on by itself until nothing is left to do.
    """
    if rounds == 0:
        return cleaned
    unsettled = "|".join(
        [patterns.UNSETTLED]
        + [PLACEHOLDERS[name][0] for name in ("hashtags", "numbers") if settings[name] != "keep"]
    )

    def again(some: pa.Array) -> pa.Array:
        once_more, _ = _once(repaired(some, settings), settings, False)
        return _settled(some, once_more, settings, rounds - 1)

    def of_changed(some: pa.Array) -> pa.Array:
        return where(some, pc.match_substring_regex(some, unsettled), again)

    return where(cleaned, pc.not_equal(cleaned, before), of_changed)


def _ascii_basics(column: pa.Array) -> pa.Array:
    """Drop control characters and fold white space, of ASCII alone.

    The control characters and spaces above it are what wrongly decoded text is made of, and
    encoding repair needs them.
    """
    column = pc.replace_substring_regex(column, patterns.ASCII_CONTROL, "")
    column = pc.replace_substring_regex(column, patterns.ASCII_WHITE_SPACE, " ")
    return pc.utf8_trim(column, " ")


def _once(
    column: pa.Array, settings: Mapping[str, Any], find: bool
) -> tuple[pa.Array, dict[str, pa.Array]]:
    """Apply every step but encoding repair once; also list what was found, if wanted."""
    encoded = pc.match_substring_regex(column, patterns.ENCODED)
    column = where(column, encoded, lambda some: _decoded(some, settings))
    hits = {
        name: pc.match_substring_regex(column, pattern)
        for name, (pattern, _) in PLACEHOLDERS.items()
        if settings[name] != "keep" or (find and name in _LISTED)
    }
    found = {}
    if find:
        found = {name: _found(column, hits[name], PLACEHOLDERS[name][0]) for name in _LISTED}
    touched = pa.scalar(False)
    for name, (pattern, placeholder) in PLACEHOLDERS.items():
        if settings[name] != "keep":
            # Where one was replaced, another may stand at a new border of words.
            touched = pc.or_(hits[name], touched)
            put = placeholder if settings[name] == "replace" else " "
            column = where(column, touched, put_for(pattern, put))
    if settings["case"] == "lower":
        column = white_space(normal_form(lower(column), settings["unicode_form"]))
    elif "remove" in settings.values():
        column = white_space(column)
    return column, found


def _decoded(column: pa.Array, settings: Mapping[str, Any]) -> pa.Array:
    """Resolve entities and line breaks of HTML, and bring texts to a normal form."""
    if settings["html"] == "decode":
        column = where(column, pc.match_substring(column, "&"), each(_unescape))
        column = pc.replace_substring_regex(column, patterns.LINE_BREAK_TAG, " ")
    column = normal_form(column, settings["unicode_form"])
    return white_space(pc.replace_substring_regex(column, patterns.CONTROL, ""))


def _found(column: pa.Array, hits: pa.Array, pattern: str) -> pa.Array:
    """List the matches of each text, of those alone that are known to have some."""
    lists = find_all(column.filter(hits), pattern)
    counts = np.zeros(len(column) + 1, dtype=np.int32)
    counts[1:][hits.to_numpy(zero_copy_only=False)] = pc.list_value_length(lists).to_numpy()
    return pa.ListArray.from_arrays(pa.array(np.cumsum(counts, dtype=np.int32)), lists.flatten())


def repaired(column: pa.Array, settings: Mapping[str, Any]) -> pa.Array:
    """Undo decoding with the wrong encoding, where a text shows signs of it."""
    if settings["encoding_repair"] == "keep":
        return column
    from ftfy import fix_encoding
    from ftfy.badness import is_bad

    def repair(text: str) -> str:
        return fix_encoding(text) if is_bad(text) else text

    return where(column, pc.invert(pc.string_is_ascii(column)), each(repair))


def put_for(pattern: str, by: str) -> Callable[[pa.Array], pa.Array]:
    """Make a column function that puts a text in the place of what matches."""
    return lambda column: pc.replace_substring_regex(column, pattern, by)


def normal_form(column: pa.Array, form: str) -> pa.Array:
    """Bring non-ASCII texts to a Unicode normal form; ASCII is in every form already."""
    if form == "none":
        return column
    is_ascii = pc.string_is_ascii(column)
    return where(column, pc.invert(is_ascii), lambda some: pc.utf8_normalize(some, form=form))


def white_space(column: pa.Array) -> pa.Array:
    """Make every run of white space, line breaks included, one space; none at the ends."""
    column = pc.replace_substring_regex(column, patterns.WHITE_SPACE, " ")
    return pc.utf8_trim(column, " ")


def _unescape(text: str) -> str:
    """Resolve HTML entities until none is left, as tweets are often escaped twice."""
    while (resolved := html.unescape(text)) != text:
        text = resolved
    return text
