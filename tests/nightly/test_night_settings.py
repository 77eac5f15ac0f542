"""Parameters of a night: those of RunAll, limits of the gates, and the window."""

import datetime
import json
import shutil

import luigi
import pytest
from conftest import made_up_rows
from nights import Nights, drifted, few, many, mislabelled

import pipeline
from pipeline.cli.plan import plan_command
from pipeline.errors import PipelineError


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """Return a chain with one night, promoted; read only."""
    nights = Nights(tmp_path_factory.mktemp("first")).prepare(())
    nights.put("2024-11-16", many())
    run(nights, "2024-11-16")
    return nights


@pytest.fixture
def mine(first, tmp_path):
    return first.copied(tmp_path / "nights")


@pytest.fixture
def config():
    """Return a way to set luigi.cfg's values for one test."""
    known = luigi.configuration.get_config()
    was = []

    def put(section, name, value):
        was.append((section, name, known.get(section, name, None)))
        known.set(section, name, value)

    yield put
    for section, name, value in reversed(was):
        known.remove_option(section, name) if value is None else known.set(section, name, value)


def night_of(nights, date, **settings):
    nights.set_paths()
    settings = {"model": "naive_bayes", **settings}
    date = datetime.date.fromisoformat(date)
    return pipeline.Nightly(date=date, dataset="toy", **settings)


def run(nights, date, **settings):
    task = night_of(nights, date, **settings)
    assert luigi.build([task], local_scheduler=True, log_level="WARNING")
    return nights.night(date)


def test_section_run_all_of_luigi_cfg_holds_for_nights(first, config):
    config("RunAll", "alpha", "3.5")
    trained = night_of(first, "2024-11-17").step(pipeline.TrainModel)
    assert trained.settings()["alpha"] == 3.5
    given = night_of(first, "2024-11-17", alpha=2).step(pipeline.TrainModel)
    assert given.settings()["alpha"] == 2


def test_other_settings_on_the_same_rows_are_compared(mine):
    mine.put("2024-11-17", many())
    assert run(mine, "2024-11-17", alpha=5)["outcome"] == "kept"


def test_model_other_than_the_baseline_has_to_beat_it(mine):
    mine.put("2024-11-17", many(3))
    night = run(mine, "2024-11-17", model="logistic_regression")
    assert night["model"] == "logistic_regression"
    figures = night["decision"]["figures"]
    assert figures["baseline"] is not None
    rules = {rule["name"]: rule["passed"] for rule in night["decision"]["rules"]}
    assert rules["baseline"] is False  # both name every frozen row rightly
    assert night["outcome"] == "kept"


def test_model_of_another_kind_is_predicted_from_texts_for_drift(mine, tmp_path):
    """The champion is another model than tonight's, with another tokenizer."""
    mine.put("2024-11-17", many(3))
    night = run(mine, "2024-11-17", tokenizer="tweet", stop_words="scikit-learn")
    names = [one["name"] for one in night["drift"]["distributions"]]
    assert names == ["classes", "lengths", "tokens", "scores"]
    assert night["contract"]["measures"]["unknown_share"] == pytest.approx(0, abs=0.02)


def test_margin_and_metric_decide(mine):
    mine.put("2024-11-17", many(3) + many(4))
    night = run(mine, "2024-11-17", metric="log_loss", margin=100)
    assert (night["metric"], night["outcome"]) == ("log_loss", "kept")
    (margin,) = [rule for rule in night["decision"]["rules"] if rule["name"] == "margin"]
    assert (margin["allowed"], margin["passed"]) == (100, False)
    assert mine.ledger()[-1]["metrics"]["metric"] == "log_loss"


@pytest.mark.parametrize(
    ("section", "name", "value", "outcome", "reason"),
    [
        ("contract", "rows_minimum", "1000", "contract_broken", "480 rows; at least 1,000"),
        ("contract", "rows_least", "0.9999", "kept", ""),
        ("contract", "repeated_share", "0.001", "contract_broken", "repeat a text"),
        ("drift", "stop_psi", "1000", "kept", ""),
    ],
)
def test_limits_are_those_of_luigi_cfg(mine, config, section, name, value, outcome, reason):
    config(section, name, value)
    mine.put("2024-11-17", mislabelled(many(3), 0.1))
    night = run(mine, "2024-11-17")
    assert night["outcome"] == outcome
    assert reason in night["reason"]
    if section == "contract":
        assert night["contract"]["limits"][name] == float(value)


def test_few_rows_break_the_contract_after_a_night_with_many(mine):
    mine.put("2024-11-17", few()[:100])
    night = run(mine, "2024-11-17")
    assert night["outcome"] == "contract_broken"
    assert "rows are too few" in night["reason"]
    assert mine.champion()["date"] == "2024-11-16"


def test_next_night_is_not_compared_with_a_broken_night(mine):
    mine.put("2024-11-17", few()[:100])
    mine.put("2024-11-18", few()[:100])
    run(mine, "2024-11-17")
    again = run(mine, "2024-11-18")
    assert again["outcome"] == "contract_broken"
    assert "480" in again["reason"]


def test_window_of_two_days_trains_on_both(mine):
    mine.put("2024-11-17", made_up_rows(("bad", "good"), 240, 9))
    night = run(mine, "2024-11-17", window=2)
    assert night["rows"] == 240  # what the day brought
    read = [one["rows_in"] for one in mine.manifests().values() if one["task"] == "CleanText"]
    assert sorted(read) == [200 + 480, 200 + 480 + 240]


class TestWindow:
    """Contract and drift look at what the day itself brought, whatever it is trained on."""

    def test_window_does_not_hide_a_poor_day(self, mine):
        mine.put("2024-11-17", few()[:100])
        night = run(mine, "2024-11-17", window=0)
        assert night["outcome"] == "contract_broken"
        assert night["reason"].startswith("100 rows are too few: the median of the last 1 nights")

    def test_window_does_not_hide_drift_of_a_day(self, mine):
        mine.put("2024-11-17", drifted()[:300])
        night = run(mine, "2024-11-17", window=0)
        sizes = {one["name"]: sum(one["current"]) for one in night["drift"]["distributions"]}
        assert (night["outcome"], sizes["classes"]) == ("drift_stop", 300)

    def test_window_does_not_change_the_number_of_rows(self, mine, config):
        config("contract", "rows_most", "1.5")
        for number, date in enumerate(("2024-11-17", "2024-11-18", "2024-11-19")):
            mine.put(date, many(20 + number))
            night = run(mine, date, window=0)
            assert night["contract"]["breaches"] == []
            assert night["rows"] == 480

    def test_rows_of_old_records_are_not_compared(self, mine):
        """Before, all rows of the window were counted."""
        place = mine.outputs / "toy" / "nights" / "2024-11-16"
        text = json.loads((place / "night.json").read_text())
        del text["contract"]["measures"]["counted"]
        text["contract"]["measures"]["rows"] = 48_000
        (place / "night.json").write_text(json.dumps(text))
        manifest = json.loads((place / "manifest.json").read_text())
        manifest["files"]["night.json"]["size"] = (place / "night.json").stat().st_size
        (place / "manifest.json").write_text(json.dumps(manifest))
        mine.put("2024-11-17", many(3))
        assert run(mine, "2024-11-17")["contract"]["breaches"] == []
        mine.put("2024-11-18", few()[:100])
        assert "480" in run(mine, "2024-11-18")["reason"]

    def test_day_with_the_bytes_of_an_earlier_day_is_measured(self, mine):
        mine.put("2024-11-17", few()[:100])
        mine.put("2024-11-18", many())  # those of 2024-11-16
        night = run(mine, "2024-11-18", window=3)
        assert night["rows"] == 480

    def test_cleaned_rows_of_another_day_with_the_same_content_are_measured(self, mine):
        """CleanText was built for a window of other days with the same content."""
        mine.put("2024-11-17", made_up_rows(("bad", "good"), 240, 9))
        run(mine, "2024-11-17", window=2)
        for date, before in (("2024-11-20", "2024-11-16"), ("2024-11-21", "2024-11-17")):
            shutil.copytree(mine.data / "toy" / before, mine.data / "toy" / date)
        night = run(mine, "2024-11-21", window=2)
        assert (night["outcome"], night["rows"]) == ("unchanged", 240)

    def test_day_without_usable_rows_breaks_the_contract(self, mine):
        mine.put("2024-11-17", [(text, "neither") for text, _ in many(3)])
        path = mine.data / "toy" / "dataset.toml"
        path.write_text(path.read_text().replace("neither", "bad"))
        night = run(mine, "2024-11-17", window=2)
        assert night["outcome"] == "contract_broken"


def test_deleted_champion_is_an_error(mine):
    shutil.rmtree(mine.outputs / mine.champion()["path"])
    mine.put("2024-11-17", many(3))
    task = night_of(mine, "2024-11-17")
    with pytest.raises(PipelineError, match="the folder is missing"):
        for needed in task.run():
            assert luigi.build([needed], local_scheduler=True, log_level="WARNING")


def test_holdout_rows_that_the_champion_was_trained_on_do_not_count(mine, caplog):
    texts = [row for row in many() if row[1] == "good"][:10]
    path = mine.data / "toy" / "frozen" / "rows.csv"
    path.write_text(
        path.read_text() + "".join(f"{text.title()},{label}\n" for text, label in texts)
    )
    mine.put("2024-11-17", mislabelled(many(3), 0.1))
    night = run(mine, "2024-11-17")
    assert night["decision"]["figures"]["rows"] == 200
    assert "10 of 210 holdout rows are excluded" in caplog.text


def test_read_error_of_the_system_is_a_failure_and_no_broken_contract(mine, monkeypatch):
    from pipeline.data import raw_files

    mine.put("2024-11-17", many(3))
    known, refused = raw_files.opened, OSError(5, "Input/output error")

    def opened(path, member=""):
        if "2024-11-17" in str(path):
            raise raw_files.unreadable(path, refused)
        return known(path, member)

    monkeypatch.setattr("pipeline.data.formats.opened", opened)
    task = night_of(mine, "2024-11-17")
    with pytest.raises(PipelineError, match="rows.csv cannot be read: Input/output error"):
        for needed in task.run():
            assert luigi.build([needed], local_scheduler=True, log_level="WARNING")
    assert len(mine.ledger()) == 1


def test_today_is_the_day_on_which_the_night_started(mine, monkeypatch):
    monkeypatch.setattr("pipeline.tasks.run_all.today", lambda: "2024-11-17")
    night = night_of(mine, "2024-11-17")
    monkeypatch.setattr("pipeline.tasks.download_data.today", lambda: "2024-11-18")
    assert night.step(pipeline.DownloadData).now == "2024-11-17"
    assert night.may_have_data()
    given = night_of(mine, "2024-11-17", today="2024-11-16")
    assert given.step(pipeline.DownloadData).now == "2024-11-16"
    assert given.task_id == night.task_id
    assert given.report.digest() == night.report.digest()


def test_latest_link_is_not_moved_by_nights(mine):
    assert not (mine.outputs / "latest").exists()


def test_plan_shows_whether_a_night_has_a_record(mine):
    mine.set_paths()
    words = ["Nightly", "--dataset", "toy", "--model", "naive_bayes", "--date"]
    (night,) = plan_command([*words, "2024-11-16"])["steps"]
    assert night["action"] == "skip"
    (night,) = plan_command([*words, "2024-11-17"])["steps"]
    assert (night["action"], night["kind"]) == ("run", "new")


def test_second_start_of_a_night_reuses_the_results_of_its_gates(mine):
    mine.put("2024-11-17", many(3))
    wanted = run(mine, "2024-11-17")
    folders = sorted((mine.outputs / "toy" / "gates").glob("*-*"))
    # The first night had no champion to compare the rows with.
    kinds = ["contract", "contract", "decision", "decision", "drift"]
    assert [folder.name.split("-")[0] for folder in folders] == kinds
    before = {folder: (folder / "manifest.json").read_bytes() for folder in folders}
    ledger = mine.registry / "ledger.jsonl"
    ledger.write_text(ledger.read_text().splitlines(keepends=True)[0])
    first = mine.ledger()[0]["champion"]
    (mine.registry / "champion.json").write_text(json.dumps(first))
    shutil.rmtree(mine.outputs / "toy" / "nights" / "2024-11-17")
    again = run(mine, "2024-11-17")
    assert {folder: (folder / "manifest.json").read_bytes() for folder in folders} == before
    for key in ("contract", "drift", "decision", "outcome", "reason", "digests"):
        assert again[key] == wanted[key]


def test_seconds_of_a_night_include_its_artifacts(first):
    made = sum(
        manifest["seconds"]
        for manifest in first.manifests().values()
        if manifest["task"] in ("Tokenize", "Vectorize", "TrainModel", "Evaluate", "Report")
    )
    night = first.night("2024-11-16")
    assert made < night["seconds"] < made + 60


def test_manifest_names_the_night(first):
    place = first.outputs / "toy" / "nights" / "2024-11-16"
    manifest = json.loads((place / "manifest.json").read_text())
    assert (manifest["task"], manifest["settings"]) == (
        "Nightly",
        {"dataset": "toy", "date": "2024-11-16"},
    )
    assert manifest["rows_in"] == 480
