import re
from pathlib import Path

import pytest

from pipeline.data import catalogue
from pipeline.data.schema import Dataset, Label, RawFile, Source, TableEntry
from pipeline.errors import PipelineError

ROWS = sorted(path.stem for path in Path(catalogue.__file__).parent.glob("catalogue/*.toml"))
OF_THE_FIVE_WORKS = {"brand_emotion", "disaster", "hate_speech", "imdb", "sentiment140"}


def write(data, text, name="mine"):
    (data / name).mkdir()
    (data / name / "dataset.toml").write_text(text)


def test_catalogue_lists_its_files(tmp_path):
    assert catalogue.names(tmp_path) == ROWS
    assert {*OF_THE_FIVE_WORKS, "vader"} <= set(ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_every_dataset_has_the_texts_that_a_user_needs(name, tmp_path):
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


def test_dataset_of_the_user_needs_three_lines(tmp_path):
    write(tmp_path, 'text = "message"\nlabels = ["bug", "praise"]\nfiles = ["tickets.csv"]\n')
    row = catalogue.load("mine", tmp_path)
    assert [label.name for label in row.labels] == ["bug", "praise"]
    (table,) = row.tables
    assert (table.file, table.format, table.text) == ("tickets.csv", "csv", "message")
    assert "mine" in catalogue.names(tmp_path)


def test_dataset_of_the_user_overrides_one_of_the_package(tmp_path):
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
        ("Mine", r"lower-case letters"),
    ],
)
def test_wrong_name_is_an_error(name, message, tmp_path):
    with pytest.raises(PipelineError, match=message):
        catalogue.load(name, tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("labels = [", "is not valid TOML"),
        ('labels = []\nfiles = ["a.csv"]', "at least two labels"),
        ('labels = ["x"]\nfiles = ["a.csv"]', "at least two labels"),
        ('labels = ["x", "y"]', "it has no files"),
        ('labels = ["x", "y"]\nfiles = ["a.csv"]\ntxt = "t"', "unknown key 'txt'; did you mean"),
        ('labels = ["x", "y"]\nfiles = ["a.xls"]', "'a.xls' has a suffix of no format"),
        ('labels = ["x", "y"]\nfiles = ["a.csv"]\nformat = "xls"', "format 'xls'"),
        ('labels = ["x", "y"]\nfiles = ["a.csv"]\npartition = "dev"', "partition 'dev'"),
        ('labels = ["x", "y"]\n[[files]]\naliases = ["b"]', "lacks its name"),
        (
            'labels = ["x", "y"]\nfiles = ["a.csv"]\n[[tables]]\nfile = "b.csv"',
            "'b.csv', which is not in files",
        ),
        ('files = ["a.csv"]\n[labels]\nx = "0"\ny = {above = 1}', "mix raw values with bounds"),
        ('files = ["a.csv"]\n[labels]\nx = {under = 0}\ny = {above = 1}', "unknown key"),
        ('labels = ["x", "y"]\nfiles = [3]', r"files\[0\] must be a text .*got 3"),
        ('labels = ["x", "y"]\nfiles = "a.csv"', "files must be a list.*got 'a.csv'"),
        ('labels = ["x", "y"]\nfiles = ["a.csv", "a.csv"]', "files has 'a.csv' twice"),
        ('labels = ["x", "y"]\nfiles = ["../a.csv"]', "'../a.csv' is not a file below"),
        ('labels = ["x", "y"]\nfiles = ["s/../../a.csv"]', "is not a file below"),
        ('labels = ["x", "y"]\nfiles = ["/etc/passwd"]', "'/etc/passwd' is not a file below"),
        ('labels = ["x", "y"]\nfiles = [""]', "'' is not a file below"),
    ],
)
def test_wrong_file_is_an_error_with_its_path(text, message, tmp_path):
    write(tmp_path, text)
    with pytest.raises(PipelineError, match=message) as caught:
        catalogue.load("mine", tmp_path)
    assert "dataset.toml" in str(caught.value)


def test_byte_order_mark_of_an_editor_is_ignored(tmp_path):
    write(tmp_path, '\ufefflabels = ["x", "y"]\nfiles = ["a.csv"]\n')
    assert catalogue.load("mine", tmp_path).files[0].name == "a.csv"


def test_only_names_that_can_be_chosen_are_listed(tmp_path):
    for name in ("mine", "latest", "registry", "Upper", "with space", ".hidden"):
        write(tmp_path, 'labels = ["x", "y"]\nfiles = ["a.csv"]\n', name)
    listed = catalogue.names(tmp_path)
    assert listed == sorted([*ROWS, "mine"])
    assert all(catalogue.load(name, tmp_path) for name in listed)


FILES = 'files = ["a.csv"]\n'


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('multilin = "false"', "unknown key 'multilin'; did you mean 'multiline'"),
        ('[[tables]]\nfile = "a.csv"\nheadr = 1', r"unknown key 'tables\[0\].headr'; .* 'header'"),
        ("text = 5", r"text must be a text in quotes, got 5\."),
        ('text = ""', "text is empty"),
        ("encoding = 5", "encoding must be a text in quotes, got 5"),
        ('encoding = "utf-9"', "unknown encoding 'utf-9'.*'cp1252'"),
        ('encoding = "hex"', "unknown encoding 'hex'"),
        ('licence = ["MIT"]', r"licence must be a text in quotes, got \['MIT'\]"),
        ('multiline = "false"', "multiline must be true or false, without quotes, got 'false'"),
        ("quoting = 0", "quoting must be true or false, without quotes, got 0"),
        ('header = "text,label"', "header must be a list.*got 'text,label'"),
        ('header = ["text", 2]', r"header\[1\] must be a text in quotes, got 2"),
        ('unlabelled = "none"', "unlabelled must be a list.*got 'none'"),
        ("unlabelled = [true]", "unlabelled.* must be a text or a number, got true without quotes"),
        ('partitions = "train"', "partitions must be a table.*got 'train'"),
        ("partitions = { a = 1 }", "each value of partitions must be a text"),
        ('partitions = { a = "tset" }', "partitions.* 'tset' is not allowed; did you mean 'test'"),
        ('[[tables]]\nfile = "a.csv"\nformat = "cvs"', r"tables\[0\].format 'cvs'.* 'csv'"),
        ('layouts = "a.csv"', "layouts must be a list.*got 'a.csv'"),
        ("[[layouts]]\ntxt = 1", r"layouts\[0\]: .*unknown key 'txt'"),
        ('escape = "\\\\\\\\"', "escape must be one character"),
        ('escape = ","', "escape must be one character other than the delimiter.*got ','"),
        ('tables = "a.csv"', "tables must be a list.*got 'a.csv'"),
        ('tables = ["a.csv"]', r"tables\[0\] must be a table.*got 'a.csv'"),
        ('format = "folders"', "format 'folders' of 'a.csv' needs member"),
        ('delimiter = "||"', r"delimiter must be one character .*got '\|\|'"),
        ("delimiter = '\"'", "delimiter must be one character other than a double quote"),
        ('delimiter = "\\n"', "delimiter must be one character other than"),
    ],
)
def test_value_of_a_wrong_type_is_an_error_with_its_key(line, message, tmp_path):
    write(tmp_path, f'labels = ["x", "y"]\n{FILES}{line}\n')
    with pytest.raises(PipelineError, match=rf"dataset\.toml: .*{message}"):
        catalogue.load("mine", tmp_path)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ('labels = "bug"', "at least two labels, .*got 'bug'"),
        ("labels = [true, false]", "got true without quotes; write .*'true'.* or 'True'"),
        ("[labels]\nx = true\ny = false", "labels.x must be a text or a number, got true"),
        ('labels = [["x"], "y"]', r"labels\[0\] must be a .*text.*, got \['x'\]"),
        ('labels = ["x", "x", "y"]', "labels has 'x' twice"),
        ('labels = [1, "1"]', "labels has '1' twice"),
        ('labels = ["", "y"]', "a class without a name: ''"),
        ('[labels]\n" " = "0"\ny = "1"', "a class without a name: ' '"),
        ('[labels]\nx = ["0", "1"]\ny = "1"', "'1' is in labels.x and labels.y"),
        ("[labels]\nx = []\ny = []", "labels.x is an empty list"),
        ("[labels]\nx = {}\ny = {above = 1}", "labels.x has no rule"),
        ('[labels]\nx = {below = "0"}\ny = {above = 1}', "labels.x.below must be a number"),
        ("[labels]\nx = {below = nan}\ny = {above = 1}", "labels.x.below must be a finite number"),
        ("[labels]\nx = {below = true}\ny = {above = 1}", "labels.x.below must be a number"),
        ("[labels]\nx = {below = 0.5}\ny = {above = -0.5}", "x and labels.y overlap between -0.5"),
        ("[labels]\nx = {below = 0}\ny = {below = 1}", "overlap between -inf and 0"),
        ("[labels]\nx = {above = 2, below = 1}\ny = {above = 5}", "no number is above 2 and below"),
    ],
)
def test_wrong_labels_are_an_error(labels, message, tmp_path):
    write(tmp_path, f"{FILES}{labels}\n")
    with pytest.raises(PipelineError, match=rf"dataset\.toml: .*{message}"):
        catalogue.load("mine", tmp_path)


def test_bounds_may_touch(tmp_path):
    write(tmp_path, f"{FILES}[labels]\nx = {{below = 0}}\ny = {{above = 0, below = 1}}\n")
    assert [label.name for label in catalogue.load("mine", tmp_path).labels] == ["x", "y"]


def test_numbers_are_raw_values(tmp_path):
    write(tmp_path, f"{FILES}labels = [0, 1]\nunlabelled = [4]\n")
    row = catalogue.load("mine", tmp_path)
    assert [label.values for label in row.labels] == [("0",), ("1",)]
    assert row.unlabelled == ("4",)


SOURCE = 'name = "z.csv"\n[files.source]\n'
PYPI = SOURCE + 'kind = "pypi"\naddress = "x==1"\n'
SHA256 = 'sha256 = "' + "0" * 64 + '"\n'


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ('name = "z.csv"\naliases = "a.csv"', r"files\[0\].aliases must be a list.*'a.csv'"),
        ('name = "z.csv"\naliases = ["../a.csv"]', "'../a.csv' is not a file below"),
        ('name = "z.csv"\noptional = "false"', r"files\[0\].optional must be true or false"),
        ("name = 3", r"files\[0\].name must be a text in quotes, got 3"),
        ('name = "z.csv"\nsource = "http://x"', r"files\[0\].source must be a table"),
        ('name = "z.csv"\n[files.source]\nkind = "ulr"', "source.kind 'ulr'.* mean 'url'"),
        ('name = "z.csv"\n[files.source]\nkind = "url"', "url source of 'z.csv' lacks its address"),
        (PYPI + SHA256, "pypi source of 'z.csv' lacks its members"),
        (PYPI + 'members = ["a.csv"]', "pypi source of 'z.csv' lacks its sha256"),
        (PYPI + 'members = "a.csv"', "source.members must be a list.*'a.csv'"),
        (
            SOURCE + 'kind = "url"\naddress = "x"\nsha256 = "ABC"',
            "sha256 of 'z.csv' must be 64 hexadecimal digits, got 'ABC'",
        ),
    ],
)
def test_wrong_source_is_an_error_before_anything_is_fetched(keys, message, tmp_path):
    write(tmp_path, f'labels = ["x", "y"]\n[[files]]\n{keys}\n')
    with pytest.raises(PipelineError, match=rf"dataset\.toml: .*{message}"):
        catalogue.load("mine", tmp_path)


README = Path(catalogue.__file__).parent / "catalogue" / "README.md"


def test_every_key_is_explained():
    text = README.read_text()
    keys = {
        field
        for struct in (Dataset, RawFile, Source, TableEntry, Label)
        for field in struct.__struct_fields__
    } - {"values"}  # in the file, values are the right side of labels
    assert {key for key in keys if f"`{key}`" not in text} == set()


def test_examples_of_the_readme_load(tmp_path):
    examples = re.findall(r"```toml\n(.*?)```", README.read_text(), flags=re.DOTALL)
    assert examples
    for number, example in enumerate(examples):
        write(tmp_path, example, f"example{number}")
        assert catalogue.load(f"example{number}", tmp_path).tables
