"""Remove invisible characters, except for joiners and selectors that change what a reader sees.

Invisible are the default-ignorable code points of Unicode (DerivedCoreProperties.txt), such as the
zero-width space, the soft hyphen, marks of direction and variation selectors, interlinear
annotations and noncharacters.
"""

import re
import unicodedata

import pyarrow as pa

from pipeline.data.columns import per_distinct_text

_RANGES = (
    *((0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5)),
    *((0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164)),
    *((0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB), (0xFFFE, 0xFFFF)),
    *((0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF)),
)
#: RE2 pattern of an invisible character.
INVISIBLE = "[" + "".join(rf"\x{{{first:X}}}-\x{{{last:X}}}" for first, last in _RANGES) + "]"
_RUN = re.compile("[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in _RANGES) + "]+")
_NON_JOINER, _JOINER = "\u200c", "\u200d"
_SELECTORS = re.compile("[\ufe0e\ufe0f]")  # text and emoji presentation
# Characters that have both presentations, and all later emoji (emoji-variation-sequences.txt).
_EMOJI = re.compile(
    "[\xa9\xae\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9\u21aa\u231a\u231b\u2328\u23cf"
    "\u23e9-\u23f3\u23f8-\u23fa\u24c2\u25aa\u25ab\u25b6\u25c0\u25fb-\u25fe\u2600-\u27bf\u2934\u2935"
    "\u2b05-\u2b07\u2b1b\u2b1c\u2b50\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)
_BLACK_FLAG, _KEYCAP = "\U0001f3f4", "\u20e3"
# The region of a flag such as that of Scotland, and the end of the sequence (UTS #51, ED-14a).
_REGION = re.compile("[\U000e0030-\U000e0039\U000e0061-\U000e007a]+\U000e007f")
# Scripts in which the non-joiner separates letters: Arabic and related, Indic, Tibetan, Burmese,
# Mongolian, Khmer, Tai Tham, Balinese, Javanese, Adlam.
_JOINING = re.compile(
    "[\u0600-\u0dff\u0f00-\u109f\u1780-\u18af\u1a20-\u1aaf\u1b00-\u1bff\ua840-\ua8ff\ua980-\ua9ff"
    "\uaa60-\uaa7f\uabc0-\uabff\ufb50-\ufdff\ufe70-\ufefc\U00011000-\U00011fff\U0001e900-\U0001e95f]"
)
_VIRAMA = 9  # canonical combining class


def without_invisible(column: pa.Array) -> pa.Array:
    r"""Remove invisible characters from texts.

    Kept are the joiner between emoji and next to a virama of Indic scripts, the non-joiner between
    letters of Arabic, Persian and Indic scripts, a variation selector after an emoji or in a
    keycap, and the region of a flag, each once and nowhere else.

    Examples
    --------
    >>> without_invisible(pa.array(["in\u200bvisible", "❤\ufe0f", "a\ufe0f"])).to_pylist()
    ['invisible', '❤️', 'a']
    """
    return per_distinct_text(lambda text: _RUN.sub(_needed, text))(column)


def _needed(match: re.Match) -> str:
    """Return what is kept of a run of invisible characters, by the characters around it."""
    run, text = match.group(), match.string
    before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
    if _EMOJI.match(before):
        if before == _BLACK_FLAG and (region := _REGION.search(run)):
            return region.group()
        selector = _SELECTORS.search(run)
        joiner = _JOINER if _JOINER in run and _EMOJI.match(after) else ""
        return (selector.group() if selector else "") + joiner
    if after == _KEYCAP and before in "0123456789#*" and "\ufe0f" in run:
        return "\ufe0f"
    joiners = [sign for sign in run if sign in (_JOINER, _NON_JOINER)]
    if joiners and _is_joined(joiners[0], before, after):
        return joiners[0]
    return ""


def _is_joined(joiner: str, before: str, after: str) -> bool:
    """Return whether a joiner changes the shape of the letters around it."""
    if not _is_joining(before):
        return False
    if joiner == _JOINER:
        # After a virama also at the end of a word, for the final consonants of Malayalam.
        return any(sign and unicodedata.combining(sign) == _VIRAMA for sign in (before, after))
    return _is_joining(after)


def _is_joining(sign: str) -> bool:
    """Return whether a character is a letter, mark or digit of a script with joiners."""
    return bool(_JOINING.match(sign)) and unicodedata.category(sign)[0] in "LMN"
