"""Clean whole columns of texts."""

import html
from collections.abc import Mapping
from typing import Any

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
    column = _ascii_basics(pc.fill_null(whole(texts), ""))
    cleaned, found = _once(column, settings, find)
    # What one step takes away can lay bare work for an earlier one (a mention behind a mention,
    # an entity inside an entity), so rows that changed are cleaned again until they stay, within
    # bounds: only text made to be hostile wants more rounds.
    unsettled = "|".join(
        [patterns.UNSETTLED]
        + [PLACEHOLDERS[name][0] for name in ("hashtags", "numbers") if settings[name] != "keep"]
    )
    changed = pc.not_equal(cleaned, column)
    for _ in range(_MOST_ROUNDS):
        changed = pc.and_(changed, pc.match_substring_regex(cleaned, unsettled))
        if not pc.any(changed).as_py():
            break
        before = cleaned
        cleaned = where(before, changed, lambda some: _once(some, settings, False)[0])
        changed = pc.not_equal(cleaned, before)
    return {"clean": cleaned, **found}


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
    """Apply every step once; also return the lists of what was found, if wanted."""
    column = repair(column, settings["encoding_repair"] == "repair", settings["html"] == "decode")
    if settings["html"] == "decode":
        column = pc.replace_substring_regex(column, patterns.LINE_BREAK_TAG, " ")
    column = normal_form(column, settings["unicode_form"])
    column = white_space(pc.replace_substring_regex(column, patterns.CONTROL, ""))
    names = ("urls", "mentions", "hashtags") if find else ()
    found = {name: find_all(column, PLACEHOLDERS[name][0]) for name in names}
    for name, (pattern, placeholder) in PLACEHOLDERS.items():
        column = replace(column, pattern, placeholder, settings[name])
    if settings["case"] == "lower":
        column = normal_form(lower(column), settings["unicode_form"])
    return white_space(column), found


def repair(column: pa.Array, encoding: bool, decode_html: bool) -> pa.Array:
    """Undo text decoded with the wrong encoding, and HTML entities, where a text shows signs.

    ``html.unescape`` is repeated until nothing changes, as tweets are often escaped twice.
    """
    if encoding:
        from ftfy import fix_encoding

        column = where(column, pc.invert(pc.string_is_ascii(column)), each(fix_encoding))
    if decode_html:
        column = where(column, pc.match_substring(column, "&"), each(_unescape))
    return column


def replace(column: pa.Array, pattern: str, placeholder: str, choice: str) -> pa.Array:
    """Keep, replace by a placeholder, or remove what matches."""
    if choice == "keep":
        return column
    return pc.replace_substring_regex(column, pattern, placeholder if choice == "replace" else " ")


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
    """Resolve HTML entities until none is left."""
    while (resolved := html.unescape(text)) != text:
        text = resolved
    return text
