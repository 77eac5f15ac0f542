"""Snapshots: what tasks derive from files is computed once."""

import pytest

from pipeline.tasks import graph


class Counter:
    calls = 0

    @graph.once
    def value(self):
        self.calls += 1
        return self.calls


def test_without_a_snapshot_a_method_runs_at_every_call():
    counter = Counter()
    assert [counter.value(), counter.value()] == [1, 2]


def test_in_a_snapshot_a_method_runs_once_per_task():
    counter, other = Counter(), Counter()
    with graph.snapshot():
        assert [counter.value(), counter.value(), other.value()] == [1, 1, 1]
    assert counter.value() == 2


def test_a_result_can_be_assumed_until_the_snapshot_ends():
    counter = Counter()
    with graph.snapshot():
        graph.assume(counter, "value", "assumed")
        assert counter.value() == "assumed"
    assert counter.value() == 1
    with pytest.raises(RuntimeError, match="snapshot"):
        graph.assume(counter, "value", "assumed")
