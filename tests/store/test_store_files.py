"""JSON, digests, checksums and links."""

import json
import os

from hypothesis import given
from hypothesis import strategies as st

from pipeline.store import files

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FINITE = st.recursive(
    st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_every_value_can_be_written_as_strict_json(value):
    json.dumps(files.strict(value), allow_nan=False)


@given(FINITE)
def test_strict_json_is_unchanged(value):
    assert files.strict(value) == value


def test_point_replaces_a_link_and_survives_moving(tmp_path):
    for name in ("old", "new"):
        (tmp_path / "runs" / name).mkdir(parents=True)
    link = tmp_path / "latest" / "model"
    files.point(link, tmp_path / "runs" / "old")
    files.point(link, tmp_path / "runs" / "new")
    assert link.resolve() == (tmp_path / "runs" / "new").resolve()
    assert not os.path.isabs(os.readlink(link))
    assert list(link.parent.glob(".tmp-*")) == []


@given(JSON)
def test_digest_is_the_same_after_a_round_through_json(value):
    assert files.digest(json.loads(json.dumps(value))) == files.digest(value)


@given(st.dictionaries(st.text(), st.integers(), min_size=2))
def test_digest_does_not_depend_on_the_order_of_keys(value):
    turned = dict(reversed(list(value.items())))
    assert files.digest(turned) == files.digest(value)


@given(JSON, JSON)
def test_digests_differ_when_values_do(one, other):
    if files.canonical(one) != files.canonical(other):
        assert files.digest(one) != files.digest(other)


def test_remembered_checksum_is_read_once_and_follows_content(tmp_path, monkeypatch):
    path, memory = tmp_path / "raw.csv", tmp_path / "memory"
    path.write_text("one")
    os.utime(path, (1, 1))
    first = files.remembered_sha256(path, memory)
    read = []
    original = files.sha256_of
    monkeypatch.setattr(files, "sha256_of", lambda p: read.append(p) or original(p))
    assert files.remembered_sha256(path, memory) == first
    assert read == []
    path.write_text("two")
    os.utime(path, (2, 2))
    assert files.remembered_sha256(path, memory) != first
    assert len(read) == 1


def test_checksum_of_a_file_changed_just_now_is_not_remembered(tmp_path):
    path, memory = tmp_path / "raw.csv", tmp_path / "memory"
    path.write_text("one")
    files.remembered_sha256(path, memory)
    assert not memory.exists()


def test_checksum_is_returned_where_memory_cannot_be_written(tmp_path):
    path, memory = tmp_path / "raw.csv", tmp_path / "memory"
    path.write_text("one")
    os.utime(path, (1, 1))
    memory.write_text("a file")
    assert files.remembered_sha256(path, memory) == files.sha256_of(path)
