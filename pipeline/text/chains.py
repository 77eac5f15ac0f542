"""Chains of mentions and hashtags, such as ``@a@b#c``, where only the first seems to begin one."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data.columns import replace_within, where
from pipeline.text.entities import MENTION, PLACEHOLDERS

# Between links without a space, so that each is seen to begin; never in a text by then.
_APART = "\x1d"


def loosened(column: pa.Array, settings: Mapping[str, Any]) -> pa.Array:
    """Put a mark before each of the mentions and hashtags to be taken that follow one another."""
    kinds = [name for name in ("mentions", "hashtags") if settings[name] != "keep"]
    if not kinds:
        return column
    one = "|".join(PLACEHOLDERS[name][0].removeprefix(r"\B") for name in kinds)
    chain = rf"\B(?:{one})(?:{one})+"

    def loosen(some: pa.Array) -> pa.Array:
        return replace_within(some, chain, "([@#])", rf"{_APART}\1")

    return where(column, pc.match_substring_regex(column, chain), loosen)


def seen(column: pa.Array, name: str, settings: Mapping[str, Any]) -> pa.Array:
    """Return the texts in which a kind is looked for: hashtags behind a mention that goes count."""
    if name == "hashtags" and "keep" not in (settings["mentions"], settings["hashtags"]):
        return pc.replace_substring_regex(column, f"({MENTION})#", rf"\1{_APART}#")
    return column


def lists_without_marks(lists: pa.Array) -> pa.Array:
    """Take the marks out of what was found."""
    flat = pc.replace_substring(lists.flatten(), _APART, "")
    return pa.ListArray.from_arrays(lists.offsets, flat)


def without_marks(column: pa.Array) -> pa.Array:
    """Take the marks out of texts."""
    return pc.replace_substring(column, _APART, "")
