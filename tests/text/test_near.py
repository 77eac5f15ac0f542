import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import CleanText
from pipeline.text import near


def words_of(texts):
    return near.words_of(pa.array(texts, pa.string()))


def groups_of(texts):
    return near.group(words_of(texts), np.arange(len(texts)))


def random_texts(n_texts, n_words=12, seed=0):
    """Texts of different words of a large vocabulary, unlike each other."""
    rng = random.Random(seed)
    return [" ".join(rng.sample(range_of_words(3000), n_words)) for _ in range(n_texts)]


def range_of_words(number):
    return [f"w{i}" for i in range(number)]


SAME_WORDS = {
    "letter case": ("Fire in the city", "fire IN the City"),
    "punctuation": ("Fire, in the city!", "fire in the city"),
    "urls": ("fire in the city http://t.co/1", "fire in http://t.co/2 the city"),
    "mentions": ("@you fire in the city", "fire in the city @me"),
    "hashtag signs": ("#fire in the #city", "fire in the city"),
    "html": ("fire &amp; rain<br />now here", "fire & rain now here"),
    "encoding": ("cafÃ© in the city", "café in the city"),
    "normal form": ("cafe\u0301 in the city", "café in the city"),
    "urls alone": ("http://t.co/1", "http://t.co/2"),
}
OTHER_WORDS = {
    "order": ("fire in the city", "city in the fire"),
    "words": ("fire in the city", "fire in the town"),
    "emoji alone": ("😀", "😡"),
    "signs alone": ("!!!", "???"),
    "a script without spaces": ("我很高兴", "我不高兴"),
    "a mention alone and a URL alone": ("@you", "http://t.co/1"),
}


@pytest.mark.parametrize("texts", SAME_WORDS.values(), ids=SAME_WORDS)
def test_texts_with_the_same_words_have_the_same_key(texts):
    first, second = words_of(texts).keys
    assert first == second


@pytest.mark.parametrize("texts", OTHER_WORDS.values(), ids=OTHER_WORDS)
def test_texts_with_other_words_have_other_keys(texts):
    first, second = words_of(texts).keys
    assert first != second


NEAR = {
    "another order": ("one two three four", "four three two one", True),
    "four of five words": ("one two three four", "one two three four five", True),
    "three of five words": ("one two three four", "one two three five", False),
    "too few words": ("one two three", "three two one", False),
    "retweet": ("RT @you: one two three four http://t.co/1", "one two three four", True),
    "a script without spaces": (
        "今天天气很好,我们一起去公园玩吧",
        "今天天气很好我们一起去公园玩",
        True,
    ),
    "other characters": ("今天天气很好我们去公园玩吧", "玩吧我们明天去公园很好天气", False),
}


@pytest.mark.parametrize(("left", "right", "are_near"), NEAR.values(), ids=NEAR)
def test_near_copies_share_four_of_five_words(left, right, are_near):
    groups = groups_of([left, "something else entirely here", right])
    assert bool(groups.first[0] == groups.first[2]) is are_near
    assert groups.founder.tolist() == [0, 1, 0 if are_near else 2]


def test_keys_are_the_same_in_every_process():
    words = words_of(["one two three four five"])
    assert words.keys.tolist() == [5081874198273093033]
    assert words.hashes[0] == 12089296467513817437


def test_nearly_every_near_copy_is_detected():
    texts = random_texts(2000)
    changed = [" ".join(["other", *text.split()[1:]]) for text in texts]  # 11 of 13 words
    groups = groups_of([*texts, *changed])
    assert np.mean(groups.first[2000:] == np.arange(2000)) > 0.99
    assert (groups.first[:2000] == np.arange(2000)).all()


def test_groups_are_those_of_all_pairs_compared():
    rng = random.Random(3)
    texts = random_texts(60, 6)
    for _ in range(240):
        words = rng.choice(texts).split()
        words[rng.randrange(len(words))] = f"w{rng.randrange(40)}"
        texts.append(" ".join(words))
    sets = [set(text.split()) for text in texts]
    first = list(range(len(texts)))
    for later in range(len(texts)):
        for earlier in range(later):
            shared = len(sets[earlier] & sets[later])
            if shared / len(sets[earlier] | sets[later]) >= near.SIMILAR:
                low, high = sorted((first[earlier], first[later]))
                first = [low if group == high else group for group in first]
    assert np.mean(groups_of(texts).first == first) > 0.95


def test_text_that_connects_two_groups_follows_the_first_and_changes_no_founder():
    texts = ["a b c d e f g h", "a b c d e f x y", "a b c d e f g h x", "a b c d e f g x y"]
    groups = groups_of(texts)
    assert groups.first.tolist() == [0, 0, 0, 0]
    assert groups.founder.tolist() == [0, 1, 0, 1]


def test_only_the_requested_texts_are_grouped():
    texts = ["one two three four", "two one three four", "three two one four"]
    groups = near.group(words_of(texts), np.array([1, 2]))
    assert groups.first.tolist() == [1, 1]
    assert groups.founder.tolist() == [1, 1]


def variants(rng, texts, number):
    """Make texts of which many are near copies of one or two others."""
    made = []
    for _ in range(number):
        left, right = (rng.choice([*texts, *made]).split() for _ in range(2))
        kind = rng.random()
        if kind < 0.4:
            left[rng.randrange(len(left))] = f"n{rng.randrange(30)}"
        elif kind < 0.7:
            left = [*left[:-1], *right[:2]]
        elif kind < 0.8:
            rng.shuffle(left)
        made.append(" ".join(left))
    return made


@given(st.integers(0, 2**31), st.integers(0, 60))
@settings(max_examples=40)
def test_added_texts_never_split_groups_or_change_founders(seed, number):
    rng = random.Random(seed)
    texts = [" ".join(rng.choices(range_of_words(12), k=rng.randint(1, 9))) for _ in range(80)]
    texts += variants(rng, texts, 40)
    before, after = groups_of(texts), groups_of([*texts, *variants(rng, texts, number)])
    assert (after.founder[: len(texts)] == before.founder).all()
    for group in np.unique(before.first):
        assert len(np.unique(after.first[: len(texts)][before.first == group])) == 1


@given(st.lists(st.text(), max_size=30))
@settings(max_examples=60)
def test_every_text_has_words(texts):
    words = words_of(texts)
    assert len(words) == len(texts)
    assert (words.counts >= 1).all()
    assert len(groups_of(texts).first) == len(texts)


def test_words_do_not_depend_on_other_texts():
    texts = [*random_texts(50), "今天天气很好", "😀 😡", ""]
    together, alone = words_of(texts), [words_of([text]) for text in texts]
    assert together.keys.tolist() == [one.keys[0] for one in alone]
    for number, one in enumerate(alone):
        start, end = together.offsets[number : number + 2]
        assert set(together.hashes[start:end]) == set(one.hashes)


def test_words_of_default_clean_texts_are_those_of_raw_texts():
    defaults = {**CleanText(dataset="vader").settings()}
    assert {name: defaults[name] for name in near.CLEANING} == near.CLEANING
    raw = pa.array(["@you  Fire &amp; rain http://t.co/1"])
    reused = near.words_of_slice(raw, defaults, pa.array(["<user> Fire & rain <url>"]))
    assert reused.keys.tolist() == words_of(raw.to_pylist()).keys.tolist()
