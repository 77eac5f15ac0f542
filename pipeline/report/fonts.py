"""Find installed fonts for the characters of a figure, and warn where there are none."""

import functools
import logging
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from pipeline.errors import NO_FONT

logger = logging.getLogger(__name__)

#: The font of all figures; it comes with matplotlib.
DEFAULT = "DejaVu Sans"
_DEBIAN = "fonts-noto-core"
# First word of the Unicode names of characters: name of the script, and package of Debian.
_EAST_ASIAN = ("Chinese, Japanese or Korean", "fonts-noto-cjk")
_SCRIPTS = dict.fromkeys(
    ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "FULLWIDTH", "HALFWIDTH"), _EAST_ASIAN
)
_SYMBOLS = ("emoji or symbol", "fonts-symbola")
_reported: set[tuple[str, str]] = set()  # scripts that this process warned of
# Fonts that have a box for every character, no glyphs in one colour, or glyphs of formulas.
_UNUSABLE = ("lastresort", "last resort", "blank", "color emoji", "stix", "cmr", "cmex", "cmsy")


def families(texts: Iterable[str]) -> list[str]:
    """Return the font families for texts: the default first, then one for what it lacks.

    matplotlib takes each character from the first family that has it.

    Examples
    --------
    >>> families(["plain"])
    ['DejaVu Sans']
    """
    chain, _ = _chain(_needed(texts))
    return [entry.name for entry in chain]


def font_file(words: Collection[str]) -> tuple[str, list[str]]:
    """Return the path of the font that draws most of the words, and the words that it draws."""
    chain, _ = _chain(_needed(words))
    fonts = [(entry.fname, _drawn_by(entry, words)) for entry in chain]
    path, drawn = max(fonts, key=lambda font: len(font[1]))
    return path, drawn or list(words)


def is_drawable(text: str) -> bool:
    """Return whether installed fonts have all characters of a text."""
    return not _chain(_needed([text]))[1]


def warn_if_missing(texts: Iterable[str], *, symbols: bool = True) -> None:
    """Warn of scripts that no installed font has, once for each script.

    Without ``symbols``, emoji are ignored: many tweets have some, and few computers a font that
    matplotlib can draw them with.
    """
    scripts = set(map(_script, _chain(_needed(texts))[1])) - _reported
    if not symbols:
        scripts.discard(_SYMBOLS)
    if scripts:
        _reported.update(scripts)
        names = [name for name, _ in sorted(scripts)]
        logger.warning(
            "%s: no installed font has the %s characters of class names or words, so the pictures "
            "of the report show boxes for them; the tables show the characters. Install fonts, for "
            "example `apt install %s`.",
            NO_FONT,
            " and ".join(filter(None, [", ".join(names[:-1]), names[-1]])),
            " ".join(sorted({package for _, package in scripts})),
        )


def _script(character: str) -> tuple[str, str]:
    """Return the name of a character's script, and a package with a font for it.

    Examples
    --------
    >>> _script("ह")
    ('Devanagari', 'fonts-noto-core')
    """
    if unicodedata.category(character)[0] not in "LMN":
        return _SYMBOLS
    word = unicodedata.name(character, "UNKNOWN").partition(" ")[0]
    return _SCRIPTS.get(word, (word.capitalize(), _DEBIAN))


def _needed(texts: Iterable[str]) -> frozenset[str]:
    """Return the characters that need a glyph: no white space, joiners or variation selectors."""
    return frozenset(
        character
        for character in set().union(*texts)
        if not character.isspace()
        and unicodedata.category(character) not in ("Cc", "Cf", "Zs")
        and not "\ufe00" <= character <= "\ufe0f"
    )


@functools.lru_cache(maxsize=1024)
def _chain(needed: frozenset[str]) -> tuple[tuple[Any, ...], frozenset[str]]:
    """Return fonts that together have the characters, the default first, and what they lack."""
    chain, missing = [], needed
    for position, entry in enumerate(_candidates()):
        found = missing & _characters(entry.fname, entry.index) if missing else frozenset()
        if found or position == 0:
            chain.append(entry)
            missing -= found
        if not missing:
            break
    return tuple(chain), missing


def _candidates() -> Iterator[Any]:
    """Yield fonts of normal style: the default, those of matplotlib's list, then new ones."""
    from matplotlib.font_manager import fontManager

    listed = list(fontManager.ttflist)
    yield from sorted(filter(_is_usable, listed), key=_preference)
    _add_new_fonts()
    new = [entry for entry in fontManager.ttflist if entry not in listed]
    yield from sorted(filter(_is_usable, new), key=_preference)


@functools.cache
def _add_new_fonts() -> None:
    """Add fonts that were installed after matplotlib stored its list of fonts."""
    from matplotlib.font_manager import findSystemFonts, fontManager

    known = {entry.fname for entry in fontManager.ttflist}
    for path in sorted(set(findSystemFonts()) - known):
        try:
            fontManager.addfont(path)
        except Exception:  # a broken font, or one that matplotlib cannot draw
            logger.debug("the font %s cannot be used", path, exc_info=True)


def _is_usable(entry: Any) -> bool:
    """Return whether a font has glyphs for labels."""
    name = entry.name.lower()
    return entry.style == "normal" and not any(word in name for word in _UNUSABLE)


def _preference(entry: Any) -> tuple[Any, ...]:
    """Return the sort key of a font: regular weight, and sans-serif as the default."""
    name, weight = entry.name.lower(), entry.weight
    distance = abs(weight - 400) if isinstance(weight, int) else int(weight not in ("normal",))
    is_plain = "sans" in name and "mono" not in name and "condensed" not in name
    return name != DEFAULT.lower(), distance, not is_plain, "serif" in name, name, entry.fname


@functools.cache
def _characters(path: str, index: int) -> frozenset[str]:
    """Return the characters of a font, none if its file cannot be read."""
    from matplotlib.ft2font import FT2Font

    try:
        return frozenset(map(chr, FT2Font(path, face_index=index).get_charmap()))
    except (OSError, RuntimeError):
        return frozenset()


def _drawn_by(entry: Any, words: Iterable[str]) -> list[str]:
    """Return the words that a font alone can draw."""
    characters = _characters(entry.fname, entry.index)
    return [word for word in words if _needed([word]) <= characters]
