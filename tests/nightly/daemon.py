"""A real luigid on a free port of loopback, with the configuration of deploy/, and a mail server.

Of the shipped files only what a test must have otherwise is changed: ports, folders, receiver,
and how long things take.
"""

import configparser
import email
import email.policy
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from conftest import ROOT

BIN = Path(sys.executable).parent
DEPLOY = ROOT / "deploy"
RECEIVER = "team@example.org"


def shipped(name, changes):
    """Return a configuration of deploy/ with values changed, as text; sections must exist."""
    config = configparser.ConfigParser(interpolation=None)
    config.read_string((DEPLOY / name).read_text(encoding="utf-8"))
    for section, values in changes.items():
        for key, value in values.items():
            config.set(section, key, str(value))
    lines = []
    for section in config.sections():
        lines += [f"[{section}]", *(f"{key} = {value}" for key, value in config.items(section))]
    return "\n".join(lines) + "\n"


class Sink:
    """A mail server that keeps what it is sent."""

    def __init__(self):
        controller = pytest.importorskip(
            "aiosmtpd.controller", reason="NO MAIL SERVER: aiosmtpd is not installed"
        )
        self._envelopes = []
        self._server = controller.Controller(self, hostname="127.0.0.1", port=free_port())
        self._server.start()

    async def handle_DATA(self, server, session, envelope):
        self._envelopes.append(envelope)
        return "250 OK"

    @property
    def port(self):
        return self._server.port

    def mails(self):
        """Return (subject, text) of each mail, and see that it went to the one receiver."""
        found = []
        for envelope in self._envelopes:
            assert envelope.rcpt_tos == [RECEIVER]
            policy = email.policy.default
            message = email.message_from_bytes(envelope.content, policy=policy)
            (part,) = message.iter_parts()
            assert part.get_content_type() == "text/plain"
            found.append((message["Subject"], part.get_content()))
        return found

    def stop(self):
        self._server.stop()


class Luigid:
    """luigid with a state file and a history of its own in a folder.

    Parameters
    ----------
    folder : Path
    sink : Sink
    **scheduler
        Values of ``[scheduler]`` that differ from those of deploy/luigid.cfg.
    """

    def __init__(self, folder, sink, **scheduler):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        mail = {
            "email": {"receiver": RECEIVER},
            "smtp": {"host": "127.0.0.1", "port": sink.port},
        }
        (folder / "luigid.cfg").write_text(shipped("luigid.cfg", {"scheduler": scheduler, **mail}))
        (folder / "nightly.cfg").write_text(
            shipped(
                "nightly.cfg",
                {
                    "core": {"scheduler_url": self.url},
                    "worker": {"keep_alive": "true", "wait_jitter": 0.1},
                    **mail,
                },
            )
        )
        (folder / "log").mkdir(exist_ok=True)
        self.process = None
        #: More of the environment.
        self.settings = {}

    @property
    def env(self):
        """Environment of a night that runs under it."""
        return {"LUIGI_CONFIG_PATH": str(self.folder / "nightly.cfg"), **self.settings}

    def start(self):
        """Start it, and wait until it answers."""
        words = ["--address", "127.0.0.1", "--port", str(self.port)]
        self.process = subprocess.Popen(
            [str(BIN / "luigid"), *words, "--logdir", str(self.folder / "log")],
            cwd=self.folder,
            env={
                **os.environ,
                "LUIGI_CONFIG_PATH": str(self.folder / "luigid.cfg"),
                "STATE_DIRECTORY": str(self.folder),
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(self._answers, "luigid to answer")
        return self

    def _answers(self):
        assert self.process.poll() is None, self.log()
        try:
            return self.get("/static/visualiser/index.html") is not None
        except OSError:
            return False

    def stop(self):
        """End it by SIGTERM, as systemd does."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)

    def log(self):
        return (self.folder / "log" / "luigi-server.log").read_text()

    def get(self, path):
        """Return a page."""
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return answer.read().decode()

    def ask(self, method, **arguments):
        """Call luigid's API."""
        data = urllib.parse.quote(json.dumps(arguments))
        return json.loads(self.get(f"/api/{method}?data={data}"))["response"]

    def tasks(self, status="", **arguments):
        """Return what luigid knows of tasks, by family and date."""
        listed = self.ask("task_list", status=status, upstream_status="", **arguments)
        return {(t["name"], t["params"].get("date")): t for t in listed.values()}


def free_port():
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_for(holds, what, seconds=120):
    """Wait until something holds; return it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = holds()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited {seconds} s for {what}")
