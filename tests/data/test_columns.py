import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.data.columns import byte_flags, find_all, replace_within

TEXTS = ["", "a@b", "no sign", "é @x", "", "#", ""]
FLAGS = np.zeros(256, np.uint8)
FLAGS[ord("@")], FLAGS[ord("#")], FLAGS[0x80:] = 1, 2, 4


@pytest.mark.parametrize(("start", "length"), [(0, 7), (1, 3), (3, 4), (6, 1), (2, 0)])
def test_byte_flags_are_those_of_the_bytes_of_each_text(start, length):
    flags = byte_flags(pa.array(TEXTS).slice(start, length), FLAGS).tolist()
    expected = [0, 1, 0, 5, 0, 2, 0][start : start + length]
    # An empty text may have the flags of the next text, never the other way round.
    filled = [index for index in range(length) if TEXTS[start + index]]
    assert [flags[index] for index in filled] == [expected[index] for index in filled]
    assert len(flags) == length


def test_byte_flags_of_empty_texts():
    assert byte_flags(pa.array(["", ""]), FLAGS).tolist() == [0, 0]


@given(st.lists(st.text(alphabet="@ab é#", max_size=12), max_size=8), st.integers(0, 3))
def test_find_all_returns_what_re_findall_returns(texts, start):
    column = pa.array(texts, pa.string()).slice(start)
    assert find_all(column, "@[ab]+").to_pylist() == [
        re.findall("@[ab]+", text) for text in texts[start:]
    ]


def test_a_pattern_is_replaced_only_inside_another():
    column = pa.array(["x1 [11] 1", "", "[1][2]"]).slice(0, 3)
    assert replace_within(column, r"\[\d+\]", "1", "one").to_pylist() == [
        "x1 [oneone] 1",
        "",
        "[one][2]",
    ]


def test_a_pattern_is_replaced_outside_of_another_after_some_text():
    column = pa.array(["1 [1] x[1]1", ""])
    replaced = replace_within(column, r"\[1\]", "1", "one", before="^|[^x]", outside=True)
    assert replaced.to_pylist() == ["one [1] x[one]one", ""]
