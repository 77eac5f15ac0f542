"""Nights under a real luigid: seven on real tweets, the mails they send, and what goes wrong.

The configuration is deploy/'s, ports and waiting times apart. What runs is what cron runs:
``pipeline nightly``, or deploy/night.sh around it.
"""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from conftest import REAL_DATA, ROOT
from daemon import BIN, Luigid, Sink, wait_for
from nights import Nights, many, without_times
from slices import FILE, Slices, sentiment140, vader

from pipeline.cli.nightly import EXIT_CODES
from pipeline.store import manifests

pytestmark = pytest.mark.processes
KILL_AT = ROOT / "tests" / "tasks" / "kill_at.py"
SUBJECTS = {
    "promoted": "new champion",
    "kept": "champion kept",
    "unchanged": "unchanged data",
    "contract_broken": "data contract broken, champion kept",
    "drift_stop": "stopped by drift, champion kept",
}


@pytest.fixture(scope="session")
def source(tmp_path_factory):
    """Return real rows, and say loudly which."""
    if (REAL_DATA / "sentiment140" / FILE).is_file():
        return sentiment140(REAL_DATA)
    found = vader(tmp_path_factory.mktemp("vader"))
    warnings.warn(f"The seven nights under luigid used {found.said}.", stacklevel=1)
    return found


@pytest.fixture
def sink():
    server = Sink()
    yield server
    server.stop()


@pytest.fixture
def luigid(tmp_path, sink):
    """Return a luigid that tries again soon, and holds a worker for dead soon."""
    daemon = Luigid(tmp_path / "luigid", sink, retry_delay=1, worker_disconnect_delay=8)
    daemon.start()
    yield daemon
    daemon.stop()


def start(nights, luigid, *words, script=False):
    """Start a night, as cron does."""
    first = [str(ROOT / "deploy" / "night.sh")] if script else [str(BIN / "pipeline"), "nightly"]
    path = f"{BIN}:{os.environ['PATH']}"
    return subprocess.Popen(
        [*first, *nights.folders(), *words],
        cwd=ROOT,
        env={**os.environ, "PATH": path, "NIGHT_PAUSE": "2", "NIGHT_TRIES": "20", **luigid.env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process):
    """Wait for a night; return exit code, line and log."""
    line, log = process.communicate(timeout=300)
    return process.returncode, line, log


@pytest.fixture(scope="module")
def seven(source, tmp_path_factory):
    """Return seven nights under luigid, which is restarted after the fourth; read only."""
    nights = Slices(tmp_path_factory.mktemp("seven"), source)
    nights.done, nights.pointers, nights.mails = {}, {}, {}
    sink = Sink()
    nights.luigid = Luigid(nights.folder / "luigid", sink).start()
    try:
        for number, night in enumerate(nights.nights):
            if number == 4:
                nights.before = nights.luigid.tasks()
                nights.luigid.stop()
                nights.luigid.start()
                nights.after = nights.luigid.tasks()
            known = len(sink.mails())
            words = (*nights.model, "--date", night.date)
            nights.done[night.date] = end(start(nights, nights.luigid, *words))
            nights.pointers[night.date] = nights.champion()
            nights.mails[night.date] = sink.mails()[known:]
        yield nights
    finally:
        nights.luigid.stop()
        sink.stop()


class TestSevenNights:
    """Better data, the same, worse, a broken file, drift, and better data again.

    One test, so that the nights are run once, however many processes tests are spread over.
    """

    def test_all_that_they_leave_and_the_same_by_backfill(self, seven, tmp_path, sink):
        self.each_ends_with_the_code_and_the_line_of_its_outcome(seven)
        self.each_has_its_line_in_the_ledger_and_its_record(seven)
        self.pointer_moves_with_promotions_alone(seven)
        self.each_sends_one_mail_with_outcome_and_reason(seven)
        self.history_page_has_each_with_its_outcome(seven)
        self.luigid_shows_status_text_percentage_and_where_to_look(seven)
        self.what_luigid_knows_survives_its_restart(seven)
        self.task_history_is_recorded_over_the_restart(seven)
        self.backfill_leaves_the_same_ledger(seven, tmp_path, sink)

    def each_ends_with_the_code_and_the_line_of_its_outcome(self, seven):
        for night in seven.nights:
            code, said, log = seven.done[night.date]
            assert code == night.code, log
            (line,) = said.splitlines()
            assert line.startswith(f"{night.date} {seven.name}: {night.outcome}: ")
            assert re.search(night.reason, line)

    def each_has_its_line_in_the_ledger_and_its_record(self, seven):
        lines = seven.ledger()
        assert [line["date"] for line in lines] == [night.date for night in seven.nights]
        for line, night in zip(lines, seven.nights, strict=True):
            record = seven.night(night.date)
            assert line["decision"] == record["outcome"] == night.outcome
            for key in ("reason", "time", "digests"):
                assert record[key] == line[key]
            assert seven.done[night.date][1].rstrip().endswith(line["reason"])

    def pointer_moves_with_promotions_alone(self, seven):
        champion = None
        for night in seven.nights:
            champion = night.date if night.outcome == "promoted" else champion
            assert seven.pointers[night.date]["date"] == champion
        assert manifests.is_complete(seven.outputs / seven.champion()["path"])

    def each_sends_one_mail_with_outcome_and_reason(self, seven):
        for night in seven.nights:
            ((subject, text),) = seven.mails[night.date]
            assert subject == f"[night] {seven.name} {night.date}: {SUBJECTS[night.outcome]}"
            assert seven.night(night.date)["reason"] in text
            assert seven.outputs.joinpath("history", f"{seven.name}.html").as_uri() in text
            report = seven.night(night.date)["report"]
            assert bool(report) == ("Report: file:///" in text)
            assert not report or f"/{report}/report.html" in text

    def history_page_has_each_with_its_outcome(self, seven):
        page = seven.history()
        for night in seven.nights:
            assert night.date in page
        for words in ("promoted", "champion kept", "unchanged data", "contract broken", "drift"):
            assert words in page

    def luigid_shows_status_text_percentage_and_where_to_look(self, seven):
        tasks = seven.luigid.tasks()
        page = seven.outputs.joinpath("history", f"{seven.name}.html").as_uri()
        for night in seven.nights:
            task = tasks["Nightly", night.date]
            record = seven.night(night.date)
            assert task["status"] == "DONE"
            assert task["status_message"] == f"{night.outcome}: {record['reason']}"
            assert task["progress_percentage"] == 100
            report = record["report"] and (
                seven.outputs.joinpath(record["report"], "report.html").as_uri()
            )
            assert task["tracking_url"] == (report or page)
        trained = tasks["TrainModel", seven.nights[0].date]
        assert (trained["status"], trained["progress_percentage"]) == ("DONE", 100)
        assert re.search(r"rows in .* s$", trained["status_message"])
        assert Path(trained["tracking_url"].removeprefix("file://")).exists()

    def what_luigid_knows_survives_its_restart(self, seven):
        assert ("Nightly", seven.nights[3].date) in seven.before
        for key in ("status", "params", "status_message", "tracking_url", "last_updated"):
            before, after = (
                {name: task[key] for name, task in tasks.items()}
                for tasks in (seven.before, seven.after)
            )
            assert after == before

    def task_history_is_recorded_over_the_restart(self, seven):
        with sqlite3.connect(seven.luigid.folder / "history.db") as history:
            rows = history.execute(
                "select p.value, e.event_name from tasks t join task_events e on e.task_id = t.id "
                "join task_parameters p on p.task_id = t.id "
                "where t.name = 'Nightly' and p.name = 'date' order by e.id"
            ).fetchall()
        for night in seven.nights:
            events = [event for date, event in rows if date == night.date]
            assert {"PENDING", "RUNNING"} <= set(events)
            assert events[-1] == "DONE"
        page = seven.luigid.get("/history/by_name/Nightly")
        for night in seven.nights:
            assert night.date in page

    def backfill_leaves_the_same_ledger(self, seven, tmp_path, sink):
        nights = Nights(tmp_path)
        nights.name = seven.name
        shutil.rmtree(nights.data)
        shutil.copytree(seven.data, nights.data)
        luigid = Luigid(tmp_path / "luigid", sink).start()
        of = {"dataset": seven.name, "model": "naive_bayes", "since": seven.nights[0].date}
        try:
            done = nights.luigi(
                *("RangeDailyBase", "--of", "Nightly", "--of-params", json.dumps(of)),
                *("--start", seven.nights[0].date, "--stop", "2024-11-23"),
                env=luigid.env,
            )
            listed = luigid.tasks()
        finally:
            luigid.stop()
        assert done.returncode == 0, done.stderr
        assert without_times(nights.ledger()) == without_times(seven.ledger())
        assert nights.champion() == seven.champion()
        assert {s for s, _ in sink.mails()} == {m[0][0] for m in seven.mails.values()}
        for night in seven.nights:
            assert listed["Nightly", night.date]["status"] == "DONE"
            mine, other = nights.night(night.date), seven.night(night.date)
            for key in ("outcome", "reason", "contract", "drift", "decision", "report", "rows"):
                assert mine[key] == other[key], (night.date, key)


DATE = "2024-11-17"
TOY = ("--dataset", "toy", "--date", DATE)
# Dropout is on, in embedding, layer and head.
NETWORK = (*TOY, "--model", "bilstm", "--units", "[4]", "--embedding-size", "4")
NETWORK += ("--input-dropout", "0.2", "--epochs", "8", "--learning-rate", "0.02")
BAYES = (*TOY, "--model", "naive_bayes")

KILLED_BY_ITSELF = """
import os, signal, sys
from pipeline.nightly import tasks as nightly

def die(task, share, text):
    if text == "checking the contract":
        os.kill(os.getpid(), signal.SIGKILL)

nightly.progress.set_status = die
from luigi.cmdline import luigi_run
luigi_run(sys.argv[1:])
"""


def test_visualiser_shows_a_night_with_its_status_text(tmp_path, luigid, browser):
    from selenium.webdriver.common.by import By

    nights = Nights(tmp_path).prepare(())
    nights.put(DATE, many())
    code, line, log = end(start(nights, luigid, *BAYES))
    assert code == 0, log
    browser.set_window_size(1500, 1000)
    browser.get(f"{luigid.url}/static/visualiser/index.html#search__search=Nightly")
    (row,) = wait_for(
        lambda: [
            row
            for row in browser.find_elements(By.CSS_SELECTOR, "#taskTable tbody tr")
            if "Nightly" in row.text
        ],
        "the table of tasks",
    )
    assert "DONE" in row.text
    assert DATE in row.text
    assert "activations" not in row.text  # nor any other parameter that was not given
    assert browser.save_screenshot(str(tmp_path / "tasks.png"))
    row.find_element(By.CSS_SELECTOR, ".statusMessage").click()
    said = wait_for(
        lambda: browser.find_element(By.CSS_SELECTOR, "#statusMessageModal pre").text,
        "the status text",
    )
    assert line == f"{DATE} toy: {said}\n"
    wait_for(
        lambda: "100%" in browser.find_element(By.ID, "statusMessageModal").text,
        "the percentage",
    )
    assert browser.save_screenshot(str(tmp_path / "visualiser.png"))


class TestWhatGoesWrong:
    @pytest.mark.network
    def test_training_killed_under_luigid_is_resumed_and_ends_bit_equal(self, tmp_path, luigid):
        from pipeline.models.bundle import load

        chains = {}
        for name in ("whole", "killed"):
            (tmp_path / name).mkdir()
            chains[name] = Nights(tmp_path / name).prepare(())
            chains[name].put(DATE, many())
        whole, nights = chains["whole"], chains["killed"]
        done = whole.luigi("Nightly", *NETWORK)
        assert done.returncode == 0, done.stderr

        words = nights.command("Nightly", *NETWORK)[1:]
        killed = nights.process([sys.executable, str(KILL_AT), "epoch 4 of", *words], luigid.env)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert ("TrainModel", DATE) in luigid.tasks("RUNNING")
        assert nights.ledger() == []

        # Luigi itself says 10 of this run: it waited for what the killed one held.
        code, line, log = end(start(nights, luigid, *NETWORK))
        outcome, reason = (whole.night(DATE)[key] for key in ("outcome", "reason"))
        assert code == EXIT_CODES[outcome], log
        assert line == f"{DATE} toy: {outcome}: {reason}\n"
        assert re.search("Training resumed after epoch [1-4] of 8", log)
        assert without_times(nights.ledger()) == without_times(whole.ledger())
        folders = [next(chain.outputs.glob("toy/6_train/bilstm-*")) for chain in chains.values()]
        assert folders[0].name == folders[1].name
        assert (folders[0] / "history.csv").read_bytes() == (
            folders[1] / "history.csv"
        ).read_bytes()
        weights = [load(folder).classifier.model.get_weights() for folder in folders]
        for one, other in zip(*weights, strict=True):
            np.testing.assert_array_equal(one, other)
        for name in ("metrics.json", "predictions.parquet"):
            found = [
                next(chain.outputs.glob("toy/7_evaluate/bilstm-*")) / name
                for chain in chains.values()
            ]
            assert found[0].read_bytes() == found[1].read_bytes(), name

    def test_killed_night_holds_up_another_run_and_the_script_tries_again(self, tmp_path, luigid):
        nights = Nights(tmp_path).prepare(())
        nights.put(DATE, many())
        words = nights.command("Nightly", *BAYES)[1:]
        killed = nights.process([sys.executable, "-c", KILLED_BY_ITSELF, *words], luigid.env)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        code, line, _ = end(start(nights, luigid, *BAYES))
        assert (code, line) == (10, "")
        assert nights.ledger() == []
        code, line, log = end(start(nights, luigid, *BAYES, script=True))
        assert code == 0, log
        assert "The night ended with exit code 10; again in 2 s." in log
        assert line.startswith(f"{DATE} toy: promoted: ")
        assert [line["date"] for line in nights.ledger()] == [DATE]

    def test_script_waits_for_luigid_for_a_limited_time(self, tmp_path, sink):
        nights = Nights(tmp_path).prepare(())
        nights.put(DATE, many())
        luigid = Luigid(tmp_path / "luigid", sink)
        path = luigid.folder / "nightly.cfg"
        few = "[core]\nrpc_retry_attempts = 1\nrpc_retry_wait = 1\n"
        path.write_text(path.read_text().replace("[core]\n", few))
        luigid.settings = {"NIGHT_TRIES": "2"}
        code, line, log = end(start(nights, luigid, *BAYES, script=True))
        assert (code, line) == (41, ""), log
        assert log.count("The night ended with exit code 41; again in 2 s.") == 1
        luigid.settings = {}
        running = start(nights, luigid, *BAYES, script=True)
        log = ""
        while "ended with exit code 41" not in log:
            log += running.stderr.readline()
        luigid.start()
        try:
            code, line, log = end(running)
        finally:
            luigid.stop()
        assert code == 0, log
        assert line.startswith(f"{DATE} toy: promoted: ")

    def test_two_nights_started_at_the_same_moment_leave_one_result(self, tmp_path, luigid, sink):
        nights = Nights(tmp_path).prepare(())
        nights.put(DATE, many())
        done = [start(nights, luigid, *BAYES, script=True) for _ in range(2)]
        for code, line, log in map(end, done):
            assert code == 0, log
            assert line.startswith(f"{DATE} toy: promoted: ")
        (line,) = nights.ledger()
        assert nights.champion() == line["champion"]
        assert nights.night(DATE)["reason"] == line["reason"]
        assert [subject for subject, _ in sink.mails()] == [f"[night] toy {DATE}: new champion"]
        assert not list(nights.outputs.rglob(".tmp-*"))
        assert len(nights.manifests()) == 8
        for place in [*nights.manifests(), nights.outputs / "toy" / "nights" / DATE]:
            assert manifests.is_complete(place)

    def test_night_whose_file_is_late_is_tried_again(self, tmp_path, sink):
        nights = Nights(tmp_path).prepare(())
        (tmp_path / "late").mkdir()
        late = Nights(tmp_path / "late")
        late.put(DATE, many())
        luigid = Luigid(tmp_path / "luigid", sink, retry_delay=2, retry_count=100).start()
        try:
            running = start(nights, luigid, *BAYES)
            wait_for(lambda: ("DownloadData", DATE) in luigid.tasks("FAILED"), "a failure")
            (late.data / "toy" / DATE).rename(nights.data / "toy" / DATE)
            code, line, log = end(running)
        finally:
            luigid.stop()
        assert code == 0, log
        assert line.startswith(f"{DATE} toy: promoted: ")
        (*failures, outcome) = sink.mails()
        subject, text = failures[0]
        assert re.fullmatch(r"\[night\] Luigi: DownloadData\(dataset=toy, .*\) FAILED.*", subject)
        assert f"needs the file 'rows.csv' in the folder {nights.data}/toy/{DATE}" in text
        assert "date   : 2024-11-17" in text
        assert "Traceback" not in text
        assert "activations" not in text
        assert outcome[0] == f"[night] toy {DATE}: new champion"

    def test_night_that_always_fails_is_given_up_and_the_next_one_runs(self, tmp_path, sink):
        nights = Nights(tmp_path).prepare(())
        nights.put("2024-11-18", many())
        luigid = Luigid(tmp_path / "luigid", sink, retry_delay=1, retry_count=2).start()
        try:
            code, line, log = end(start(nights, luigid, *BAYES))
            assert (code, line) == (30, ""), log
            assert ("DownloadData", DATE) in luigid.tasks("DISABLED")
            subjects = [subject for subject, _ in sink.mails()]
            assert sum(bool(re.search("DownloadData.* FAILED", one)) for one in subjects) == 2
            assert sum("DISABLED DownloadData" in subject for subject in subjects) == 1
            assert nights.ledger() == []
            words = (*BAYES, "--date", "2024-11-18")
            code, line, log = end(start(nights, luigid, *words))
            assert code == 0, log
        finally:
            luigid.stop()
        assert [line["date"] for line in nights.ledger()] == ["2024-11-18"]
