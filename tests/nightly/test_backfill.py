"""Backfills by Luigi's range of days, and rollbacks to an earlier champion."""

import datetime
import json
import logging

import pytest
from luigi.task_register import Register
from luigi.tools import range as ranges
from nights import NIGHTS, Nights, few, many, without_times

import pipeline
from pipeline.nightly.tasks import Nightly
from pipeline.tasks.download_data import today

pytestmark = pytest.mark.processes


def backfill(nights, start="2024-11-10", stop="2024-11-23", *words):
    """Run Luigi's range of days, as a user types it."""
    of = json.dumps({"dataset": "toy", "model": "naive_bayes", "since": start})
    command = ("RangeDailyBase", "--of", "Nightly", "--of-params", of)
    return nights.luigi(*command, "--start", start, "--stop", stop, *words)


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory):
    """Return the seven nights, run one after the other in this process; read only."""
    nights = Nights(tmp_path_factory.mktemp("by-hand")).prepare()
    for night in NIGHTS:
        date = datetime.date.fromisoformat(night.date)
        nights.run("Nightly", date=date, dataset="toy", model="naive_bayes")
    return nights


@pytest.mark.parametrize("workers", ["1", "2"])
def test_backfill_leaves_the_ledger_of_nights_run_one_by_one(tmp_path, by_hand, workers):
    nights = Nights(tmp_path).prepare()
    done = backfill(nights, "2024-11-10", "2024-11-23", "--workers", workers)
    assert done.returncode == 0, done.stderr
    assert without_times(nights.ledger()) == without_times(by_hand.ledger())
    assert [line["date"] for line in nights.ledger()] == [night.date for night in NIGHTS]
    assert [line["decision"] for line in nights.ledger()] == [night.outcome for night in NIGHTS]
    assert nights.champion() == by_hand.champion()
    for night in NIGHTS:
        mine, other = nights.night(night.date), by_hand.night(night.date)
        for key in ("outcome", "reason", "contract", "drift", "decision", "report", "rows"):
            assert mine[key] == other[key], (night.date, key)


def test_backfill_fills_only_what_is_missing(tmp_path, by_hand):
    nights = by_hand.copied(tmp_path / "nights")
    before = nights.ledger()
    assert backfill(nights).returncode == 0
    assert nights.ledger() == before
    nights.put("2024-11-14", few(9))
    assert backfill(nights).returncode == 0
    assert [line["date"] for line in nights.ledger()[len(before) :]] == ["2024-11-14"]
    assert nights.champion() == by_hand.champion()


def test_failed_night_stops_the_nights_after_it(tmp_path):
    nights = Nights(tmp_path).prepare(())
    nights.put("2024-11-16", [("too few to train on", "good"), ("and these as well", "bad")])
    for date in ("2024-11-17", "2024-11-18"):
        nights.put(date, few())
    done = backfill(nights)
    assert done.returncode == 30
    assert "leaves no training rows" in done.stderr
    assert nights.ledger() == []
    nights.put("2024-11-16", many())
    assert backfill(nights).returncode == 0
    assert [line["date"][-2:] for line in nights.ledger()] == ["16", "17", "18"]


def test_range_warns_when_the_task_limit_leaves_nights(tmp_path):
    nights = Nights(tmp_path).prepare(NIGHTS[4:6])
    done = backfill(nights, "2024-11-10", "2024-11-23", "--task-limit", "1")
    assert done.returncode == 0
    assert "fills 1 nights, the most that --task-limit allows; run it again" in done.stderr
    assert [line["date"][-2:] for line in nights.ledger()] == ["20"]


class TestDaysOfARange:
    def ask(self, nights, *dates):
        nights.set_paths()
        known = [datetime.date.fromisoformat(date) for date in dates]
        night = lambda date: Nightly(date=date, dataset="toy", model="naive_bayes")  # noqa: E731
        return [str(date) for date in Nightly.bulk_complete.__func__(night, known)]

    def test_past_day_without_data_has_nothing_to_do(self, tmp_path):
        nights = Nights(tmp_path).prepare(())
        nights.put("2020-01-02", few())
        assert self.ask(nights, "2020-01-01", "2020-01-02") == ["2020-01-01"]

    def test_today_without_data_is_not_done(self, tmp_path):
        nights = Nights(tmp_path).prepare(())
        assert self.ask(nights, today()) == []

    def test_recorded_day_is_done(self, by_hand):
        assert self.ask(by_hand, "2024-11-16") == ["2024-11-16"]


class TestWaiting:
    """What a night requires."""

    def of(self, nights, date, **settings):
        nights.set_paths()
        night = pipeline.Nightly(
            date=datetime.date.fromisoformat(date),
            dataset="toy",
            model="naive_bayes",
            **settings,
        )
        return [str(other.date) for other in night.requires()]

    def test_night_outside_of_a_backfill_waits_for_no_other(self, tmp_path):
        nights = Nights(tmp_path).prepare(NIGHTS[:3])
        assert self.of(nights, "2024-11-18") == []

    def test_night_in_a_backfill_waits_for_the_nearest_with_data(self, tmp_path):
        nights = Nights(tmp_path).prepare((NIGHTS[0], NIGHTS[4]))
        assert self.of(nights, "2024-11-20", since="2024-11-10") == ["2024-11-16"]
        assert self.of(nights, "2024-11-20", since="2024-11-17") == []
        assert self.of(nights, "2024-11-16", since="2024-11-10") == []

    def test_night_that_is_decided_again_waits_for_the_first_decision_of_others(self, tmp_path):
        nights = Nights(tmp_path).prepare((NIGHTS[0], NIGHTS[4]))
        nights.set_paths()
        date = datetime.date(2024, 11, 20)
        night = Nightly(date=date, dataset="toy", model="naive_bayes", since="2024-11-10", redo=1)
        assert [other.number for other in night.requires()] == [0]

    def test_night_waits_for_none_that_is_recorded(self, by_hand):
        assert self.of(by_hand, "2024-11-22", since="2024-11-10") == []


def test_range_schedules_each_night_once(tmp_path):
    nights = Nights(tmp_path).prepare(NIGHTS[:3])
    nights.set_paths()
    of = {"dataset": "toy", "model": "naive_bayes", "since": "2024-11-10"}
    days = {"start": datetime.date(2024, 11, 10), "stop": datetime.date(2024, 11, 23)}
    required = ranges.RangeDailyBase(of=Nightly, of_params=of, **days).requires()
    tasks = {night.task_id for task in required for night in (task, *task.requires())}
    assert len(tasks) == 3


def test_range_is_luigis_own():
    assert Register.get_task_cls("RangeDailyBase") is ranges.RangeDailyBase
    assert pipeline.RangeDailyBase is ranges.RangeDailyBase


@pytest.mark.parametrize("name", ["RangeDailyBase", "RangeDaily"])
def test_range_requires_old_nights_with_data_only(tmp_path, name):
    nights = Nights(tmp_path).prepare(NIGHTS[:2])
    nights.set_paths()
    of = {"dataset": "toy", "model": "naive_bayes", "since": "2024-11-10"}
    days = {"start": datetime.date(2024, 11, 10), "stop": datetime.date(2024, 11, 23)}
    required = getattr(ranges, name)(of=Nightly, of_params=of, **days).requires()
    assert [night.day for night in required] == ["2024-11-16", "2024-11-17"]


def test_range_says_that_days_have_no_data(tmp_path, caplog, monkeypatch):
    logger = logging.getLogger("luigi-interface")
    monkeypatch.setattr(logger, "propagate", True)
    monkeypatch.setattr(logger, "disabled", False)
    nights = Nights(tmp_path).prepare(NIGHTS[:2])
    nights.set_paths()
    of = {"dataset": "toy", "model": "naive_bayes"}
    days = {"start": datetime.date(2024, 11, 10), "stop": datetime.date(2024, 11, 13)}
    with caplog.at_level("INFO", logger="luigi-interface"):
        assert ranges.RangeDaily(of=Nightly, of_params=of, **days).requires() == []
    assert "3 of 3 days have no data and are skipped." in caplog.messages


class TestRollback:
    @pytest.fixture
    def mine(self, by_hand, tmp_path):
        return by_hand.copied(tmp_path / "nights")

    def roll_back(self, nights, to, *words):
        return nights.luigi("Rollback", "--dataset", "toy", "--to", to, *words)

    @pytest.mark.parametrize("by", ["date", "digest"])
    def test_rollback_changes_pointer_and_ledger(self, mine, by):
        first = mine.ledger()[0]["champion"]
        to = first["date"] if by == "date" else first["digest"][:6]
        done = self.roll_back(mine, to, "--reason", "it was rude")
        assert done.returncode == 0, done.stderr
        assert mine.champion() == first
        line = mine.ledger()[-1]
        assert (line["decision"], line["reason"]) == ("rollback", "it was rude")
        assert line["champion"] == first
        assert "rolled back" in mine.history()

    def test_rollback_to_the_champion_writes_nothing(self, mine):
        before = mine.ledger()
        assert self.roll_back(mine, "2024-11-17").returncode == 0
        assert mine.ledger() == before

    def test_next_night_is_compared_with_the_restored_champion(self, mine):
        self.roll_back(mine, "2024-11-16")
        mine.put("2024-11-23", many(11))
        assert mine.nightly("2024-11-23").returncode == 0
        assert mine.ledger()[-1]["against"] == mine.ledger()[0]["champion"]["digest"]
        assert mine.champion()["date"] == "2024-11-23"

    @pytest.mark.parametrize(
        ("to", "message"),
        [
            ("2024-11-19", "cannot roll back to '2024-11-19', which was never champion"),
            ("nonsense", "was never champion; name a date"),
        ],
    )
    def test_rollback_to_a_night_without_champion_is_an_error(self, mine, to, message):
        before = mine.champion()
        done = self.roll_back(mine, to)
        assert done.returncode == 30
        assert message in done.stderr
        assert mine.champion() == before

    def test_rollback_before_any_night_is_an_error(self, tmp_path):
        done = self.roll_back(Nights(tmp_path), "2024-11-19")
        assert done.returncode == 30
        assert "dataset 'toy' has no champion to go back to" in done.stderr
