"""The mail of a night is sent, however its process ended."""

import json
import shutil
import sys

import pytest
from daemon import RECEIVER, Sink
from nights import MODEL, Nights, many

pytestmark = pytest.mark.processes
DATE, NEXT = "2024-11-16", "2024-11-17"
TOLD = f"[night] toy {DATE}: new champion"

KILLED = """
import os, signal, sys
from pipeline.nightly import mail
from pipeline.nightly import records

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[1] == "before the record":
    records._publish = die
elif sys.argv[1] == "before the page":
    records.write_history = die
else:
    mail.send = die
from luigi.cmdline import luigi_run
luigi_run(sys.argv[2:])
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return a chain in which all is trained and no night is decided; read only."""
    nights = Nights(tmp_path_factory.mktemp("trained")).prepare(())
    for date in (DATE, NEXT):
        nights.put(date, many())
    assert nights.nightly(DATE).returncode == 0
    for place in ("registry", "history", "toy/nights"):
        shutil.rmtree(nights.outputs / place)
    return nights


@pytest.fixture
def mine(trained, tmp_path):
    return trained.copied(tmp_path / "nights")


@pytest.fixture
def sink():
    server = Sink()
    yield server
    server.stop()


def env(nights, port):
    """Return the environment of nights that write to a mail server."""
    path = nights.folder / "mail.cfg"
    path.write_text(
        f"[email]\nreceiver = {RECEIVER}\nforce_send = true\nprefix = [night]\nformat = plain\n"
        f"[smtp]\nhost = 127.0.0.1\nport = {port}\n"
    )
    return {"LUIGI_CONFIG_PATH": str(path)}


def subjects(sink):
    return [subject for subject, _ in sink.mails()]


def untold(nights):
    return [path.name for path in (nights.registry / "untold").glob("[0-9]*")]


@pytest.mark.parametrize(
    ("when", "by"),
    [
        ("before the record", "the next night"),
        ("before the page", "the same night"),
        ("before the mail", "the same night"),
        ("before the mail", "the next night"),
    ],
)
def test_next_start_sends_the_mail_of_a_killed_night(mine, sink, when, by):
    known = env(mine, sink.port)
    words = mine.command("Nightly", *MODEL, "--date", DATE)[1:]
    killed = mine.process([sys.executable, "-c", KILLED, when, *words], known)
    assert killed.returncode == -9, killed.stderr
    assert [line["decision"] for line in mine.ledger()] == ["promoted"]
    assert subjects(sink) == []
    done = mine.nightly(DATE if by == "the same night" else NEXT, env=known)
    assert done.returncode == (0 if by == "the same night" else 51), done.stderr
    told = [TOLD] if by == "the same night" else [TOLD, f"[night] toy {NEXT}: unchanged data"]
    assert subjects(sink) == told
    assert mine.night(DATE)["reason"] in sink.mails()[0][1]
    assert mine.night(DATE)["decision"]["promoted"]
    assert DATE in mine.history()
    assert untold(mine) == []
    assert not list(mine.outputs.glob(".cache/nights/*"))


def test_backfill_sends_the_mail_of_a_killed_night(mine, sink):
    known = env(mine, sink.port)
    words = mine.command("Nightly", *MODEL, "--date", DATE)[1:]
    mine.process([sys.executable, "-c", KILLED, "before the mail", *words], known)
    of = json.dumps({"dataset": "toy", "model": "naive_bayes", "since": DATE})
    done = mine.luigi(
        *("RangeDailyBase", "--of", "Nightly", "--of-params", of),
        *("--start", DATE, "--stop", NEXT),
        env=known,
    )
    assert done.returncode == 0, done.stderr
    assert subjects(sink) == [TOLD]


def test_unsent_mail_is_sent_by_a_later_start(mine, sink):
    done = mine.nightly(DATE, env=env(mine, 1))
    assert done.returncode == 0, done.stderr
    assert "Not able to connect to smtp server" in done.stderr
    assert untold(mine) == [DATE]
    # It is decided: nothing holds a backfill up.
    known = env(mine, sink.port)
    assert mine.nightly(DATE, env=known).returncode == 0
    assert subjects(sink) == [TOLD]
    assert untold(mine) == []


def test_unreachable_server_is_tried_once_a_night(mine, monkeypatch):
    from pipeline.nightly import mail, notifications

    known = env(mine, 1)
    for date, code in ((DATE, 0), (NEXT, 51)):
        assert mine.nightly(date, env=known).returncode == code
    assert sorted(untold(mine)) == [DATE, NEXT]
    mine.set_paths()
    asked = []
    monkeypatch.setattr(mail, "is_wanted", lambda: True)
    monkeypatch.setattr(mail, "send", lambda night, page: asked.append(night.date))
    notifications.send_pending("toy", again=False)
    assert asked == []
    notifications.send_pending("toy")
    assert asked == [DATE]
    monkeypatch.setattr(mail, "send", lambda night, page: not asked.append(night.date))
    notifications.send_pending("toy")
    assert asked == [DATE, DATE, NEXT]
    assert untold(mine) == []


def test_night_without_a_receiver_leaves_an_empty_outbox(mine):
    assert mine.nightly(DATE).returncode == 0
    assert untold(mine) == []
