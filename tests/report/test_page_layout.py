"""What a reader sees of the page: first screen, folded details, phone, dark mode, many classes."""

import csv
import random

import pytest
from browsing import opened
from conftest import Chain, write_dataset

MANY = [f"topic_{number}" for number in range(10)]
MANY += ["$up$ & <b>down</b>", "الطقس", "音楽", " ".join(["a very long name of a class"] * 3)]
PHONE, DESKTOP = 390, 1280
_DARK = "prefers-color-scheme"


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Return the folder of a report on 14 classes, with two settings that are not the default."""
    chain = Chain(tmp_path_factory.mktemp("many"))
    rng = random.Random(0)
    rows = []
    for number in range(700):
        at = number % len(MANY)
        # One text in five has the words of the next class.
        word = (at + 1) % len(MANY) if rng.random() < 0.2 else at
        rows.append((f"text {rng.randrange(10**6)} about word{word} and thing{word}", MANY[at]))
    folder = write_dataset(chain.data / "many", rows, MANY, title="Many topics", id="key")
    with open(folder / "rows.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["key", "text", "label"])
        writer.writerows([f"k-{number}", *row] for number, row in enumerate(rows))
    settings = {"alpha": 0.5, "case": "lower"}
    return chain.run(dataset="many", model="naive_bayes", **settings).requires().path()


@pytest.fixture(scope="module")
def two(built):
    """Return the folder of a report on two classes, with default settings."""
    return built.task(dataset="toy", model="naive_bayes").requires().path()


@pytest.fixture(params=["two", "many"])
def folder(request):
    return request.getfixturevalue(request.param)


def page(browser, folder, width=DESKTOP):
    opened(browser, folder / "report.html", width)
    return browser.execute_script


def test_first_screen_has_rows_verdict_and_metrics_with_intervals(browser, folder):
    bottoms = page(browser, folder)(
        "return ['h1', '.lead', '.verdict b', '.verdict p', '.numbers'].map("
        "s => document.querySelector(s).getBoundingClientRect().bottom)"
    )
    assert max(bottoms) < 500
    text = browser.execute_script("return document.querySelector('header').innerText")
    assert "Trained on" in text
    assert "naive_bayes on" in text
    tiles = browser.execute_script(
        "return [...document.querySelectorAll('.tile')].map(t => t.innerText.split('\\n'))"
    )
    assert [tile[0] for tile in tiles] == ["accuracy", "macro F1", "ROC AUC"]
    assert all(" to " in tile[2] and tile[3].startswith("majority ") for tile in tiles)


def test_page_is_short_until_details_are_unfolded(browser, folder):
    script = page(browser, folder)
    words, height, folded = script(
        "return [document.body.innerText.split(/\\s+/).length,"
        " document.documentElement.scrollHeight,"
        " [...document.querySelectorAll('details')].every(d => !d.open)]"
    )
    assert folded
    assert words < 1400
    assert height < 6000
    summaries = script("return [...document.querySelectorAll('summary')].map(s => s.innerText)")
    for start in ("All settings", "Lineage", "Model card", "More metrics", "Command of this run"):
        assert any(text.startswith(start) for text in summaries), start


def test_no_sentence_is_shown_twice(browser, folder):
    text = page(browser, folder)("return document.body.innerText")
    lines = [line.strip() for line in text.splitlines() if len(line.split()) > 5]
    sentences = [part for line in lines for part in line.split(". ") if len(part.split()) > 5]
    assert sorted(sentences) == sorted(set(sentences))


def test_five_metrics_are_compared_openly(browser, folder):
    rows = page(browser, folder)(
        "return [...document.querySelectorAll('td.k')].filter(c => c.checkVisibility())"
        ".map(c => c.innerText)"
    )
    assert rows == ["accuracy", "macro F1", "Matthews correlation", "ROC AUC", "log loss (nats)"]


def test_settings_that_differ_from_their_defaults_are_marked(browser, many):
    script = page(browser, many)
    chips = script("return [...document.querySelectorAll('.chip')].map(c => c.innerText)")
    assert chips == ["case lower default keep", "alpha 0.5 default 1.0"]
    marked = script(
        "return [...document.querySelectorAll('tr.changed')].map("
        "r => [...r.cells].slice(1).map(c => c.textContent))"
    )
    assert marked == [["case", "lower", "keep"], ["alpha", "0.5", "1.0"]]


def test_default_settings_are_not_marked(browser, two):
    script = page(browser, two)
    assert script("return document.querySelectorAll('.chip, tr.changed').length") == 0
    assert "All settings; they are the defaults" in script("return document.body.innerText")


def test_many_classes_have_a_table_of_confused_pairs(browser, many):
    script = page(browser, many)
    rows = script(
        "return [...document.querySelectorAll('h3')].find(h => h.innerText.startsWith('Classes '))"
        ".parentNode.querySelectorAll('h3 ~ .scroll table')[0].innerText"
    )
    header, *pairs = [line.split("\t") for line in rows.strip().splitlines()]
    assert header == ["true class", "predicted class", "rows", "share"]
    assert 0 < len(pairs) <= 10
    counts = [int(pair[2]) for pair in pairs]
    assert counts == sorted(counts, reverse=True)
    for true, predicted, _, _ in pairs:
        assert (MANY.index(true) + 1) % len(MANY) == MANY.index(predicted)
    folded = script("return !document.querySelector('img[alt^=Confusion]').checkVisibility()")
    assert folded


def test_two_classes_have_a_confusion_matrix_and_no_table_of_pairs(browser, two):
    script = page(browser, two)
    assert script("return document.querySelector('img[alt^=Confusion]').checkVisibility()")
    assert "confused most often" not in script("return document.body.textContent")


def test_class_names_in_any_script_are_shown_as_they_are(browser, many):
    text = page(browser, many)("return document.body.textContent")
    for name in MANY:
        assert name in text
    assert browser.execute_script("return document.querySelectorAll('bdi b').length") == 0


def test_mistakes_have_the_id_of_the_source_file_and_line(browser, many):
    notes = page(browser, many)(
        "return [...document.querySelectorAll('#mistakes ~ .pair .texts li')].map("
        "li => [...li.children].map(p => p.textContent))"
    )
    with open(many.parents[3] / "data" / "many" / "rows.csv", newline="", encoding="utf-8") as file:
        lines = list(csv.reader(file))
    assert 5 < len(notes) <= 20
    for text, note in notes:
        line = int(note.rsplit("line ", 1)[1])
        key, raw, label = lines[line - 1]
        assert raw == text
        assert note.startswith(f"{label} → ")
        assert f"· id {key} · rows.csv line {line}" in note


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_scheme_of_the_reader(browser, two, scheme):
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": _DARK, "value": scheme}]}
    )
    try:
        paper, ink, card = page(browser, two)(
            "const of = (s, p) => getComputedStyle(document.querySelector(s))[p];"
            "return [of('body', 'backgroundColor'), of('body', 'color'),"
            " of('figure img', 'backgroundColor')]"
        )
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    dark = [brightness(paper) < 60, brightness(ink) > 200, brightness(card) == 255]
    assert dark == ([True] * 3 if scheme == "dark" else [False] * 3)


def brightness(colour):
    """Return the mean of red, green and blue of a CSS colour; -1 if it is transparent."""
    numbers = [float(n) for n in colour[colour.index("(") + 1 : -1].split(",")]
    return -1 if len(numbers) == 4 and not numbers[3] else sum(numbers[:3]) / 3


def test_no_row_of_a_table_is_tall_on_a_phone(browser, folder):
    script = page(browser, folder, PHONE)
    script("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    tall, wide = script(
        "return [[...document.querySelectorAll('tr')].filter(r => r.offsetHeight > 110)"
        ".map(r => r.innerText), document.documentElement.scrollWidth]"
    )
    assert tall == []
    assert wide <= PHONE


def test_word_clouds_are_drawn_only_if_asked_for(mine, two):
    assert not list((two / "figures").glob("word_cloud*"))
    assert "Word cloud" not in (two / "report.html").read_text()
    task = mine.run(dataset="toy", model="naive_bayes", word_clouds=True)
    folder = task.requires().path()
    assert len(list((folder / "figures").glob("word_cloud*"))) == 2
    assert (folder / "report.html").read_text().count('alt="Word cloud of') == 2


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ([], None),
        (["--word-clouds"], True),
        (["--word-clouds", "true"], True),
        (["--word-clouds", "false"], False),
    ],
    ids=["absent", "no value", "true", "false"],
)
def test_flag_needs_no_value_on_the_command_line(words, value):
    from luigi.cmdline_parser import CmdlineParser

    arguments = ["RunAll", "--model", "naive_bayes", *words, "--seed", "1"]
    with CmdlineParser.global_instance(["--module", "pipeline", *arguments]) as parser:
        task = parser.get_task_obj()
    assert task.word_clouds is value
    assert task.seed == 1
