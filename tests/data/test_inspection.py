import gzip
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.data.description import describe
from pipeline.data.inspection import inspect
from pipeline.errors import PipelineError

HEADER = ["message", "kind"]
ROWS = [
    ["it crashes when I save, again", "bug"],
    ["well done; I love it", "praise"],
    ["the button does nothing", "bug"],
    ["thank you | really", "praise"],
]
WESTERN = [["très déçu, c’est “nul”", "bug"], ["café à Lyon – parfait", "praise"], *ROWS]


def fields(delimiter, rows=(HEADER, *ROWS), quote='"', end="\n"):
    def quoted(field):
        has_special = any(one in field for one in (delimiter, '"', "\n"))
        return (
            f"{quote}{field.replace(quote, quote * 2)}{quote}" if quote and has_special else field
        )

    return "".join(delimiter.join(map(quoted, row)) + end for row in rows)


def put(folder, content, name="rows.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def no_choice(role, candidates, option):
    raise AssertionError(f"{role} {candidates} {option}")


def describe_file(folder, content, name="rows.csv", **given):
    path = put(folder, content, name)
    return describe(path, inspect(path, given), given, no_choice)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("has_header", [True, False])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("is_text_first", [True, False])
def test_delimiter_and_header_are_found(tmp_path, delimiter, has_header, is_text_first, end):
    rows = [HEADER, *ROWS] if has_header else ROWS
    rows = [row[:: 1 if is_text_first else -1] for row in rows]
    described = describe_file(tmp_path, fields(delimiter, rows, end=end))
    found = described.inspection
    assert found.has_header == has_header
    assert found.options.get("delimiter", "\t" if found.format == "tsv" else ",") == delimiter
    names = HEADER if has_header else ["text", "label"]
    assert (described.text, described.label) == tuple(names)
    assert described.labels == {"bug": "bug", "praise": "praise"}


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("utf-8", None),
        ("utf-8-sig", None),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32"),
        ("cp1252", "cp1252"),
        ("mac_roman", "mac_roman"),
    ],
)
def test_encoding_is_found(tmp_path, encoding, expected):
    content = fields(",", [HEADER, *WESTERN]).encode(encoding)
    found = describe_file(tmp_path, content).inspection
    assert found.options.get("encoding") == expected
    assert found.columns["message"][0] == WESTERN[0][0]
    assert bool(found.guesses) == (encoding in ("cp1252", "mac_roman"))


@pytest.mark.parametrize(
    ("text", "encoding", "expected"),
    [
        ("очень плохой день сегодня", "cp1251", "cp1251"),
        ("この映画はとても面白かった", "shift_jis", "shift_jis"),
        ("这个电影非常好看", "gb18030", "gb18030"),
        ("d\xe9j\xe0 vu caf\xe9 \x81", "latin-1", "latin-1"),
    ],
)
def test_encoding_of_other_scripts_is_guessed(tmp_path, text, encoding, expected):
    rows = [HEADER, [text, "bug"], [text[::-1], "praise"], *ROWS]
    found = inspect(put(tmp_path, fields(",", rows).encode(encoding)), {})
    assert found.options["encoding"] == expected
    assert found.columns["message"][0] == text


OPEN_QUOTE = [["ham", '"open quote'], ["spam", "x y"], *(["ham", "a b c"],) * 9]
BACKSLASHES = [HEADER, *(['"it was \\"slow\\", ok"', "bug"], ["it works", "praise"]) * 3]
NUMBERS = [[str(n % 2), str(n), f"a text, of {n} words"] for n in range(12)]


@pytest.mark.parametrize(
    ("content", "options"),
    [
        ("sep=;\r\n" + fields(";"), {"delimiter": ";"}),
        (fields("\t", OPEN_QUOTE, ""), {"quoting": False, "header": ["label", "text"]}),
        (fields(",", BACKSLASHES, ""), {"escape": "\\"}),
        (fields(",", [HEADER, *ROWS, ['two\nlines "of" text', "bug"]]), {}),
        (fields(";", NUMBERS), {"delimiter": ";", "header": ["label", "column2", "text"]}),
    ],
    ids=["sep line", "quotes are text", "backslashes", "line breaks", "numbers"],
)
def test_style_is_found(tmp_path, content, options):
    assert describe_file(tmp_path, content, "rows.csv").inspection.options == options


def parquet(rows):
    sink = io.BytesIO()
    columns = {name: [row[index] for row in rows] for index, name in enumerate(HEADER)}
    pq.write_table(pa.table({**columns, "tags": [["x"]] * len(rows)}), sink)
    return sink.getvalue()


JSON_LINES = "".join(json.dumps(dict(zip(HEADER, row, strict=True))) + "\n" for row in ROWS)


@pytest.mark.parametrize(
    ("name", "content", "format"),
    [
        ("rows.csv", fields(","), "csv"),
        ("TRAIN.CSV", fields(","), "csv"),
        ("rows.TSV", fields("\t"), "tsv"),
        ("rows", fields("\t"), "tsv"),
        ("rows.txt", fields(","), "csv"),
        ("rows.csv.gz", gzip.compress(fields(",").encode()), "csv"),
        ("rows.jsonl", JSON_LINES, "jsonl"),
        ("rows.json", JSON_LINES, "jsonl"),
        ("rows.data", "\ufeff" + JSON_LINES, "jsonl"),
        ("rows.parquet", parquet(ROWS), "parquet"),
    ],
)
def test_format_is_found_by_content(tmp_path, name, content, format):
    described = describe_file(tmp_path, content, name)
    assert described.inspection.format == format
    assert (described.text, described.label) == ("message", "kind")
    assert ("format = " in described.toml()) == (
        name in ("rows", "rows.txt", "rows.json", "rows.data")
    )


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "", "a.csv is empty"),
        ("a.json", '[{"text": "a"}]', "one JSON list; convert it to one object per line"),
        ("a.xls", b"\xd0\xcf\x11\xe0 old", "old Excel file .*save it as .xlsx"),
        ("a.zip", b"PK\x03\x04 zip", "zip archive; unpack it"),
        ("a.tar.gz", gzip.compress(b"x" * 257 + b"ustar" + bytes(300)), "tar archive; unpack it"),
        ("a.csv", b"\x7fELF" + bytes(range(256)) * 9, "a.csv is not a text file"),
        ("a.csv", b"ELF" + bytes(3000), "a.csv is not a text file"),
        ("a.parquet", "text,label\n", "is not parquet by its content"),
        ("a.csv", "one\ntwo\nthree\n", "no delimiter: give --delimiter"),
        ("a.csv", "a,b\n1,2\n3,4\n", "no column looks like texts; give --text"),
        ("a.csv", "text,other\na b,x\nc d,x\n", "no column looks like labels"),
        ("a.jsonl", "no json\n", "no line that is a JSON object"),
    ],
)
def test_file_that_cannot_be_described_is_an_error(tmp_path, name, content, message):
    with pytest.raises(PipelineError, match=message):
        describe_file(tmp_path, content, name)


@pytest.mark.parametrize(
    ("values", "given", "labels", "unlabelled"),
    [
        (["bad", "good", "", "N/A", "?", "null"], {}, ["bad", "good"], ["", "?", "N/A", "null"]),
        (["none", "racism", "none", "sexism"], {}, ["none", "racism", "sexism"], []),
        (["bad"] * 9 + ["good"] * 9 + ["unknown"], {}, ["bad", "good"], ["unknown"]),
        (["5", "10", "1"], {}, ["1", "5", "10"], []),
        (["a", "b", "c"], {"unlabelled": ["c"]}, ["a", "b"], ["c"]),
        (["0", "4"], {"labels": {"0": "bad", "4": "good"}}, ["bad", "good"], []),
    ],
)
def test_labels_and_missing_labels_are_separated(tmp_path, values, given, labels, unlabelled):
    rows = [HEADER, *([f"some text {number}", value] for number, value in enumerate(values * 3))]
    described = describe_file(tmp_path, fields(",", rows), **given)
    assert list(described.labels.values()) == labels
    assert described.unlabelled == unlabelled


def test_columns_are_chosen_by_content_where_names_do_not_tell(tmp_path):
    rows = [["when", "who", "was", "how"]]
    for number in range(12):
        day = f"Mon Apr 06 22:19:{number} PDT 2009"
        rows.append([day, f"user{number}", f"some words here {number}", "ab"[number % 2]])
    described = describe_file(tmp_path, fields(",", rows))
    assert (described.text, described.label) == ("was", "how")


def test_doubtful_columns_are_asked_for(tmp_path):
    rows = [["first", "second", "x", "y"]]
    rows += [[f"words of {n}", f"more words {n}", "ab"[n % 2], "cd"[n % 2]] for n in range(12)]
    asked = []

    def choose(role, candidates, option):
        asked.append((option, sorted(candidates)))
        return candidates[0]

    path = put(tmp_path, fields(",", rows))
    describe(path, inspect(path, {}), {}, choose)
    assert asked == [("--text", ["first", "second"]), ("--label", ["x", "y"])]


def test_labels_of_a_sorted_file_are_found(tmp_path):
    rows = [HEADER, *([f"some words {n}", "ab"[n // 2500]] for n in range(5000))]
    assert describe_file(tmp_path, fields(",", rows)).labels == {"a": "a", "b": "b"}


@pytest.mark.parametrize("at", [7, 6000])
@pytest.mark.parametrize("long", [3990, 3999, 4001, 7000])
def test_one_wrong_quote_in_a_long_file_is_found(tmp_path, at, long):
    rows = [HEADER, *([f"some{', ' * (n % 4)} words {n}", "ab"[n % 2]] for n in range(long))]
    lines = fields(",", rows).splitlines()
    lines[min(at, long)] = '"so" he said,a'
    path = put(tmp_path, "\n".join(lines))
    assert inspect(path, {}).options == {"multiline": False}


@pytest.mark.parametrize("at", range(3996, 4004))
def test_text_of_many_lines_at_the_end_of_the_sample_is_no_wrong_quote(tmp_path, at):
    rows = [HEADER, *([f"some, words {n}", "ab"[n % 2]] for n in range(5000))]
    rows[at][0] = "a text\nof\nmany\nlines"
    assert inspect(put(tmp_path, fields(",", rows)), {}).options == {}
