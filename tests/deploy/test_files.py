"""The files of deploy/: options that Luigi knows, commands that exist, units that systemd takes."""

import configparser
import datetime
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from luigi import notifications, retcodes, scheduler, worker
from luigi.interface import core

from pipeline.cli import cli
from pipeline.cli.nightly import EXIT_CODES

DEPLOY = ROOT / "deploy"
UNITS = ("luigid.service", "night@.service", "night@.timer")
# Section: the class that reads it. [task_history] is read by name.
KNOWN = {
    "core": core,
    "scheduler": scheduler.scheduler,
    "worker": worker.worker,
    "retcode": retcodes.retcode,
    "email": notifications.email,
    "smtp": notifications.smtp,
}
HOME = "/opt/text-classification"


def config(name):
    """Return a configuration file."""
    parsed = configparser.ConfigParser(interpolation=None)
    parsed.read_string((DEPLOY / name).read_text(encoding="utf-8"))
    return parsed


def unit(name):
    """Return a unit; a key that stands twice is an error."""
    parsed = configparser.ConfigParser(interpolation=None, strict=True)
    parsed.optionxform = str
    parsed.read_string((DEPLOY / name).read_text(encoding="utf-8"))
    return parsed


@pytest.mark.parametrize("name", ["luigid.cfg", "nightly.cfg"])
def test_every_option_is_one_that_luigi_knows(name):
    """Luigi only warns of an option that it does not know."""
    for section, values in config(name).items():
        if section in ("DEFAULT", "task_history"):
            continue
        known = dict(KNOWN[section].get_params())
        for key, value in values.items():
            assert key in known, f"[{section}] {key}"
            assert "-" not in key
            known[key].parse(value)
    assert set(config("luigid.cfg")["task_history"]) == {"db_connection"}


READ = {
    "luigid.cfg": "/var/lib/luigid/state.pickle False 0 [night] 25",
    "nightly.cfg": "http://127.0.0.1:8082 /var/lib/luigi-server/state.pickle True 10 [night] 25",
}
PRINT = """
import warnings
from luigi.task import UnconsumedParameterWarning
warnings.simplefilter("error", UnconsumedParameterWarning)
from luigi import notifications, retcodes, scheduler, worker
from luigi.interface import core
print(core().scheduler_url, scheduler.scheduler().state_path, worker.worker().keep_alive)
print(retcodes.retcode().missing_data, notifications.email().prefix, notifications.smtp().port)
"""


@pytest.mark.parametrize("name", READ)
def test_luigi_reads_them_without_a_warning(tmp_path, name):
    done = subprocess.run(
        [sys.executable, "-c", PRINT],
        cwd=tmp_path,
        env={
            **os.environ,
            "LUIGI_CONFIG_PATH": str(DEPLOY / name),
            "STATE_DIRECTORY": "/var/lib/luigid",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == READ[name].split()


def test_overlay_turns_on_what_nights_need():
    night, daemon = config("nightly.cfg"), config("luigid.cfg")
    assert night["core"]["local_scheduler"] == "false"
    assert night["worker"]["keep_alive"] == "true"
    for section in ("email", "smtp"):
        assert dict(night[section]) == dict(daemon[section])
    assert night["email"]["receiver"] == ""


def test_failures_are_counted_over_all_tries():
    """Only failures within the window count: a shorter one would try for ever."""
    values = config("luigid.cfg")["scheduler"]
    tries = int(values["retry_count"]) * float(values["retry_delay"])
    assert int(values["disable_window"]) > 2 * tries


def test_script_waits_longer_than_luigid_waits_for_a_dead_worker():
    pause = re.search(r"NIGHT_PAUSE-(\d+)", (DEPLOY / "night.sh").read_text())[1]
    assert int(pause) > float(config("luigid.cfg")["scheduler"]["worker_disconnect_delay"])


def test_overlay_has_the_address_of_the_service():
    words = shlex.split(unit("luigid.service")["Service"]["ExecStart"])
    address, port = (words[words.index(f"--{name}") + 1] for name in ("address", "port"))
    assert address == "127.0.0.1"
    assert config("nightly.cfg")["core"]["scheduler_url"] == f"http://{address}:{port}"
    assert f"--address {address} --port {port}" in (ROOT / "Makefile").read_text()


def test_service_takes_outcomes_for_successes():
    codes = unit("night@.service")["Service"]["SuccessExitStatus"].split()
    assert {int(code) for code in codes} == set(EXIT_CODES.values()) - {0}


@pytest.mark.parametrize("name", UNITS)
def test_units_name_files_that_an_installation_has(name):
    text = (DEPLOY / name).read_text(encoding="utf-8")
    places = [Path(place) for place in re.findall(rf"{HOME}(/\S+)", text)]
    for place in places:
        inside = place.relative_to("/")
        if inside.parts[0] == ".venv":
            assert (Path(sys.executable).parent / inside.name).is_file()
        else:
            assert (ROOT / inside).is_file()
    assert "/home" not in text
    assert "/tmp" not in text


def test_crontab_runs_the_script_every_night():
    lines = (DEPLOY / "crontab").read_text(encoding="utf-8").splitlines()
    (line,) = [line for line in lines if line and line[0] != "#" and "=" not in line.split()[0]]
    *times, command = line.split(maxsplit=5)
    assert [bool(re.fullmatch(r"\d+|\*", time)) for time in times] == [True] * 5
    assert "%" not in command  # cron makes a new line of it
    script, *words = shlex.split(command.split(">>")[0])
    assert (ROOT / Path(script).relative_to(HOME)).is_file()
    assert os.access(ROOT / "deploy" / "night.sh", os.X_OK)
    assert {word for word in words if word.startswith("--")} == {"--dataset", "--model"}
    assert "nightly" in cli.list_commands(None)


def test_systemd_takes_the_units(tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("NO SYSTEMD: systemd-analyze is not installed")
    for name in UNITS:
        text = (DEPLOY / name).read_text(encoding="utf-8")
        # Commands must be there: the checkout's own, and any program for those of .venv.
        text = text.replace(f"{HOME}/.venv/bin/luigid", sys.executable).replace(HOME, str(ROOT))
        (tmp_path / name.replace("@", "@tickets")).write_text(text, encoding="utf-8")
    names = [str(tmp_path / name.replace("@", "@tickets")) for name in UNITS]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *names],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


class TestNightScript:
    """deploy/night.sh around a `pipeline` that ends as it is told to."""

    PIPELINE = """#!/bin/sh
echo "$@" >> calls
echo "$LUIGI_CONFIG_PATH" >> overlays
exit $(sed -n "$(wc -l < calls)p" codes)
"""

    @pytest.fixture
    def run(self, tmp_path):
        for folder in ("deploy", ".venv/bin", "elsewhere"):
            (tmp_path / folder).mkdir(parents=True)
        shutil.copy(DEPLOY / "night.sh", tmp_path / "deploy")
        program = tmp_path / ".venv" / "bin" / "pipeline"
        program.write_text(self.PIPELINE)
        program.chmod(0o755)

        def run(codes, *words, **env):
            (tmp_path / "codes").write_text("\n".join(map(str, codes)) + "\n")
            known = {k: v for k, v in os.environ.items() if k != "LUIGI_CONFIG_PATH"}
            done = subprocess.run(
                [str(tmp_path / "deploy" / "night.sh"), *words],
                cwd=tmp_path / "elsewhere",
                env={**known, "NIGHT_PAUSE": "0", **env},
                capture_output=True,
                text=True,
                check=False,
            )
            if not (tmp_path / "calls").exists():
                return done.returncode, done.stderr
            return done.returncode, (tmp_path / "calls").read_text().splitlines()

        return run

    @pytest.mark.parametrize(
        ("codes", "tries"),
        [
            pytest.param([0], 1, id="promoted"),
            *(pytest.param([code], 1, id=f"outcome-{code}") for code in (50, 51, 52, 53)),
            *(pytest.param([code], 1, id=f"failure-{code}") for code in (20, 30, 35, 40, 130)),
            pytest.param([10, 10, 51], 3, id="held by a killed run"),
            pytest.param([137, 0], 2, id="killed"),
            pytest.param([25, 0], 2, id="held in part"),
            pytest.param([41, 50], 2, id="luigid was down"),
            pytest.param([41] * 9, 5, id="luigid stays down"),
            pytest.param([10] * 9, 5, id="held for good"),
        ],
    )
    def test_tries_again_only_when_a_run_holds_the_night_or_was_killed(self, run, codes, tries):
        code, calls = run(codes, "--dataset", "toy")
        assert (code, len(calls)) == (codes[tries - 1], tries)
        assert len(set(calls)) == 1

    def test_date_is_set_once_and_a_given_one_comes_later(self, run):
        _, (call,) = run([0], "--dataset", "toy", "--date", "2024-11-16")
        known = re.fullmatch(r"nightly --date (\S+) --today (\S+) --asked (\S+) (.*)", call)
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", known[1])
        assert (known[2], known[4]) == (known[1], "--dataset toy --date 2024-11-16")
        assert datetime.datetime.fromisoformat(known[3]).tzinfo

    def test_overlay_is_the_shipped_one_unless_another_is_named(self, run, tmp_path):
        run([0])
        run([0], LUIGI_CONFIG_PATH="/etc/other.cfg")
        assert (tmp_path / "overlays").read_text().split() == [
            "deploy/nightly.cfg",
            "/etc/other.cfg",
        ]

    @pytest.mark.parametrize("name", ["NIGHT_TRIES", "NIGHT_PAUSE"])
    @pytest.mark.parametrize("value", ["", "ten"])
    def test_wrong_number_is_an_error(self, run, name, value):
        code, error = run([0], **{name: value})
        assert code == 40
        assert error.startswith(f"{name} must be a whole number, got '{value}';")
