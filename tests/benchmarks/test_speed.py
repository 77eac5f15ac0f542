"""The harness of the speed comparisons; no time is asserted."""

import json
import os
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from benchmarks.notebook_way import text
from benchmarks.speed import bags, bench, corpus, seeds, texts
from benchmarks.speed.harness import Side, Taken, compare

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


def test_memory_is_that_of_a_step_where_the_kernel_was_made_to_forget_it():
    # A process whose early peak is forgotten: what a step wrote down of itself counts.
    code = (
        "import json; big = bytearray(1 << 28); del big\n"
        "open('/proc/self/clear_refs', 'w').write('5')\n"
        "print(json.dumps({'step_memory': 260.0}))"
    )
    taken = compare([Side("a", [sys.executable, "-c", code])], 1, lambda line: None, warm_up=False)
    assert taken["a"].memory == [260.0]


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


def test_the_notebook_way_finds_what_the_pipeline_finds(tmp_path):
    file = tmp_path / "rows.csv"
    lines = [f"@b see www.x.org. #tag{n} it's it's café,{n % 2}" for n in range(10)]
    file.write_text("text,label\n" + "\n".join(lines) + "\n")
    found = text.steps(file, "words", length=4)
    row = found["frame"].iloc[0]
    assert row["clean"] == "<user> see <url>. #tag0 it's it's café"
    assert row["tokens"] == ["user", "see", "url", "tag0", "it's", "it's", "café"]
    assert row["hashtags"] == ["#tag0"]
    assert found["padded"].shape == (10, 4)


def test_the_notebook_way_takes_texts_and_lists_of_words_alike():
    sentences = ["One, two two", "two three"]
    words = [["one", "two", "two"], ["two", "three"]]
    found = []
    for given in (sentences, words):
        tokenizer = text.Tokenizer(3)
        tokenizer.fit_on_texts(given)
        found.append(tokenizer.texts_to_sequences(given))
    assert found[0] == found[1] == [[1, 2, 2], [2, 1]]


@pytest.fixture
def outputs(tmp_path):
    def make(step, name, task, above="", memory=1.0):
        place = tmp_path / "data" / step / name
        place.mkdir(parents=True)
        upstream = {"place": f"../../{above}"} if above else None
        manifest = {"task": task, "upstream": upstream, "seconds": 2.0}
        manifest |= {"peak_memory_mib": memory, "rows_out": 5}
        (place / "manifest.json").write_text(json.dumps(manifest))
        return place

    make("1_download", "raw-1", "DownloadData")
    make("2_clean", "rows-1", "CleanText", "1_download/raw-1", memory=300.0)
    make("3_tokenize", "words-1", "Tokenize", "2_clean/rows-1")
    (tmp_path / ".sha256").mkdir()
    return bench.Bench(tmp_path / "raw", tmp_path, print)


@pytest.mark.parametrize(
    ("first", "left", "remembers"),
    [("DownloadData", [], False), ("CleanText", ["1_download"], True)],
)
def test_what_is_taken_away_is_the_step_and_those_below_it(outputs, first, left, remembers):
    outputs.take_away("data", first)
    assert sorted(path.name for path in (outputs.outputs / "data").iterdir()) == left
    assert (outputs.outputs / ".sha256").is_dir() == remembers


def test_a_chain_is_followed_to_its_first_step(outputs):
    places = outputs.chain("data", "Tokenize", "words")
    assert {task: place.name for task, place in places.items()} == {
        "Tokenize": "words-1",
        "CleanText": "rows-1",
        "DownloadData": "raw-1",
    }


def test_a_side_of_the_pipeline_knows_seconds_and_peak_of_what_it_built(outputs):
    side = outputs.side("a", ["true"], "data", "Evaluate", lambda: {"more": 1})
    assert side.facts() == {"steps": 6.0, "step_memory": 300.0, "more": 1}
    side.before()
    for place in (outputs.outputs / "data").glob("[12]_*/*/manifest.json"):
        times = place.stat().st_atime, place.stat().st_mtime - 60
        os.utime(place, times)
    assert side.facts() == {"steps": 2.0, "step_memory": 1.0, "more": 1}


@pytest.mark.network
def test_ends_of_epochs_are_read_from_event_files(tmp_path):
    from pipeline.training.tensorboard import EventLog

    log = EventLog(tmp_path)
    for number, finished in enumerate((1700000000.25, 1700000001.5, 1700000004.0), start=1):
        log.write({"epoch": float(number), "loss": 0.5}, finished)
    assert bench.epoch_ends(tmp_path) == [1700000000.25, 1700000001.5, 1700000004.0]
    assert bench.epoch_ends(tmp_path / "missing") == []


def test_rows_held_back_for_validation_are_training_rows_of_the_notebook_way(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts = ["train", "validation", "test", "train"]
    names = ["a", "b", "c", "d"]
    clean = {"id": names, "clean": [f"text {name}" for name in names]}
    split = {"id": names, "part": parts, "label": [0, 1, 1, 0]}
    places = {"CleanText": tmp_path / "2", "SplitStratified": tmp_path / "5"}
    for place in places.values():
        place.mkdir()
    pq.write_table(pa.table(clean), places["CleanText"] / "rows.parquet")
    pq.write_table(pa.table(split), places["SplitStratified"] / "split.parquet")
    folder = corpus.split_rows(places, tmp_path / "notebook")
    assert list(text.read(folder / "train.csv")["text"]) == ["text a", "text b", "text d"]
    assert list(text.read(folder / "test.csv")["label"]) == [1]


@pytest.mark.parametrize(
    ("both", "met"), [(0.0, True), (0.03, True), (4.0, False)], ids=["none", "little", "dense"]
)
def test_growth_tells_rows_and_words_from_rows_times_words(both, met):
    def peak(rows, words):
        return (1e9 + 500 * rows + 8_000 * words + both * rows * words) / 2**20

    corners = {(rows, words): peak(rows, words) for rows in (9, 36) for words in (10, 40)}
    corners = {(r * 1000, w * 1000): peak(r * 1000, w * 1000) for r, w in corners}
    found, said = bags.growth(corners)
    assert found is met
    assert f"{both:.4f} bytes a row and word" in said
    assert "from 9,000 to 36,000 rows" in said
    if not both:
        assert "500 bytes a row, 8,000 bytes a word" in said


@pytest.mark.parametrize(
    ("theirs", "same", "said"),
    [
        ([("a b", ["a", "b"]), ("c", ["c"])], True, "100.00% of texts"),
        ([("a b", ["a"]), ("c", ["c"])], False, "(1 of those that were cleaned alike"),
        ([("a, b", ["a", ",", "b"]), ("c", ["c"])], False, "1 were not)"),
    ],
    ids=["same", "cut otherwise", "cleaned otherwise"],
)
def test_tokens_are_the_same_or_it_is_said_why_not(theirs, same, said):
    found, words = texts.same_tokens(["a b", "c"], [["a", "b"], ["c"]], theirs)
    assert found is same
    assert said in words


def test_spread_and_joined_sides_are_those_of_all_seeds():
    assert seeds.spread([0.5, 0.6, 0.7]) == "0.600 ± 0.100"
    assert seeds.spread([0.51], 1) == "0.5"
    taken = {
        "ours, seed 0": Taken([1.0], [5.0], [{"f1": 0.5}]),
        "theirs, seed 0": Taken([9.0], [9.0], [{"f1": 0.1}]),
        "ours, seed 1": Taken([3.0], [7.0], [{"f1": 0.7}]),
    }
    both = seeds.joined(taken, "ours")
    assert both.median() == 2.0
    assert both.facts == [{"f1": 0.5}, {"f1": 0.7}]


def test_facts_that_are_numbers_stand_in_the_table():
    taken = {
        "a": Taken([1.0, 3.0], [10.0, 20.0], [{"f1": 0.5, "all": [1]}, {"f1": 0.7, "all": []}])
    }
    found = bench.found(taken, bench.line("work", "half", "a third", True), note=["One.", "Two."])
    (side,) = found["sides"]
    assert side == {"name": "a", "runs": 2, "seconds": "2.00 (1.00 to 3.00)", "memory": "20",
                    "facts": "f1 0.6"}  # fmt: skip
    assert found["lines"] == [
        {"work": "work", "reach": "half", "measured": "a third", "met": "yes"}
    ]
    assert found["note"] == "One. Two."


def test_the_notebook_way_and_the_pipeline_do_not_know_each_other():
    for path in (ROOT / "benchmarks" / "notebook_way").glob("*.py"):
        assert "pipeline" not in _imported(path), path.name
    for path in (ROOT / "pipeline").rglob("*.py"):
        assert "benchmarks" not in _imported(path), path.name


def _imported(path: Path) -> set[str]:
    import ast

    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {each.name.split(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return found
