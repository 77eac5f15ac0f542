"""The ledger and the pointer, also after crashes and races."""

import dataclasses
import json
import multiprocessing
import os
import subprocess
import sys
import time

import pytest

from pipeline.errors import PipelineError
from pipeline.nightly import ledger, registry
from pipeline.nightly.ledger import KEPT, LEDGER, POINTER, PROMOTED, ROLLBACK, Champion, Entry

DIGESTS = [f"{letter}{number}" + "0" * 14 for number, letter in enumerate("abcdef")]
CASES = {
    "missing decision": b'{"date": "2026-11-01", "reason": "", "time": ""}',
    "unknown decision": b'{"date": "2026-11-01", "decision": "x", "reason": "", "time": ""}',
    "no date": b'{"date": "yesterday", "decision": "kept", "reason": "", "time": ""}',
    "no object": b"[1, 2]",
    "half a line": b'{"date": "2026-11-0',
    "no text": b"\xff\xfe\x00",
}


@pytest.fixture
def folder(tmp_path):
    return ledger.registry_folder(tmp_path / "outputs", "toy")


def champion_of(number):
    return Champion(f"2026-11-0{number}", DIGESTS[number], f"toy/7_evaluate/nb-{DIGESTS[number]}")


def promotion(number, against=None):
    one = champion_of(number)
    against = None if against is None else DIGESTS[against]
    return Entry(one.date, PROMOTED, "better", "now", against=against, champion=one)


def kept(number, against=None, reason="worse"):
    against = None if against is None else DIGESTS[against]
    return Entry(f"2026-11-0{number}", KEPT, reason, "now", against=against)


def fill(folder, *entries):
    with registry.locked(folder) as writer:
        return [writer.record(entry) for entry in entries]


def put_artifact(folder, number):
    """Put a whole artifact where a champion's path leads."""
    place = folder.parent.parent / champion_of(number).path
    place.mkdir(parents=True)
    (place / "manifest.json").write_text('{"files": {}}')


def test_ledger_is_empty_before_the_first_night(folder):
    assert ledger.read(folder) == ledger.Ledger()
    assert ledger.champion(folder) is None


def test_recorded_entries_are_read_back(folder):
    entries = [promotion(1), kept(2, against=1, reason="ä \ud800 \n two lines")]
    fill(folder, *entries)
    found = ledger.read(folder)
    assert found.entries == entries
    assert found.unreadable == []
    assert found.champion == ledger.champion(folder) == champion_of(1)
    lines = (folder / LEDGER).read_bytes().splitlines()
    assert [json.loads(line)["decision"] for line in lines] == [PROMOTED, KEPT]


def test_night_that_has_its_line_gets_no_second_one(folder):
    fill(folder, promotion(1))
    (stands,) = fill(folder, kept(1, against=3, reason="another decision"))
    assert stands == promotion(1)
    assert len(ledger.read(folder).entries) == 1


def test_outcome_without_a_decision_needs_no_champion(folder):
    (entry,) = fill(folder, Entry("2026-11-01", "contract_broken", "too few rows", "now"))
    assert entry.champion is None
    assert not (folder / POINTER).exists()


def test_decision_against_a_replaced_champion_is_refused(folder):
    fill(folder, promotion(1), promotion(2, against=1))
    for entry in (kept(3, against=1), promotion(3, against=1), kept(3)):
        with pytest.raises(registry.ChampionChanged, match=f"champion is {DIGESTS[2]} now"):
            fill(folder, entry)
    assert len(ledger.read(folder).entries) == 2


def test_earlier_night_never_replaces_the_champion_of_a_later_one(folder):
    fill(folder, promotion(3))
    (entry,) = fill(folder, promotion(2, against=3))
    assert entry.decision == KEPT
    assert entry.reason == (
        "the champion is of a later night, 2026-11-03, which an earlier one never replaces; "
        "else: better"
    )
    assert ledger.champion(folder) == champion_of(3)


@pytest.mark.parametrize(
    ("date", "decision", "problem"),
    [("2026-11-01", "won", "decision must be one of"), ("01.11.2026", KEPT, "isoformat")],
)
def test_entry_with_an_unknown_decision_or_date_cannot_be_made(date, decision, problem):
    with pytest.raises(ValueError, match=problem):
        Entry(date, decision, "", "")


@pytest.mark.parametrize("line", CASES.values(), ids=CASES.keys())
def test_unreadable_line_is_listed_and_skipped(folder, line):
    fill(folder, promotion(1))
    with open(folder / LEDGER, "ab") as file:
        file.write(line + b"\n")
    fill(folder, kept(2, against=1))
    found = ledger.read(folder)
    assert [entry.date for entry in found.entries] == ["2026-11-01", "2026-11-02"]
    assert found.unreadable == [(2, line.decode(errors="replace"))]


def test_torn_last_line_stays_and_the_next_begins_a_new_one(folder, caplog):
    fill(folder, promotion(1), promotion(2, against=1))
    whole = (folder / LEDGER).read_bytes()
    torn = whole[:-20]
    (folder / LEDGER).write_bytes(torn)
    (folder / POINTER).unlink()
    fill(folder, promotion(2, against=1))
    assert "line 2 of" in caplog.text
    found = ledger.read(folder)
    assert found.entries == [promotion(1), promotion(2, against=1)]
    assert [number for number, _ in found.unreadable] == [2]
    assert (folder / LEDGER).read_bytes().startswith(torn)


def test_last_line_without_line_end_is_kept_apart_from_the_next(folder):
    fill(folder, promotion(1))
    path = folder / LEDGER
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    fill(folder, kept(2, against=1))
    assert ledger.read(folder) == ledger.Ledger([promotion(1), kept(2, against=1)], [])


CRASH = """
import os, sys
from pathlib import Path
from pipeline.store import files
from pipeline.nightly import registry
from pipeline.nightly.ledger import Champion, Entry

one = Champion("2026-11-02", "b" * 16, "toy/7_evaluate/b")
entry = Entry("2026-11-02", "promoted", "better", "now", against=sys.argv[2], champion=one)
files.write_atomically = lambda *_, **__: os._exit(9)
with registry.locked(Path(sys.argv[1])) as writer:
    writer.record(entry)
"""


@pytest.mark.processes
def test_next_writer_corrects_the_pointer_after_a_crash(folder):
    fill(folder, promotion(1))
    done = subprocess.run(
        [sys.executable, "-c", CRASH, str(folder), DIGESTS[1]], check=False, timeout=60
    )
    assert done.returncode == 9
    assert ledger.read(folder).champion.date == "2026-11-02"
    assert ledger.champion(folder) == champion_of(1)  # still whole, only behind
    with registry.locked(folder) as writer:
        assert writer.champion.date == "2026-11-02"
    assert ledger.champion(folder).date == "2026-11-02"


@pytest.mark.parametrize("harm", ["missing", "broken", "a number", "other"])
def test_pointer_is_written_again_from_the_ledger(folder, harm):
    fill(folder, promotion(1), promotion(2, against=1))
    path = folder / POINTER
    if harm == "missing":
        path.unlink()
    elif harm in ("broken", "a number"):
        broken = {**json.loads(path.read_text()), "path": 1}
        path.write_text("{" if harm == "broken" else json.dumps(broken))
        with pytest.raises(
            PipelineError, match=r"champion.json does not name a champion.*delete it"
        ):
            ledger.champion(folder)
    else:
        path.write_text(path.read_text().replace("2026-11-02", "2026-11-01"))
        path.write_text(path.read_text().replace(DIGESTS[2], DIGESTS[1]))
    fill(folder)
    assert ledger.champion(folder) == champion_of(2)


def test_pointer_that_is_not_in_the_ledger_is_an_error(folder):
    fill(folder, promotion(1))
    (folder / LEDGER).unlink()
    with pytest.raises(PipelineError, match="is not a champion in ledger.jsonl; restore"):
        fill(folder, promotion(2))
    assert ledger.champion(folder) == champion_of(1)


def test_temporary_files_of_a_killed_writer_are_removed(folder):
    fill(folder, promotion(1))
    (folder / ".tmp-left").write_text("half")
    fill(folder)
    assert sorted(path.name for path in folder.iterdir()) == [".lock", POINTER, LEDGER]


@pytest.mark.parametrize("to", ["2026-11-01", DIGESTS[1], DIGESTS[1][:4]])
def test_rollback_makes_an_earlier_champion_the_champion_again(folder, to):
    fill(folder, promotion(1), promotion(2, against=1))
    put_artifact(folder, 1)
    with registry.locked(folder) as writer:
        entry = writer.rollback(to, "2026-11-05T08:00:00")
    assert ledger.champion(folder) == champion_of(1)
    assert entry == ledger.read(folder).entries[-1]
    assert (entry.decision, entry.against) == (ROLLBACK, DIGESTS[2])
    assert (
        entry.reason == f"rolled back from 2026-11-02 ({DIGESTS[2]}) to 2026-11-01 ({DIGESTS[1]})"
    )


def test_rollback_to_none_leaves_no_champion(folder):
    fill(folder, promotion(1), promotion(2, against=1))
    with registry.locked(folder) as writer:
        entry = writer.rollback("none", "now", "a third class")
    assert (entry.decision, entry.champion, entry.against) == (ROLLBACK, None, DIGESTS[2])
    assert not (folder / POINTER).exists()
    assert ledger.read(folder).champion is None
    with registry.locked(folder) as writer:
        assert writer.rollback("none", "later") == entry
    (promoted,) = fill(folder, promotion(3))
    assert promoted.decision == PROMOTED
    assert ledger.champion(folder) == champion_of(3)
    assert [one.date[-1] for one in ledger.read(folder).champions()] == ["3", "2", "1"]
    assert len(ledger.read(folder).entries) == 4


def test_pointer_is_removed_after_a_crash_in_a_rollback_to_none(folder):
    fill(folder, promotion(1))
    pointer = (folder / POINTER).read_bytes()
    with registry.locked(folder) as writer:
        writer.rollback("none", "now")
    (folder / POINTER).write_bytes(pointer)
    fill(folder)
    assert not (folder / POINTER).exists()


def test_rollback_to_none_without_any_champion_is_an_error(folder):
    with (
        pytest.raises(PipelineError, match="there was never one"),
        registry.locked(folder) as writer,
    ):
        writer.rollback("none", "now")


@pytest.mark.parametrize("to", ["2026-11-01", "none"])
def test_earlier_night_does_not_undo_a_rollback(folder, to):
    fill(folder, promotion(1), promotion(4, against=1))
    put_artifact(folder, 1)
    with registry.locked(folder) as writer:
        writer.rollback(to, "now")
    against = 1 if to != "none" else None
    (entry,) = fill(folder, promotion(3, against))
    assert entry.decision == KEPT
    assert entry.reason == (
        "a later night, 2026-11-04, was champion before it was rolled back, and an earlier one "
        "replaces it only if it is decided again; else: better"
    )
    again = dataclasses.replace(promotion(3, against), redo=1)
    assert fill(folder, again)[0].decision == PROMOTED  # a person asked for it
    assert fill(folder, promotion(5, 3))[0].decision == PROMOTED


def test_night_decided_again_has_both_lines_and_the_later_counts(folder):
    again = dataclasses.replace(kept(1, against=1), redo=1)
    assert fill(folder, promotion(1), again, again) == [promotion(1), again, again]
    found = ledger.read(folder)
    assert found.entries == [promotion(1), again]
    assert (found.of("2026-11-01"), found.of("2026-11-01", 0)) == (again, promotion(1))
    assert found.champion == champion_of(1)


def test_rollback_to_the_champion_writes_nothing(folder):
    fill(folder, promotion(1), kept(2, against=1))
    with registry.locked(folder) as writer:
        assert writer.rollback("2026-11-01", "now") == promotion(1)
    assert len(ledger.read(folder).entries) == 2


def test_rollback_is_no_line_of_a_night():
    entry = Entry("2026-11-01", ROLLBACK, "", "now", champion=champion_of(1))
    assert ledger.Ledger([entry]).of("2026-11-01") is None
    assert ledger.Ledger([entry, promotion(1)]).of("2026-11-01") == promotion(1)


def test_night_of_a_rollback_can_still_have_its_line_read(folder):
    fill(folder, promotion(1), promotion(2, against=1))
    put_artifact(folder, 1)
    with registry.locked(folder) as writer:
        writer.rollback("2026-11-01", "now", "a wrong label was found")
        assert writer.ledger.of("2026-11-01") == promotion(1)
        assert writer.record(promotion(3, against=1)).decision == PROMOTED
    assert [one.date[-1] for one in ledger.read(folder).champions()] == ["3", "1", "2"]


@pytest.mark.parametrize(
    ("to", "problem"),
    [
        ("2026-11-03", "was never champion; name a date"),
        ("a", "is too short to name one; name a date or the first 4 digits or more"),
        ("cafe", "was never champion"),
        ("same", "names several champions"),
        ("2026-11-01", "does not exist any more; go back to another"),
    ],
    ids=["kept night", "too few digits", "unknown digest", "several digests", "artifact gone"],
)
def test_impossible_rollback_is_an_error_and_changes_nothing(folder, to, problem):
    fill(folder, promotion(1), promotion(2, against=1), kept(3, against=2))
    against = DIGESTS[2]
    for number, end in ((4, "1"), (5, "2")):
        one = Champion(f"2026-11-0{number}", "same" + end, "toy/x")
        fill(folder, Entry(one.date, PROMOTED, "", "", against=against, champion=one))
        against = one.digest
    before = (folder / LEDGER).read_bytes(), (folder / POINTER).read_bytes()
    with pytest.raises(PipelineError, match=problem), registry.locked(folder) as writer:
        writer.rollback(to, "now")
    assert ((folder / LEDGER).read_bytes(), (folder / POINTER).read_bytes()) == before


def test_folder_that_cannot_be_written_is_an_error_that_names_the_option(tmp_path):
    (tmp_path / "outputs").write_text("a file")
    with pytest.raises(PipelineError, match=r"cannot write .*--paths-outputs DIR"):
        fill(tmp_path / "outputs" / "registry" / "toy")


def record_nights(folder, numbers, results):
    """Record nights one by one, deciding again when another process was faster."""
    for number in numbers:
        with registry.locked(folder) as writer:
            present = writer.champion.digest if writer.champion else None
            date = f"2026-10-{number:02d}"
            one = Champion(date, f"{number:016x}", f"toy/{number}")
            entry = Entry(date, PROMOTED, "better", "now", against=present, champion=one)
            results.put((number, os.getpid(), writer.record(entry).champion is not None))


@pytest.mark.processes
def test_two_processes_write_each_night_once_and_lose_none(folder):
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    nights = range(1, 31)
    jobs = [context.Process(target=record_nights, args=(folder, nights, results)) for _ in "ab"]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join(60)
        assert job.exitcode == 0
    found = ledger.read(folder)
    assert sorted(entry.date for entry in found.entries) == [f"2026-10-{n:02d}" for n in nights]
    assert found.unreadable == []
    assert ledger.champion(folder) == found.champion
    assert len([results.get(timeout=10) for _ in range(60)]) == 60


def promote_and_roll_back(folder, begin, rounds):
    """Change the champion as often as possible."""
    begin.wait()
    for number in range(rounds):
        with registry.locked(folder) as writer:
            day = 3 + number // 28, 1 + number % 28
            date = f"2026-{day[0]:02d}-{day[1]:02d}"
            one = Champion(date, f"{number:016x}", f"toy/{number}")
            present = writer.champion.digest
            writer.record(Entry(date, PROMOTED, "", "", against=present, champion=one))
            writer.rollback("2026-01-01", "now")


@pytest.mark.processes
def test_reader_that_polls_the_pointer_always_finds_a_whole_champion(folder):
    first = Champion("2026-01-01", "f" * 16, "toy/first")
    fill(folder, Entry(first.date, PROMOTED, "", "", champion=first))
    place = folder.parent.parent / first.path
    place.mkdir(parents=True)
    (place / "manifest.json").write_text('{"files": {}}')
    context = multiprocessing.get_context("spawn")
    begin = context.Event()
    job = context.Process(target=promote_and_roll_back, args=(folder, begin, 60))
    job.start()
    begin.set()
    seen, polls = set(), 0
    deadline = time.monotonic() + 120
    while (job.is_alive() or polls < 1000) and time.monotonic() < deadline:
        found = ledger.champion(folder)
        assert found is not None
        assert found.path == ("toy/first" if found == first else f"toy/{int(found.digest, 16)}")
        seen.add(found.digest)
        polls += 1
    job.join(60)
    assert job.exitcode == 0
    assert polls >= 1000
    assert len(seen) > 5, "the reader saw no changes"
    assert ledger.champion(folder) == first
    assert len(ledger.read(folder).entries) == 121


def test_lock_ends_with_an_error_in_its_block(folder):
    with pytest.raises(RuntimeError, match="oops"), registry.locked(folder):
        raise RuntimeError("oops")
    fill(folder, promotion(1))
    assert ledger.champion(folder) == champion_of(1)


HOLD = """
import sys, time
from pathlib import Path
from pipeline.nightly import registry

with registry.locked(Path(sys.argv[1])):
    print("locked", flush=True)
    time.sleep(600)
"""


@pytest.mark.processes
def test_lock_of_a_killed_process_is_free(folder):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline() == "locked\n"
    finally:
        holder.kill()
        holder.wait()
    fill(folder, promotion(1))
    assert ledger.champion(folder) == champion_of(1)
