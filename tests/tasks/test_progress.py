"""What tasks tell a scheduler: status text, percentage, and where their page leads."""

import datetime

import luigi
import pytest
from conftest import STEPS
from nights import Nights, few, many

import pipeline
from pipeline.errors import RawFileError
from pipeline.tasks import config, progress
from pipeline.tasks.config import url_of


class Listener:
    """A scheduler in this process that keeps what tasks say."""

    def __init__(self, monkeypatch):
        self.said, self.shares, self.urls = {}, {}, {}
        known = luigi.worker.TaskStatusReporter

        def note(store):
            return lambda reporter, what: store.setdefault(
                reporter._task_id.split("_")[0], []
            ).append(what)

        monkeypatch.setattr(known, "update_status_message", note(self.said))
        monkeypatch.setattr(known, "update_progress_percentage", note(self.shares))
        monkeypatch.setattr(known, "update_tracking_url", note(self.urls))


@pytest.fixture
def told(monkeypatch):
    return Listener(monkeypatch)


def test_every_step_says_what_it_does_and_leads_to_what_it_makes(chain, told):
    chain.add("toy")
    task = chain.run(dataset="toy", model="naive_bayes")
    for step in task.requires().chain():
        family = step.task_family
        assert told.said[family][0].startswith("building ")
        assert told.said[family][-1].endswith(" s")
        assert (told.shares[family][0], told.shares[family][-1]) == (0, 100)
        assert told.urls[family] == [(step.path() / step.page).resolve().as_uri()]
    assert told.urls["Report"][0].endswith("/report.html")
    assert told.said["CleanText"][-1].startswith("240 rows in ")


def test_night_says_how_far_it_is_and_leads_to_its_report(tmp_path, told):
    nights = Nights(tmp_path).prepare(())
    for date, rows in (("2024-11-16", few()), ("2024-11-17", many()), ("2024-11-18", many())):
        nights.put(date, rows)
        date = datetime.date.fromisoformat(date)
        nights.run("Nightly", date=date, dataset="toy", model="naive_bayes")
        said, shares, urls = (kept.pop("Nightly") for kept in (told.said, told.shares, told.urls))
        record = nights.night(str(date))
        assert said[-1] == f"{record['outcome']}: {record['reason']}"
        assert shares[-1] == 100
        page = (nights.outputs / "history" / "toy.html").resolve().as_uri()
        assert urls[0] == page
        if record["report"]:
            assert "training" in said
            report = nights.outputs / record["report"] / "report.html"
            assert urls[-1] == report.resolve().as_uri()
            assert report.is_file()
        else:
            assert urls[-1] == page
    assert set(told.said) == {*STEPS, "Contract", "Drift", "Decision"}


def test_address_is_on_the_web_server_where_one_is_named(chain, monkeypatch):
    chain.set_paths()
    place = chain.outputs / "toy" / "8_report" / "a b"
    assert url_of(place).startswith("file:///")
    monkeypatch.setattr(config.pipeline, "address", "https://example.org/runs/")
    assert url_of(place) == "https://example.org/runs/toy/8_report/a%20b"


def test_status_text_is_no_html_whatever_raw_files_hold():
    """The visualiser puts status texts into its page as they are."""
    said = []
    task = luigi.Task()
    task.set_status_message, task.set_progress_percentage = said.append, said.append
    progress.set_status(task, 0.5, "label '<img src=x onerror=alert(1)>' &lt;b&gt; is unknown")
    assert said == ["label '‹img src=x onerror=alert(1)›' ＆lt;b＆gt; is unknown", 50]


def test_failure_of_ours_is_its_sentence_and_any_other_has_its_traceback(chain):
    task = chain.task("Nightly", date=datetime.date(2024, 11, 16), dataset="vader")
    assert task.on_failure(RawFileError("a.csv is missing")) == "P202: a.csv is missing"
    try:
        raise ValueError("unforeseen")
    except ValueError as error:
        said = task.on_failure(error)
    assert "Traceback" in said
    assert "ValueError: unforeseen" in said


def test_tasks_are_shown_with_what_was_given_and_are_the_same_when_read_back(chain):
    from luigi.task_register import load_task

    night = {"date": datetime.date(2024, 11, 16), "dataset": "vader", "model": "naive_bayes"}
    task = chain.task("Nightly", **night)
    shown = {"date": "2024-11-16", "dataset": "vader", "model": "naive_bayes"}
    assert task.to_str_params() == shown
    assert load_task("pipeline", "Nightly", shown).task_id == task.task_id
    # Not given on purpose, where luigi.cfg has another value, is told.
    config = luigi.configuration.get_config()
    config.set("Nightly", "margin", "0.5")
    try:
        task = chain.task("Nightly", margin=None, **night)
        assert task.to_str_params() == {**shown, "margin": ""}
    finally:
        config.remove_section("Nightly")


def test_steps_outside_of_a_worker_tell_nobody(chain):
    chain.add("toy")
    task = chain.task("DownloadData", dataset="toy")
    task.run()
    assert task.complete()


def test_sections_of_luigi_cfg_hold_the_defaults_of_the_rules():
    from dataclasses import asdict

    from pipeline.nightly import contract, drift, limits

    assert limits.contract().limits() == contract.Limits()
    assert limits.drift().limits() == drift.Limits()
    for section, known in (("contract", contract), ("drift", drift)):
        config = getattr(limits, section)
        assert {name for name, _ in config.get_params()} == set(asdict(known.Limits()))


@pytest.mark.parametrize("name", [name for name, _ in pipeline.Nightly.get_params()])
def test_every_parameter_of_a_night_says_what_it_does(name):
    assert dict(pipeline.Nightly.get_params())[name].description
