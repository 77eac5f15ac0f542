"""The mail of a night, as Luigi sends it to a server on loopback."""

import email
import logging
import socket
import sys
from dataclasses import replace

import luigi
import pytest

from pipeline.nightly import mail
from pipeline.nightly.ledger import DECISIONS, ROLLBACK
from pipeline.nightly.night import Night

NIGHT = Night(
    dataset="toy",
    date="2026-11-22",
    outcome="kept",
    reason="the recall of bad falls <b> é \ud800",
    model="nb",
    metric="macro_f1",
    time="2026-11-22T03:00:00",
    rows=1234,
    drift={
        "level": "warning",
        "distributions": [
            {"level": "ok", "sentence": "lengths are as ever"},
            {"level": "warning", "sentence": "tokens moved"},
        ],
    },
    decision={
        "figures": {
            "metric": "macro_f1",
            "rows": 50,
            "values": {"challenger": 0.81234, "champion": 0.8},
        },
        "rules": [
            {"passed": True, "sentence": "beats the baseline"},
            {"passed": False, "sentence": "the recall falls"},
        ],
    },
    report="toy/8_report/nb-1",
)
TEXT = """Night of 2026-11-22, dataset toy, model nb.

Champion kept: the recall of bad falls

Rows: 1,234
Drift: warning
  tokens moved
macro_f1 on 50 holdout rows:
  challenger: 0.8123
  champion: 0.8000
  passed: beats the baseline
  FAILED: the recall falls
Report: toy/8_report/nb-1
History: outputs/history/toy.html
"""


class Sink:
    """Keeps what it is sent."""

    def __init__(self):
        self.envelopes = []

    async def handle_DATA(self, server, session, envelope):
        self.envelopes.append(envelope)
        return "250 OK"


@pytest.fixture
def config():
    """Return Luigi's configuration, put back afterwards."""
    known = luigi.configuration.get_config()
    before = {name: dict(known.items(name)) for name in known.sections()}
    yield known
    for name in known.sections():
        known.remove_section(name)
    for name, values in before.items():
        for key, value in values.items():
            known.set(name, key, value.replace("%", "%%"))


@pytest.fixture
def sink(config):
    """Return a mail server on a free port of loopback, and let Luigi use it."""
    controller = pytest.importorskip("aiosmtpd.controller", reason="aiosmtpd is not installed")
    handler = Sink()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = controller.Controller(handler, hostname="127.0.0.1", port=port)
    server.start()
    for section, key, value in (
        ("email", "receiver", "team@example.org, other@example.org"),
        ("email", "sender", "night@example.org"),
        ("email", "force_send", "true"),
        ("email", "format", "plain"),
        ("smtp", "host", "127.0.0.1"),
        ("smtp", "port", str(port)),
    ):
        config.set(section, key, value)
    yield handler
    server.stop()


def test_mail_has_outcome_reason_and_metrics():
    subject, text = mail.compose(
        replace(NIGHT, reason="the recall of bad falls"), "outputs/history/toy.html"
    )
    assert subject == "toy 2026-11-22: champion kept"
    assert text == TEXT


@pytest.mark.parametrize("outcome", [name for name in DECISIONS if name != ROLLBACK])
def test_every_outcome_has_a_mail(outcome):
    night = Night("toy", "2026-11-22", outcome, "because", "nb", "accuracy", "now")
    subject, text = mail.compose(night)
    assert subject.startswith("toy 2026-11-22: ")
    assert text.endswith(": because\n\n")


def test_mail_arrives(sink):
    mail.send(NIGHT, "page")
    (envelope,) = sink.envelopes
    assert envelope.rcpt_tos == ["team@example.org", "other@example.org"]
    message = email.message_from_bytes(envelope.content)
    assert message["Subject"] == "toy 2026-11-22: champion kept"
    assert message["From"] == "night@example.org"
    (part,) = message.get_payload()
    assert part.get_content_type() == "text/plain"
    assert "falls <b> é ?" in part.get_payload(decode=True).decode()


def test_mail_in_html_is_escaped(sink, config):
    config.set("email", "format", "html")
    mail.send(NIGHT, "page")
    (part,) = email.message_from_bytes(sink.envelopes[0].content).get_payload()
    assert part.get_content_type() == "text/html"
    assert "falls &lt;b&gt; é ?" in part.get_payload(decode=True).decode()


def test_no_mail_is_sent_without_a_receiver(sink, config):
    config.set("email", "receiver", "")
    mail.send(NIGHT)
    assert sink.envelopes == []


def test_unreachable_mail_server_is_no_failure(sink, config, caplog):
    config.set("smtp", "port", "1")
    assert not mail.send(NIGHT)
    assert sink.envelopes == []
    assert "Not able to connect to smtp server" in caplog.text


@pytest.mark.parametrize("how", ["nobody listens", "another error"])
def test_send_returns_false_whatever_is_logged(sink, config, monkeypatch, how):
    if how == "another error":
        monkeypatch.setattr(luigi.notifications, "send_email_smtp", lambda *_: 1 / 0)
    config.set("smtp", "port", "1")
    known = logging.getLogger("luigi-interface")
    monkeypatch.setattr(known, "disabled", True)
    assert not mail.send(NIGHT)
    assert luigi.notifications.logger is known


@pytest.mark.parametrize(
    ("key", "value", "is_wanted"),
    [
        ("force_send", "true", True),
        ("force_send", "false", False),
        ("receiver", "", False),
        ("format", "none", False),
    ],
)
def test_mail_from_a_terminal_follows_luigis_rules(
    sink, config, monkeypatch, key, value, is_wanted
):
    config.set("email", key, value)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert mail.is_wanted() == is_wanted
    assert mail.send(NIGHT)
    assert len(sink.envelopes) == is_wanted
