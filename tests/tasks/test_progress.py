"""Status text, percentage and link of tasks in luigid."""

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
    """Record the calls of tasks to the scheduler."""

    def __init__(self, monkeypatch):
        self.statuses, self.percentages, self.urls = {}, {}, {}
        reporter = luigi.worker.TaskStatusReporter

        def note(store):
            return lambda reporter, what: store.setdefault(
                reporter._task_id.split("_")[0], []
            ).append(what)

        monkeypatch.setattr(reporter, "update_status_message", note(self.statuses))
        monkeypatch.setattr(reporter, "update_progress_percentage", note(self.percentages))
        monkeypatch.setattr(reporter, "update_tracking_url", note(self.urls))


@pytest.fixture
def listener(monkeypatch):
    return Listener(monkeypatch)


def test_every_step_reports_its_status_and_links_to_its_artifact(chain, listener):
    chain.add("toy")
    task = chain.run(dataset="toy", model="naive_bayes")
    for step in task.requires().chain():
        family = step.task_family
        assert listener.statuses[family][0].startswith("building ")
        assert listener.statuses[family][-1].endswith(" s")
        assert (listener.percentages[family][0], listener.percentages[family][-1]) == (0, 100)
        assert listener.urls[family] == [(step.path() / step.page).resolve().as_uri()]
    assert listener.urls["Report"][0].endswith("/report.html")
    assert listener.statuses["CleanText"][-1].startswith("240 rows in ")


def test_night_reports_its_progress_and_links_to_its_report(tmp_path, listener):
    nights = Nights(tmp_path).prepare(())
    for date, rows in (("2024-11-16", few()), ("2024-11-17", many()), ("2024-11-18", many())):
        nights.put(date, rows)
        date = datetime.date.fromisoformat(date)
        nights.run("Nightly", date=date, dataset="toy", model="naive_bayes")
        statuses, percentages, urls = (
            kept.pop("Nightly") for kept in (listener.statuses, listener.percentages, listener.urls)
        )
        record = nights.night(str(date))
        assert statuses[-1] == f"{record['outcome']}: {record['reason']}"
        assert percentages[-1] == 100
        page = (nights.outputs / "history" / "toy.html").resolve().as_uri()
        assert urls[0] == page
        if record["report"]:
            assert "training" in statuses
            report = nights.outputs / record["report"] / "report.html"
            assert urls[-1] == report.resolve().as_uri()
            assert report.is_file()
        else:
            assert urls[-1] == page
    assert set(listener.statuses) == {*STEPS, "Contract", "Drift", "Decision"}


def test_url_is_below_the_configured_address(chain, monkeypatch):
    chain.set_paths()
    path = chain.outputs / "toy" / "8_report" / "a b"
    assert url_of(path).startswith("file:///")
    monkeypatch.setattr(config.pipeline, "address", "https://example.org/runs/")
    assert url_of(path) == "https://example.org/runs/toy/8_report/a%20b"


def test_status_text_contains_no_html():
    """The visualiser does not escape status texts."""
    texts = []
    task = luigi.Task()
    task.set_status_message, task.set_progress_percentage = texts.append, texts.append
    progress.set_status(task, 0.5, "label '<img src=x onerror=alert(1)>' &lt;b&gt; is unknown")
    assert texts == ["label '‹img src=x onerror=alert(1)›' ＆lt;b＆gt; is unknown", 50]


def test_failure_is_a_message_for_user_errors_and_else_a_traceback(chain):
    task = chain.task("Nightly", date=datetime.date(2024, 11, 16), dataset="vader")
    assert task.on_failure(RawFileError("a.csv is missing")) == "P202: a.csv is missing"
    try:
        raise ValueError("unforeseen")
    except ValueError as error:
        text = task.on_failure(error)
    assert "Traceback" in text
    assert "ValueError: unforeseen" in text


def test_tasks_are_shown_with_values_of_the_user_and_can_be_loaded(chain):
    from luigi.task_register import load_task

    night = {"date": datetime.date(2024, 11, 16), "dataset": "vader", "model": "naive_bayes"}
    task = chain.task("Nightly", **night)
    shown = {"date": "2024-11-16", "dataset": "vader", "model": "naive_bayes"}
    assert task.to_str_params() == shown
    assert load_task("pipeline", "Nightly", shown).task_id == task.task_id
    # An empty value is shown if luigi.cfg has another one.
    config = luigi.configuration.get_config()
    config.set("Nightly", "margin", "0.5")
    try:
        task = chain.task("Nightly", margin=None, **night)
        assert task.to_str_params() == {**shown, "margin": ""}
    finally:
        config.remove_section("Nightly")


def test_steps_run_without_a_worker(chain):
    chain.add("toy")
    task = chain.task("DownloadData", dataset="toy")
    task.run()
    assert task.complete()


def test_sections_of_luigi_cfg_have_the_defaults_of_the_rules():
    from dataclasses import asdict

    from pipeline.nightly import contract, drift, limits

    assert limits.contract().limits() == contract.Limits()
    assert limits.drift().limits() == drift.Limits()
    for section, module in (("contract", contract), ("drift", drift)):
        config = getattr(limits, section)
        assert {name for name, _ in config.get_params()} == set(asdict(module.Limits()))


@pytest.mark.parametrize("name", [name for name, _ in pipeline.Nightly.get_params()])
def test_every_parameter_of_a_night_has_a_description(name):
    assert dict(pipeline.Nightly.get_params())[name].description
