"""Holdout rows in every format of raw files, first sets and renewed ones."""

import io
import json
import re
import tarfile
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from conftest import made_up_rows
from nights import CLASSES, Nights, few, many

from pipeline.cli import cli
from pipeline.data import catalogue, daily, readers
from pipeline.errors import PipelineError
from pipeline.nightly.holdout_rows import freeze_rows

ROWS = made_up_rows(("bad", "good"), 200)
DAY = "2024-11-16"


def as_csv(path):
    lines = ["text,n,label", *(f'"{text}, so",{n},{label}' for n, (text, label) in rows())]
    path.write_text("\n".join(lines), encoding="utf-8")


def as_tsv(path):
    lines = [f'{n}\t{0.4 if label == "good" else -0.4}\t"{text}' for n, (text, label) in rows()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def as_json_lines(path):
    lines = [json.dumps({"m": f"é {text}", "k": int(label == "good")}) for text, label in ROWS]
    path.write_text("\n".join(lines), encoding="utf-8")


def as_parquet(path):
    texts, labels = zip(*ROWS, strict=True)
    pq.write_table(pa.table({"text": texts, "label": labels}), path)


def as_tar(path):
    with tarfile.open(path, "w:gz") as archive:
        for number, (text, label) in rows():
            entry = tarfile.TarInfo(f"{label}/{number}.txt")
            content = f"{text}\nand more".encode()
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def rows():
    return enumerate(ROWS)


LAYOUTS = {
    "csv": (as_csv, "rows.csv", 'id = "n"\nlabels = ["bad", "good"]\nfiles = ["rows.csv"]'),
    "tsv without a header, labels by bounds, bare quotes": (
        as_tsv,
        "rows.txt",
        'header = ["id", "rating", "text"]\nquoting = false\nid = "id"\nlabel = "rating"\n'
        'files = ["rows.txt"]\n[labels]\nbad = { below = 0 }\ngood = { above = 0 }',
    ),
    "json lines, numbers as labels": (
        as_json_lines,
        "rows.jsonl",
        'text = "m"\nlabel = "k"\nfiles = ["rows.jsonl"]\n[labels]\nbad = 0\ngood = 1',
    ),
    "parquet": (as_parquet, "r.parquet", 'labels = ["bad", "good"]\nfiles = ["r.parquet"]'),
    "folders in an archive": (
        as_tar,
        "rows.tar.gz",
        'labels = ["bad", "good"]\nfiles = ["rows.tar.gz"]\n[[tables]]\nfile = "rows.tar.gz"\n'
        'format = "folders"\nmember = "{label}/{id}.txt"',
    ),
}


@pytest.fixture
def day(chain):
    """Return a function that lays a day's rows out."""

    def put(layout="csv"):
        write, name, text = LAYOUTS[layout]
        folder = chain.data / "toy" / DAY
        folder.mkdir(parents=True)
        write(folder / name)
        (folder.parent / "dataset.toml").write_text(text)
        chain.set_paths()
        return chain

    return put


def read(chain):
    """Read the day with its frozen rows; return raw text and label of both."""
    row = catalogue.load("toy", chain.data)
    parts = daily.input_files(row, chain.data / "toy", DAY, 1, lambda path: path.name)
    files = {part.key: part.path for part in parts}
    table = readers.read(daily.with_tables(row, parts), files).rows.to_pylist()
    found = {True: [], False: []}
    for one in table:
        found[one["file"].startswith("frozen/")].append((one["raw"], one["label"]))
    return found[True], found[False]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_holdout_rows_are_read_like_their_source(day, layout):
    chain = day(layout)
    found = freeze_rows("toy", DAY, 0.2, 0)
    frozen, others = read(chain)
    assert len(frozen) == found["rows"] == sum(found["classes"].values())
    assert len(others) == found["of"] == 200
    assert not Counter(frozen) - Counter(others)
    assert 23 <= len(frozen) <= 57  # three standard deviations about a fifth of 200
    assert min(found["classes"].values()) >= 12


def test_rows_with_the_same_text_stay_together(day):
    chain = day()
    freeze_rows("toy", DAY, 0.3, 0)
    frozen, others = read(chain)
    repeated = {text for text, count in Counter(text for text, _ in others).items() if count > 1}
    inside, everywhere = (Counter(text for text, _ in rows) for rows in (frozen, others))
    assert repeated & inside.keys()
    for text in repeated & inside.keys():
        assert inside[text] == everywhere[text]


def test_night_of_the_same_day_excludes_the_holdout_rows(day):
    chain = day()
    found = freeze_rows("toy", DAY, 0.2, 0)
    task = chain.run("CleanText", dataset="toy", date=DAY)
    profile = json.loads((task.path() / "profile.json").read_text())
    assert profile["kept"] == 200
    assert profile["reasons"] == {"text of a frozen test row": found["rows"]}
    assert profile["partitions"] == {"labelled": 200 - found["rows"], "test": found["rows"]}


def test_seed_decides_which_rows(day):
    chain = day()
    path = chain.data / "toy" / "frozen" / "rows.csv"
    drawn = []
    for seed in (0, 0, 1):
        freeze_rows("toy", DAY, 0.2, seed)
        drawn.append(path.read_text())
        path.unlink()
    assert drawn[0] == drawn[1] != drawn[2]


def test_existing_set_is_never_overwritten(day):
    chain = day()
    freeze_rows("toy", DAY, 0.2, 0)
    path = chain.data / "toy" / "frozen" / "rows.csv"
    before = path.read_text()
    with pytest.raises(PipelineError, match=r"toy/frozen contains holdout rows; add"):
        freeze_rows("toy", DAY, 0.1, 0)
    assert path.read_text() == before
    assert not list((chain.data / "toy").glob(".tmp-*"))


LATER = "2024-11-17"


@pytest.fixture
def used(chain):
    """Return nights of which the first promoted a champion, and a later day without a night."""
    nights = Nights(chain.folder).prepare(nights=())
    nights.put_frozen(made_up_rows(CLASSES, 120, 9))
    nights.put(DAY, many())
    done = nights.here(DAY)
    assert done.exit_code == 0, done.output
    nights.put(LATER, many()[:100] + made_up_rows(CLASSES, 300, 77))
    nights.set_paths()
    return nights


def texts_in(path):
    return [line.rsplit(",", 1)[0] for line in path.read_text().splitlines()[1:]]


def test_renewed_rows_are_unseen_and_were_never_holdout_rows(used):
    folder = used.data / "toy"
    before = texts_in(folder / "frozen" / "rows.csv")
    found = freeze_rows("toy", LATER, 0.3, 0, renew=True)
    assert found["retired"] == str(folder / "retired" / "1")
    assert texts_in(folder / "retired" / "1" / "rows.csv") == before
    drawn = texts_in(folder / "frozen" / "rows.csv")
    trained = {text for text, _ in many()}
    assert len(drawn) == found["rows"] > 20
    assert not set(drawn) & (set(before) | trained)
    again = freeze_rows("toy", LATER, 0.3, 0, renew=True)
    assert again["retired"].endswith("retired/2")
    # What was frozen before the last renewal is not drawn either.
    assert not set(texts_in(folder / "frozen" / "rows.csv")) & {*before, *drawn}


def test_champion_is_scored_on_renewed_rows_and_comparisons_restart(used):
    used.put("2024-11-18", few(5))
    used.here("2024-11-18")
    assert used.night("2024-11-18")["decision"]["figures"]["comparison_number"] == 1
    used.here("2024-11-18", "--redo")  # counts too
    words = ["freeze", "--dataset", "toy", "--date", LATER, "--share", "0.5", "--renew"]
    folders = ["--data", str(used.data), "--outputs", str(used.outputs)]
    done = CliRunner().invoke(cli, [*words, "--metric", "accuracy", *folders])
    assert done.exit_code == 0, done.output
    line = r"The champion of 2024-11-16 has accuracy [01]\.\d{4} \([01]\.\d{4} to [01]\.\d{4}\) on"
    assert re.search(line, done.output)
    assert "nights may train on their texts" in done.output
    used.put("2024-11-19", few(6))
    used.here("2024-11-19")
    assert used.night("2024-11-19")["decision"]["figures"]["comparison_number"] == 1
    used.put("2024-11-20", few(7))
    used.here("2024-11-20", "--confidence", "0.8")
    figures = used.night("2024-11-20")["decision"]["figures"]
    assert figures["comparison_number"] == 2
    assert (figures["confidence"], figures["level"]) == (0.8, pytest.approx(0.0207, abs=1e-4))
    assert "compared on 2 times" in used.history()


@pytest.mark.parametrize(
    ("date", "problem"),
    [
        (DAY, r"only \d labelled rows of 2024-11-16, of one class or none, can be holdout"),
        (None, r"needs the file|give --date"),
    ],
    ids=["trained on", "no day"],
)
def test_texts_of_the_champion_cannot_become_holdout_rows(used, date, problem):
    before = (used.data / "toy" / "frozen" / "rows.csv").read_text()
    with pytest.raises(PipelineError, match=problem):
        freeze_rows("toy", date, 0.2, 0, renew=True)
    assert (used.data / "toy" / "frozen" / "rows.csv").read_text() == before
    assert not (used.data / "toy" / "retired").exists()


def test_nothing_to_renew_is_an_error(day):
    day()
    with pytest.raises(PipelineError, match=r"contains no holdout rows to renew; remove --renew"):
        freeze_rows("toy", DAY, 0.2, 0, renew=True)


def test_holdout_rows_can_be_drawn_without_a_date(chain):
    chain.add("toy")
    chain.set_paths()
    assert freeze_rows("toy", None, 0.1, 0)["of"] == 240


def test_command_prints_rows_of_each_class(day):
    chain = day()
    words = ["freeze", "--dataset", "toy", "--date", DAY, "--share", "0.2"]
    done = CliRunner().invoke(cli, [*words, "--data", str(chain.data)])
    assert done.exit_code == 0
    line = r"Drew \d+ of 200 rows \(bad \d+, good \d+\): .*toy/frozen/rows.csv"
    assert re.search(line, done.output.strip())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--share", "0"], "0.0 is not in the range 0<x<1"),
        (["--date", "2024-11-15"], None),
    ],
)
def test_wrong_options_of_freeze_are_errors(day, words, message):
    chain = day()
    words = ["freeze", "--dataset", "toy", "--date", DAY, *words, "--data", str(chain.data)]
    done = CliRunner().invoke(cli, words)
    assert done.exit_code != 0
    assert (message or "needs the file 'rows.csv'") in done.output + str(done.exception)
    assert not (chain.data / "toy" / "frozen").exists()
