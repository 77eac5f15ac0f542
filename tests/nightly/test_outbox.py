"""Nights in the outbox, and the number of a repeated decision."""

import datetime

import pytest

from pipeline.nightly import attempts, mail, notifications, outbox, records
from pipeline.nightly.ledger import Entry, night_name
from pipeline.nightly.night import Night

FIRST, NEXT = "2026-11-21", "2026-11-22"
TIME = "2026-11-23T03:00:00+0100"


@pytest.fixture
def decide(chain):
    """Return what writes a night down and leaves it untold."""
    chain.set_paths()

    def decide(day, redo=0, time=TIME):
        known = {"model": "nb", "metric": "macro_f1"}
        line = Entry(day, "kept", "why", time, {}, known, None, None, redo)
        night = Night("toy", day, "kept", "why", **known, time=time, redo=redo)
        assert records.record("toy", day, redo, line, night)

    return decide


def states():
    folder = records.registry_of("toy")
    return {name: outbox.state(folder, name) for name in outbox.names(folder)}


def test_process_without_receiver_settles_only_its_own_night(decide, monkeypatch):
    decide(FIRST)
    decide(NEXT)
    monkeypatch.setattr(mail, "is_wanted", lambda: False)
    notifications.send_pending("toy", NEXT)
    assert states() == {FIRST: outbox.TRIED}
    notifications.send_pending(
        "toy", FIRST
    )  # its mail is owed: somebody is written to in another process
    assert states() == {FIRST: outbox.TRIED}
    told = []
    monkeypatch.setattr(mail, "is_wanted", lambda: True)
    monkeypatch.setattr(mail, "send", lambda night, page: not told.append(night.date))
    notifications.send_pending("toy", NEXT)
    assert told == [FIRST]
    assert states() == {}


@pytest.mark.parametrize(
    ("state", "asked", "number"),
    [
        pytest.param(outbox.BEGUN, None, 1, id="killed before its record"),
        pytest.param(outbox.WRITTEN, None, 1, id="killed before its mail"),
        pytest.param(outbox.TRIED, None, 2, id="mail server was away"),
        pytest.param(None, None, 2, id="told"),
        pytest.param(None, "2026-11-23T02:59:59+0100", 1, id="told, and asked for before"),
        pytest.param(None, "2026-11-23T02:00:00+0000", 1, id="told at the second it was asked for"),
        pytest.param(None, "2026-11-23T03:00:01+0100", 2, id="told, and asked for later"),
    ],
)
def test_redo_repeats_a_decision_unless_the_last_one_answers_it(decide, state, asked, number):
    decide(FIRST)
    assert attempts.next_number("toy", FIRST) == 1
    decide(FIRST, redo=1)
    folder, name = records.registry_of("toy"), night_name(FIRST, 1)
    outbox.remove(folder, name)
    if state:
        outbox.mark(folder, name, state)
    asked = asked and datetime.datetime.fromisoformat(asked)
    assert attempts.next_number("toy", FIRST, asked) == number


def test_redo_always_repeats_the_first_decision(decide):
    decide(FIRST)
    asked = datetime.datetime.fromisoformat("2026-11-23T02:00:00+0100")
    assert attempts.next_number("toy", FIRST, asked) == 1
