"""The history page: its texts, links, figures and escaping."""

import json
import re
from html import unescape

import pytest
from browsing import opened

from pipeline.nightly import figures_drift
from pipeline.nightly.history import history_lines, write_history

HOSTILE = "<script>window.hacked = true</script> & {{ 7 * 7 }} $x_2$ \ud800"
DIGESTS = [f"{number:016x}" for number in range(40)]


def distribution(name, psi, level="ok"):
    return {
        "name": name,
        "about": HOSTILE,
        "bins": [HOSTILE, "b"],
        "reference": [30, 70],
        "current": [70, 30],
        "psi": psi,
        "distance": 0.1,
        "chance": 0.01,
        "level": level,
        "sentence": name,
    }


def drift(tokens=0.02, level="ok"):
    distributions = [distribution("classes", 0.0), distribution("tokens", tokens, level)]
    limits = {"warning_psi": 0.1, "stop_psi": 0.25}
    return {"level": level, "sentence": "", "distributions": distributions, "limits": limits}


def decision(metric="macro_f1", **values):
    intervals = {name: [value - 0.02, value + 0.02] for name, value in values.items()}
    figures = {"metric": metric, "values": values, "intervals": intervals}
    return {"promoted": True, "reason": "", "rules": [], "figures": figures}


def champion(number):
    date = f"2026-11-{number:02d}"
    return {"date": date, "digest": DIGESTS[number], "path": f"toy/7_evaluate/nb-{DIGESTS[number]}"}


def pair(number, outcome, reason="because", **columns):
    """Return the line and the record of a night."""
    date = f"2026-11-{number:02d}"
    entry = {
        "date": date,
        "decision": outcome,
        "reason": reason,
        "time": f"{date}T03:00:00+0000",
        "digests": {},
        "metrics": {},
        "against": None,
        "redo": 0,
        "champion": champion(number) if outcome == "promoted" else None,
    }
    night = {
        "dataset": "toy",
        "date": date,
        "outcome": outcome,
        "reason": reason,
        "model": f"nb_{number}",
        "metric": "macro_f1",
        "digests": {},
        "rows": 1000 * number,
        "contract": {"measures": {"class_shares": {HOSTILE: 0.4, "good": 0.6}}, "breaches": []},
        "drift": None,
        "decision": None,
        "report": None,
        "figures": [],
        "redo": 0,
        "seconds": 30.0 * number,
        "peak_memory_mib": 700.0 + 100 * number,
        **columns,
    }
    return entry, night


def rollback(number, day):
    """Return the line of a rollback."""
    entry = pair(number, "promoted", f"back to {number}")[0]
    return {**entry, "decision": "rollback", "time": f"2026-11-{day:02d}T09:00:00+0000"}


def seven_nights():
    """Return lines and records of a week with every outcome, and a rollback at its end."""
    pairs = [
        pair(1, "promoted", "first champion", decision=decision(challenger=0.7, baseline=0.6)),
        pair(2, "unchanged", "the content is that of 2026-11-01"),
        pair(3, "kept", decision=decision(challenger=0.65, champion=0.71), drift=drift()),
        pair(4, "contract_broken", HOSTILE, contract={"measures": None, "breaches": []}, rows=None),
        pair(5, "drift_stop", "tokens", drift=drift(3.0, "stop")),
        pair(6, "promoted", decision=decision(challenger=0.8, champion=0.71), drift=drift(0.15)),
        pair(7, "kept", decision=decision(challenger=0.5, champion=0.8), drift=drift()),
    ]
    entries = [entry for entry, _ in pairs] + [rollback(1, 8)]
    return entries, [night for _, night in pairs]


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    outputs = tmp_path_factory.mktemp("outputs")
    entries, nights = seven_nights()
    nights[2] = {**nights[2], "report": "toy/8_report/nb 3", "figures": ["drift.png"]}
    for path in ("toy/8_report/nb 3/report.html", "toy/nights/2026-11-03/drift.png"):
        (outputs / path).parent.mkdir(parents=True)
        (outputs / path).write_text("")
    nights[5] = {**nights[5], "report": "toy/8_report/removed"}
    path = outputs / "history" / "toy.html"
    write_history("toy", entries, nights, path, [(5, '{"date": "<b>2026')])
    return path


def text_of(page):
    """Return a page's text without tags."""
    html = page.read_text().split("</style>", 1)[1]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def test_page_shows_the_outcome_of_each_night(page):
    text = text_of(page)
    for sentence in (
        "7 nights, 2026-11-01 to 2026-11-07",
        "The champion is nb_1 of 2026-11-01",
        "Last night, 2026-11-07: champion kept: because.",
        "Rolled back by hand on 2026-11-08: back to 1.",
        "2 promoted 2 champion kept 1 unchanged data 1 contract broken 1 stopped by drift 1 rolled",
        "2026-11-05 stopped by drift nb_5 0.710 of 2026-11-01 5,000 stop tokens 3.000 2 min",
        '1 line of the ledger cannot be read Line 5: {"date": "<b>2026',
    ):
        assert sentence in text
    assert page.read_text().count('class="mark ') == 8


def test_page_links_to_reports_and_pictures_that_exist(page):
    links = re.findall(r'href="([^"]+)"', page.read_text())
    assert links[1:] == ["../toy/8_report/nb%203/report.html", "../toy/nights/2026-11-03/drift.png"]
    for link in links[1:]:
        assert (page.parent / link.replace("%20", " ")).exists()


def test_metric_follows_the_champion_through_promotion_and_rollback(tmp_path):
    lines = history_lines(*seven_nights(), tmp_path)
    assert [line["value"] for line in lines] == [0.7, None, 0.65, None, None, 0.8, 0.5, None]
    assert [line["champion_value"] for line in lines] == [
        0.7,
        0.7,
        0.71,
        0.71,
        0.71,
        0.8,
        0.8,
        0.71,
    ]
    assert [line["day"][-1] for line in lines] == list("12345678")


def test_nights_that_another_metric_decided_are_not_drawn(tmp_path):
    entries, nights = seven_nights()
    nights[0] = {**nights[0], "decision": decision("accuracy", challenger=0.9)}
    first, *_, last = history_lines(entries, nights, tmp_path)
    assert (first["value"], first["champion_value"]) == (None, None)
    assert last["metric"] == "macro F1"


def test_night_decided_again_is_drawn_once_and_shown_twice(tmp_path):
    entries, nights = seven_nights()
    entry, night = pair(4, "kept", decision=decision(challenger=0.6, champion=0.7))
    entries.append({**entry, "redo": 1})
    nights.append({**night, "redo": 1})
    path = tmp_path / "history" / "toy.html"
    write_history("toy", entries, nights, path)
    text = text_of(path)
    assert "7 nights, 2026-11-01 to 2026-11-07" in text
    assert "contract broken decided again later nb_4" in text
    assert "champion kept decided again nb_4 0.600" in text
    assert "2 promoted 3 champion kept 1 unchanged data 1 stopped by drift 1 rolled back" in text


def test_champion_that_was_removed_is_not_shown(tmp_path):
    entries, nights = seven_nights()
    entries.append({**rollback(6, 9), "champion": None, "reason": "a third class"})
    path = tmp_path / "history" / "toy.html"
    write_history("toy", entries, nights, path)
    text = text_of(path)
    assert "There is no champion Last night" in text
    assert "Given up by hand on 2026-11-09: a third class." in text
    assert history_lines(entries, nights, tmp_path)[-1]["champion"] is None


def test_night_without_a_record_is_shown_from_the_ledger(tmp_path):
    entries, nights = seven_nights()
    path = tmp_path / "history" / "toy.html"
    write_history("toy", entries, nights[:5], path)
    text = text_of(path)
    assert "The champion is nb_1 of 2026-11-01" in text
    assert "2026-11-07 champion kept" in text


@pytest.mark.parametrize("kept", [0, 1, 4, 5])
def test_page_of_few_nights_is_written(tmp_path, kept):
    entries, nights = seven_nights()
    if kept == 1:
        entries, nights = entries[3:4], nights[3:4]
    path = tmp_path / "history" / "toy.html"
    write_history("toy", entries[:kept], nights[:kept], path)
    text = text_of(path)
    if kept < 2:
        assert "There is no champion yet" in text
    assert ("no night yet" in text) == (kept == 0)


def test_figures_show_the_last_90_nights(tmp_path):
    entries, nights = [], []
    for number in range(120):
        entry, night = pair(1, "kept", decision=decision(challenger=0.5 + number / 1000))
        date = f"2026-{1 + number // 28:02d}-{1 + number % 28:02d}"
        entries.append({**entry, "date": date})
        nights.append({**night, "date": date})
    path = tmp_path / "history" / "toy.html"
    write_history("toy", entries, nights, path)
    text = text_of(path)
    assert "The figures show the last 90 nights." in text
    assert "2026-01-01 champion kept" in text
    assert path.stat().st_size < 1_000_000


def test_hostile_text_is_escaped(page):
    html = page.read_text()
    assert "<script" not in html
    assert "&lt;script&gt;window.hacked = true&lt;/script&gt; &amp; {{ 7 * 7 }}" in html
    assert "<b>2026" not in html


def test_page_is_one_file_without_requests(browser, page):
    messages, requests = opened(browser, page)
    assert messages == []
    assert [url for url in requests if url[:5] != "data:"] == [page.as_uri()]
    assert not browser.execute_script("return 'hacked' in window")
    images = browser.execute_script(
        "return [...document.images].map(i => [i.complete && i.naturalWidth, i.alt])"
    )
    assert len(images) == 6
    assert all(width > 0 and len(alt) > 10 for width, alt in images)


@pytest.mark.parametrize("width", [390, 1200])
def test_page_fits_the_screen(browser, page, width):
    opened(browser, page, width)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_figure_of_drift_is_drawn_with_hostile_names_of_bins(tmp_path):
    path = tmp_path / "drift.png"
    distributions = json.loads(json.dumps([*drift()["distributions"], distribution("scores", 0.2)]))
    figures_drift.drift(distributions, path, "toy, night of 2026-11-18")
    assert path.read_bytes().startswith(b"\x89PNG")


def test_page_shows_the_number_of_comparisons_on_the_holdout_rows(tmp_path):
    first, second = (
        pair(day, "kept", decision=decision(challenger=0.6, champion=0.7)) for day in (1, 2)
    )
    entries, nights = zip(first, second, strict=True)
    for number, night in enumerate(nights, start=6):
        used = {"comparison_number": number, "level": 0.00127, "confidence": 0.95}
        night["decision"]["figures"] |= used
    write_history("toy", list(entries), list(nights), tmp_path / "history" / "toy.html")
    text = (tmp_path / "history" / "toy.html").read_text()
    assert "These rows were compared on 7 times" in text
    assert "the last one needed a p-value of 0.13 % or less" in text
    assert "stays at most 5 %" in text
