"""The pages of speed are written from records, and where the time went from runs."""

import json
import sys
import threading

import pytest
from conftest import ROOT, write_dataset

from benchmarks.speed import __main__ as speed
from benchmarks.speed import hot_spots, page, profiled
from benchmarks.speed.comparisons import COMPARISONS

LINE = {"work": "this", "reach": "half", "measured": "0.4 times", "met": "yes"}
SIDE = {"name": "ours", "runs": 3, "seconds": "1.00", "memory": "12", "facts": "rows 5"}
CHAIN = {
    "name": "a chain",
    "seconds": 10.0,
    "cpu": 15.0,
    "steps": [
        {"name": "CleanText rows", "seconds": 6.0, "cpu": 11.0},
        {"name": "Tokenize words", "seconds": 0.1, "cpu": 0.1},
        {"name": "Vectorize sequences", "seconds": 0.2, "cpu": 0.2},
        {"name": "Vectorize tfidf", "seconds": 0.2, "cpu": 0.2},
    ],
    "functions": {
        "CleanText rows": [["text.clean.apply", 9.0], ["readers.read", 2.0], ["little", 0.5]],
        "beside the steps": [["importing luigi", 3.0]],
    },
}


def records(**line):
    return {
        "tfidf": {
            "machine": "one",
            "lines": [{**LINE, **line}],
            "sides": [SIDE],
            "note": "A note.",
        }
    }


def test_the_page_shows_what_was_found_and_names_what_was_not_measured():
    written = page.page(records())
    assert "| this | half | 0.4 times | yes |" in written
    assert "| ours | 3 | 1.00 | 12 | rows 5 |" in written
    assert "\nA note.\n" in written
    assert "Machine: one." in written
    others = [name for name in COMPARISONS if name != "tfidf"]
    assert f"Not measured: {', '.join(others)}, profile." in written
    assert "Where the time goes" not in written


def test_the_profile_shows_steps_their_functions_and_what_is_beside_them():
    written = page.page({**records(), "profile": {"machine": "one", "chains": [CHAIN]}})
    assert "profile." not in written
    rows = written[written.index("A chain: 10.00 s as a whole process, 15.00 CPU") :].splitlines()
    assert rows[4:7] == [
        "| CleanText rows | 6.00 | 60% | 11.00 | text.clean.apply 9.00, readers.read 2.00 |",
        "| Tokenize, Vectorize | 0.50 | 5% | 0.50 |  |",
        "| beside the steps: start, imports, scheduling, end | 3.50 | 35% | 3.50 | "
        "importing luigi 3.00 |",
    ]


def test_the_short_table_stands_between_its_marks_however_often_it_is_written():
    text = "before\n<!-- speed -->\nold\n<!-- end of speed -->\nafter\n"
    found = records(short=["that", "1 s", "a \\1 script: 2 s"])
    once = page.with_short(text, found)
    assert once == (
        "before\n<!-- speed -->\n\n| work | here | beside |\n|---|---|---|\n"
        "| that | 1 s | a \\1 script: 2 s |\n\n<!-- end of speed -->\nafter\n"
    )
    assert page.with_short(once, found) == once


@pytest.mark.parametrize("text", ["no marks", "<!-- end of speed -->\n<!-- speed -->\n"])
def test_a_text_without_marks_is_refused(text):
    with pytest.raises(ValueError, match=r"stand 0 times, not once; put them around"):
        page.with_short(text, records())


def test_what_is_kept_is_what_is_shown():
    folder = ROOT / "benchmarks"
    found = json.loads((folder / speed.RECORDS).read_text(encoding="utf-8"))
    remedy = "write it anew with make bench"
    assert (folder / speed.PAGE).read_text(encoding="utf-8") == page.page(found), remedy
    readme = speed.README.read_text(encoding="utf-8")
    assert readme == page.with_short(readme, found), remedy


def test_a_thread_is_doing_what_the_package_called_for_or_waits():
    from pipeline.errors import PipelineError

    source = "def work(look):\n    def inner():\n        return look()\n    return inner()\n"
    code = compile(source, "work.py", "exec")

    def looked(module):
        names = {"__name__": module}
        exec(code, names)
        return names["work"](lambda: profiled.doing(sys._getframe()))

    # What it calls is a function of this module.
    assert looked("pipeline.text.made_up") == f"text.made_up.work.inner ({__name__})"
    assert looked("elsewhere").endswith(", for luigi")
    assert PipelineError  # the package is loaded, so that its own import is not seen below
    waiting = threading.Event()
    thread = threading.Thread(target=waiting.wait)
    thread.start()
    assert profiled.doing(sys._current_frames()[thread.ident]) is None
    waiting.set()
    thread.join()


def test_an_import_is_named_by_what_is_imported(tmp_path, monkeypatch):
    found = []
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(profiled, "found", found, raising=False)
    (tmp_path / "made_up_library.py").write_text(
        "import sys\nfrom benchmarks.speed import profiled\n"
        "profiled.found.append(profiled.doing(sys._getframe()))\n"
    )
    import made_up_library  # noqa: F401

    assert found == ["importing made_up_library"]


@pytest.mark.processes
def test_a_profile_knows_the_steps_of_a_run(tmp_path):
    from benchmarks.speed.bench import Bench

    rows = [(f"word{n % 7} and more", ("bad", "good")[n % 2]) for n in range(40)]
    write_dataset(tmp_path / "data" / "made", rows, ["bad", "good"])
    bench = Bench(tmp_path / "data", tmp_path / "outputs", lambda line: None)
    words = ["run", *bench.words("Tokenize", "made")]
    for steps in (["DownloadData raw", "CleanText rows", "Tokenize words"], []):
        chain = hot_spots._chain(bench, "made", words)
        assert [each["name"] for each in chain["steps"]] == steps
        assert chain["seconds"] > sum(each["seconds"] for each in chain["steps"])
        assert chain["cpu"] > 0
        assert profiled.OUTSIDE in chain["functions"]
        assert "| beside the steps: start, imports" in hot_spots.table([chain])
