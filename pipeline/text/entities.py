"""Patterns of URLs, mentions, hashtags and numbers, by the rules that Twitter published.

The rules are those of twitter-text (github.com/twitter/twitter-text, conformance cases), with these
choices: a URL begins with ``http://``, ``https://``, ``www.`` or ``pic.twitter.com/``; any ASCII word
of two letters ends a domain, since lists of domains change; ``localhost`` and IPv4 addresses are
hosts; names are not limited in length; hashtags can follow each other without a space (``#a#b``).

All patterns are of RE2, which takes time linear in the length of the text. RE2 cannot look ahead:
`Entity.separated` breaks what only looks like an entity before the patterns are applied.
"""

from functools import partial
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data.columns import replace_within, where

_AT, _HASH = r"@\x{FF20}", r"#\x{FF03}"  # with the full-width forms
_LATIN = r"\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{2AF}\x{2BB}\x{300}-\x{36F}\x{1E00}-\x{1EFF}"
_ASCII = "0-9A-Za-z"
_SPACED = _ASCII + _LATIN + r"\x{400}-\x{52F}"  # Latin and Cyrillic
# Ends of domains beyond ASCII: country codes and frequent others of IANA's list of top-level domains.
_TOP_LEVEL = (
    "рф|бел|укр|срб|мкд|мон|қаз|бг|ею|рус|дети|онлайн|сайт|орг|ελ|ευ|հայ|გე|ישראל|"
    "قطر|مصر|عمان|ایران|پاکستان|السعودية|امارات|فلسطين|تونس|سورية|الجزائر|المغرب|الاردن|السودان|"
    "عراق|البحرين|شبكة|भारत|ভারত|বাংলা|இந்தியா|இலங்கை|சிங்கப்பூர்|భారత్|ഭാരതം|ලංකා|ไทย|ລາວ|"
    "中国|中國|香港|台湾|台灣|新加坡|澳門|公司|网络|在线|みんな|コム|한국|닷컴|닷넷"
)
_TOP = rf"(?:(?i:xn--)[-{_ASCII}]+|[A-Za-z]{{2,}}|{_TOP_LEVEL})"
_DOMAIN = (
    rf"(?:[{_SPACED}](?:[{_SPACED}_-]*[{_SPACED}])?\.)*"
    rf"[{_SPACED}](?:[{_SPACED}-]*[{_SPACED}])?\.{_TOP}"
)
# Letters and symbols of any script, such as ``http://例え.jp``; tried last, because text of a script
# without spaces can follow a domain directly.
_ANY = (
    r"[^\x00-/:-@\[-\x60{-\x{BF}\x{61C}\x{2000}-\x{206F}\x{3000}-\x{3004}\x{3008}-\x{3020}\x{3030}"
    r"\x{FEFF}-\x{FF0F}\x{FF1A}-\x{FF20}\x{FF3B}-\x{FF40}\x{FF5B}-\x{FF65}]"
)
_ANY_DOMAIN = rf"(?:{_ANY}(?:(?:{_ANY}|-)*{_ANY})?\.)+{_TOP}"
_HOST = rf"(?:{_DOMAIN}|[0-9]{{1,3}}(?:\.[0-9]{{1,3}}){{3}}|(?i:localhost)|{_ANY_DOMAIN})"
_IN_PATH = rf"[{_SPACED}!*';:=+,.$/%#\[\]_~@|&\x{{2013}}-]"
_PARENTHESES = rf"\((?:{_IN_PATH}+|{_IN_PATH}*\({_IN_PATH}+\){_IN_PATH}*)\)"
_PATH = rf"/(?:(?:{_IN_PATH}|{_PARENTHESES})*(?:[{_SPACED}=_#/+-]|{_PARENTHESES}))?"
_QUERY = rf"\?[{_ASCII}!?*'@();:&=+$/%#\[\]_.,~|-]*[{_ASCII}_&=#/-]"
_REST = rf"(?::[0-9]+)?(?:{_PATH})?(?:{_QUERY})?"
_SLUG = rf"/[{_ASCII}]+"  # of links that Twitter shortened: nothing else belongs to them
URL_START = r"(?i:https?://|www\.|pic\.twitter\.com/)"
URL = (
    rf"(?i:https?://)(?:(?i:t\.co){_SLUG}(?:{_QUERY})?|{_HOST}{_REST})"
    rf"|(?i:www\.)(?:{_DOMAIN}|{_ANY_DOMAIN}){_REST}|(?i:pic\.twitter\.com){_SLUG}"
)
_BEFORE_URL = rf"^|[^{_ASCII}{_AT}${_HASH}]"

_LETTERS = r"\p{L}\p{M}\p{N}"
# Marks of emoji, which are no part of a word.
_EMOJI_MARKS = r"\x{FE0E}\x{FE0F}\x{20E3}"
# Scripts in which a mention can follow a letter, because there is often no space between words.
_UNSPACED = (
    r"\p{Han}\p{Hiragana}\p{Katakana}\x{30FC}\x{FF70}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
)
_BEFORE_MENTION = (
    rf"^|[^{_LETTERS}_!#$%&*{_AT}]|[{_UNSPACED}{_EMOJI_MARKS}]"
    rf"|(?:^|[^{_ASCII}_+~.-])(?i:rt)"
)
MENTION = rf"[{_AT}][{_ASCII}_]+"
_ADDRESS = rf"[{_ASCII}_-]+(?:\.[{_ASCII}_-]+)*\.[A-Za-z]{{2,}}"
_NO_MENTION = rf"([{_UNSPACED}][{_AT}])({_ADDRESS})|([{_AT}])([{_ASCII}_]+(?:[{_AT}{_LATIN}]|://))"

# Joiners, and signs of Cyrillic, Hebrew, Japanese, Tibetan and Catalan that are part of words.
_IN_HASHTAG = (
    r"_\x{200C}\x{200D}\x{A67E}\x{5BE}\x{5F3}\x{5F4}\x{FF5E}\x{301C}\x{309B}\x{309C}\x{30A0}"
    r"\x{30FB}\x{3003}\x{F0B}\x{F0C}\x{B7}"
)
_BEFORE_HASHTAG = rf"^|[^{_LETTERS}{_IN_HASHTAG}&]|[{_EMOJI_MARKS}]"
HASHTAG = rf"[{_HASH}][\p{{N}}{_IN_HASHTAG}]*[\p{{L}}\p{{M}}][{_LETTERS}{_IN_HASHTAG}]*"
_NO_HASHTAG = rf"([{_HASH}])([0-9]*[{_EMOJI_MARKS}]|[{_LETTERS}{_IN_HASHTAG}]+://)()()"

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


class Entity(NamedTuple):
    """A kind of entity: its pattern, its placeholder, and what else decides where it matches."""

    pattern: str
    placeholder: str
    # What comes before it, without groups, and what looks like an entity and is none: two pairs of
    # groups, between which a separator breaks it. A text without a match of ``doubtful`` has
    # neither a lookalike nor an entity after something else.
    before: str = ""
    lookalike: str = ""
    doubtful: str = ""
    start: str = ""  # what a separator breaks

    def separated(self, texts: pa.Array, hide_urls: bool) -> tuple[pa.Array, pa.Array | None]:
        """Insert separators, so that the pattern matches entities only; mark the texts changed.

        With ``hide_urls``, nothing matches in URLs: no mention or hashtag is part of a URL.
        """
        if not self.doubtful:
            return texts, None
        doubtful = f"{self.doubtful}|{URL_START}" if hide_urls else self.doubtful
        is_doubtful = pc.match_substring_regex(texts, doubtful)
        return where(texts, is_doubtful, partial(self._broken, hide_urls=hide_urls)), is_doubtful

    def _broken(self, texts: pa.Array, hide_urls: bool) -> pa.Array:
        """Break everything that is no entity."""
        broken = (f"({self.start})", rf"\1{_SEPARATOR}")
        if hide_urls:
            texts = replace_within(texts, URL, *broken, before=_BEFORE_URL)
        if self.lookalike:
            by = rf"\1\3{_SEPARATOR}\2\4"
            texts = pc.replace_substring_regex(texts, self.lookalike, by)
        chain = f"(?:{self.pattern})+"
        return replace_within(texts, chain, *broken, before=self.before, outside=True)


#: The entities, in the order in which they are replaced: a URL can contain ``@`` and ``#``.
ENTITIES = {
    "urls": Entity(
        URL,
        "<url>",
        before=_BEFORE_URL,
        doubtful=f"[{_ASCII}{_AT}${_HASH}]{URL_START}",
        start="(?i)http|www|pic",
    ),
    "mentions": Entity(
        MENTION,
        "<user>",
        before=_BEFORE_MENTION,
        lookalike=_NO_MENTION,
        doubtful=rf"[{_LETTERS}_!#$%&*{_AT}][{_AT}]|[{_AT}][{_ASCII}_]+(?:[{_AT}{_LATIN}]|://)",
        start=f"[{_AT}]",
    ),
    "hashtags": Entity(
        HASHTAG,
        "<hashtag>",
        before=_BEFORE_HASHTAG,
        lookalike=_NO_HASHTAG,
        doubtful=rf"[{_LETTERS}{_IN_HASHTAG}&][{_HASH}]|{_NO_HASHTAG}",
        start=f"[{_HASH}]",
    ),
    "numbers": Entity(NUMBER, "<number>"),
}
# Breaks lookalikes; clean texts never contain it.
_SEPARATOR = "\x1d"


def without_separators(column: pa.Array) -> pa.Array:
    """Remove the separators of `Entity.separated`."""
    return pc.replace_substring(column, _SEPARATOR, "")
