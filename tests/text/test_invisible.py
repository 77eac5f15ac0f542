"""Invisible characters are removed, except for those that scripts and emoji need."""

import unicodedata

import pyarrow as pa
import pytest
from conftest import CLEANING, KEPT, cleaned_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.data.readers import ROWS, Reading
from pipeline.data.rejected import REJECTED
from pipeline.text import near
from pipeline.text.clean import clean
from pipeline.text.invisible import without_invisible
from pipeline.text.rows import HOLDOUT_TEXT, clean_rows

DEFAULTS = {
    **KEPT,
    "encoding_repair": "repair",
    "html": "decode",
    "unicode_form": "NFC",
    "urls": "replace",
    "mentions": "replace",
}
INVISIBLE = {
    "zero-width space": "\u200b",
    "word joiner": "\u2060",
    "byte order mark": "\ufeff",
    "soft hyphen": "\xad",
    "non-joiner": "\u200c",
    "joiner": "\u200d",
    "left-to-right mark": "\u200e",
    "right-to-left mark": "\u200f",
    "arabic letter mark": "\u061c",
    "embedding": "\u202a",
    "override": "\u202e",
    "end of embedding": "\u202c",
    "isolate": "\u2068",
    "end of isolate": "\u2069",
    "invisible times": "\u2062",
    "deprecated format": "\u206b",
    "grapheme joiner": "\u034f",
    "hangul filler": "\u3164",
    "half-width hangul filler": "\uffa0",
    "hangul choseong filler": "\u115f",
    "mongolian vowel separator": "\u180e",
    "mongolian variation selector": "\u180b",
    "text selector": "\ufe0e",
    "emoji selector": "\ufe0f",
    "other selector": "\ufe00",
    "ideographic selector": "\U000e0100",
    "language tag": "\U000e0001",
    "tag letter": "\U000e0061",
    "end of tag": "\U000e007f",
    "khmer inherent vowel": "\u17b4",
    "annotation": "\ufff9",
    "musical format": "\U0001d173",
    "shorthand format": "\U0001bca0",
}


def one(text, choices=DEFAULTS):
    return clean(pa.array([text]), choices)["clean"][0].as_py()


@pytest.mark.parametrize("choices", [DEFAULTS, KEPT], ids=["defaults", "all kept"])
@pytest.mark.parametrize("sign", INVISIBLE.values(), ids=INVISIBLE)
def test_invisible_characters_are_removed(sign, choices):
    text = f"{sign}go{sign}od{sign}{sign} {sign} da{sign}y 7{sign}!{sign}"
    assert one(text, choices) == "good day 7!"
    assert one(f"{sign} {sign}{sign}", choices) == ""


def test_every_default_ignorable_format_character_is_removed():
    # Format characters of Unicode that are visible or that belong to visible signs.
    visible = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
    visible |= {*range(0x13430, 0x13440)}
    formats = {c for c in range(0x110000) if unicodedata.category(chr(c)) == "Cf"}
    column = pa.array([f"a{chr(c)}b" for c in sorted(formats - visible)])
    assert set(without_invisible(column).to_pylist()) == {"ab"}


NEEDED = {
    "family": "👩\u200d👩\u200d👧\u200d👦",
    "heart": "❤\ufe0f",
    "text style": "❤\ufe0e ☎\ufe0e",
    "heart on fire": "❤\ufe0f\u200d🔥",
    "skin tones": "👩🏽\u200d🚒 ✌🏿",
    "rainbow flag": "🏳\ufe0f\u200d🌈",
    "pirate flag": "🏴\u200d☠\ufe0f",
    "flag of scotland": "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "flag of a country": "🇫🇷",
    "keycaps": "1\ufe0f\u20e3 #\ufe0f\u20e3 *\ufe0f\u20e3",
    "trademark": "™\ufe0f ©\ufe0f",
    "arrow": "➡\ufe0f ↔\ufe0f",
    "persian": "می\u200cخواهم کتاب\u200cها",
    "persian after a mark": "بَ\u200cت",
    "persian after a digit": "۱۰\u200cساله",
    "urdu": "بے\u200cشک",
    "hindi conjunct": "क्\u200dष",
    "hindi without conjunct": "क्\u200cष",
    "bengali": "র\u200d\u09cdয",
    "sinhala": "ශ්\u200dරී ලංකා",
    "malayalam at the end of a word": "അവന്\u200d പറഞ്ഞു",
    "kannada": "ರಾಜ್\u200cಕುಮಾರ್",
    "khmer": "ក\u200cខ",
}


@pytest.mark.parametrize("choices", [DEFAULTS, KEPT], ids=["defaults", "all kept"])
@pytest.mark.parametrize("text", NEEDED.values(), ids=NEEDED)
def test_joiners_and_selectors_that_are_needed_are_kept(text, choices):
    assert one(text, choices) == text
    assert one(f"{text} x {text}", choices) == f"{text} x {text}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("می\u200c\u200cخواهم", "می\u200cخواهم"),
        ("می\u200b\u200c\u200fخواهم", "می\u200cخواهم"),
        ("\u200cمی\u200c خواهم\u200c", "می خواهم"),
        ("می\u200dخواهم", "میخواهم"),
        ("می\u200cabc", "میabc"),
        ("Auf\u200clage", "Auflage"),
        ("क्\u200d\u200dष", "क्\u200dष"),
        ("क\u200dष", "कष"),
        ("❤\ufe0f\ufe0f", "❤\ufe0f"),
        ("❤\u200b\ufe0f", "❤\ufe0f"),
        ("👩\u200d\u200d👧", "👩\u200d👧"),
        ("👩\u200d \u200d👧", "👩 👧"),
        ("👩\u200d…", "👩…"),
        ("\u200d👩\u200d", "👩"),
        ("❤\ufe0f\u200d", "❤\ufe0f"),
        ("x\ufe0f\u200d👩", "x👩"),
        ("1\ufe0f", "1"),
        ("🏴\U000e0067\U000e0062", "🏴"),
        ("😀\U000e0067\U000e007f", "😀"),
        ("葛\U000e0100飾", "葛飾"),
    ],
)
def test_joiners_and_selectors_elsewhere_or_repeated_are_removed(text, expected):
    assert one(text, KEPT) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://t.co/abc\u200bgreat", "<url>great"),
        ("great\u200bhttps://t.co/abc", "great<url>"),
        ("\u2066https://example.org/\u2069 x", "<url> x"),
        ("ht\u200btps://t.co/abc", "<url>"),
        ("@na\u200bme", "<user>me"),
        ("hello\u200b@name", "hello<user>"),
        ("&#8203;&shy;&ZeroWidthSpace;a&#x200b;b", "ab"),
        ("&am\u200bp;", "&"),
        ("e\u200b\u0301", "é"),
        ("a \u200b b\u2800c", "a b c"),
        ("no\xadn-brea\xadking", "non-breaking"),
        ("\u200b<br\u200b>x", "x"),
    ],
)
def test_invisible_characters_and_other_steps(text, expected):
    assert one(text) == expected
    assert one(expected) == expected


SIGNS = [
    *INVISIBLE.values(),
    *"a1#@ ❤👩🏽☠🏴⃣میکखक्്é.<>/:",
    "http://t.co/",
    "www.",
    "&#8203;",
    "\U000e0067",
]


@given(
    st.lists(st.sampled_from(SIGNS), max_size=25).map("".join), st.sampled_from([DEFAULTS, KEPT])
)
@settings(deadline=None, max_examples=60)
def test_cleaning_invisible_characters_is_idempotent(text, choices):
    cleaned = one(text, choices)
    assert one(cleaned, choices) == cleaned
    assert cleaned == cleaned.strip()


@given(st.text())
@settings(max_examples=50)
def test_removal_never_raises_and_is_idempotent(text):
    column = without_invisible(pa.array([text]))
    assert without_invisible(column).equals(column)


@pytest.mark.parametrize("duplicates", ["keep", "drop"])
def test_rows_are_recognised_through_invisible_characters(duplicates):
    rows = [
        ("good day", "good", "labelled"),
        ("go\u200bod day\ufeff", "bad", "labelled"),
        ("\u200b\u2060 \ufe0f", "bad", "labelled"),
        ("something else here", "bad", "labelled"),
    ]
    cleaned = cleaned_rows(rows, duplicates=duplicates)
    profile = cleaned.profile()
    assert profile["reasons"]["nothing left after cleaning"] == 1
    assert profile["contradicting_texts"] == 1
    if duplicates == "keep":
        assert profile["repeated_clean"] == 1
        for name in ("group", "split_key", "near_group"):
            keys = cleaned.rows[name].to_pylist()
            assert keys[0] == keys[1] != keys[2]


def test_holdout_texts_are_recognised_through_invisible_characters():
    texts = ["good day", "go\u200bod \xadDay", "something else here"]
    labels = ["good", "good", "bad"]
    rows = cleaned_rows(list(zip(texts, labels, ["labelled"] * 3, strict=True)))
    rows = rows.rows.select(ROWS.names)
    names = pa.array(["frozen/rows.csv", "a.csv", "a.csv"]).dictionary_encode()
    rows = rows.set_column(rows.schema.get_field_index("file"), "file", names)
    reading = Reading(rows, REJECTED.empty_table(), 3)
    cleaned = clean_rows(reading, CLEANING, ["bad", "good"], ["frozen/rows.csv"])
    assert cleaned.rejected["reason"].to_pylist() == [HOLDOUT_TEXT]
    assert cleaned.rejected["id"].to_pylist() == [1]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("good day to you", "go\u200bod day\xad to y\u2060ou"),
        ("I love it ❤", "I love it ❤\ufe0f"),
        ("می\u200cخواهم بروم", "میخواهم بروم"),
        ("ශ්\u200dරී ලංකා", "ශ්රී ලංකා"),
    ],
)
def test_keys_of_words_do_not_depend_on_invisible_characters(left, right):
    keys = near.words_of(pa.array([left, right])).keys
    assert keys[0] == keys[1]


def test_emoji_that_differ_have_different_keys():
    keys = near.words_of(pa.array(["❤\ufe0f", "☀\ufe0f"])).keys
    assert keys[0] != keys[1]
