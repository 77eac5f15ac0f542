"""Patterns of URLs, mentions, hashtags and numbers, by the rules that Twitter published.

The rules are those of twitter-text (github.com/twitter/twitter-text, conformance cases), with these
choices: a URL begins with ``http://``, ``https://``, ``www.`` or ``pic.twitter.com/``; two ASCII
letters can end a domain, since lists of domains change; after the beginning, any name is a host;
names are not limited in length; hashtags can follow each other without a space (``#a#b``).

The patterns are of RE2, which takes time linear in the length of the text but cannot look at the
context of a match: `Entity.separated` first breaks what only looks like an entity.
"""

import re
from collections.abc import Mapping
from functools import partial
from itertools import takewhile
from typing import NamedTuple
from unicodedata import category

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data.columns import per_distinct_text, replace_within, where

_AT, _HASH = r"@\x{FF20}", r"#\x{FF03}"  # with the full-width forms
_ASCII = "0-9A-Za-z"
_LATIN = r"\x{C0}-\x{2AF}\x{300}-\x{36F}\x{1E00}-\x{1EFF}"  # with accents, also as marks
_SPACED = rf"{_ASCII}{_LATIN}\x{{400}}-\x{{52F}}"  # Latin and Cyrillic
# Ends of domains beyond ASCII: those of countries and frequent others, from IANA's list.
_TOP_LEVEL = (
    "рф|бел|укр|срб|мкд|мон|қаз|бг|ею|рус|дети|онлайн|сайт|орг|ελ|ευ|հայ|გე|ישראל|"
    "قطر|مصر|عمان|ایران|پاکستان|السعودية|امارات|فلسطين|تونس|سورية|الجزائر|المغرب|الاردن|السودان|"
    "عراق|البحرين|شبكة|भारत|ভারত|বাংলা|இந்தியா|இலங்கை|சிங்கப்பூர்|భారత్|ഭാരതം|ලංකා|ไทย|ລາວ|"
    "中国|中國|香港|台湾|台灣|新加坡|澳門|公司|网络|在线|みんな|コム|한국|닷컴|닷넷"
)
_TOP = rf"(?:(?i:xn--)[-{_ASCII}]+|[A-Za-z]{{2,}}|{_TOP_LEVEL})"
_NAMES = (
    rf"(?:[{_SPACED}](?:[{_SPACED}_-]*[{_SPACED}])?\.)*[{_SPACED}](?:[{_SPACED}-]*[{_SPACED}])?\."
)
# Letters and symbols of any script, such as ``http://例え.jp``; tried after the names of Latin and
# Cyrillic, because text of a script without spaces can follow a domain directly.
_ANY = (
    r"[^\x00-/:-@\[-\x60{-\x{BF}\x{61C}\x{2000}-\x{206F}\x{3000}-\x{3004}\x{3008}-\x{3020}\x{3030}"
    r"\x{FEFF}-\x{FF0F}\x{FF1A}-\x{FF20}\x{FF3B}-\x{FF40}\x{FF5B}-\x{FF65}]"
)
_ANY_NAMES = rf"(?:{_ANY}+(?:-+{_ANY}+)*\.)+"
_HOST = rf"(?:(?:{_NAMES}|{_ANY_NAMES}){_TOP}|[0-9]+(?:\.[0-9]+){{3}}|(?i:localhost))"
# A host without a domain, such as ``http://url_removed``, or with _ in it, or after a user's name.
_OTHER_HOST = (
    rf"(?:[{_ASCII}_-]+:[{_ASCII}_%!$*+.-]+@)?[{_SPACED}_](?:[{_SPACED}_.-]*[{_SPACED}_])?"
)
_IN_PATH = rf"[{_SPACED}!*';:=+,.$/%#\[\]_~@|&\x{{2013}}-]"
_PARENTHESES = rf"\({_IN_PATH}*(?:\({_IN_PATH}+\){_IN_PATH}*)?\)"
_PATH = rf"/(?:{_IN_PATH}*(?:[{_SPACED}=_#/+-]|{_PARENTHESES}))*"
_QUERY = rf"\?[{_ASCII}!?*'@();:&=+$/%#\[\]_.,~|-]*[{_ASCII}_&=#/-]"
_SLUG = rf"/[{_ASCII}]+"  # of links that Twitter shortened: no other path belongs to them
URL_START = r"(?i:https?://|www\.|pic\.twitter\.com/)"
URL = (
    rf"(?i:https?://|www\.)"
    rf"(?:(?i:t\.co){_SLUG}|(?:{_HOST}|{_OTHER_HOST})(?::[0-9]+)?(?:{_PATH})?)(?:{_QUERY})?"
    rf"|(?i:pic\.twitter\.com){_SLUG}"
)
_BEFORE_URL = rf"^|[^{_ASCII}{_AT}${_HASH}]"

MENTION = rf"[{_AT}][{_ASCII}_]+"
# Joiners, and signs of Cyrillic, Hebrew, Japanese, Tibetan and Catalan that are part of words.
_SIGNS = (
    "_\u200c\u200d\ua67e\u05be\u05f3\u05f4\uff5e\u301c\u309b\u309c"
    "\u30a0\u30fb\u3003\u0f0b\u0f0c\xb7"
)
# That there is a letter is checked apart: a pattern of both would take twice as long to compile.
HASHTAG = rf"[{_HASH}][\p{{L}}\p{{M}}\p{{N}}{_SIGNS}]+"

NUMBER = r"\b[0-9]+(?:[.,:][0-9]+)*\b"
LINE_BREAK_TAG = r"(?i)<br\s*/?>"
ASCII_CONTROL = r"[\x00-\x08\x0e-\x1f\x7f]"
# White space other than a single space, which stays as it is and is by far the most frequent.
ASCII_WHITE_SPACE = r" *[\t\n\x0b\f\r][ \t\n\x0b\f\r]*| {2,}"
CONTROL = r"[\x00-\x08\x0e-\x1f\x7f\x{80}-\x{84}\x{86}-\x{9f}]"
# With U+2800, the blank of Braille.
_WIDE = (
    r"\t\n\x0b\f\r\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{2800}"
    r"\x{3000}"
)
WHITE_SPACE = rf" *[{_WIDE}][ {_WIDE}]*| {{2,}}"
# A text without a match has no ASCII white space to fold and no ASCII control character.
NEEDS_ASCII_CLEANING = r"[\x00-\x1f\x7f]|  "
# A text without a match is not changed by cleaning it again, except for hashtags and numbers.
NEEDS_ANOTHER_ROUND = r"[^\x00-\x7f]|[&@]|(?i:<br|http|www\.|pic\.)"
EMOJI = r"[\x{1F000}-\x{1FAFF}\x{2600}-\x{27BF}\x{2B50}]"

# Marks of emoji, which are no part of a word.
_EMOJI_MARKS = "\ufe0e\ufe0f\u20e3"
_RETWEET = re.compile(r"(?:^|[^0-9A-Za-z_+~.-])rt$", re.IGNORECASE)
# What continues a name after ``@``, so that it is no mention.
_ADDRESS = re.compile(r"[0-9A-Za-z_-]+(?:\.[0-9A-Za-z_-]+)*\.[A-Za-z]{2}")
# A name is not followed by ``@``, an accented letter or ``://``.
_NAME = re.compile("[0-9A-Za-z_]++(?![@\uff20\xc0-\u02af\u0300-\u036f\u1e00-\u1eff]|://)")
_NO_TAG = re.compile(f"[0-9]*[{_EMOJI_MARKS}]|[^ #\uff03]+?://")  # a keycap or a URL
# Breaks what looks like an entity and is none; clean texts never contain it.
_SEPARATOR = "\x1d"


def _break_urls(texts: pa.Array) -> pa.Array:
    """Break the beginnings of URLs that follow a letter, a digit, ``@``, ``$`` or ``#``."""
    by = rf"\1{_SEPARATOR}"
    return replace_within(texts, URL, "((?i)http|www|pic)", by, before=_BEFORE_URL, outside=True)


def _break_signs(text: str, signs: str, chained: bool) -> str:
    """Break those of the signs of a kind, ``@`` or ``#``, that begin no entity.

    A hashtag can directly follow another one. With ``chained``, mentions and hashtags can directly
    follow each other: they do when the entity before is replaced.
    """
    last_end, last_sign = -1, ""  # of the last entity

    def separator(match: re.Match) -> str:
        nonlocal last_end, last_sign
        (start, end), sign = match.span(), match.group()
        follows = start == last_end and (chained or (last_sign in "#\uff03" and sign in "#\uff03"))
        length = (_mention if sign in "@\uff20" else _hashtag)(text, start, follows)
        last_end, last_sign = (end + length, sign) if length else (-1, "")
        return sign + _SEPARATOR * (sign in signs and not length)

    return re.sub("[@\uff20#\uff03]", separator, text)


def _mention(text: str, start: int, follows: bool) -> int:
    """Return the length of the name of the mention that begins with a sign, 0 if none does.

    A mention follows letters beyond ASCII, as in languages without spaces; an address does, too.
    """
    before = text[start - 1 : start]
    if follows:
        can_begin = True
    elif before.isascii():
        can_begin = not before or not (before.isalnum() or before in "_!#$%&*@")
        can_begin |= bool(_RETWEET.search(text, max(start - 3, 0), start))
    else:
        is_address = _is_word(before) and bool(_ADDRESS.match(text, start + 1))
        can_begin = before != "\uff20" and not is_address
    name = _NAME.match(text, start + 1)
    return len(name.group()) if can_begin and name else 0


def _hashtag(text: str, start: int, follows: bool) -> int:
    """Return the length of the tag of the hashtag that begins with a sign, 0 if none does."""
    before = text[start - 1 : start]
    if (not follows and (before == "&" or _is_in_tag(before))) or _NO_TAG.match(text, start + 1):
        return 0
    tag = list(takewhile(_is_in_tag, map(text.__getitem__, range(start + 1, len(text)))))
    return len(tag) if any(map(_is_letter, tag)) else 0


def _is_letter(sign: str) -> bool:
    """Return whether a character is a letter or a mark of one."""
    return sign != "" and sign not in _EMOJI_MARKS and category(sign)[0] in "LM"


def _is_word(sign: str) -> bool:
    """Return whether a character is a letter, a mark of one, or a digit."""
    return _is_letter(sign) or (sign != "" and category(sign)[0] == "N")


def _is_in_tag(sign: str) -> bool:
    """Return whether a character can be part of a hashtag."""
    return _is_word(sign) or (sign != "" and sign in _SIGNS)


class Entity(NamedTuple):
    """A kind of entity: its pattern and its placeholder."""

    pattern: str
    placeholder: str
    # RE2 pattern of texts in which something may look like an entity and be none; empty if nothing
    # does.
    doubtful: str = ""
    signs: str = ""  # that begin the entity

    def separated(self, texts: pa.Array, actions: Mapping[str, str]) -> tuple[pa.Array, pa.Array]:
        """Insert separators, so that the pattern matches entities only; mark the texts changed.

        ``actions`` has what is done with each kind. In URLs that are kept, no ``@`` or ``#``
        begins an entity.
        """
        hide = bool(self.signs) and actions["urls"] == "keep"
        pattern = f"{self.doubtful}|{URL_START}" if hide else self.doubtful
        chained = "keep" not in (actions["mentions"], actions["hashtags"])
        is_doubtful = pc.match_substring_regex(texts, pattern)
        return where(texts, is_doubtful, partial(self._broken, hide, chained)), is_doubtful

    def _broken(self, hide: bool, chained: bool, texts: pa.Array) -> pa.Array:
        """Break what is no entity."""
        if not self.signs:
            return _break_urls(texts)
        if hide:
            by = rf"\1{_SEPARATOR}"
            texts = replace_within(texts, URL, f"([{_AT}{_HASH}])", by, before=_BEFORE_URL)
        break_signs = partial(_break_signs, signs=self.signs, chained=chained)
        return per_distinct_text(break_signs)(texts)


#: The entities, in the order in which they are replaced: a URL can contain ``@`` and ``#``.
ENTITIES = {
    "urls": Entity(URL, "<url>", f"[{_ASCII}{_AT}${_HASH}]{URL_START}"),
    "mentions": Entity(
        MENTION,
        "<user>",
        rf"[{_ASCII}_!#$%&*@\x{{80}}-\x{{10FFFF}}][{_AT}]"
        rf"|[{_AT}][{_ASCII}_]+(?:[\x{{80}}-\x{{10FFFF}}@]|://)",
        "@\uff20",
    ),
    "hashtags": Entity(
        HASHTAG,
        "<hashtag>",
        rf"[{_ASCII}_&\x{{80}}-\x{{10FFFF}}][{_HASH}]"
        rf"|[{_HASH}](?:[0-9]*[{_EMOJI_MARKS}]|[^ {_HASH}]+://|[\p{{N}}{_SIGNS}]+(?:[^{_ASCII}_]|$))",
        "#\uff03",
    ),
    "numbers": Entity(NUMBER, "<number>"),
}


def without_separators(column: pa.Array) -> pa.Array:
    """Remove the separators of `Entity.separated`."""
    return pc.replace_substring(column, _SEPARATOR, "")
