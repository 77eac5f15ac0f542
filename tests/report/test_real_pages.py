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
    assert "2,432 labelled rows repeat the raw text of an earlier row" in html
    assert metrics["leaks"]["exact"] == 0
    assert "No test row has the clean text of a training row" in html


def test_without_grouping_copies_are_found_and_scored(hate_speech):
    html, metrics = report_of(hate_speech, positive_label="hateful", group_duplicates="none")
    leaks = metrics["leaks"]
    assert leaks["exact"] > 200
    assert leaks["without_exact"]["rows"] == metrics["test"]["rows"] - leaks["exact"]
    # Copies of training texts have a higher recall than other texts.
    recall, without = (
        figures["by_class"]["hateful"]["recall"]
        for figures in (metrics["test"], leaks["without_exact"])
    )
    assert without < recall - 0.03
    assert "split again so that all copies of a text are in the same part" in " ".join(html.split())
    assert 'data-metric="/leaks/without_exact/accuracy"' in html
