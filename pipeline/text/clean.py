"""Clean whole columns of texts."""

import html
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data.columns import each, find_all, lower, signs, where, whole
from pipeline.text import chains, entities
from pipeline.text.entities import PLACEHOLDERS

#: Rounds after which a text stays as it is. Each takes at least one entity, URL, mention, hashtag
#: or number for good, of at least two characters, so that 280 characters never need as many.
MOST_ROUNDS = 300
_LISTED = ("urls", "mentions", "hashtags")
# What no text without a certain byte can hold: anything to decode or to bring to a normal form, a
# mention, a hashtag.
_SIGNS = {"encoded": 1, "mentions": 2, "hashtags": 4}
_SIGN_OF_BYTE = np.zeros(256, np.uint8)
_SIGN_OF_BYTE[0x80:] = _SIGN_OF_BYTE[[ord("&"), ord("<")]] = _SIGNS["encoded"]
_SIGN_OF_BYTE[[*range(0x20), 0x7F]] = _SIGNS["encoded"]  # encoding repair can bring them about
_SIGN_OF_BYTE[ord("@")], _SIGN_OF_BYTE[ord("#")] = _SIGNS["mentions"], _SIGNS["hashtags"]
# One ampersand escaped over and over: html.unescape takes one layer at a time.
_AMPERSANDS = re.compile(
    r"&(?:(?:amp|AMP);?|#0*38(?:;|(?![0-9;]))|#[xX]0*26(?:;|(?![0-9a-fA-F;])))+"
)


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

    Notes
    -----
    Cleaning a clean text changes nothing: what one step takes away can lay bare work for an earlier
    one (a mention behind a mention, an entity inside an entity), so cleaning is repeated until the
    text stays, at most `MOST_ROUNDS` times. Texts of up to 280 characters never need as many.
    """
    column = pc.utf8_trim(pc.fill_null(whole(texts), ""), " ")
    # Most texts need few of the steps; a search that finds nothing is cheaper than a step.
    column = where(column, pc.match_substring_regex(column, entities.UNTIDY), _ascii_basics)
    column = repaired(column, settings)
    cleaned, found = _once(column, settings, find)
    unsettled = "|".join(
        [entities.UNSETTLED]
        + [PLACEHOLDERS[name][0] for name in ("hashtags", "numbers") if settings[name] != "keep"]
    )
    # What encoding repair alone did needs no other round: it goes on until nothing is left to do.
    changed = pc.not_equal(cleaned, column)
    again = pc.match_substring_regex(cleaned.filter(changed), unsettled)
    rows = np.flatnonzero(changed)[np.asarray(again)]
    if len(rows):
        settled, later = _settled(cleaned.take(rows), settings, unsettled, find)
        mask = np.zeros(len(cleaned), dtype=bool)
        mask[rows] = True
        cleaned = pc.replace_with_mask(cleaned, mask, settled)
        for name, more in later.items():
            found[name] = _appended(found[name], {rows[at]: more[at] for at in more})
    return {"clean": cleaned, **found}


def _settled(
    column: pa.Array, settings: Mapping[str, Any], unsettled: str, find: bool
) -> tuple[pa.Array, dict[str, dict[int, list[str]]]]:
    """Clean texts until they stay; also return what was taken, if wanted, by row."""
    names = [name for name in _LISTED if find and settings[name] != "keep"]
    later: dict[str, dict[int, list[str]]] = {name: {} for name in names}
    changed = pa.array(np.ones(len(column), dtype=bool))

    def again(some: pa.Array) -> pa.Array:
        return _once(repaired(some, settings), settings, False, True)[0]

    for _ in range(MOST_ROUNDS - 1):
        before = column
        column = where(before, changed, again)
        differs = pc.not_equal(column, before)
        rows = np.flatnonzero(differs)
        if names and len(rows):
            _, found = _once(repaired(before.filter(differs), settings), settings, True, True)
            for name in names:
                for row, some in zip(rows, found[name].to_pylist(), strict=True):
                    later[name].setdefault(int(row), []).extend(some)
        changed = pc.and_(differs, pc.match_substring_regex(column, unsettled))
        if not pc.any(changed).as_py():
            break
    return column, later


def _appended(lists: pa.Array, more: Mapping[int, list[str]]) -> pa.Array:
    """Put more entries at the end of some rows' lists."""
    if not any(more.values()):
        return lists
    rows = np.fromiter(more, np.int64, len(more))
    before = lists.take(pa.array(rows)).to_pylist()
    longer = [old + some for old, some in zip(before, more.values(), strict=True)]
    places = np.arange(len(lists))
    places[rows] = len(lists) + np.arange(len(rows))
    return pa.concat_arrays([lists, pa.array(longer, lists.type)]).take(pa.array(places))


def _ascii_basics(column: pa.Array) -> pa.Array:
    """Drop control characters and fold white space, of ASCII alone.

    The control characters and spaces above it are what wrongly decoded text is made of, and
    encoding repair needs them.
    """
    column = pc.replace_substring_regex(column, entities.ASCII_CONTROL, "")
    column = pc.replace_substring_regex(column, entities.ASCII_WHITE_SPACE, " ")
    return pc.utf8_trim(column, " ")


def _once(
    column: pa.Array, settings: Mapping[str, Any], find: bool, in_chains: bool = False
) -> tuple[pa.Array, dict[str, pa.Array]]:
    """Apply every step but encoding repair once; also list what was found, if wanted.

    With ``in_chains`` a mention or hashtag right behind another counts too, which otherwise takes a
    round for each.
    """
    held = signs(column, _SIGN_OF_BYTE)
    encoded = (held & _SIGNS["encoded"]) > 0
    held[encoded] = 0xFF  # whatever comes out of it
    plain = where(column, pa.array(encoded), lambda some: _decoded(some, settings))
    column = chains.loosened(plain, settings) if in_chains else plain
    asked = {
        name: _may_hold(column, name, held)
        for name in PLACEHOLDERS
        if settings[name] != "keep" or (find and name in _LISTED)
    }
    found = {}
    if find:
        seen = {name: chains.seen(column, name, settings) for name in _LISTED}
        found = {
            name: _found(texts, PLACEHOLDERS[name][0], asked[name]) for name, texts in seen.items()
        }
    touched = pa.scalar(False)
    for name, (pattern, placeholder) in PLACEHOLDERS.items():
        if settings[name] != "keep":
            # Where one was replaced, another may stand at a new border of words.
            touched = pc.or_(asked[name], touched)
            put = placeholder if settings[name] == "replace" else " "
            column = where(column, touched, put_for(pattern, put))
    if in_chains:
        column = chains.without_marks(column)
        found = {name: chains.lists_without_marks(some) for name, some in found.items()}
    if settings["case"] == "lower":
        column = white_space(normal_form(lower(column), settings["unicode_form"]))
    elif "remove" in settings.values():
        column = white_space(column)
    return column, found


def _decoded(column: pa.Array, settings: Mapping[str, Any]) -> pa.Array:
    """Resolve entities and line breaks of HTML, and bring texts to a normal form."""
    if settings["html"] == "decode":
        column = where(column, pc.match_substring(column, "&"), each(_unescape))
        column = pc.replace_substring_regex(column, entities.LINE_BREAK_TAG, " ")
    column = normal_form(column, settings["unicode_form"])
    return white_space(pc.replace_substring_regex(column, entities.CONTROL, ""))


def _may_hold(column: pa.Array, name: str, held: np.ndarray) -> pa.Array:
    """Mark the texts in which something of a kind may be found; in no other there is any."""
    if name in _SIGNS:
        return pa.array((held & _SIGNS[name]) > 0)
    return pc.match_substring_regex(column, PLACEHOLDERS[name][0])


def _found(column: pa.Array, pattern: str, asked: pa.Array) -> pa.Array:
    """List the matches of each text, none where it is not asked for."""
    lists = find_all(column.filter(asked), pattern)
    counts = np.zeros(len(column) + 1, dtype=np.int32)
    counts[1:][np.asarray(asked)] = pc.list_value_length(lists).to_numpy()
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
    column = pc.replace_substring_regex(column, entities.WHITE_SPACE, " ")
    return pc.utf8_trim(column, " ")


def _unescape(text: str) -> str:
    """Resolve HTML entities until none is left."""
    while (resolved := html.unescape(_AMPERSANDS.sub("&", text))) != text:
        text = resolved
    return text
