"""The harness of the speed comparisons; no time is asserted."""

import sys

import pytest

from benchmarks.notebook_way import text
from benchmarks.speed import __main__ as speed
from benchmarks.speed import comparisons, corpus
from benchmarks.speed.harness import Side, compare

SAY = "import json; print('words'); print(json.dumps({'answer': %d}))"


def test_sides_take_turns_and_the_warm_up_is_not_counted(tmp_path):
    log = tmp_path / "log"

    def note(name):
        return lambda: log.write_text((log.read_text() if log.exists() else "") + name)

    sides = [
        Side("a", [sys.executable, "-c", SAY % 1], note("a"), lambda: {"left": 7}),
        Side("b", [sys.executable, "-c", SAY % 2], note("b")),
    ]
    said = []
    taken = compare(sides, 2, said.append)
    assert log.read_text() == "ababab"
    assert [line.endswith("(warm-up)") for line in said] == [True, True, *[False] * 4]
    assert taken["a"].facts == [{"answer": 1, "left": 7}] * 2
    assert taken["b"].median("answer") == 2
    assert len(taken["b"].seconds) == len(taken["b"].memory) == 2
    assert all(memory > 1 for memory in taken["a"].memory)


def test_memory_is_that_of_the_process_and_of_its_children():
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'bytearray(1 << 28)'])"
    sides = [
        Side(name, [sys.executable, "-c", code]) for name, code in (("no", ""), ("yes", child))
    ]
    taken = compare(sides, 1, lambda line: None, warm_up=False)
    assert taken["yes"].memory[0] - taken["no"].memory[0] > 200


def test_a_side_that_fails_is_named_with_what_it_said():
    side = Side("broken", [sys.executable, "-c", "raise SystemExit('no data')"])
    with pytest.raises(RuntimeError, match=r"broken ended with 1:\nno data"):
        compare([side], 1, lambda line: None)


def test_copies_of_the_tweets_differ_in_the_order_of_words_alone(tmp_path):
    source = tmp_path / "sentiment140"
    source.mkdir()
    rows = ['1,0,Sentiment140,"one two, three four"', "2,1,Sentiment140,five six seven eight nine"]
    header = "ItemID,Sentiment,SentimentSource,SentimentText"
    (source / "tweets.csv").write_text("\n".join([header, *rows]) + "\n")
    name = corpus.tweets(tmp_path, 3)
    frame = text.read(tmp_path / name / "rows.csv")
    assert list(frame["label"]) == [0, 1] * 3
    assert list(frame["text"][:2]) == ["one two, three four", "five six seven eight nine"]
    assert sorted(frame["text"][3].split()) == sorted(frame["text"][1].split())
    assert len(set(frame["text"])) > 2
    assert corpus.tweets(tmp_path, 3) == name


def test_the_page_shows_what_was_found_and_names_what_was_not_measured():
    line = {"work": "this", "reach": "half", "measured": "0.4 times", "met": "yes"}
    side = {"name": "ours", "runs": 3, "seconds": "1.00", "memory": "12", "facts": "rows 5"}
    found = {"machine": "one", "lines": [line], "sides": [side], "note": "A note."}
    page = speed.page({"tfidf": found})
    assert "| this | half | 0.4 times | yes |" in page
    assert "| ours | 3 | 1.00 | 12 | rows 5 |" in page
    assert "Machine: one." in page
    others = [name for name in comparisons.COMPARISONS if name != "tfidf"]
    assert f"Not measured: {', '.join(others)}." in page


def test_the_notebook_way_finds_what_the_pipeline_finds(tmp_path):
    file = tmp_path / "rows.csv"
    lines = [f"@b see www.x.org #tag{n} it's it's café,{n % 2}" for n in range(10)]
    file.write_text("text,label\n" + "\n".join(lines) + "\n")
    found = text.steps(file, "words", length=4)
    row = found["frame"].iloc[0]
    assert row["clean"] == "<user> see <url> #tag0 it's it's café"
    assert row["tokens"] == ["user", "see", "url", "tag0", "it's", "it's", "café"]
    assert row["hashtags"] == ["#tag0"]
    assert found["padded"].shape == (10, 4)
