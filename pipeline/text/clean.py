"""Clean columns of texts."""

import html
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data.columns import (
    as_array,
    byte_flags,
    find_all,
    lower,
    per_distinct_text,
    replace_and_find,
    where,
)
from pipeline.text import entities
from pipeline.text.entities import ENTITIES
from pipeline.text.invisible import INVISIBLE, without_invisible

#: Most rounds of cleaning. Each round removes an HTML entity, URL, mention, hashtag or number of at
#: least two characters, so that texts of 280 characters never need as many.
MAX_ROUNDS = 300
_LISTED = ("urls", "mentions", "hashtags")
# A text without a byte of such a kind has nothing to decode or normalise, no mention, no hashtag.
_FLAGS = {"encoded": 1, "mentions": 2, "hashtags": 4}
_FLAGS_OF_BYTE = np.zeros(256, np.uint8)
_FLAGS_OF_BYTE[0x80:] = _FLAGS_OF_BYTE[[ord("&"), ord("<")]] = _FLAGS["encoded"]
_FLAGS_OF_BYTE[[*range(0x20), 0x7F]] = _FLAGS["encoded"]  # encoding repair can produce them
_FLAGS_OF_BYTE[ord("@")], _FLAGS_OF_BYTE[ord("#")] = _FLAGS["mentions"], _FLAGS["hashtags"]
# An ampersand that was escaped repeatedly; html.unescape resolves one layer per call.
_AMPERSANDS = re.compile(
    r"&(?:(?:amp|AMP);?|#0*38(?:;|(?![0-9;]))|#[xX]0*26(?:;|(?![0-9a-fA-F;])))+"
)


def clean(
    texts: pa.ChunkedArray | pa.Array, settings: Mapping[str, Any], *, find: bool = True
) -> dict[str, pa.Array]:
    """Clean texts.

    Cleaning a clean text does not change it. One step can create work for an earlier one (a
    nested HTML entity), so cleaning is repeated until the text does not change any more.

    Parameters
    ----------
    texts : pa.ChunkedArray or pa.Array of string, shape (n_texts,)
        Raw texts; null counts as empty.
    settings : mapping
        Settings of CleanText: ``encoding_repair``, ``html``, ``unicode_form``, ``urls``,
        ``mentions``, ``hashtags``, ``numbers``, ``case``, and ``language`` for the case.
    find : bool
        Whether to list URLs, mentions and hashtags, which takes a fifth of the time.

    Returns
    -------
    dict of str to pa.Array
        ``clean``: string, shape (n_texts,). With ``find`` also ``urls``, ``mentions``,
        ``hashtags``: list<string>, as they were before they were replaced or removed.
    """
    column = pc.utf8_trim(pc.fill_null(as_array(texts), ""), " ")
    # Most texts need few of the steps; a search without a match is cheaper than a step.
    column = where(
        column, pc.match_substring_regex(column, entities.NEEDS_ASCII_CLEANING), _ascii_basics
    )
    column = _repaired(column, settings)
    cleaned, lists = _clean_once(column, settings, find)
    unsettled = "|".join(
        [entities.NEEDS_ANOTHER_ROUND]
        + [ENTITIES[name].pattern for name in ("hashtags", "numbers") if settings[name] != "keep"]
    )
    # Encoding repair is complete after one call, so a change by it alone needs no second round.
    changed = pc.not_equal(cleaned, column)
    again = pc.match_substring_regex(cleaned.filter(changed), unsettled)
    rows = np.flatnonzero(changed)[np.asarray(again)]
    if len(rows):
        settled, later = _settled(cleaned.take(rows), settings, unsettled, find)
        mask = np.zeros(len(cleaned), dtype=bool)
        mask[rows] = True
        cleaned = pc.replace_with_mask(cleaned, mask, settled)
        for name, matches_by_index in later.items():
            new_matches = {rows[index]: matches for index, matches in matches_by_index.items()}
            lists[name] = _extended(lists[name], new_matches)
    return {"clean": cleaned, **lists}


def _settled(
    column: pa.Array, settings: Mapping[str, Any], unsettled: str, find: bool
) -> tuple[pa.Array, dict[str, dict[int, list[str]]]]:
    """Clean until texts do not change; also return the entities of each row that changed."""
    names = [name for name in _LISTED if find and settings[name] != "keep"]
    later: dict[str, dict[int, list[str]]] = {name: {} for name in names}
    changed = pa.array(np.ones(len(column), dtype=bool))

    def clean_again(texts: pa.Array) -> pa.Array:
        return _clean_once(_repaired(texts, settings), settings, False)[0]

    for _ in range(MAX_ROUNDS - 1):
        before = column
        column = where(before, changed, clean_again)
        differs = pc.not_equal(column, before)
        rows = np.flatnonzero(differs)
        if names and len(rows):  # clean these rows once more, to list their entities
            repaired = _repaired(before.filter(differs), settings)
            _, lists = _clean_once(repaired, settings, True)
            for name in names:
                for row, entries in zip(rows, lists[name].to_pylist(), strict=True):
                    later[name].setdefault(int(row), []).extend(entries)
        changed = pc.and_(differs, pc.match_substring_regex(column, unsettled))
        if not pc.any(changed).as_py():
            break
    return column, later


def _extended(lists: pa.Array, entries: Mapping[int, list[str]]) -> pa.Array:
    """Append entries to the lists of some rows."""
    if not any(entries.values()):
        return lists
    rows = np.fromiter(entries, np.int64, len(entries))
    before = lists.take(pa.array(rows)).to_pylist()
    longer = [old + new for old, new in zip(before, entries.values(), strict=True)]
    sources = np.arange(len(lists))
    sources[rows] = len(lists) + np.arange(len(rows))
    return pa.concat_arrays([lists, pa.array(longer, lists.type)]).take(pa.array(sources))


def _ascii_basics(column: pa.Array) -> pa.Array:
    """Remove control characters and fold white space of ASCII; encoding repair needs the others."""
    column = pc.replace_substring_regex(column, entities.ASCII_CONTROL, "")
    column = pc.replace_substring_regex(column, entities.ASCII_WHITE_SPACE, " ")
    return pc.utf8_trim(column, " ")


def _clean_once(
    column: pa.Array, settings: Mapping[str, Any], find: bool
) -> tuple[pa.Array, dict[str, pa.Array]]:
    """Apply all steps but encoding repair once; also list the entities, if ``find``."""
    flags = byte_flags(column, _FLAGS_OF_BYTE)
    encoded = (flags & _FLAGS["encoded"]) > 0
    flags[encoded] = 0xFF  # decoding can produce any byte
    encoded = pa.array(encoded)
    column = where(column, encoded, lambda texts: _decoded(texts, settings))
    lists = {}
    for name in ENTITIES:
        is_listed = find and name in _LISTED
        if is_listed or settings[name] != "keep":
            mask = _may_match(column, name, flags)
            replaced, matches = _replaced(column.filter(mask), name, settings, is_listed)
            if len(replaced) and settings[name] != "keep":
                column = pc.replace_with_mask(column, mask, replaced)
            if matches is not None:
                lists[name] = _spread(matches, mask)
    # Not before: an invisible character ends an entity, and text can follow it.
    column = where(column, encoded, _without_invisible)
    if settings["case"] == "lower":
        lowered = lower(column, settings.get("language", ""))
        column = _fold_white_space(_normalised(lowered, settings["unicode_form"]))
    elif "remove" in settings.values():
        column = _fold_white_space(column)
    return column, lists


def _decoded(column: pa.Array, settings: Mapping[str, Any]) -> pa.Array:
    """Resolve entities and line breaks of HTML, normalise, and remove control characters."""
    if settings["html"] == "decode":
        column = where(column, pc.match_substring(column, "&"), per_distinct_text(_unescape))
        column = pc.replace_substring_regex(column, entities.LINE_BREAK_TAG, " ")
    column = _normalised(column, settings["unicode_form"])
    return _fold_white_space(pc.replace_substring_regex(column, entities.CONTROL, ""))


def _without_invisible(column: pa.Array) -> pa.Array:
    """Remove invisible characters, and fold the white space around them."""
    has_invisible = pc.match_substring_regex(column, INVISIBLE)
    return where(column, has_invisible, lambda texts: _fold_white_space(without_invisible(texts)))


def _may_match(column: pa.Array, name: str, flags: np.ndarray) -> pa.Array:
    """Mark texts in which an entity may match; it matches in no other text."""
    if name in _FLAGS:
        return pa.array((flags & _FLAGS[name]) > 0)
    pattern = entities.URL_START if name == "urls" else ENTITIES[name].pattern
    return pc.match_substring_regex(column, pattern)


def _replaced(
    texts: pa.Array, name: str, settings: Mapping[str, Any], is_listed: bool
) -> tuple[pa.Array, pa.Array | None]:
    """Replace or remove the entities of a kind if they are not kept; also list them."""
    entity, action = ENTITIES[name], settings[name]
    if not len(texts):  # save compiling the patterns
        return texts, pa.array([], pa.list_(pa.string())) if is_listed else None
    separated, is_separated = texts, None
    if entity.doubtful:
        separated, is_separated = entity.separated(texts, settings)
    if action == "keep":
        return texts, find_all(separated, entity.pattern)
    by = entity.placeholder if action == "replace" else " "
    matches = None
    if is_listed:
        replaced, matches = replace_and_find(separated, entity.pattern, by)
    else:
        replaced = pc.replace_substring_regex(separated, entity.pattern, by)
    if is_separated is not None:
        replaced = where(replaced, is_separated, entities.without_separators)
    return replaced, matches


def _spread(lists: pa.Array, mask: pa.Array) -> pa.Array:
    """Return a list for each row from those of the marked rows; the others are empty."""
    counts = np.zeros(len(mask) + 1, dtype=np.int32)
    counts[1:][np.asarray(mask)] = pc.list_value_length(lists).to_numpy()
    return pa.ListArray.from_arrays(pa.array(np.cumsum(counts, dtype=np.int32)), lists.flatten())


def _repaired(column: pa.Array, settings: Mapping[str, Any]) -> pa.Array:
    """Repair texts that were decoded with the wrong encoding."""
    if settings["encoding_repair"] == "keep":
        return column
    from ftfy import fix_encoding
    from ftfy.badness import is_bad

    def repair(text: str) -> str:
        return fix_encoding(text) if is_bad(text) else text

    return where(column, pc.invert(pc.string_is_ascii(column)), per_distinct_text(repair))


def _normalised(column: pa.Array, form: str) -> pa.Array:
    """Convert non-ASCII texts to a Unicode normal form; ASCII is in every form."""
    if form == "none":
        return column
    is_ascii = pc.string_is_ascii(column)
    return where(column, pc.invert(is_ascii), lambda texts: pc.utf8_normalize(texts, form=form))


def _fold_white_space(column: pa.Array) -> pa.Array:
    """Replace each sequence of white space by one space; remove it at both ends."""
    column = pc.replace_substring_regex(column, entities.WHITE_SPACE, " ")
    return pc.utf8_trim(column, " ")


def _unescape(text: str) -> str:
    """Resolve HTML entities until none is left."""
    while (resolved := html.unescape(_AMPERSANDS.sub("&", text))) != text:
        text = resolved
    return text
