"""Entities by the rules of twitter-text, in several scripts."""

import pyarrow as pa
import pytest
from conftest import KEPT

from pipeline.text.clean import clean


def replaced(text, kind, **choices):
    return clean(pa.array([text]), {**KEPT, kind: "replace", **choices})["clean"][0].as_py()


def listed(text, kind):
    return clean(pa.array([text]), KEPT)[kind][0].as_py()


AFTER_SHORT_URLS = {
    "emoji": "😡",
    "emoji of several code points": "👩‍🚒",
    "japanese": "最悪だった",
    "korean": "진짜 최악",
    "thai": "แย่มาก",
    "devanagari": "बहुत बुरा",
    "arabic": "سيئ جدا",
    "hebrew": "גרוע",
    "cyrillic": "ужасно",
    "latin with accent": "éclat",
    "closing corner bracket": "」と言った",
    "double quote": "” he said",
    "single quote": "’ he said",
    "arrow": "→ look",
    "full stop": "。次",
    "full-width parenthesis": "）です",
    "ellipsis": "… more",
    "hyphen": "- great",
    "apostrophe": "'s fine",
    "colon": ": the news",
    "comma": ",no space",
    "dot": ".No space",
    "hashtag sign": "#tag",
    "mention sign": "@you",
    "placeholder": "<user>",
}


@pytest.mark.parametrize("after", AFTER_SHORT_URLS.values(), ids=AFTER_SHORT_URLS)
@pytest.mark.parametrize(
    "url",
    ["https://t.co/446830", "http://t.co/aB3", "HTTPS://T.CO/x", "pic.twitter.com/Ab12"],
)
def test_text_directly_after_a_shortened_url_is_kept(url, after):
    assert replaced(f"game {url}{after}", "urls") == f"game <url>{after}"


AFTER_DOMAINS = {
    "japanese": "です",
    "korean": "입니다",
    "arabic": "مرحبا",
    "thai": "ครับ",
    "emoji": "😡",
    "full stop": "。",
    "cyrillic": "привет",
    "parenthesis": ") ok",
    "question mark": "?",
    "comma": ", ok",
    "two dots": ".. ok",
}


@pytest.mark.parametrize("after", AFTER_DOMAINS.values(), ids=AFTER_DOMAINS)
@pytest.mark.parametrize(
    "url", ["http://example.org", "https://news.example.co.uk:8080", "www.a.de"]
)
def test_text_directly_after_a_domain_is_kept(url, after):
    assert replaced(f"x {url}{after}", "urls") == f"x <url>{after}"


@pytest.mark.parametrize(
    "before",
    ["", "見て", "봐", "см. ", "(", "「", "“", "→", "é", ":", "😀", "…", "=", "\u200b", "_"],
)
def test_url_can_follow_other_signs_and_letters_beyond_ascii(before):
    assert listed(f"{before}https://example.org/a b", "urls") == ["https://example.org/a"]


@pytest.mark.parametrize("before", ["word", "7", "@", "＠", "$", "#", "＃"])
def test_url_does_not_follow_a_letter_a_digit_or_the_sign_of_another_entity(before):
    text = f"{before}https://example.org/a b"
    assert replaced(text, "urls", mentions="replace", hashtags="replace") == text


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/a_(b)/c",
        "http://example.org/a_(b_(c))",
        "http://example.org/~x/a+b,c;d=1/e.f!g*h'i|j&k[0]@l:m%20$n",
        "http://example.org/Zürich/ß/đăk",
        "http://example.org/Ду_блин",
        "http://example.org/war–peace",
        "http://example.org/?q=(a)&b=[1]#c-",
        "http://example.org?q=1",
        "http://example.org/#!/a?b",
        "http://example.org:81/",
        "http://a_b.example.org/x",
        "http://bücher.example.org",
        "http://пример.рф/путь",
        "http://例え.jp/x",
        "http://例え.みんな",
        "http://한국.example.org",
        "http://نمونه.ایران/x",
        "http://xn--r8jz45g.xn--zckzah/",
        "http://🍕.ws/a",
        "http://localhost:8000/x",
        "http://url_removed",
        "http://user:secret@example.org/x",
        "http://too-short.x/path?query=1",
        "http://under_score.org",
        "http://dash-.example.org",
        "www.nothing",
        "http://192.168.0.1/x",
        "WWW.EXAMPLE.ORG/A",
        "https://www.example.org",
        "https://t.co/abc?amp=1",
    ],
)
def test_whole_url_is_replaced(url):
    assert replaced(f"a {url} b", "urls") == "a <url> b"
    assert replaced(f"({url}), 次", "urls") == "(<url>), 次"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://example.org/wiki/日本 x", "<url>日本 x"),
        ("http://example.org/a) x", "<url>) x"),
        ("http://example.org/a_(b x", "<url>(b x"),
        ("http://example.org/a... x", "<url>... x"),
        ("http://a.example.orghttp://b.example.org", "<url>://b.example.org"),
        ("http://example.org/ahttp://example.org/b", "<url>"),
        ("http://example.orgだよ.comx", "<url>だよ.comx"),
        ("“http://example.org/a”", "“<url>”"),
        ("http://例え.jp。次", "<url>。次"),
        ("www.example.org", "<url>"),
    ],
)
def test_url_ends_where_its_path_ends(text, expected):
    assert replaced(text, "urls") == expected


@pytest.mark.parametrize(
    "text",
    [
        "http:// alone",
        "http://-dash.example.org",
        "awww.so.sweet",
        "example.org",
        "me@www.example.org",
        "<url> <user> <hashtag> <number>",
    ],
)
def test_what_is_no_url_is_kept(text):
    assert replaced(text, "urls") == text


MENTIONS = {
    "latin": ("olá @nome_1, é", ["@nome_1"]),
    "japanese": ("の@nameに会う", ["@name"]),
    "korean": ("안녕@name님", ["@name"]),
    "thai": ("สวัสดี@nameครับ", ["@name"]),
    "chinese with full-width sign": ("你好＠name，", ["＠name"]),
    "cyrillic": ("привет @name!", ["@name"]),
    "arabic": ("مرحبا @name؟", ["@name"]),
    "hebrew": ("שלום @name.", ["@name"]),
    "devanagari": ("नमस्ते @name।", ["@name"]),
    "emoji": ("❤️@name😀", ["@name"]),
    "dot": (".@name", ["@name"]),
    "list": ("@name/list", ["@name"]),
    "retweet": ("RT@name: x rt:@other (rT@third)", ["@name", "@other", "@third"]),
    "quote in the wrong encoding": ("‰ÛÏ@name: x", ["@name"]),
    "several": ("@a @b,@c\n@d", ["@a", "@b", "@c", "@d"]),
    "hashtag sign after it": ("@a#b", ["@a"]),
    "zero-width space": ("x\u200b@name\u200by", ["@name"]),
}


@pytest.mark.parametrize(("text", "expected"), MENTIONS.values(), ids=MENTIONS)
def test_mentions_are_replaced(text, expected):
    assert listed(text, "mentions") == expected
    assert not set(expected) & set(replaced(text, "mentions").replace("<user>", " ").split())


@pytest.mark.parametrize(
    "text",
    [
        "me@example.org",
        "josé@example.com",
        "jose\u0301@example.com",
        "почта@example.com",
        "δοκιμή@mail.example.com",
        "名前@example.co.jp",
        "बात@example.in",
        "me＠example.org",
        "a_@b",
        "9@b",
        "f!@kn f$@kn f%@kn f&@kn f*@kn f@@kn f#@kn",
        "@_@",
        "@name@example.org",
        "@aliceßa",
        "@alicee\u0301".replace("ee", "e"),
        "@http://x",
        "start@home",
        "@ alone",
        "＠ alone",
    ],
)
def test_what_is_no_mention_is_kept(text):
    assert listed(text, "mentions") == []
    assert replaced(text, "mentions") == text


HASHTAGS = {
    "latin with accents": ("#mañana #Ateş", ["#mañana", "#Ateş"]),
    "catalan": ("#col·lecció", ["#col·lecció"]),
    "cyrillic": ("#привет!", ["#привет"]),
    "greek": ("#Αθήνα", ["#Αθήνα"]),
    "arabic": ("#كتاب_١٢، x", ["#كتاب_١٢"]),
    "persian with non-joiner": ("#می\u200cخواهم x", ["#می\u200cخواهم"]),
    "hebrew with punctuation": ("#צה״ל #על־ידי", ["#צה״ל", "#על־ידי"]),
    "devanagari with marks": ("#हिन्दी।", ["#हिन्दी"]),
    "sinhala with joiner": ("#ශ්\u200dරී x", ["#ශ්\u200dරී"]),
    "thai": ("#เมืองไทย x", ["#เมืองไทย"]),
    "korean": ("#한국어, x", ["#한국어"]),
    "japanese": ("これは、#サッカー・日本。", ["#サッカー・日本"]),
    "full-width": ("＃ｔａｇ１", ["＃ｔａｇ１"]),
    "digits and letters": ("#1st #2b2", ["#1st", "#2b2"]),
    "after emoji": ("❤️#a 👍🏽#b 🇫🇷#c 1️⃣#d", ["#a", "#b", "#c", "#d"]),
    "after punctuation": ("(#a).#b/#c", ["#a", "#b", "#c"]),
    "chain": ("#a#b_1#c", ["#a", "#b_1", "#c"]),
    "topic between signs": ("#話題# x", ["#話題"]),
    "astral letters": ("#\U00020021", ["#\U00020021"]),
}


@pytest.mark.parametrize(("text", "expected"), HASHTAGS.values(), ids=HASHTAGS)
def test_hashtags_are_whole_in_every_script(text, expected):
    assert listed(text, "hashtags") == expected
    assert replaced(text, "hashtags").count("<hashtag>") == len(expected)


@pytest.mark.parametrize(
    "text",
    [
        "#16 of #1_2 and #_",
        "#१२३",
        "c#sharp c#d#e",
        "日本#タグ",
        "слово#тег",
        "हिंदी#टैग",
        "&#tag",
        "#️⃣ #⃣ #1️⃣",
        "#http://x",
        "# tag",
        "#。",
    ],
)
def test_what_is_no_hashtag_is_kept(text):
    assert listed(text, "hashtags") == []
    assert replaced(text, "hashtags") == text


def test_chains_of_entities_that_are_replaced_are_replaced_whole():
    text = "@a#b@c#d#e @f@g #h@i.jp"
    assert replaced(text, "mentions") == "<user>#b@c#d#e @f@g #h@i.jp"
    assert replaced(text, "hashtags", mentions="replace") == (
        "<user><hashtag><user><hashtag><hashtag> @f@g <hashtag><user>.jp"
    )


@pytest.mark.parametrize(
    "text",
    ["https://example.org/@name/x", "http://example.org/a#b/#c/@d", "www.example.org/#a"],
)
def test_urls_contain_no_other_entities(text):
    assert listed(text, "mentions") == listed(text, "hashtags") == []
    assert replaced(text, "mentions", hashtags="replace") == text


def test_full_width_signs_are_recognised_in_every_normal_form():
    for form in ("none", "NFC", "NFKC"):
        text = "你好＠name ＃标签 josé＠example.com"
        cleaned = replaced(text, "mentions", hashtags="replace", unicode_form=form)
        assert cleaned.startswith("你好<user> <hashtag> josé")
        assert cleaned.endswith("example.com")


def test_hostile_entities_are_replaced_quickly():
    parts = ["http://a.bc/(", "@a@", "#a", "http://-", "www.", "あ.", "(", "é@a.", "#1", "t.co/a"]
    texts = [part * 10_000 for part in [*parts, "@a#b", "x#", "é#"]]
    texts += ["http://a.bc/" + "(" * 30_000, "#é" * 20_000 + "://"]
    for kind in ("urls", "mentions", "hashtags"):
        assert len(clean(pa.array(texts), {**KEPT, kind: "replace"})["clean"]) == len(texts)
    replaced_all = {**KEPT, "mentions": "replace", "hashtags": "remove"}
    assert set(clean(pa.array(["@a#b" * 10_000]), replaced_all)["clean"][0].as_py().split()) == {
        "<user>"
    }
