"""``pipeline init`` on files as people have them."""

import csv
import json
import re

import luigi
import pytest
from click.testing import CliRunner
from conftest import made_up_rows

from pipeline.cli import cli
from pipeline.data import catalogue
from pipeline.errors import PipelineError

ROWS = made_up_rows(("bad", "good"), 120)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = luigi.configuration.get_config()
    config.set("paths", "data", "data")
    return tmp_path


def put(path, rows=ROWS, header=("text", "label"), delimiter=","):
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows([header, *rows])
    return path


def init(*words, **options):
    return CliRunner().invoke(cli, ["init", *map(str, words)], **options)


def error_of(*words, **options):
    error = init(*words, **options).exception
    assert isinstance(error, PipelineError), error
    assert "\n" not in str(error)
    return str(error)


def test_init_writes_a_description_and_copies_the_file(folder):
    file = put(folder / "My Reviews.csv")
    done = init(file)
    assert done.exit_code == 0, done.output
    assert "120 rows, text column text, label column label" in done.output
    assert "luigi --module pipeline RunAll --dataset my-reviews" in done.output
    copy = folder / "data/my-reviews/My Reviews.csv"
    assert copy.read_bytes() == file.read_bytes()
    dataset = catalogue.load("my-reviews", folder / "data")
    assert [label.name for label in dataset.labels] == ["bad", "good"]
    assert "# Rows by label" in (copy.parent / "dataset.toml").read_text()


def test_summary_has_counts_and_an_example_of_each_class(folder):
    put(folder / "a.csv", [*ROWS, ("what is this", "N/A")])
    result = json.loads(init("a.csv", "--json").output)
    counts = {row["label"]: row["rows"] for row in result["classes"]}
    labels = [label for _, label in ROWS]
    assert counts == {"bad": labels.count("bad"), "good": labels.count("good"), "(unlabelled)": 1}
    assert all(row["example"] for row in result["classes"])
    assert any("'N/A'" in note for note in result["notes"])


def test_existing_description_is_kept_without_force(folder):
    put(folder / "a.csv")
    assert init("a.csv").exit_code == 0
    path = folder / "data/a/dataset.toml"
    path.write_text("# mine\n")
    assert "a/dataset.toml exists; give --name" in error_of("a.csv")
    assert path.read_text() == "# mine\n"
    assert init("a.csv", "--force").exit_code == 0
    assert "labels = " in path.read_text()


def test_other_file_of_the_same_name_is_kept_without_force(folder):
    (folder / "data/a").mkdir(parents=True)
    put(folder / "data/a/a.csv", ROWS[:60])
    put(folder / "a.csv")
    assert "exists and is another file" in error_of("a.csv")


def test_file_in_the_data_folder_stays_where_it_is(folder):
    (folder / "data/mine").mkdir(parents=True)
    file = put(folder / "data/mine/rows.csv")
    before = file.stat().st_ino
    assert init(file).exit_code == 0
    assert file.stat().st_ino == before
    assert sorted(path.name for path in file.parent.iterdir()) == ["dataset.toml", "rows.csv"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["no.csv"], "no.csv is not a file"),
        ([".", "--name", "a"], "is a folder; give the path"),
        (["a.csv", "--text", "text", "--label", "text"], "both 'text'; give two different columns"),
        (["a.csv", "--name", "vader"], "'vader' is in the catalogue"),
        (["a.csv", "--name", "latest"], "reserved name.*--name"),
        (["a.csv", "--name", "No Name"], "lower-case letters"),
        (["a.csv", "--text", "txt"], "no column 'txt'; did you mean 'text'"),
        (["a.csv", "--label", ""], "--label must not be empty"),
        (["a.csv", "--delimiter", "||"], "--delimiter must be one character"),
        (["a.csv", "--labels", "bad"], "does not have 2 to 200 distinct values"),
        (["a.csv", "--labels", "bad,goood"], "label 'good' .* is not among the dataset's labels"),
        (
            ["a.csv", "--encoding", "utf-9"],
            "--encoding must be a name that Python knows, got 'utf-9'",
        ),
        (["two.csv"], "several columns can have the texts: .*--text 'first' .*--yes"),
    ],
)
def test_wrong_input_is_an_error_and_writes_nothing(folder, words, message):
    put(folder / "a.csv")
    rows = [(f"{text} a", f"{text} b", label) for text, label in ROWS]
    put(folder / "two.csv", rows, ("first", "second", "label"))
    assert re.search(message, error_of(*words))
    assert not (folder / "data").exists()


def test_yes_takes_the_most_likely_column(folder):
    rows = [(f"{text} a", f"{text} bcdef", label) for text, label in ROWS]
    put(folder / "two.csv", rows, ("first", "second", "label"))
    assert init("two.csv", "--yes").exit_code == 0
    assert catalogue.load("two", folder / "data").tables[0].text == "second"


def test_terminal_is_asked_for_a_doubtful_column(folder, monkeypatch):
    rows = [(f"{text} a", f"{text} bcdef", label) for text, label in ROWS]
    put(folder / "two.csv", rows, ("first", "second", "label"))
    monkeypatch.setattr("pipeline.cli.init.is_terminal", lambda: True)
    done = init("two.csv", input="first\n")
    assert "Which column has the texts? (second, first)" in done.output
    assert catalogue.load("two", folder / "data").tables[0].text == "first"


def test_options_replace_what_is_inferred(folder):
    put(folder / "a.csv", [(n, *row) for n, row in enumerate(ROWS)], ("n", "x", "y"), ";")
    words = ["--text", "x", "--label", "y", "--id", "n", "--labels", "no=bad,yes=good"]
    assert init("a.csv", "--name", "b", "--delimiter", ";", *words).exit_code == 0
    dataset = catalogue.load("b", folder / "data")
    assert {label.name: label.values for label in dataset.labels} == {
        "no": ("bad",),
        "yes": ("good",),
    }
    assert dataset.tables[0].id == "n"


def test_excel_file_is_described(folder):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in [("text", "label"), *ROWS]:
        book.active.append(row)
    book.save(folder / "Book.XLSX")
    assert init("Book.XLSX").exit_code == 0
    assert catalogue.load("book", folder / "data").tables[0].format == "excel"


def test_described_file_trains_and_its_labels_can_be_omitted(chain):
    file = put(chain.folder / "reviews.csv")
    chain.set_paths()
    assert init(file).exit_code == 0
    path = chain.data / "reviews/dataset.toml"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith("labels")))
    catalogue._read.cache_clear()
    chain.run(dataset="reviews", model="naive_bayes")
    (metrics,) = chain.outputs.glob("reviews/7_*/naive_bayes*/metrics.json")
    assert json.loads(metrics.read_text())["class_names"] == ["bad", "good"]


def test_header_that_repeats_a_name_is_a_header(folder):
    rows = [(text, label, label) for text, label in ROWS]
    put(folder / "a.csv", rows, ("text", "label", "label"))
    assert "2 columns named 'label'; rename" in error_of("a.csv", "--yes")
    assert not (folder / "data").exists()


def test_column_that_the_first_record_lacks_is_found(folder):
    first, *others = [{"text": text, "label": label} for text, label in ROWS]
    records = [{"text": first["text"]}, *others]
    (folder / "a.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    assert "label column label" in init("a.jsonl").output


@pytest.mark.parametrize(
    ("header", "labels"),
    [(("текст", "метка"), ("хорошо", "плохо")), (("was", "wie"), ("sehr gut", "gar nicht"))],
    ids=["Cyrillic", "several words"],
)
def test_column_with_few_values_is_no_text_column(folder, header, labels):
    put(folder / "a.csv", [(f"{labels[0]} и {n}", labels[n % 2]) for n in range(60)], header)
    assert f"text column {header[0]}, label column {header[1]}" in init("a.csv").output


def test_unlabelled_option_keeps_empty_labels_unlabelled(folder):
    put(folder / "a.csv", [*ROWS, *[(f"what is this {n}", "") for n in range(9)], ("why", "-")])
    result = json.loads(init("a.csv", "--unlabelled", "-", "--json").output)
    assert [(row["label"], row["rows"]) for row in result["classes"]][-1] == ("(unlabelled)", 10)


def test_printed_command_has_the_folders_that_were_given(folder):
    put(folder / "a.csv")
    done = init("a.csv", "--paths-data", "my data")
    assert done.output.splitlines()[-1].endswith("naive_bayes --paths-data 'my data'")


def test_labels_that_differ_in_case_are_noted_with_the_option_that_joins_them(folder):
    rows = [(text, label.title() if n % 3 else label) for n, (text, label) in enumerate(ROWS)]
    put(folder / "a.csv", [*rows, *[(f"so so {n}", "Fair") for n in range(5)]])
    note = next(line for line in init("a.csv").output.splitlines() if "differ in case" in line)
    option = re.search(r"--labels '(.*)'", note)[1]
    joined = json.loads(init("a.csv", "--force", "--json", "--labels", option).output)
    assert {row["label"] for row in joined["classes"]} == {"bad", "good", "Fair"}


def test_name_of_a_dataset_keeps_letters_without_their_accents(folder):
    put(folder / "Über Müller.csv")
    assert "--dataset uber-muller" in init("Über Müller.csv").output


def test_line_that_is_no_json_has_one_line_number(folder):
    lines = [json.dumps({"text": text, "label": label}) for text, label in ROWS]
    (folder / "a.jsonl").write_text("\n".join([*lines, "{broken"]) + "\n")
    assert "double quotes: column 2 (1 row, line 121)" in init("a.jsonl").output


def test_column_with_one_value_is_no_candidate_for_texts_without_words(folder):
    rows = [("NO_QUERY", f"great{n}", "ab"[n % 2]) for n in range(60)]
    put(folder / "a.csv", rows, ("query", "word", "letter"))
    assert "text column word, label column letter" in init("a.csv").output


def test_file_name_without_latin_letters_needs_a_name(folder):
    put(folder / "数据.csv")
    assert re.search("'数据.csv' has no letter .* add --name", error_of("数据.csv"))
    init("数据.csv", "--name", "reviews")
    assert (folder / "data/reviews/dataset.toml").is_file()
