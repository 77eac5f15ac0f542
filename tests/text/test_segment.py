import sys

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import MissingExtraError
from pipeline.text.segment import SCRIPTS, segment, unspaced_texts
from pipeline.text.tokens import Tokens


def segments(words, segmentation="bigrams"):
    return segment(Tokens.from_lists([words]), segmentation).to_lists()[0]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        pytest.param("见", ["见"], id="one character"),
        pytest.param("东京都", ["东京", "京都"], id="Han"),
        pytest.param("食べる", ["食べ", "べる"], id="Han and Hiragana"),
        pytest.param("スーパー", ["スー", "ーパ", "パー"], id="prolonged sound mark"),
        pytest.param("ｶﾞｷﾞ", ["ｶﾞｷﾞ"], id="half-width voiced marks"),
        pytest.param("ไม่ดี", ["ไม่", "ม่ดี"], id="Thai marks stay with their letter"),
        pytest.param("ລາວ", ["ລາ", "າວ"], id="Lao"),
        pytest.param("ខ្មែរ", ["ខ្មែ", "មែរ"], id="Khmer"),
        pytest.param("iPhoneは最悪", ["iPhone", "は最", "最悪"], id="Latin letters"),
        pytest.param("2024年", ["2024", "年"], id="digits"),
        pytest.param("ปี๒๕๖๗", ["ปี", "๒๕๖๗"], id="Thai digits are one token"),
        pytest.param("最高。今日！", ["最高", "今日"], id="punctuation ends a word"),
        pytest.param("最高😡😡", ["最高", "😡😡"], id="emoji"),
        pytest.param("한국어", ["한국어"], id="Korean has spaces"),
        pytest.param("don't", ["don't"], id="Latin"),
        pytest.param("привет", ["привет"], id="Cyrillic"),
        pytest.param("नमस्ते", ["नमस्ते"], id="Devanagari has spaces"),
        pytest.param("مرحبا", ["مرحبا"], id="Arabic"),
    ],
)
def test_bigrams(word, expected):
    assert segments([word]) == expected


def test_icu_finds_words():
    assert segments(["我来到清华大学"], "icu") == ["我", "来到", "清华大学"]
    assert segments(["ภาษาไทยok"], "icu") == ["ภาษา", "ไทย", "ok"]


def test_none_changes_nothing():
    assert segments(["東京都"], "none") == ["東京都"]


def test_icu_without_its_package_is_an_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "icu4py.breakers", None)
    with pytest.raises(MissingExtraError, match=r"needs icu4py; run pip install .*segmentation"):
        segments(["東京都"], "icu")


@pytest.mark.parametrize("segmentation", ["bigrams", "icu"])
@given(lists=st.lists(st.lists(st.text("a1é東京ーไม่.。😡ﾞ़", min_size=1))))
def test_segments_contain_the_letters_of_their_text_and_texts_stay_apart(segmentation, lists):
    tokens = segment(Tokens.from_lists(lists), segmentation)
    assert len(tokens) == len(lists)
    assert "" not in tokens.words
    for before, after in zip(lists, tokens.to_lists(), strict=True):
        letters = {letter for letter in "".join(before) if letter.isalnum()}
        assert letters == {letter for letter in "".join(after) if letter.isalnum()}


def test_texts_are_counted_by_script():
    texts = pa.chunked_array([["good", "見て", "kana カナ", "ไทย"], ["ខ្មែរ 東京", "é"]])
    assert unspaced_texts(texts) == {"Chinese or Japanese": 3, "Thai": 1, "Khmer": 1}
    assert unspaced_texts(pa.array(["plain", "é", "한국어"])) == {}
    assert unspaced_texts(pa.array([], pa.string())) == {}


@pytest.mark.parametrize("letter", ["東", "か", "カ", "ㄅ", "ก", "ກ", "ក", "က", "ཀ", "ꦄ", "ᬅ", "ᥐ"])
def test_every_script_is_found(letter):
    assert sum(unspaced_texts(pa.array([letter])).values()) == 1
    assert len(SCRIPTS) == 9
