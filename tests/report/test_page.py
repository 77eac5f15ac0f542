"""The page in a real browser: it loads no other file and runs no script."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from browsing import opened
from conftest import Chain, made_up_rows, write_dataset

from pipeline.report.page import write_report

SCRIPT = "<script>window.hacked = true; document.title = 'hacked'</script>"
HOSTILE = [
    f"{SCRIPT} love great",
    '<img src="http://127.0.0.1:9/x.png" onerror="window.hacked = true"> hate awful',
    "\"><iframe src='file:///etc/passwd'></iframe> & love {{ 7 * 7 }} $x^2$",
]
CLASSES = ("<b>bad</b>", "good/ok ~ fine")


@dataclass(frozen=True)
class Built:
    """A report's folder, and the metrics that it must show."""

    folder: Path
    metrics: dict

    @property
    def page(self):
        return self.folder / "report.html"


def built_report(task):
    report = task.requires()
    metrics = json.loads((report.upstream().path() / "metrics.json").read_text())
    return Built(report.path(), metrics)


def hostile_rows(classes):
    """Rows of a corpus, some of them hostile and some without a label."""
    rows = [(text, classes[label == "good"]) for text, label in made_up_rows(("bad", "good"), 300)]
    rows += [(f"{text} number {n}", classes[n % 2]) for n in range(12) for text in HOSTILE]
    return rows + [(f"{HOSTILE[n % 3]} unlabelled {n}", "") for n in range(30)]


@pytest.fixture(scope="module")
def hostile_chain(tmp_path_factory):
    chain = Chain(tmp_path_factory.mktemp("hostile"))
    write_dataset(
        chain.data / "hostile",
        hostile_rows(CLASSES),
        list(CLASSES),
        title="<i>Hostile</i> tweets",
        unlabelled=[""],
    )
    return chain


@pytest.fixture(scope="module")
def hostile(hostile_chain):
    """Return a binary report with hostile texts and class names, and unlabelled rows."""
    task = hostile_chain.run(dataset="hostile", model="naive_bayes", positive_label=CLASSES[0])
    return built_report(task)


@pytest.fixture(scope="module")
def four(built):
    """Return a report on four classes, without unlabelled rows."""
    return built_report(built.task(dataset="four", model="naive_bayes"))


@pytest.fixture(scope="module")
def network(hostile_chain):
    """Return a network's report, with a linear baseline."""
    small = {"units": (4,), "embedding_size": 4, "epochs": 3, "batch_size": 64}
    return built_report(hostile_chain.run(dataset="hostile", model="bilstm", **small))


@pytest.fixture(
    params=["hostile", "four", pytest.param("network", marks=pytest.mark.network)], scope="module"
)
def report(request):
    return request.getfixturevalue(request.param)


def test_page_requests_no_other_file_and_reports_no_error(browser, report):
    messages, asked = opened(browser, report.page)
    assert messages == []
    assert report.page.as_uri() in asked
    assert [url for url in asked if url != report.page.as_uri() and url[:5] != "data:"] == []


def test_browser_reports_errors_and_requests(browser, tmp_path):
    page = tmp_path / "bad.html"
    page.write_text("<img src='http://127.0.0.1:9/x.png'><script>throw Error('oops')</script>")
    messages, asked = opened(browser, page)
    assert any("oops" in message for message in messages)
    assert "http://127.0.0.1:9/x.png" in asked


def test_every_image_has_size_and_alternative_text_and_is_a_file_too(browser, report):
    opened(browser, report.page)
    images = browser.execute_script(
        "return [...document.images].map(i => [i.complete && i.naturalWidth,"
        " +i.getAttribute('width'), +i.getAttribute('height'), i.alt,"
        " i.naturalWidth / i.naturalHeight])"
    )
    assert len(images) >= 9
    for shown, width, height, alt, shape in images:
        assert shown > 0
        assert len(alt) > 10
        assert width / height == pytest.approx(shape, rel=0.02)
    assert len(list((report.folder / "figures").glob("*.png"))) == len(images)


@pytest.mark.parametrize("width", [390, 1200])
def test_page_fits_the_screen_without_sideways_scrolling(browser, report, width):
    opened(browser, report.page, width)
    wide = browser.execute_script("return document.documentElement.scrollWidth")
    inner = browser.execute_script("return window.innerWidth")
    assert inner == width
    assert wide <= width


def test_headings_of_tables_break_between_words_only(browser, report):
    opened(browser, report.page, 390)
    broken = browser.execute_script(
        """return [...document.querySelectorAll('th')].filter(cell => {
          const range = document.createRange();
          range.selectNodeContents(cell);
          const lines = new Set([...range.getClientRects()].map(box => Math.round(box.top)));
          return lines.size > cell.textContent.trim().split(/\\s+/).length;
        }).map(cell => cell.textContent)"""
    )
    assert broken == []


def test_hostile_text_stays_text(browser, hostile):
    opened(browser, hostile.page)
    assert browser.title == "naive_bayes on hostile"
    assert not browser.execute_script("return 'hacked' in window")
    counted = (
        "return document.querySelectorAll('script, iframe, img[onerror], b > b, i > i').length"
    )
    assert browser.execute_script(counted) == 0
    text = browser.execute_script("return document.body.textContent")
    assert SCRIPT in text
    assert CLASSES[0] in text
    assert "{{ 7 * 7 }}" in text
    assert "<i>Hostile</i> tweets" in text


def test_numbers_on_the_page_are_those_of_the_metrics(browser, report):
    opened(browser, report.page)
    found = browser.execute_script(
        "return [...document.querySelectorAll('data')].map("
        "d => [d.dataset.metric, d.value, d.textContent])"
    )
    assert len(found) > 80
    pointers = {pointer for pointer, _, _ in found}
    assert {"/test/accuracy", "/test/log_loss", "/test/intervals/accuracy/0"} <= pointers
    for pointer, value, text in found:
        exact = at(report.metrics, pointer)
        assert json.loads(value) == exact, pointer
        assert text == "–" if exact is None else agrees(text, exact), (pointer, text, exact)


def test_verdict_and_recall_of_the_positive_class_come_first(browser, hostile):
    opened(browser, hostile.page)
    verdict = browser.execute_script("return document.querySelector('.verdict b').textContent")
    assert verdict == "naive_bayes beats a model that always predicts the largest class."
    tiles = browser.execute_script(
        "return [...document.querySelectorAll('.tile .name')].map(t => t.textContent)"
    )
    assert tiles[0] == f"recall of {CLASSES[0]}"
    bottom = browser.execute_script(
        "return document.querySelector('.numbers').getBoundingClientRect().bottom"
    )
    assert bottom < 800


def test_page_has_a_section_on_unlabelled_rows_if_there_are_any(hostile, four):
    heading = "Predictions for 30 rows without a label"
    assert heading in hostile.page.read_text()
    assert "rows without a label" not in four.page.read_text()


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({}, "Training took"),
        ({"epochs": 3}, "3 epochs."),
        ({"epochs": 3, "best_epoch": 2}, "3 epochs, epoch 2 kept."),
        ({"epochs": 3, "refitted_on_validation": 2}, "training and validation rows for 2 epochs"),
    ],
    ids=["no facts", "epochs", "epoch kept", "trained again"],
)
def test_page_describes_training(built, tmp_path, facts, sentence):
    report = built.task(dataset="four", model="naive_bayes").requires()
    training = report.path_of("TrainModel") / "training.json"
    content = training.read_text()
    training.write_text(json.dumps(facts))
    try:
        write_report(report.path_of("Evaluate"), "luigi", tmp_path, command_of=report.command_of)
    finally:
        training.write_text(content)
    assert sentence in " ".join((tmp_path / "report.html").read_text().split())


def test_page_stays_small(report):
    assert report.page.stat().st_size < 3_000_000


@pytest.mark.network
def test_network_is_compared_with_the_baseline_in_the_first_lines(network):
    names = {"majority", "naive_bayes", "logistic_regression"}
    assert set(network.metrics["baselines"]) == names
    html = network.page.read_text()
    verdict = html[html.index('class="verdict') :][:400]
    assert "baseline naive_bayes" in verdict
    assert "projector.tensorflow.org" in html
    assert "bilstm_1" in html


def test_model_card_has_all_sections_and_escapes_names(hostile):
    card = (hostile.folder / "model_card.md").read_text()
    headings = [line for line in card.splitlines() if line.startswith("## ")]
    assert headings[0] == "## Model details"
    assert "## Ethical considerations" in headings
    assert len(headings) == 8
    # Lines of code, which begin with four spaces, are literal in Markdown.
    prose = [line for line in card.splitlines() if not line.startswith("    ")]
    assert not any("<b>" in line for line in prose)
    assert any("\\<b\\>bad" in line for line in prose)
    assert f"{hostile.metrics['test']['accuracy']:.3f}" in card


def at(metrics, pointer):
    """Return the value at a JSON pointer."""
    found = metrics
    for key in pointer.split("/")[1:]:
        key = key.replace("~1", "/").replace("~0", "~")
        found = found[int(key)] if isinstance(found, list) else found[key]
    return found


def agrees(text, exact):
    """Return whether a text is the rounded value."""
    plain = text.replace("−", "-").replace(",", "")
    if plain.endswith(" %"):
        return plain == f"{100 * exact:.1f} %"
    if isinstance(exact, int):
        return plain == str(exact)
    return plain in (f"{exact:.3f}", f"{100 * exact:+.1f}")
