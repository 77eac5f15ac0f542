"""Patterns of URLs, mentions, hashtags and numbers in tweets, and chains such as ``@a@b#c``.

All patterns are of RE2, which takes time linear in the length of the text. User names contain
``[0-9A-Za-z_]``, hashtags letters and digits of any script (Twitter developer documentation,
"Counting characters", and twitter-text).
"""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data.columns import replace_within, where

URL = r"(?i:\bhttps?://|\bwww\.|\bpic\.twitter\.com/)[^\s<>\"]*[^\s<>\".,;:!?'()\[\]…]"
MENTION = r"\B@[0-9A-Za-z_]+"
HASHTAG = r"\B#[\p{L}\p{M}\p{N}_]+"
NUMBER = r"\b[0-9]+(?:[.,:][0-9]+)*\b"
LINE_BREAK_TAG = r"(?i)<br\s*/?>"
ASCII_CONTROL = r"[\x00-\x08\x0e-\x1f\x7f]"
# White space other than a single space, which stays as it is and is by far the most frequent.
ASCII_WHITE_SPACE = r" *[\t\n\x0b\f\r][ \t\n\x0b\f\r]*| {2,}"
CONTROL = r"[\x00-\x08\x0e-\x1f\x7f\x{80}-\x{84}\x{86}-\x{9f}]"
_WIDE = r"\t\n\x0b\f\r\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"
WHITE_SPACE = rf" *[{_WIDE}][ {_WIDE}]*| {{2,}}"
# A text without a match has no ASCII white space to fold and no ASCII control character.
NEEDS_ASCII_CLEANING = r"[\x00-\x1f\x7f]|  "
# A text without a match is not changed by cleaning it again, except for hashtags and numbers.
NEEDS_ANOTHER_ROUND = r"[^\x00-\x7f]|[&@]|(?i:<br|http|www\.|pic\.)"
EMOJI = r"[\x{1F000}-\x{1FAFF}\x{2600}-\x{27BF}\x{2B50}]"
#: Pattern and placeholder of each kind of entity.
PLACEHOLDERS = {
    "urls": (URL, "<url>"),
    "mentions": (MENTION, "<user>"),
    "hashtags": (HASHTAG, "<hashtag>"),
    "numbers": (NUMBER, "<number>"),
}
# Separates entities of a chain, so that each matches its pattern; clean texts never contain it.
_SEPARATOR = "\x1d"


def separate_chains(column: pa.Array, settings: Mapping[str, Any]) -> pa.Array:
    """Insert separators into chains of those mentions and hashtags that are not kept.

    Only the first entity of a chain matches its pattern, which needs a boundary before the sign.
    """
    kinds = [name for name in ("mentions", "hashtags") if settings[name] != "keep"]
    if not kinds:
        return column
    link = "|".join(PLACEHOLDERS[name][0].removeprefix(r"\B") for name in kinds)
    chain = rf"\B(?:{link})(?:{link})+"
    return where(
        column,
        pc.match_substring_regex(column, chain),
        lambda texts: replace_within(texts, chain, "([@#])", rf"{_SEPARATOR}\1"),
    )


def separate_hashtags(column: pa.Array, settings: Mapping[str, Any]) -> pa.Array:
    """Insert separators before hashtags that follow a mention, if neither is kept."""
    if "keep" in (settings["mentions"], settings["hashtags"]):
        return column
    return pc.replace_substring_regex(column, f"({MENTION})#", rf"\1{_SEPARATOR}#")


def without_separators(column: pa.Array) -> pa.Array:
    """Remove separators from texts, or from lists of texts."""
    if pa.types.is_list(column.type):
        return pa.ListArray.from_arrays(column.offsets, without_separators(column.flatten()))
    return pc.replace_substring(column, _SEPARATOR, "")
