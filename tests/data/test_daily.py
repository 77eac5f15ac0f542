import pytest

from pipeline.data import catalogue, daily, readers
from pipeline.errors import PipelineError

LABELS = 'labels = ["bad", "good"]\n'
PLAIN = LABELS + 'files = ["rows.csv"]\n'
NAMED = LABELS + 'files = ["tweets-{date}.csv"]\n'


def row_of(data, text):
    folder = data / "mine"
    folder.mkdir(exist_ok=True)
    (folder / "dataset.toml").write_text(text)
    return catalogue.load("mine", data), folder


def put(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"text,label\n{text},good\n{text}!,bad\n")


def keys_and_paths(row, folder, day, window=1):
    inputs = daily.input_files(row, folder, day, window, lambda path: path.read_text())
    return {file.key: file.path.relative_to(folder).as_posix() for file in inputs}


@pytest.mark.parametrize(
    ("text", "files", "day", "window", "expected"),
    [
        (PLAIN, {"rows.csv": "a"}, None, 1, {"rows.csv": "rows.csv"}),
        (
            PLAIN,
            {"rows.csv": "a", "2026-11-22/rows.csv": "b"},
            "2026-11-22",
            1,
            {"rows.csv": "2026-11-22/rows.csv"},
        ),
        (
            NAMED,
            {"tweets-2026-11-22.csv": "a", "tweets-2026-11-21.csv": "b"},
            "2026-11-22",
            1,
            {"tweets-{date}.csv": "tweets-2026-11-22.csv"},
        ),
        (
            NAMED,
            {"tweets-2026-11-22.csv": "a", "tweets-2026-11-19.csv": "b"},
            "2026-11-22",
            4,
            {
                "tweets-{date}.csv": "tweets-2026-11-19.csv",
                "tweets-{date}.csv (2)": "tweets-2026-11-22.csv",
            },
        ),
        (
            NAMED,
            {"tweets-2026-11-22.csv": "a", "tweets-2026-11-19.csv": "b"},
            "2026-11-22",
            3,
            {"tweets-{date}.csv": "tweets-2026-11-22.csv"},
        ),
        (
            PLAIN,
            {
                "2026-11-22/rows.csv": "a",
                "2025-01-01/rows.csv": "b",
                "2026-11-23/rows.csv": "c",
                "2026-11-31/rows.csv": "d",
                "2026-11-20/other.csv": "e",
            },
            "2026-11-22",
            0,
            {"rows.csv": "2025-01-01/rows.csv", "rows.csv (2)": "2026-11-22/rows.csv"},
        ),
        (
            PLAIN,
            {"2026-11-21/rows.csv": "a", "2026-11-22/rows.csv": "a"},
            "2026-11-22",
            2,
            {"rows.csv": "2026-11-21/rows.csv"},
        ),
        (
            PLAIN,
            {"frozen/b.csv": "x", "frozen/a.csv": "y", "2026-11-22/rows.csv": "a"},
            "2026-11-22",
            1,
            {
                "frozen/a.csv": "frozen/a.csv",
                "frozen/b.csv": "frozen/b.csv",
                "rows.csv": "2026-11-22/rows.csv",
            },
        ),
        (
            PLAIN,
            {"frozen/a.csv": "y", "rows.csv": "a"},
            None,
            1,
            {"rows.csv": "rows.csv"},
        ),
    ],
    ids=[
        "no date",
        "folder of the day",
        "date in the name",
        "window of four days with two files",
        "window that ends before the older file",
        "all days up to the date, without incomplete and impossible ones",
        "files with the same bytes are read once",
        "holdout rows first",
        "holdout rows are for runs with a date",
    ],
)
def test_input_files_of_a_run(tmp_path, text, files, day, window, expected):
    row, folder = row_of(tmp_path, text)
    put(folder, files)
    assert keys_and_paths(row, folder, day, window) == expected


def test_same_bytes_on_another_day_have_the_same_keys(tmp_path):
    row, folder = row_of(tmp_path, NAMED)
    put(folder, {"tweets-2026-11-21.csv": "a", "tweets-2026-11-22.csv": "a"})
    assert (
        keys_and_paths(row, folder, "2026-11-21").keys()
        == keys_and_paths(row, folder, "2026-11-22").keys()
    )


def test_days_are_those_with_all_required_files(tmp_path):
    text = LABELS + 'files = ["a-{date}.csv", "b.csv", {name = "c.csv", optional = true}]\n'
    text += '[[tables]]\nfile = "b.csv"\n'
    row, folder = row_of(tmp_path, text)
    put(folder, {"a-2026-11-20.csv": "a", "a-2026-11-21.csv": "a", "2026-11-21/b.csv": "b"})
    put(folder, {"2026-11-22/b.csv": "b", "a-2026-11-99.csv": "a"})
    assert daily.days(row, folder) == ["2026-11-21"]
    (missing,) = daily.missing(row, folder, "2026-11-22")
    assert (missing[0].name, missing[1]) == ("a-2026-11-22.csv", folder)


def test_alias_may_contain_the_date(tmp_path):
    text = LABELS + '[[files]]\nname = "a-{date}.csv"\naliases = ["old/{date}_a.csv"]\n'
    row, folder = row_of(tmp_path, text)
    put(folder, {"old/2026-11-20_a.csv": "a"})
    assert daily.days(row, folder) == ["2026-11-20"]
    assert keys_and_paths(row, folder, "2026-11-20") == {"a-{date}.csv": "old/2026-11-20_a.csv"}


class TestHoldoutRows:
    def read(self, data, text, files):
        row, folder = row_of(data, text)
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content)
        inputs = daily.input_files(row, folder, "2026-11-22", 1, lambda path: path.read_text())
        row = daily.with_tables(row, inputs)
        rows = readers.read(row, {file.key: file.path for file in inputs}).rows
        return [(r["raw"], r["label"], r["partition"], r["file"]) for r in rows.to_pylist()]

    def test_rows_are_test_rows_whatever_their_partition_column_says(self, tmp_path):
        text = LABELS + 'files = ["rows.csv"]\npartition_column = "set"\n'
        text += 'partitions = { tr = "train" }\n'
        rows = self.read(
            tmp_path,
            text,
            {
                "frozen/f.csv": "text,label,set\nold,good,tr\n",
                "2026-11-22/rows.csv": "text,label,set\nnew,bad,tr\n",
            },
        )
        assert rows == [
            ("old", "good", "test", "frozen/f.csv"),
            ("new", "bad", "train", "2026-11-22/rows.csv"),
        ]

    def test_file_of_another_format_has_the_same_columns(self, tmp_path):
        text = 'text = "t"\nlabel = "l"\nheader = ["l", "t"]\ndelimiter = ";"\n'
        text += 'files = ["rows.csv"]\n[labels]\nbad = "0"\ngood = "1"\n'
        rows = self.read(
            tmp_path,
            text,
            {
                "frozen/f.jsonl": '{"t": "old", "l": 1}\n',
                "frozen/g.csv": "0;older\n",
                "2026-11-22/rows.csv": "1;new\n",
            },
        )
        assert [row[:3] for row in rows] == [
            ("old", "good", "test"),
            ("older", "bad", "test"),
            ("new", "good", "labelled"),
        ]

    def test_unknown_suffix_is_an_error(self, tmp_path):
        with pytest.raises(PipelineError, match=r"frozen/f.doc contains .* use one of .csv"):
            self.read(tmp_path, PLAIN, {"frozen/f.doc": "a", "2026-11-22/rows.csv": "text,label"})


TODAY, YESTERDAY = "2026-11-22", "2026-11-21"


@pytest.mark.parametrize(
    ("address", "name", "day", "fetched"),
    [
        ("http://example.org/rows.csv", "rows.csv", TODAY, "http://example.org/rows.csv"),
        ("http://example.org/rows.csv", "rows.csv", YESTERDAY, None),
        ("http://example.org/{date}.csv", "rows.csv", TODAY, "http://example.org/2026-11-22.csv"),
        (
            "http://example.org/{date}.csv",
            "rows.csv",
            YESTERDAY,
            "http://example.org/2026-11-21.csv",
        ),
        (
            "http://example.org/{date}.csv",
            "rows-{date}.csv",
            YESTERDAY,
            "http://example.org/2026-11-21.csv",
        ),
    ],
)
def test_past_day_is_fetched_only_if_the_address_contains_the_date(
    tmp_path, monkeypatch, address, name, day, fetched
):
    text = (
        LABELS + f'[[files]]\nname = "{name}"\n[files.source]\nkind = "url"\naddress = "{address}"'
    )
    row, folder = row_of(tmp_path, text)
    asked = []
    monkeypatch.setattr(
        daily.raw_files,
        "fetch",
        lambda file, _, folder: asked.append((file.source.address, folder)),
    )
    missing = daily.missing(row, folder, day)
    if fetched is None:
        message = rf"no 'rows.csv' of {day}, .* Put that day's file into .*/mine/{day}"
        with pytest.raises(PipelineError, match=message):
            daily.fetch(row, missing, day, TODAY)
        assert asked == []
    else:
        daily.fetch(row, missing, day, TODAY)
        assert asked == [(fetched, folder if "{date}" in name else folder / day)]


def test_error_on_a_file_to_get_by_hand_names_its_folder(tmp_path):
    row, folder = row_of(tmp_path, NAMED)
    with pytest.raises(PipelineError, match=r"needs the file 'tweets-2026-11-22.csv' .* by hand"):
        daily.fetch(row, daily.missing(row, folder, TODAY), TODAY, TODAY)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("rows.csv", "2026-11-{}/rows.csv"),
        ("part/rows.csv", "2026-11-{}/part/rows.csv"),
        ("tweets-{date}.csv", "tweets-2026-11-{}.csv"),
        ("tweets-{date}/rows.csv", "tweets-2026-11-{}/rows.csv"),
        ("{date}/a/b/rows.csv", "2026-11-{}/a/b/rows.csv"),
    ],
)
def test_file_of_rows_in_a_window_shows_their_day(tmp_path, name, expected):
    row, folder = row_of(tmp_path, LABELS + f'files = ["{name}"]\n')
    put(folder, {expected.format(day): f"text of {day}" for day in ("21", "22")})
    inputs = daily.input_files(row, folder, "2026-11-22", 2, lambda path: path.read_text())
    described = daily.with_tables(row, inputs)
    rows = readers.read(described, {file.key: file.path for file in inputs}).rows
    of_file = {row["file"]: row["raw"] for row in rows.to_pylist()}
    assert of_file == {expected.format(day): f"text of {day}!" for day in ("21", "22")}


def test_display_name_is_no_key_and_in_no_digest(tmp_path):
    row, _ = row_of(tmp_path, PLAIN)
    assert "display_name" not in row.resolved()["tables"][0]
    with pytest.raises(PipelineError, match="display_name"):
        row_of(tmp_path, PLAIN + 'display_name = "mine"\n')
    with pytest.raises(PipelineError, match="display_name"):
        row_of(tmp_path, PLAIN + '[[tables]]\nfile = "rows.csv"\ndisplay_name = "mine"\n')


def test_tables_of_an_ordinary_dataset_stay_the_same(tmp_path):
    row, folder = row_of(tmp_path, PLAIN)
    put(folder, {"2026-11-22/rows.csv": "a"})
    inputs = daily.input_files(row, folder, "2026-11-22", 1, lambda path: path.read_text())
    assert daily.with_tables(row, inputs).resolved() == row.resolved()
