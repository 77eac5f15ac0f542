"""Seven nights as cron runs them, their artifacts, and failures."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from nights import MODEL, NIGHTS, Nights, few, many, mislabelled, without_times

from pipeline.store import manifests

pytestmark = pytest.mark.processes

IDS = [f"{night.date}-{night.outcome}" for night in NIGHTS]


@pytest.fixture(scope="session")
def seven(tmp_path_factory):
    """Return seven nights run one after the other, with what each ended with; read only."""
    nights = Nights(tmp_path_factory.mktemp("seven")).prepare()
    nights.done, nights.pointers = {}, {}
    for night in NIGHTS:
        nights.done[night.date] = nights.nightly(night.date)
        path = nights.registry / "champion.json"
        nights.pointers[night.date] = json.loads(path.read_text()) if path.exists() else None
    return nights


@pytest.fixture
def mine(seven, tmp_path):
    """Return a copy of the seven nights, to be changed."""
    return seven.copied(tmp_path / "nights")


@pytest.mark.parametrize("night", NIGHTS, ids=IDS)
def test_night_ends_with_the_code_and_the_line_of_its_outcome(seven, night):
    done = seven.done[night.date]
    assert done.returncode == night.code, done.stderr
    (line,) = done.stdout.splitlines()
    assert line.startswith(f"{night.date} toy: {night.outcome}: ")
    assert re.search(night.reason, line)


@pytest.mark.parametrize("night", NIGHTS, ids=IDS)
def test_night_has_one_line_in_the_ledger_and_a_whole_record(seven, night):
    (line,) = [line for line in seven.ledger() if line["date"] == night.date]
    assert line["decision"] == night.outcome
    record = seven.night(night.date)
    for key in ("reason", "time", "digests"):
        assert record[key] == line[key]
    assert (record["outcome"], record["model"]) == (night.outcome, "naive_bayes")
    assert manifests.is_complete(seven.outputs / "toy" / "nights" / night.date)
    assert record["seconds"] > 0
    assert record["peak_memory_mib"] > 50


def test_records_contain_the_results_of_the_gates(seven):
    found = {night.outcome: seven.night(night.date) for night in NIGHTS}
    assert {name: bool(night["decision"]) for name, night in found.items()} == {
        "promoted": True,
        "unchanged": False,
        "kept": True,
        "contract_broken": False,
        "drift_stop": False,
    }
    assert found["contract_broken"]["contract"]["breaches"][0]["name"] == "schema"
    assert found["drift_stop"]["drift"]["level"] == "stop"
    assert found["kept"]["rows"] == 960
    assert seven.night("2024-11-16")["drift"] is None
    for date in ("2024-11-17", "2024-11-21"):
        assert (seven.outputs / "toy" / "nights" / date / "drift.png").stat().st_size > 1000


def test_only_nights_that_pass_the_gates_train(seven):
    trained = {path.name for path in (seven.outputs / "toy" / "6_train").glob("*")}
    assert len(trained) == 4
    assert (
        seven.night("2024-11-18")["digests"]["evaluate"]
        == (seven.night("2024-11-17")["digests"]["evaluate"])
    )


def test_pointer_moves_with_promotions_alone(seven):
    dates = [seven.pointers[night.date]["date"] for night in NIGHTS]
    assert dates == ["2024-11-16"] + ["2024-11-17"] * 6
    champion = seven.champion()
    assert manifests.is_complete(seven.outputs / champion["path"])
    assert champion["path"].endswith(champion["digest"])


def test_history_page_has_every_night_with_its_outcome(seven):
    page = seven.history()
    for night in NIGHTS:
        assert night.date in page
    for words in ("promoted", "champion kept", "unchanged data", "contract broken", "drift"):
        assert words in page
    for date in ("2024-11-16", "2024-11-17", "2024-11-19", "2024-11-22"):
        assert f"../{seven.night(date)['report']}/report.html" in page


def test_verify_accepts_everything_that_nights_write(seven):
    done = seven.process(
        [str(Path(sys.executable).parent / "pipeline"), "verify", "--json", *seven.folders()]
    )
    assert done.returncode == 0, done.stdout
    assert json.loads(done.stdout)["damaged"] == []


def test_damaged_record_of_a_night_is_repaired(mine):
    place = mine.outputs / "toy" / "nights" / "2024-11-17"
    wanted = mine.night("2024-11-17")
    (place / "night.json").write_text("{")
    command = [str(Path(sys.executable).parent / "pipeline"), "verify", *mine.folders(), str(place)]
    assert mine.process(command).returncode == 1
    assert mine.process([*command, "--repair"]).returncode == 0
    assert mine.nightly("2024-11-17").returncode == 0
    healed = mine.night("2024-11-17")
    assert {key: healed[key] for key in ("outcome", "reason", "digests")} == (
        {key: wanted[key] for key in ("outcome", "reason", "digests")}
    )


def test_holdout_rows_are_the_test_rows_of_every_night(seven):
    import pyarrow.parquet as pq

    frozen = {}
    for place in seven.outputs.glob("toy/5_split/*"):
        rows = json.loads((place / "manifest.json").read_text())["rows_out"]
        split = pq.read_table(place / "split.parquet").to_pylist()
        assert rows == len(split)
        frozen[place.name] = [row["id"] for row in split if row["part"] == "test"]
    assert list(frozen.values()) == [list(range(200))] * 4


def test_second_start_of_a_recorded_night_prints_the_same(mine):
    before = mine.ledger()
    done = mine.nightly("2024-11-19")
    assert done.returncode == 50
    assert done.stdout.startswith("2024-11-19 toy: kept: ")
    assert mine.ledger() == before


def test_night_as_json_is_its_record(mine):
    done = mine.nightly("2024-11-21", "--json")
    assert done.returncode == 53
    assert json.loads(done.stdout) == mine.night("2024-11-21")


def test_earlier_night_never_replaces_a_later_champion(mine):
    mine.put("2024-11-15", many(7))
    done = mine.nightly("2024-11-15", "--margin", "0", "--metric", "log_loss")
    line = mine.ledger()[-1]
    assert (line["date"], line["decision"], done.returncode) == ("2024-11-15", "kept", 50)
    assert mine.champion()["date"] == "2024-11-17"


def test_earlier_and_better_night_is_kept_because_it_is_earlier(tmp_path):
    nights = Nights(tmp_path).prepare(())
    nights.put("2024-11-17", few())
    nights.put("2024-11-16", many())
    assert nights.nightly("2024-11-17").returncode == 0
    done = nights.nightly("2024-11-16")
    assert done.returncode == 50
    assert "the champion is of a later night, 2024-11-17" in done.stdout
    assert nights.champion()["date"] == "2024-11-17"
    assert nights.ledger()[-1]["champion"] is None


@pytest.mark.parametrize("what", ["pointer", "folder", "both"])
def test_next_run_finishes_a_night_after_a_crash(mine, what):
    """The line is on the disk, and what follows from it is not."""
    wanted, lines = mine.champion(), mine.ledger()
    record = mine.night("2024-11-17")
    if what != "folder":
        first = next(line["champion"] for line in lines if line["date"] == "2024-11-16")
        (mine.registry / "champion.json").write_text(json.dumps(first))
    if what != "pointer":
        shutil.rmtree(mine.outputs / "toy" / "nights" / "2024-11-17")
        done = mine.nightly("2024-11-17")
        assert done.returncode == 0, done.stderr
        healed = mine.night("2024-11-17")
        for key in ("outcome", "reason", "time", "digests", "model", "metric", "date"):
            assert healed[key] == record[key]
    else:
        mine.put("2024-11-23", many())  # any night puts the pointer right
        assert mine.nightly("2024-11-23").returncode == 51
        lines = [*lines, mine.ledger()[-1]]
    assert mine.champion() == wanted
    assert mine.ledger() == lines


KILLED = """
import os, signal, sys
from pipeline.nightly import registry
from pipeline.nightly import records

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[1] == "before the line":
    registry.Writer.record = die
elif sys.argv[1] == "between line and pointer":
    registry.Writer._write_pointer = die
else:
    records._publish = die
from luigi.cmdline import luigi_run
luigi_run(sys.argv[2:])
"""


@pytest.mark.parametrize(
    "when", ["before the line", "between line and pointer", "before the folder"]
)
def test_next_run_finishes_a_killed_night(mine, seven, when, tmp_path):
    for date in ("2024-11-17", "2024-11-18", "2024-11-19", "2024-11-20", "2024-11-21"):
        shutil.rmtree(mine.outputs / "toy" / "nights" / date)
    path = mine.registry / "ledger.jsonl"
    path.write_text(path.read_text().splitlines(keepends=True)[0])
    (mine.registry / "champion.json").write_text(json.dumps(seven.pointers["2024-11-16"]))
    words = ["Nightly", *MODEL, "--date", "2024-11-17"]
    command = [sys.executable, "-c", KILLED, when, *mine.command(*words)[1:]]
    assert mine.process(command).returncode == -9
    lines = mine.ledger()
    assert len(lines) == (1 if when == "before the line" else 2)
    done = mine.nightly("2024-11-17")
    assert done.returncode == 0, done.stderr
    assert mine.ledger()[: len(lines)] == lines
    assert without_times(mine.ledger()) == without_times(seven.ledger()[:2])
    assert mine.champion() == seven.pointers["2024-11-17"]
    record, wanted = mine.night("2024-11-17"), seven.night("2024-11-17")
    for key in ("contract", "drift", "decision", "report", "rows", "figures"):
        assert record[key] == wanted[key], key
    assert not list(mine.outputs.glob(".cache/nights/*"))


def test_two_nights_started_at_the_same_moment_leave_one_result(tmp_path):
    nights = Nights(tmp_path).prepare(())
    nights.put("2024-11-17", many())
    words = nights.command("Nightly", *MODEL, "--date", "2024-11-17")
    running = [subprocess.Popen(words, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for process in running:
        _, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors
    (line,) = nights.ledger()
    assert (line["date"], line["decision"]) == ("2024-11-17", "promoted")
    assert nights.champion() == line["champion"]
    assert manifests.is_complete(nights.outputs / "toy" / "nights" / "2024-11-17")
    assert nights.night("2024-11-17")["reason"] == line["reason"]
    assert not list(nights.outputs.rglob(".tmp-*"))
    assert len(nights.manifests()) == 8


def test_two_days_decided_at_the_same_moment_are_both_decided(tmp_path):
    nights = Nights(tmp_path).prepare(())
    dates = ("2024-11-17", "2024-11-18")
    for date, seed in zip(dates, (2, 5), strict=True):
        nights.put(date, many(seed))
    running = [
        subprocess.Popen(
            nights.command("Nightly", *MODEL, "--date", date), stderr=subprocess.PIPE, text=True
        )
        for date in dates
    ]
    for process in running:
        _, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors
    lines = nights.ledger()
    assert sorted(line["date"] for line in lines) == list(dates)
    assert [line["decision"] for line in lines] == ["promoted", "kept"]
    assert lines[1]["against"] == lines[0]["champion"]["digest"]
    for date in dates:
        assert date in nights.history()


def test_day_without_data_is_a_failure(tmp_path):
    nights = Nights(tmp_path).prepare(())
    done = nights.nightly("2024-11-17")
    assert done.returncode == 30
    assert "needs the file 'rows.csv' in the folder" in done.stderr
    assert "data/toy/2024-11-17; get it by hand" in done.stderr
    assert done.stdout == ""
    assert nights.ledger() == []


def test_dataset_without_holdout_rows_is_a_failure(tmp_path):
    nights = Nights(tmp_path)
    nights.put("2024-11-17", many())
    done = nights.nightly("2024-11-17")
    assert done.returncode == 30
    assert "pipeline freeze --dataset toy --date 2024-11-17" in done.stderr


def test_unreadable_holdout_rows_are_a_failure_and_no_broken_contract(tmp_path):
    nights = Nights(tmp_path).prepare(())
    nights.put("2024-11-17", many())
    (nights.data / "toy" / "frozen" / "rows.csv").write_bytes(b"text,label\ncaf\xe9,good\n")
    done = nights.nightly("2024-11-17")
    assert done.returncode == 30
    assert "frozen/rows.csv is not utf-8" in done.stderr
    assert nights.ledger() == []


def test_champion_predicts_added_holdout_rows(mine):
    path = mine.data / "toy" / "frozen" / "rows.csv"
    path.write_text(path.read_text() + "love and smile at the great win,good\n")
    mine.put("2024-11-23", mislabelled(many(8), 0.3))
    done = mine.nightly("2024-11-23")
    assert done.returncode == 50, done.stderr
    figures = mine.night("2024-11-23")["decision"]["figures"]
    assert figures["rows"] == 201
    assert figures["values"]["champion"] == 1.0


def test_wrong_parameters_end_before_anything_runs(tmp_path):
    nights = Nights(tmp_path).prepare(())
    done = nights.nightly("2024-11-17", "--units", "[8]")
    assert done.returncode == 40
    assert "model 'naive_bayes' does not use units" in done.stderr
    assert nights.ledger() == []
