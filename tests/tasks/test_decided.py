"""Nights that are decided and not told yet: who tells them, and which time they are decided."""

import pytest

from pipeline.nightly import mail, untold
from pipeline.nightly.ledger import Entry
from pipeline.nightly.night import Night
from pipeline.tasks import recording, telling

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
        assert recording.record("toy", day, redo, line, night)

    return decide


def states():
    folder = recording.registry_of("toy")
    return {name: untold.state(folder, name) for name in untold.names(folder)}


def test_process_that_writes_to_nobody_settles_its_own_night_alone(decide, monkeypatch):
    decide(FIRST)
    decide(NEXT)
    monkeypatch.setattr(mail, "is_wanted", lambda: False)
    telling.tell("toy", NEXT)
    assert states() == {FIRST: untold.TRIED}
    telling.tell("toy", FIRST)  # its mail is owed: somebody is written to in another process
    assert states() == {FIRST: untold.TRIED}
    told = []
    monkeypatch.setattr(mail, "is_wanted", lambda: True)
    monkeypatch.setattr(mail, "send", lambda night, page: not told.append(night.date))
    telling.tell("toy", NEXT)
    assert told == [FIRST]
    assert states() == {}
