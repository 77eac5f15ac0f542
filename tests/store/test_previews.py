"""First rows of tables as CSV, and the README of the outputs folder."""

import csv
import re

import pytest

from pipeline.store import previews


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def folder(chain, step, dataset="four"):
    return next(iter((chain.outputs / dataset).glob(f"{step}_*/*")))


@pytest.mark.parametrize("dataset", ["toy", "four"])
@pytest.mark.parametrize(
    ("step", "column"),
    [("2", "clean"), ("3", "tokens"), ("5", "part"), ("7", "predicted")],
)
def test_folder_of_a_table_has_its_first_rows_as_csv(built, dataset, step, column):
    rows = rows_of(folder(built, step, dataset) / "head.csv")
    assert column in rows[0]
    assert len(rows) == 21


def test_head_is_part_of_the_artifact(built):
    manifests = [m for m in built.manifests().values() if m["task"] == "CleanText"]
    for manifest in manifests:
        assert {"head.csv", "rejected.head.csv"} <= manifest["files"].keys()


def test_tokens_are_joined_in_the_head(built):
    columns, first, *_ = rows_of(folder(built, "3") / "head.csv")
    assert len(first[columns.index("tokens")].split()) == int(first[columns.index("words")])


def test_outputs_readme_lists_every_folder_once_and_is_in_no_manifest(built):
    text = (built.outputs / "README.md").read_text()
    for path in (built.outputs / "toy").iterdir():
        assert f"<dataset>/{path.name}/" in text
    assert not any("README.md" in m["files"] for m in built.manifests().values())
    listed = re.findall(r"^    (\S+/)  ", text, re.M)
    assert "registry/<dataset>/" in listed
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("before", [None, "outdated"])
def test_outputs_readme_is_written_where_it_is_missing_or_outdated(tmp_path, built, before):
    if before:
        (tmp_path / "README.md").write_text(before)
    previews.write_readme(tmp_path)
    assert (tmp_path / "README.md").read_text() == (built.outputs / "README.md").read_text()
    state = (tmp_path / "README.md").stat()
    previews.write_readme(tmp_path)
    assert (tmp_path / "README.md").stat().st_ino == state.st_ino
