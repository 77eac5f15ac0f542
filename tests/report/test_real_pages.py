"""The report on the hate-speech tweets, of which many are repeated."""

import json

import pytest
from conftest import Chain

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def hate_speech(tmp_path_factory, real_data):
    """Return a chain whose data folder has the hate-speech files."""
    chain = Chain(tmp_path_factory.mktemp("hate"))
    (chain.data / "hate_speech").symlink_to(real_data / "hate_speech")
    return chain


def report_of(chain, **settings):
    report = chain.run(dataset="hate_speech", model="naive_bayes", **settings).requires()
    metrics = json.loads((report.upstream().path() / "metrics.json").read_text())
    return (report.path() / "report.html").read_text(), metrics


def test_page_counts_the_repeated_tweets(hate_speech):
    html, metrics = report_of(hate_speech, positive_label="hateful")
    assert "2,432 labelled rows repeat the raw text of an earlier one" in html
    assert metrics["leaks"]["exact"] == 0
    assert "No test row has the clean text of a training row" in html


def test_without_grouping_the_leak_is_found_and_scored(hate_speech):
    html, metrics = report_of(hate_speech, positive_label="hateful", group_duplicates="none")
    leaks = metrics["leaks"]
    assert leaks["exact"] > 200
    assert leaks["without_exact"]["rows"] == metrics["test"]["rows"] - leaks["exact"]
    # Copies of training texts are found more often than other texts.
    found, without = (
        figures["by_class"]["hateful"]["recall"]
        for figures in (metrics["test"], leaks["without_exact"])
    )
    assert without < found - 0.03
    assert "split again so that copies stay on one side" in " ".join(html.split())
    assert 'data-metric="/leaks/without_exact/accuracy"' in html
