import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.tokens import Tokens

LISTS = st.lists(st.lists(st.sampled_from(["a", "b", "c", "dd", ""])), max_size=8)


@given(LISTS)
def test_tokens_keep_lists_as_they_are(lists):
    tokens = Tokens.from_lists(lists)
    assert tokens.to_lists() == lists
    assert tokens.lengths.tolist() == [len(words) for words in lists]
    assert tokens.distinct().tolist() == [len(set(words)) for words in lists]
    assert tokens.without(["a"]).to_lists() == [[w for w in x if w != "a"] for x in lists]
    assert tokens.map(str.upper).to_lists() == [[w.upper() for w in x] for x in lists]


def test_tokens_join_chunks_with_other_dictionaries():
    chunks = pa.chunked_array([pa.array([["a", "b"]]), pa.array([["c"], ["b", "a"]])])
    tokens = Tokens.from_arrow(chunks)
    assert tokens.to_lists() == [["a", "b"], ["c"], ["b", "a"]]
    assert sorted(tokens.words) == ["a", "b", "c"]
    sliced = Tokens.from_arrow(pa.array([["x"], ["a", "b"], ["c"]]).slice(1))
    assert sliced.to_lists() == [["a", "b"], ["c"]]


def test_token_lists_are_joined_and_selected_in_any_order():
    first, second = Tokens.from_lists([["a", "b"], []]), Tokens.from_lists([["b", "c"], ["d"]])
    both = first.joined(second)
    assert both.to_lists() == [["a", "b"], [], ["b", "c"], ["d"]]
    assert both.words == ["a", "b", "c", "d"]
    assert both.take(np.array([3, 0, 1, 2, 0])).to_lists() == [
        ["d"],
        ["a", "b"],
        [],
        ["b", "c"],
        ["a", "b"],
    ]


def test_once_does_not_depend_on_the_size_of_slices(monkeypatch):
    rng = np.random.default_rng(0)
    lists = [[f"w{word}" for word in rng.integers(0, 9, size)] for size in rng.integers(0, 7, 50)]
    tokens = Tokens.from_lists(lists)
    monkeypatch.setattr("pipeline.text.tokens._SLICE", 7)
    once = tokens.distinct_per_text().to_lists()
    assert [set(some) for some in once] == [set(some) for some in lists]
    assert tokens.distinct().tolist() == [len(set(some)) for some in lists]
    assert [len(some) for some in once] == [len(set(some)) for some in lists]
