import html
import re

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.text.clean import clean

DEFAULTS = {
    "encoding_repair": "repair",
    "html": "decode",
    "unicode_form": "NFC",
    "urls": "replace",
    "mentions": "replace",
    "hashtags": "keep",
    "numbers": "keep",
    "case": "keep",
}
CHOICES = {
    "encoding_repair": ("repair", "keep"),
    "html": ("decode", "keep"),
    "unicode_form": ("NFC", "NFKC", "none"),
    **dict.fromkeys(("urls", "mentions", "hashtags", "numbers"), ("keep", "replace", "remove")),
    "case": ("keep", "lower"),
}


def one(text, **choices):
    return clean(pa.array([text], pa.string()), {**DEFAULTS, **choices})["clean"][0].as_py()


def listed(text, name):
    return clean(pa.array([text]), DEFAULTS)[name][0].as_py()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain words", "plain words"),
        (None, ""),
        ("  two\t\tspaces\r\nand lines  ", "two spaces and lines"),
        ("no\u00a0break\u2003space\u2028line", "no break space line"),
        ("bell\x07 and\x00null", "bell andnull"),
        ("camping tomorrow dannyâ\x80¦", "camping tomorrow danny…"),
        ("ð\x9f\x98\x8d love", "😍 love"),
        ("Not Coming Nowâ€“and", "Not Coming Now–and"),
        ("Matt &amp; Tim", "Matt & Tim"),
        ("&amp;lt;3 you", "<3 you"),
        ("caf&eacute; e\u0301", "café é"),
        ("good<br /><br/>film<BR>end", "good film end"),
        ("@a and @b_2 hi", "<user> and <user> hi"),
        ("@a@b hi", "@a@b hi"),
        ("@a, @b hi", "<user>, <user> hi"),
        ("mail me@example.org", "mail me@example.org"),
        ("see http://t.co/x1, ok", "see <url>, ok"),
        ("(www.example.org/a?b=c)", "(<url>)"),
        ("https://t.co/abc…", "<url>…"),
        ("http:// alone", "http:// alone"),
        ("keep 👩‍👩‍👧 and ❤️", "keep 👩‍👩‍👧 and ❤️"),
    ],
)
def test_clean_by_default(text, expected):
    assert one(text) == expected


@pytest.mark.parametrize(
    ("text", "choices", "expected"),
    [
        ("a http://x.yz b", {"urls": "keep"}, "a http://x.yz b"),
        ("a http://x.yz b", {"urls": "remove"}, "a b"),
        ("hi @a!", {"mentions": "keep"}, "hi @a!"),
        ("hi @a!", {"mentions": "remove"}, "hi !"),
        ("#one #ünï_2 c#3", {"hashtags": "replace"}, "<hashtag> <hashtag> c#3"),
        ("#one two", {"hashtags": "remove"}, "two"),
        (
            "13,000 in 3.5 at 10:30 3G",
            {"numbers": "replace"},
            "<number> in <number> at <number> 3G",
        ),
        ("route 66", {"numbers": "remove"}, "route"),
        ("LOUD Straße ΟΔΟΣ", {"case": "lower"}, "loud straße οδος"),
        ("Matt &amp; Tim<br>", {"html": "keep"}, "Matt &amp; Tim<br>"),
        ("dannyâ\x80¦", {"encoding_repair": "keep"}, "dannyâ¦"),
        ("ﬁne ①", {"unicode_form": "NFKC"}, "fine 1"),
        ("e\u0301", {"unicode_form": "none"}, "e\u0301"),
    ],
)
def test_clean_with_other_settings(text, choices, expected):
    assert one(text, **choices) == expected


def test_entities_are_resolved_before_tags_and_urls_are_replaced():
    assert one("a&lt;br&gt;b http&#58;//x.yz/z") == "a b <url>"


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("#a b #c_d#e", "hashtags", ["#a", "#c_d", "#e"]),
        ("@a @b", "mentions", ["@a", "@b"]),
        ("x http://t.co/1 y https://z.qr", "urls", ["http://t.co/1", "https://z.qr"]),
        ("nothing", "urls", []),
        ("", "hashtags", []),
    ],
)
def test_replaced_entities_are_listed(text, name, expected):
    assert listed(text, name) == expected


def test_lists_belong_to_their_rows():
    column = clean(pa.array(["#a #b", "", "x", "#c"]), DEFAULTS)["hashtags"]
    assert column.to_pylist() == [["#a", "#b"], [], [], ["#c"]]


TEXTS = (
    st.text()
    | st.text(alphabet="a@#&;<>br/ http:w.1é\u00a0\x80â¦€İΣ\u0301lt＠＃$の\u200b\u200d\ufe0f❤\xad")
    | st.lists(
        st.sampled_from(
            [
                *("@a", "#b", "&amp;", "amp;", "http://", "x.yz", "<br>", "3", " ", "Ã©", "İ"),
                *("://t.co/1", "t.co/a", "www.", "(", "＠a", "の", "\u200b", "é@a.bc", "#", "RT"),
            ]
        )
    ).map("".join)
)


@given(
    st.lists(TEXTS, max_size=4),
    st.fixed_dictionaries({name: st.sampled_from(options) for name, options in CHOICES.items()}),
)
@example(["&@a#lt;"], {**DEFAULTS, "mentions": "remove"})
@settings(deadline=None, max_examples=300)
def test_clean_never_raises_and_is_idempotent(texts, choices):
    once = clean(pa.array(texts, pa.string()), choices)["clean"]
    assert clean(once, choices)["clean"].to_pylist() == once.to_pylist()
    assert not any(text != text.strip() for text in once.to_pylist())


@given(st.lists(TEXTS, max_size=6))
@settings(deadline=None)
def test_cleaning_a_text_does_not_depend_on_other_texts(texts):
    together = clean(pa.array(texts, pa.string()), DEFAULTS)["clean"].to_pylist()
    assert together == [one(text) for text in texts]


def test_hostile_texts_are_cleaned_quickly():
    hostile = ["@a#b" * 25_000, "&" + "amp;" * 50_000, "&#38" * 50_000, "http://" * 20_000]
    hostile += ["@" * 100_000, "&" * 50_000 + html.escape("<" * 5_000), "#" * 9]
    assert len(clean(pa.array(hostile), DEFAULTS)["clean"]) == 7


def test_control_characters_from_encoding_repair_are_removed():
    column = clean(pa.array(["a À\x80 b", "plain"]), DEFAULTS)["clean"]
    assert column.to_pylist() == ["a b", "plain"]
    assert clean(column, DEFAULTS)["clean"].equals(column)


REMOVING = dict.fromkeys(("urls", "mentions", "hashtags", "numbers"), "remove")
REPLACING = dict.fromkeys(REMOVING, "replace")
# Each round uncovers one more entity; texts of 280 characters, the most that a tweet has.
LAYERS = {
    "mentions": "@a:" * 93,
    "hashtags": "#é#b" * 70,
    "mentions and hashtags": "@a#b" * 70,
    "numbers and mentions": "1@2" * 93,
    "ampersands": "&" + "amp;" * 69,
    "ampersands by number": "&" + "#38;" * 69,
    "ampersands of two kinds": "&" * 39 + "num;38;" * 34,
    "control characters by number": "&" * 40 + "#129;" * 47,
    "wrong encoding": "Ã" * 139 + "\x83©",
}


@pytest.mark.parametrize("choices", [{}, REMOVING, REPLACING], ids=["plain", "remove", "replace"])
@pytest.mark.parametrize("text", LAYERS.values(), ids=LAYERS)
def test_many_layers_in_a_tweet_are_all_removed(text, choices):
    assert len(text) <= 280
    cleaned = one(text, **choices)
    assert one(cleaned, **choices) == cleaned
    assert not choices or not re.search("@a|#b|amp;", cleaned)


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("@a#b@c hi @d", "mentions", ["@a", "@c", "@d"]),
        ("#one#two", "hashtags", ["#one", "#two"]),
        ("@a#b@c", "mentions", ["@a", "@c"]),
        ("@a#b@c", "hashtags", ["#b"]),
        ("me@a.org @b#c", "mentions", ["@b"]),
        ("ht\u200btp://t.co/1 @\xada", "urls", ["http://t.co/1"]),
        ("&&#129;amp;commat;a x", "mentions", ["@a"]),
    ],
)
def test_entities_of_later_rounds_are_listed(text, name, expected):
    column = clean(pa.array(["@x", text, ""]), {**DEFAULTS, "hashtags": "replace"})[name]
    assert column.to_pylist() == [["@x"] if name == "mentions" else [], expected, []]


def test_kept_entities_are_listed_once():
    column = clean(pa.array(["@a @b #c#d"]), {**DEFAULTS, "mentions": "keep"})["mentions"]
    assert column.to_pylist() == [["@a", "@b"]]


@given(
    st.text(st.sampled_from(" \t\n\r\x0b\x0c\x85\xa0\u1680\u2003\u2028\u2029\u202f\u205f\u3000ab"))
)
def test_white_space_becomes_one_space(text):
    assert one(text, encoding_repair="keep") == " ".join(text.split())


@given(st.text(st.sampled_from("a@#1 &amp;<br>/.:http＠の$!\u200b")), st.data())
def test_cleaning_is_idempotent_for_entities(text, data):
    choices = {name: data.draw(st.sampled_from(some)) for name, some in CHOICES.items()}
    cleaned = one(text, **choices)
    assert one(cleaned, **choices) == cleaned
