import pytest

from pipeline.datasets import catalogue
from pipeline.errors import PipelineError

ROWS = ["brand_emotion", "disaster", "hate_speech", "imdb", "sentiment140", "vader"]


def write(data, text, name="mine"):
    (data / name).mkdir()
    (data / name / "dataset.toml").write_text(text)


def test_catalogue_has_its_six_rows(tmp_path):
    assert catalogue.names(tmp_path) == ROWS


@pytest.mark.parametrize("name", ROWS)
def test_every_row_says_what_a_user_needs(name, tmp_path):
    row = catalogue.load(name, tmp_path)
    assert row.title
    assert row.licence
    assert row.citation
    assert row.homepage.startswith("http")
    assert row.by_hand
    assert len(row.labels) >= 2


def test_published_checksum_of_the_default_dataset_is_pinned(tmp_path):
    (file,) = catalogue.load("vader", tmp_path).files
    assert file.source.kind == "pypi"
    assert file.source.sha256 == "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"


def test_own_dataset_needs_three_lines(tmp_path):
    write(tmp_path, 'text = "message"\nlabels = ["bug", "praise"]\nfiles = ["tickets.csv"]\n')
    row = catalogue.load("mine", tmp_path)
    assert [label.name for label in row.labels] == ["bug", "praise"]
    (table,) = row.tables
    assert (table.file, table.format, table.text) == ("tickets.csv", "csv", "message")
    assert "mine" in catalogue.names(tmp_path)


def test_own_dataset_comes_before_the_catalogues(tmp_path):
    write(tmp_path, 'labels = ["x", "y"]\nfiles = ["a.tsv"]\n', name="vader")
    assert catalogue.load("vader", tmp_path).files[0].name == "a.tsv"


def test_values_join_and_rename_classes(tmp_path):
    write(tmp_path, 'files = ["a.csv"]\n[labels]\nbad = ["0", "1"]\ngood = 2\n')
    bad, good = catalogue.load("mine", tmp_path).labels
    assert (bad.values, good.values) == (("0", "1"), ("2",))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("vadr", r"unknown dataset 'vadr'; did you mean 'vader'\?"),
        ("latest", r"'latest' has a reserved name"),
        ("registry", r"reserved name"),
        ("history", r"reserved name"),
        ("experiments", r"reserved name"),
        ("../etc", r"'../etc' is not allowed"),
        ("Mine", r"small letters"),
    ],
)
def test_wrong_name_is_said(name, message, tmp_path):
    with pytest.raises(PipelineError, match=message):
        catalogue.load(name, tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("labels = [", "is not valid TOML"),
        ('files = ["a.csv"]', "at least two labels"),
        ('labels = ["x"]\nfiles = ["a.csv"]', "at least two labels"),
        ('labels = ["x", "y"]', "names no files"),
        ('labels = ["x", "y"]\nfiles = ["a.csv"]\ntxt = "t"', "unknown key 'txt'; did you mean"),
        ('labels = ["x", "y"]\nfiles = ["a.xls"]', "cannot tell the format of 'a.xls'"),
        ('labels = ["x", "y"]\nfiles = ["a.csv"]\nformat = "xls"', "format 'xls'"),
        ('labels = ["x", "y"]\nfiles = ["a.csv"]\npartition = "dev"', "partition 'dev'"),
        ('labels = ["x", "y"]\n[[files]]\naliases = ["b"]', "lacks its name"),
        ('labels = ["x", "y"]\nfiles = ["a.csv"]\n[[tables]]\nfile = "b.csv"', "files do not name"),
        ('files = ["a.csv"]\n[labels]\nx = "0"\ny = {above = 1}', "mix raw values with bounds"),
        ('files = ["a.csv"]\n[labels]\nx = {under = 0}\ny = {above = 1}', "unknown key"),
        ('labels = ["x", "y"]\nfiles = [3]', "wrong type"),
    ],
)
def test_wrong_file_is_said_with_its_path(text, message, tmp_path):
    write(tmp_path, text)
    with pytest.raises(PipelineError, match=message) as caught:
        catalogue.load("mine", tmp_path)
    assert "dataset.toml" in str(caught.value)
