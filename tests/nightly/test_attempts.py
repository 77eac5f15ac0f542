"""Dates that are decided again on request, and never otherwise."""

import datetime

import pytest
from conftest import made_up_rows
from nights import BROKEN, Nights, few, many

from pipeline import Nightly
from pipeline.cli.verify import verify_artifacts
from pipeline.errors import PipelineError
from pipeline.nightly import records
from pipeline.store import manifests
from pipeline.store.outputs import Store

FIRST, BAD, LATER = "2024-11-16", "2024-11-17", "2024-11-18"


@pytest.fixture(scope="module")
def decided(tmp_path_factory):
    """Return a chain with a champion and a broken night; read only."""
    nights = Nights(tmp_path_factory.mktemp("decided")).prepare(())
    nights.put(FIRST, few())
    nights.put(BAD, BROKEN)
    assert nights.here(FIRST).exit_code == 0
    assert nights.here(BAD).exit_code == 52
    return nights


@pytest.fixture
def mine(decided, tmp_path):
    return decided.copied(tmp_path / "nights")


def decisions(nights):
    return [(line["date"], line["decision"], line["redo"]) for line in nights.ledger()]


def night_of(date):
    return {"date": datetime.date.fromisoformat(date), "dataset": "toy", "model": "naive_bayes"}


def backfill(nights, start):
    """Fill what is missing with another model."""
    days = {"start": datetime.date.fromisoformat(start), "stop": datetime.date(2024, 11, 18)}
    of = {"dataset": "toy", "model": "logistic_regression", "since": start}
    nights.run("RangeDailyBase", of=Nightly, of_params=of, days_back=100_000, **days)


def record(nights, date, redo):
    return nights.outputs / "toy" / "nights" / f"{date}-redo-{redo}"


BEFORE = [(FIRST, "promoted", 0), (BAD, "contract_broken", 0)]


def test_verify_accepts_a_night_that_was_decided_again(mine):
    mine.put(BAD, many())
    assert mine.here(BAD, "--redo").exit_code == 0
    found = verify_artifacts(Store(mine.outputs))
    assert record(mine, BAD, 1) in Store(mine.outputs).folders("toy", "nights")
    assert found["damaged"] == []


def test_redo_decides_a_corrected_file_again(mine):
    before = mine.ledger()
    mine.put(BAD, many())
    assert mine.here(BAD).exit_code == 52
    done = mine.here(BAD, "--redo")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith(f"{BAD} toy: promoted: ")
    assert decisions(mine) == [*BEFORE, (BAD, "promoted", 1)]
    assert mine.ledger()[:2] == before
    assert mine.champion() == mine.ledger()[-1]["champion"]
    assert mine.night(BAD)["outcome"] == "contract_broken"
    assert manifests.is_complete(record(mine, BAD, 1))
    again = mine.here(BAD)  # the later decision counts
    assert (again.exit_code, again.stdout) == (0, done.stdout)
    page = mine.history()
    for words in ("decided again later", "decided again</span>", "contract broken", "2 promoted"):
        assert words in page
    assert "1 contract broken" not in page
    assert len(mine.ledger()) == 3


def test_each_redo_decides_a_night_once_more(mine):
    for number in (1, 2):
        assert mine.here(BAD, "--redo").exit_code == 52
        assert decisions(mine)[-1] == (BAD, "contract_broken", number)
    before = mine.ledger()
    mine.run("Nightly", **night_of(BAD), redo=2)  # as when Luigi tries again
    assert mine.ledger() == before
    asked = ("--asked", before[0]["time"])  # as when night.sh tries again
    assert mine.here(BAD, *asked, "--redo").exit_code == 52
    assert mine.ledger() == before
    task = mine.task("Nightly", **night_of(BAD), redo=4)
    message = "got 4 for 2024-11-17, which was decided 3 times; give 3"
    with pytest.raises(PipelineError, match=message):
        list(task.run())
    assert mine.ledger() == before


def test_next_nights_are_compared_with_the_later_decision(mine):
    mine.put(BAD, few(3)[:130])
    assert mine.here(BAD, "--redo").exit_code in (0, 50)
    mine.put(LATER, few(4)[:150])
    assert mine.here(LATER).exit_code in (0, 50)
    mine.put("2024-11-19", few(5)[:50])
    done = mine.here("2024-11-19")
    assert "50 rows are too few: the median of the last 3 nights is 150" in done.stdout


def test_another_model_for_a_decided_date_is_an_error(mine, caplog):
    before = mine.ledger()
    other = ("--model", "logistic_regression")
    done = mine.here(FIRST, *other)
    assert (done.exit_code, done.stdout) == (35, "")
    assert (
        "the night of 2024-11-16 of dataset 'toy' was decided with model naive_bayes (promoted), "
        "so logistic_regression does not run; to decide it again with logistic_regression, "
        "add --redo to pipeline nightly, or --redo 1 to Nightly." in caplog.text
    )
    assert mine.ledger() == before
    done = mine.here(FIRST, *other, "--redo")
    assert done.exit_code in (0, 50), done.output
    line = mine.ledger()[-1]
    assert (line["date"], line["redo"], line["metrics"]["model"]) == (
        (FIRST, 1, "logistic_regression")
    )
    assert line["against"] == before[0]["champion"]["digest"]
    done = mine.here(FIRST)
    assert done.exit_code == 35
    assert "was decided with model logistic_regression" in caplog.text


def test_backfill_with_another_model_decides_nothing_again(mine):
    mine.put(BAD, many())
    before = mine.ledger()
    backfill(mine, FIRST)
    assert mine.ledger() == before
    mine.put("2024-11-15", made_up_rows(("bad", "good"), 240, 9))
    backfill(mine, "2024-11-15")
    assert [date for date, _, _ in decisions(mine)] == [FIRST, BAD, "2024-11-15"]


def test_redo_of_an_undecided_night_is_an_error(mine):
    mine.put(LATER, many())
    done = mine.here(LATER, "--redo")
    assert isinstance(done.exception, PipelineError)
    assert "the night of 2024-11-18 of dataset 'toy' was never decided" in str(done.exception)
    assert decisions(mine) == BEFORE


def test_night_decided_again_replaces_no_later_champion(mine):
    mine.put(LATER, many())
    assert mine.here(LATER).exit_code == 0
    mine.put(BAD, many(7) + many(8))
    done = mine.here(BAD, "--redo", "--metric", "log_loss")
    assert done.exit_code == 50
    assert mine.champion()["date"] == LATER


@pytest.mark.parametrize("words", [("--redo",), ()], ids=["asked again", "not asked again"])
def test_interrupted_decision_is_finished_and_not_repeated(mine, monkeypatch, words):
    mine.put(BAD, many())

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(records, "_publish", die)
        mine.run("Nightly", **night_of(BAD), redo=1)
    assert decisions(mine) == [*BEFORE, (BAD, "promoted", 1)]
    done = mine.here(BAD, *words)
    assert done.stdout.startswith(f"{BAD} toy: promoted: "), done.output
    assert decisions(mine) == [*BEFORE, (BAD, "promoted", 1)]
    assert manifests.is_complete(record(mine, BAD, 1))


def test_new_class_breaks_the_contract_until_a_rollback(mine):
    three = ("bad", "good", "odd")
    path = mine.data / "toy" / "dataset.toml"
    path.write_text(path.read_text().replace('["bad", "good"]', '["bad", "good", "odd"]'))
    odd = [(f"odd as odd can be {number}", "odd") for number in range(120)]
    mine.put(LATER, many() + odd)
    path.write_text(path.read_text().replace('["bad", "good"]', '["bad", "good", "odd"]'))
    done = mine.here(LATER)
    assert done.exit_code == 52, done.output
    line = mine.ledger()[-1]
    assert line["decision"] == "contract_broken"
    assert line["reason"].startswith(
        "the classes of the dataset are bad, good, odd, those of the champion are bad, good"
    )
    assert mine.here(LATER, "--redo").exit_code == 52
    frozen = mine.data / "toy" / "frozen" / "rows.csv"
    frozen.write_text(frozen.read_text() + "how odd,odd\nodd indeed,odd\n")
    mine.run("Rollback", dataset="toy", to="none", reason="a third class")
    assert not (mine.registry / "champion.json").exists()
    assert "Given up" in mine.history()
    done = mine.here(LATER, "--redo")
    assert done.exit_code == 0, done.output
    assert (mine.champion()["date"], mine.ledger()[-1]["redo"]) == (LATER, 2)
    assert set(mine.here(LATER, "--json").stdout.split('"')) >= set(three)


class TestRollback:
    @pytest.mark.parametrize("to", ["2", "202", ""])
    def test_too_few_digits_are_an_error_even_where_they_begin_the_champions(self, mine, to):
        champion, before = mine.champion(), mine.ledger()
        to = to and champion["digest"][: len(to)]
        task = mine.task("Rollback", dataset="toy", to=to)
        assert not task.complete()
        message = "is too short to name one; name a date or the first 4 digits or more of one of"
        with pytest.raises(PipelineError, match=message):
            task.run()
        assert mine.ledger() == before

    def test_unknown_dataset_is_an_error_and_leaves_no_folder(self, mine):
        task = mine.task("Rollback", dataset="toyy", to=FIRST)
        assert not task.complete()
        with pytest.raises(PipelineError, match=r"'toyy' has no champion .* did you mean 'toy'\?"):
            task.run()
        assert not (mine.outputs / "registry" / "toyy").exists()

    def test_it_is_not_undone_by_an_earlier_night_unless_that_is_decided_again(self, mine):
        mine.put("2024-11-20", many())
        assert mine.here("2024-11-20").exit_code == 0
        mine.run("Rollback", dataset="toy", to=FIRST)
        mine.put(LATER, many(7))
        done = mine.here(LATER)
        assert done.exit_code == 50
        assert "a later night, 2024-11-20, was champion before it was rolled back" in done.stdout
        assert mine.champion()["date"] == FIRST
        assert mine.here(LATER, "--redo").exit_code == 0
        assert mine.champion()["date"] == LATER
