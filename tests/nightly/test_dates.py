"""Runs with a date: content decides, not the date."""

import json
import shutil

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from conftest import STEPS, made_up_rows, write_dataset

from pipeline.cli import cli
from pipeline.errors import PipelineError
from pipeline.nightly import day_rows

# Of the made-up dataset below, before there were dates. A step whose version is raised changes


def put(chain, day, seed=1, n_rows=240, folder="toy"):
    """Put a day's rows where they belong."""
    place = chain.data / folder / day
    write_dataset(place, made_up_rows(("bad", "good"), n_rows, seed))
    shutil.move(place / "dataset.toml", chain.data / folder / "dataset.toml")


def freeze(chain, rows):
    write_dataset(chain.data / "toy" / "frozen", rows, ["bad", "good"])
    (chain.data / "toy" / "frozen" / "dataset.toml").unlink()


def digests(chain, **settings):
    task = chain.task(dataset="toy", model="naive_bayes", **settings)
    return {step.task_family: step.digest() for step in task.requires().chain()}


def table(chain, family, name, **settings):
    task = chain.run(family, dataset="toy", **settings)
    return pq.read_table(task.path() / name).to_pylist()


def test_runs_without_a_date_take_no_notice_of_dated_and_frozen_files(chain):
    chain.add("toy")
    before = digests(chain)
    freeze(chain, [("a frozen text", "good")])
    put(chain, "2026-11-22")
    assert digests(chain) == before


def test_same_content_on_another_day_is_the_same_run(chain):
    put(chain, "2026-11-21")
    put(chain, "2026-11-22")
    put(chain, "2026-11-23", seed=2)
    chain.run(dataset="toy", model="naive_bayes", date="2026-11-21")
    before = chain.manifests()
    assert len(before) == 8
    chain.run(dataset="toy", model="naive_bayes", date="2026-11-22", window=1)
    chain.run(dataset="toy", model="naive_bayes", date="2026-11-22", window=2)
    assert chain.built_after(before) == []
    chain.run(dataset="toy", model="naive_bayes", date="2026-11-23")
    assert chain.built_after(before) == sorted(STEPS)


def test_one_day_has_the_digests_of_a_run_without_a_date(chain):
    chain.add("toy")
    put(chain, "2026-11-22")
    assert digests(chain, date="2026-11-22") == digests(chain)


def test_window_reads_its_days_oldest_first(chain):
    for day, seed in (("2026-11-19", 1), ("2026-11-21", 2), ("2026-11-22", 3)):
        put(chain, day, seed, n_rows=60)
    rows = table(chain, "CleanText", "rows.parquet", date="2026-11-22", window=3)
    assert len(rows) == 120
    files = list(dict.fromkeys(row["file"] for row in rows))
    assert files == ["2026-11-21/rows.csv", "2026-11-22/rows.csv"]
    assert len(table(chain, "CleanText", "rows.parquet", date="2026-11-22", window=0)) == 180
    source = chain.run("DownloadData", dataset="toy", date="2026-11-22", window=0)
    listed = json.loads((source.path() / "source.json").read_text())["files"]
    assert [file["name"] for file in listed] == ["rows.csv", "rows.csv (2)", "rows.csv (3)"]
    assert [file["path"].split("/")[-2] for file in listed] == [
        "2026-11-19",
        "2026-11-21",
        "2026-11-22",
    ]


@pytest.mark.parametrize("name", ["part/rows.csv", "tweets-{date}/rows.csv"])
def test_own_rows_of_a_day_are_known_in_folders_of_any_depth(chain, name):
    for day, seed, n_rows in (("2026-11-21", 1, 60), ("2026-11-22", 2, 40)):
        put(chain, day, seed, n_rows)
        folder = chain.data / "toy"
        wanted = folder / (name if "{date}" in name else f"{day}/{name}").format(date=day)
        wanted.parent.mkdir()
        shutil.move(folder / day / "rows.csv", wanted)
    toml = chain.data / "toy" / "dataset.toml"
    toml.write_text(toml.read_text().replace("rows.csv", name))
    clean = chain.run("CleanText", dataset="toy", date="2026-11-22", window=2)
    rows, rejected = day_rows.tables_of_day(clean)
    assert (rows.num_rows, rejected.num_rows) == (40, 0)


@pytest.mark.parametrize("group_duplicates", ["exact", "none"])
def test_texts_of_frozen_rows_are_in_no_night(chain, group_duplicates):
    put(chain, "2026-11-22")
    texts = made_up_rows(("bad", "good"), 240, 1)
    # The same text as clean text, spaces around it; in other letter case; one that no night has.
    frozen = [(f"  {texts[0][0]} ", texts[0][1]), ("never seen", "good")]
    frozen.append((texts[3][0].title(), texts[3][1]))
    freeze(chain, frozen)
    settings = {"date": "2026-11-22", "group_duplicates": group_duplicates}
    chain.run(dataset="toy", model="naive_bayes", **settings)
    rows = table(chain, "CleanText", "rows.parquet", date="2026-11-22")
    parts = {
        row["id"]: row["part"]
        for path in chain.outputs.glob("toy/5_split/*/split.parquet")
        for row in pq.read_table(path).to_pylist()
    }
    of_test = [row for row in rows if parts[row["id"]] == "test"]
    assert [row["file"] for row in of_test] == ["frozen/rows.csv"] * 3
    kept = {row["clean"] for row in rows if parts[row["id"]] != "test"}
    assert not {text.lower() for text in kept} & {row["clean"].lower() for row in of_test}
    aside = table(chain, "CleanText", "rejected.parquet", date="2026-11-22")
    assert {row["reason"] for row in aside} == {"text of a frozen test row"}
    wanted = sum(text in (texts[0][0], texts[3][0]) for text, _ in texts)
    assert len(aside) == wanted >= 2


def test_changed_frozen_rows_are_another_run(chain):
    put(chain, "2026-11-22")
    freeze(chain, [("never seen", "good"), ("nor this", "bad")])
    before = digests(chain, date="2026-11-22")
    freeze(chain, [("never seen", "good"), ("nor that", "bad")])
    after = digests(chain, date="2026-11-22")
    assert not before.items() & after.items()


def test_unlabelled_row_with_a_frozen_text_stays_to_be_predicted(chain):
    put(chain, "2026-11-22", n_rows=40)
    path = chain.data / "toy" / "dataset.toml"
    path.write_text('unlabelled = ["?"]\n' + path.read_text())
    with open(chain.data / "toy" / "2026-11-22" / "rows.csv", "a") as file:
        file.write("never seen,?\r\n")
    freeze(chain, [("never seen", "good")])
    rows = table(chain, "CleanText", "rows.parquet", date="2026-11-22")
    assert [r["label"] for r in rows if r["clean"] == "never seen"] == ["good", None]


@pytest.mark.parametrize(
    ("settings", "named", "message"),
    [
        ({"window": 2}, False, "window counts the days up to date, got window 2 and no date"),
        ({}, True, "have a date in their names, got none; add --date"),
        ({"date": "none"}, True, "add --date"),
        ({"date": "22.11.2026"}, False, "date must be a date such as 2026-11-22, or none, got 22"),
        ({"date": "2026-11-31"}, False, "date must be a date"),
        ({"date": "2026-11-22", "window": -1}, False, "window must be a whole number at least 0"),
    ],
)
def test_date_that_cannot_be_is_an_error_before_anything_runs(chain, settings, named, message):
    chain.add("toy")
    if named:
        path = chain.data / "toy" / "dataset.toml"
        path.write_text(path.read_text().replace("rows.csv", "rows-{date}.csv"))
    with pytest.raises(PipelineError, match=message):
        chain.task(dataset="toy", model="naive_bayes", **settings).requires()


def test_date_is_one_whether_given_as_date_or_as_text():
    from pipeline import DownloadData

    known = dict(DownloadData.get_params())["date"]
    assert known.parse("20261122") == known.normalize("2026-11-22") == "2026-11-22"


def test_list_of_datasets_shows_the_newest_day_of_dated_files(chain):
    chain.add("toy")
    path = chain.data / "toy" / "dataset.toml"
    path.write_text(path.read_text().replace("rows.csv", "rows-{date}.csv"))

    def state():
        chain.set_paths()
        rows = json.loads(CliRunner().invoke(cli, ["datasets", "--json"]).output)
        (row,) = [row for row in rows if row["dataset"] == "toy"]
        return row["state"], [file["path"] for file in row["files"]]

    assert state() == ("by hand", [None])
    for day in ("2026-11-21", "2026-11-22"):
        shutil.copy(chain.data / "toy" / "rows.csv", chain.data / "toy" / f"rows-{day}.csv")
    assert state() == ("ready", [str(chain.data / "toy" / "rows-2026-11-22.csv")])
