import gzip
import io
import json
import sys
import tarfile
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.data import catalogue, raw_files, readers, records
from pipeline.errors import PipelineError


def read(data, name):
    """Read a dataset as CleanText does."""
    row = catalogue.load(name, data)
    paths = {file.name: raw_files.locate(file, data / name) for file in row.files}
    reading = readers.read(row, {key: path for key, path in paths.items() if path})
    assert reading.rows.num_rows + reading.rejected.num_rows == reading.records
    return reading


def put(data, name, file, content):
    (data / name).mkdir(exist_ok=True)
    path = data / name / file
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read_file(data, content, file="rows.csv", extra="", labels='labels = ["bad", "good"]'):
    put(data, "mine", file, content)
    put(data, "mine", "dataset.toml", f'{labels}\n{extra}\nfiles = ["{file}"]\n')
    return read(data, "mine")


def columns(reading, *names):
    return list(zip(*(reading.rows[name].to_pylist() for name in names), strict=True))


def reasons(reading):
    return list(
        zip(*(reading.rejected[name].to_pylist() for name in ("line", "reason")), strict=True)
    )


# --- datasets of the package, with invented rows ------------------------------------------------


def test_vader_labels_are_bounds_and_other_ratings_are_rejected(tmp_path):
    text = '1\t2.5\tsuch a "fine day\r\n2\t-0.051\tmeh\r\n3\t0.05\tso so\r\n4\t-0.05\thm\r\n'
    put(tmp_path, "vader", "tweets_GroundTruth.txt", text)
    reading = read(tmp_path, "vader")
    assert columns(reading, "id", "source_id", "raw", "label") == [
        (0, "1", 'such a "fine day', "positive"),
        (1, "2", "meh", "negative"),
    ]
    between = "rating between the labels' bounds (-0.05, 0.05)"
    assert reasons(reading) == [(3, between), (4, between)]
    assert reading.rejected["detail"].to_pylist() == ["0.05", "-0.05"]


def test_hate_speech_keeps_rows_without_labels_for_prediction(tmp_path):
    put(tmp_path, "hate_speech", "train_E6oV3lV.csv", "id,label,tweet\n1,0, @user hi\n2,1,boo\n")
    put(tmp_path, "hate_speech", "test.csv", "id,tweet\n31963,#new\n")
    assert columns(read(tmp_path, "hate_speech"), "raw", "label", "partition") == [
        (" @user hi", "not hateful", "labelled"),
        ("boo", "hateful", "labelled"),
        ("#new", None, "unlabelled"),
    ]


def test_hate_speech_is_read_without_the_optional_file(tmp_path):
    put(tmp_path, "hate_speech", "train.csv", "id,label,tweet\n1,0,hi\n2,1,boo\n")
    assert read(tmp_path, "hate_speech").records == 2


def test_brand_emotion_is_mac_roman_and_lacks_a_text(tmp_path):
    head = "tweet_text,emotion_in_tweet_is_directed_at,"
    head += "is_there_an_emotion_directed_at_a_brand_or_product\r\n"
    body = b"now\x89\xdb\xd2and,iPad,Positive emotion\r\n,,No emotion toward brand or product\r\n"
    put(
        tmp_path,
        "brand_emotion",
        "judge-1377884607_tweet_product_company.csv",
        head.encode() + body,
    )
    reading = read(tmp_path, "brand_emotion")
    assert columns(reading, "raw", "label") == [("nowâ€“and", "positive")]
    assert reasons(reading) == [(3, "text is empty")]


def test_disaster_reads_both_files_inside_the_zip(tmp_path):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(
            "train.csv", 'id,keyword,location,text,target\n1,,,"fire\nhere",1\n4,,,x,0\n'
        )
        archive.writestr("test.csv", "id,keyword,location,text\n0,,,crash\n")
    put(tmp_path, "disaster", "nlp_getting_started.zip", packed.getvalue())
    assert columns(read(tmp_path, "disaster"), "source_id", "raw", "label") == [
        ("1", "fire\nhere", "disaster"),
        ("4", "x", "not disaster"),
        ("0", "crash", None),
    ]


def test_sentiment140_rejects_malformed_lines_with_line_and_reason(tmp_path):
    text = (
        "ItemID,Sentiment,SentimentSource,SentimentText\r\n"
        "1,0,Sentiment140,fine\r\n"
        "2,1,Sentiment140,one, two, three\r\n"
        '3,1,Sentiment140,"a quote left open\r\n'
        "4,0,Sentiment140\r\n"
        '5,1,Sentiment140,"a ""good"" day, really"\r\n'
        "6,1,Sentiment140,well\r\n"
    )
    put(tmp_path, "sentiment140", "Sentiment Analysis Dataset.csv", text)
    reading = read(tmp_path, "sentiment140")
    assert [raw.strip() for raw in reading.rows["raw"].to_pylist()] == [
        "fine",
        'a "good" day, really',
        "well",
    ]
    assert reasons(reading) == [(line, "malformed record") for line in (3, 4, 5)]
    assert reading.rejected["detail"].to_pylist() == [
        "4 fields expected, 6 found",
        "a quote is never closed",
        "4 fields expected, 3 found",
    ]


def test_imdb_keeps_its_partitions_and_unlabelled_reviews(tmp_path):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name in ("test/neg/0_2", "train/pos/1_9", "train/neg/7_1", "train/unsup/5_0", "README"):
            content = name.encode()
            entry = tarfile.TarInfo(f"aclImdb/{name}.txt")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    put(tmp_path, "imdb", "aclImdb_v1.tar.gz", packed.getvalue())
    assert columns(read(tmp_path, "imdb"), "raw", "label", "partition") == [
        ("test/neg/0_2", "negative", "test"),
        ("train/neg/7_1", "negative", "train"),
        ("train/pos/1_9", "positive", "train"),
        ("train/unsup/5_0", None, "unlabelled"),
    ]


# --- data of the user ---------------------------------------------------------------------------

JSON_LINES = "\n".join(
    json.dumps({"text": text, "label": label}) for text, label in (("a", "bad"), ("b", "good"))
)


def parquet(**columns):
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("rows.csv", "text,label\na,bad\nb,good\n"),
        ("rows.csv", "\ufefftext,label\r\na,bad\r\nb,good"),
        ("rows.tsv", "label\ttext\nbad\ta\ngood\tb\n"),
        ("rows.jsonl", JSON_LINES),
        ("rows.parquet", parquet(text=["a", "b"], label=["bad", "good"], other=[1, 2])),
        ("rows.parquet", parquet(text=[b"a", b"b"], label=[b"bad", b"good"])),
        ("rows.csv.gz", gzip.compress(b"text,label\na,bad\nb,good\n")),
    ],
    ids=["csv", "csv with BOM", "tsv", "json lines", "parquet", "parquet of bytes", "gzip"],
)
def test_data_of_the_user_are_read_in_four_formats(tmp_path, file, content):
    reading = read_file(tmp_path, content, file)
    assert columns(reading, "raw", "label") == [("a", "bad"), ("b", "good")]


def test_numbers_can_be_labels(tmp_path):
    content = parquet(text=["a", "b"], label=[0, 1])
    put(tmp_path, "mine", "rows.parquet", content)
    put(tmp_path, "mine", "dataset.toml", 'files = ["rows.parquet"]\n[labels]\nno = 0\nyes = "1"\n')
    reading = read(tmp_path, "mine")
    assert reading.rows["label"].to_pylist() == ["no", "yes"]


def test_partition_column_is_translated(tmp_path):
    extra = 'partition_column = "set"\npartitions = {tr = "train", te = "test", x = "unlabelled"}'
    text = "text,label,set\na,bad,tr\nb,good,te\nc,,x\n"
    assert columns(read_file(tmp_path, text, extra=extra), "raw", "partition") == [
        ("a", "train"),
        ("b", "test"),
        ("c", "unlabelled"),
    ]


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("rows.csv", "text,label,set\na,bad,\nb,good,\n"),
        ("rows.csv", "text,label,set\na,bad,tr\nb,good,\n"),
        (
            "rows.jsonl",
            '{"text": "a", "label": "bad", "set": "tr"}\n{"text": "b", "label": "good"}',
        ),
    ],
    ids=["in all rows", "in one row", "in one object"],
)
def test_missing_partition_is_an_error(tmp_path, file, content):
    extra = 'partition_column = "set"\npartitions = {tr = "train", te = "test"}'
    with pytest.raises(PipelineError, match="partition value '' is not in the .*partitions"):
        read_file(tmp_path, content, file, extra)


def test_malformed_record_needs_no_partition(tmp_path):
    extra = 'partition_column = "set"\npartitions = {tr = "train"}'
    reading = read_file(tmp_path, "text,label,set\na,bad,tr\nb\nc,good,tr\n", extra=extra)
    assert reading.rows["partition"].to_pylist() == ["train", "train"]
    assert reasons(reading) == [(3, "malformed record")]


def test_rows_without_text_or_label_are_rejected(tmp_path):
    reading = read_file(tmp_path, 'text,label\na,bad\n"  ",good\nc,\nd,good\n')
    assert reasons(reading) == [(3, "text is empty"), (4, "label is empty")]
    assert reading.rows["id"].to_pylist() == [0, 3]


def test_json_lines_that_are_not_objects_are_rejected(tmp_path):
    reading = read_file(tmp_path, JSON_LINES + '\n{"text": \n[1]\n', "rows.jsonl")
    assert [reason for _, reason in reasons(reading)] == ["malformed record"] * 2


def test_lone_surrogate_is_replaced(tmp_path):
    line = '{"text": "\\ud83d broken", "label": "bad"}\n'
    reading = read_file(tmp_path, line + JSON_LINES, "rows.jsonl")
    assert reading.rows["raw"][0].as_py() == "\ufffd broken"


@pytest.mark.parametrize(
    ("content", "file", "message"),
    [
        ("", "rows.csv", "rows.csv is empty"),
        ("text,label\n", "rows.csv", "rows.csv is empty: it contains no record"),
        ("text,sentiment\na,bad\n", "rows.csv", "has no column 'label'; .*Known: sentiment, text"),
        ("txt,label\na,bad\n", "rows.csv", "no column 'text'; did you mean 'txt'"),
        ("text,label\na,goood\n", "rows.csv", "label 'goood' .* not among .* did you mean 'good'"),
        (b"text,label\na\xe9b,bad\n", "rows.csv", "is not utf-8: line 2 has the byte 0xe9"),
        ("text,label\n,bad\n", "rows.csv", "no labelled row among 1 records .*text is empty"),
        ('{"txt": "a"}', "rows.jsonl", "no column 'text'"),
        (b"no parquet", "rows.parquet", "not a complete Parquet file"),
        (b"\x1f\x8b no gzip", "rows.csv.gz", "cannot be read: .* get the file again"),
        ("text,label\ra,bad\rb,good\r", "rows.csv", "rows.csv ends its lines with CR alone"),
        ("text,label\na,bad\nc\rd,good\n", "rows.csv", r"rows.csv: .*line 3 .*\(CR\).*multiline"),
        ("text,label,text\na,bad,b\n", "rows.csv", "rows.csv has 2 columns named 'text'"),
        (parquet(text=[["a"]], label=["bad"]), "rows.parquet", "column 'text' contains list<"),
        (
            parquet(text=[b"a", b"\xe9"], label=["bad"] * 2),
            "rows.parquet",
            "utf-8: record 2 .*0xe9",
        ),
    ],
)
def test_unreadable_file_is_an_error(tmp_path, content, file, message):
    with pytest.raises(PipelineError, match=message):
        read_file(tmp_path, content, file)


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ('partition_column = "label"\npartitions = {x = "train"}', "'bad' is not in .*partitions"),
        ('member = "a.csv"', "unknown key 'member'"),
    ],
)
def test_wrong_keys_are_an_error(tmp_path, extra, message):
    with pytest.raises(PipelineError, match=message):
        read_file(tmp_path, "text,label\na,bad\nb,good\n", extra=extra)


def test_ratings_that_are_not_numbers_are_an_error(tmp_path):
    put(tmp_path, "vader", "tweets_GroundTruth.txt", "1\tgood\ttext\n")
    with pytest.raises(PipelineError, match="numbers are expected"):
        read(tmp_path, "vader")


def test_truncated_archive_is_an_error(tmp_path):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        entry = tarfile.TarInfo("aclImdb/train/pos/1.txt")
        entry.size = 100_000
        archive.addfile(entry, io.BytesIO(bytes(range(250)) * 400))
    put(tmp_path, "imdb", "aclImdb_v1.tar.gz", packed.getvalue()[:200])
    with pytest.raises(PipelineError, match="get the file again"):
        read(tmp_path, "imdb")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('text,label\na,bad\n"b,good\nc,bad\nd,good\n', 3),
        ('text,label\n"a\nb",bad\n"c,good', 4),
        ('"text,label\na,bad\n', 1),
        ('text,label\na,bad\nc,"good', 3),
    ],
    ids=["in the middle", "after a record of two lines", "in the header", "in the last field"],
)
def test_open_quote_is_an_error_with_its_line(tmp_path, text, line):
    message = f"rows.csv: the record that begins in line {line} has a quote that is never closed"
    with pytest.raises(PipelineError, match=message) as caught:
        read_file(tmp_path, text)
    assert "multiline = false" in str(caught.value)
    assert "quoting = false" in str(caught.value)


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
def test_quotes_inside_fields_are_accepted(tmp_path, end):
    text = 'text,label\na "quoted" word,bad\n"b ""after""",good\nc,"bad"' + end
    assert read_file(tmp_path, text).rows["raw"].to_pylist() == [
        'a "quoted" word',
        'b "after"',
        "c",
    ]


@pytest.mark.parametrize("extra", ["multiline = false", "quoting = false"])
def test_advice_on_an_open_quote_works(tmp_path, extra):
    reading = read_file(tmp_path, 'text,label\na,bad\n"b,good\nc,bad\nd,good\n', extra=extra)
    assert {"a", "c", "d"} <= set(reading.rows["raw"].to_pylist())
    assert reading.records == 4


def test_malformed_line_is_rejected_if_records_are_lines(tmp_path):
    text = "text,label\na,bad\nc\rd,good\ne,good\n"
    reading = read_file(tmp_path, text, extra="multiline = false")
    assert reading.rows["raw"].to_pylist() == ["a", "e"]
    assert reasons(reading) == [(3, "malformed record")]
    assert reading.rejected["raw"].to_pylist() == ["c\rd,good"]
    assert "carriage return" in reading.rejected["detail"][0].as_py()


def test_malformed_header_is_an_error(tmp_path):
    with pytest.raises(PipelineError, match=r"rows.csv: line 1, the header, cannot be read"):
        read_file(tmp_path, "te\rxt,label\na,bad\n", extra="multiline = false")


@pytest.mark.parametrize("extra", ["", "multiline = false"])
def test_record_with_a_zero_byte_is_rejected(tmp_path, extra):
    reading = read_file(tmp_path, 'text,label\n"x\ny",bad\na\0a,bad\nb,good\n', extra=extra)
    assert reading.rows["raw"].to_pylist()[-1] == "b"
    assert reading.rejected["raw"].to_pylist()[-1] == "a\0a,bad"
    assert reading.rejected["detail"].to_pylist()[-1] == "it contains a zero byte"


def test_zero_bytes_in_the_header_suggest_the_encoding(tmp_path):
    with pytest.raises(PipelineError, match="header, .* zero byte; write encoding = 'utf-16-le'"):
        read_file(tmp_path, "text,label\na,bad\n".encode("utf-16-le"))


@pytest.mark.parametrize("spelling", ["'\\t'", '"\\t"'])
def test_tab_may_be_written_in_both_quotes_of_toml(tmp_path, spelling):
    reading = read_file(tmp_path, "text\tlabel\na\tbad\nb\tgood\n", extra=f"delimiter = {spelling}")
    assert reading.rows["raw"].to_pylist() == ["a", "b"]


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        ("utf-16", "text,label\ném\u270c,bad\n\u0a0a,good\n".encode("utf-16")),
        ("utf-16-le", "\ufefftext,label\ném\u270c,bad\n\u0a0a,good\n".encode("utf-16-le")),
        ("utf-16-be", "text,label\ném\u270c,bad\n\u0a0a,good\n".encode("utf-16-be")),
        ("utf-32", "text,label\ném\u270c,bad\n\u0a0a,good\n".encode("utf-32")),
        ("UTF-8", "\ufefftext,label\ném\u270c,bad\n\u0a0a,good\n".encode()),
        ("U8", "\ufefftext,label\ném\u270c,bad\n\u0a0a,good\n".encode()),
    ],
)
def test_encoding_has_the_name_that_python_uses(tmp_path, encoding, content):
    reading = read_file(tmp_path, content, extra=f'encoding = "{encoding}"')
    assert reading.rows["raw"].to_pylist() == ["ém\u270c", "\u0a0a"]
    assert reading.rows["line"].to_pylist() == [2, 3]


@pytest.mark.parametrize(
    ("encoding", "wrong", "byte"),
    [
        ("utf-8", b"\xe9", "0xe9"),
        ("cp1252", b"\x81", "0x81"),
        ("utf-16-le", b"\x00\xdc", "0x00"),
        ("shift_jis", b"\xff", "0xff"),
    ],
)
@pytest.mark.parametrize("line", [2, 1201, 5000])
def test_error_on_a_wrong_byte_names_its_line(tmp_path, encoding, wrong, byte, line):
    lines = ["text,label\n", *(f"text {number},bad\n" for number in range(2, 5001))]
    content = [text.encode(encoding) for text in lines]
    content[line - 1] = wrong + content[line - 1]
    message = f"rows.csv is not {encoding}: line {line} has the byte {byte}; set encoding"
    with pytest.raises(PipelineError, match=message):
        read_file(tmp_path, b"".join(content), extra=f'encoding = "{encoding}"')


def test_missing_byte_order_mark_is_an_error(tmp_path):
    content = "text,label\na,bad\n".encode("utf-16-le")
    with pytest.raises(PipelineError, match="is not utf-16: .*'utf-16-le'"):
        read_file(tmp_path, content, extra='encoding = "utf-16"')


def test_parquet_bytes_are_decoded_with_the_encoding_of_the_dataset(tmp_path):
    content = parquet(text=["é".encode("cp1252"), b"b"], label=[b"bad", b"good"])
    reading = read_file(tmp_path, content, "rows.parquet", 'encoding = "cp1252"')
    assert reading.rows["raw"].to_pylist() == ["é", "b"]


def test_json_list_instead_of_a_text_is_rejected(tmp_path):
    reading = read_file(tmp_path, JSON_LINES + '\n{"text": ["a"], "label": "bad"}\n', "rows.jsonl")
    assert reasons(reading) == [(3, "malformed record")]
    assert reading.rejected["detail"].to_pylist() == ["'text' is neither a text nor a number"]


def test_rating_that_is_nan_is_rejected(tmp_path):
    put(tmp_path, "vader", "tweets_GroundTruth.txt", "1\t2\ta\n2\tnan\tb\n3\t0\tc\n4\t\td\n")
    assert reasons(read(tmp_path, "vader")) == [
        (2, "rating is not a number"),
        (4, "label is empty"),
        (3, "rating between the labels' bounds (-0.05, 0.05)"),
    ]


def test_rows_have_their_file_and_line(tmp_path):
    put(tmp_path, "hate_speech", "train_E6oV3lV.csv", 'id,label,tweet\n1,0,"a\nb"\n\n2,1,c\n')
    put(tmp_path, "hate_speech", "test.csv", "id,tweet\n3,d\n")
    assert columns(read(tmp_path, "hate_speech"), "source_id", "file", "line") == [
        ("1", "train_E6oV3lV.csv", 2),
        ("2", "train_E6oV3lV.csv", 5),
        ("3", "test.csv", 2),
    ]


def test_line_of_a_parquet_record_is_its_number(tmp_path):
    reading = read_file(tmp_path, parquet(text=["a", "b"], label=["bad", "good"]), "rows.parquet")
    assert columns(reading, "file", "line") == [("rows.parquet", 1), ("rows.parquet", 2)]


def test_ids_continue_across_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "BLOCK", 7)
    text = "text,label\n" + "".join(f"t{i},{'good' if i % 2 else 'bad'}\n" for i in range(50))
    reading = read_file(tmp_path, text)
    assert reading.rows["id"].to_pylist() == list(range(50))
    assert reading.rows["raw"][31].as_py() == "t31"


@pytest.mark.parametrize("block", [2, 3, 100])
def test_open_quote_damages_no_other_line_of_its_block(tmp_path, monkeypatch, block):
    monkeypatch.setattr(records, "BLOCK", block)
    text = 'text,label\na,bad\n"b,bad\n\n"c, d",good\ne,bad,\nf,good\n'
    reading = read_file(tmp_path, text, extra="multiline = false")
    assert columns(reading, "raw", "line") == [("a", 2), ("c, d", 5), ("f", 7)]
    assert [line for line, _ in reasons(reading)] == [3, 6]


def test_wrong_header_is_reported_before_errors_below_it(tmp_path):
    with pytest.raises(PipelineError, match="rows.csv has no column 'text'"):
        read_file(tmp_path, 'words,label\na,bad\n"never closed,good\n')


# --- quotes ---------------------------------------------------------------------------------------


def table_of(delimiter, rows, end="\n"):
    return "".join(delimiter.join(fields) + end for fields in rows)


SWALLOWED = [["text", "label"], ["a b", "bad"], ['"c d', "good"], ["e f", "bad"], ["g h", "good"]]
SWALLOWED += [['i j"', "bad"], ["k l", "good"]]
ID_ONLY = [["id", "tweet"], ["1", "a"], ["2", '"b'], ["3", "c"], ["4", 'd"'], ["5", "e"]]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        (SWALLOWED, ["3 to 6"]),
        (SWALLOWED + SWALLOWED[2:], ["3 to 6", "8 to 11"]),
        ([*SWALLOWED[:3], *SWALLOWED[5:]], ["3 to 4"]),
        ([*SWALLOWED[:2], *SWALLOWED[2:4] * 9, ['z"', "bad"]], ["3 to 5"]),
        ([["text", "label"], *SWALLOWED[2:6]], ["2 to 5"]),
        ([fields[::-1] for fields in SWALLOWED], ["3 to 6"]),
        ([["id", *SWALLOWED[0]], *(["7", *fields] for fields in SWALLOWED[1:])], ["3 to 6"]),
    ],
    ids=["once", "twice", "two lines", "to the end", "whole file", "label first", "with an id"],
)
def test_quoted_field_that_swallows_records_is_an_error_with_its_lines(
    tmp_path, rows, lines, delimiter, end
):
    extra = f"delimiter = {json.dumps(delimiter)}"
    message = f"rows.csv: the (quoted field|record) of lines {lines[0]} "
    with pytest.raises(PipelineError, match=message) as caught:
        read_file(tmp_path, table_of(delimiter, rows, end), extra=extra)
    for of_lines in lines:
        assert f"of lines {of_lines} " in str(caught.value)
    assert "\n" not in str(caught.value)
    for option in ("quoting = false", "multiline = false"):
        assert option in str(caught.value)
        reading = read_file(tmp_path, table_of(delimiter, rows, end), extra=f"{extra}\n{option}")
        assert reading.records == len(rows) - 1


def test_quoted_field_that_swallows_unlabelled_records_is_an_error(tmp_path):
    put(tmp_path, "hate_speech", "train.csv", "id,label,tweet\n1,0,hi\n2,1,boo\n")
    put(tmp_path, "hate_speech", "test.csv", table_of(",", ID_ONLY))
    with pytest.raises(PipelineError, match="test.csv: the quoted field of lines 3 to 5"):
        read(tmp_path, "hate_speech")


OTHERS = {  # records around a quoted field, and the field
    "repeated texts": (["q,bad", "q,good"] * 6, ['"q,bad', "r,good", 's",bad']),
    "class of its own": (["a,bad", "b,bad", "c,bad"], ['"x,mid', "y,mid", 'z",good']),
    "missing labels of its own": (["a,bad", "b,good"], ['"v,N/A', "r,N/A", 's",bad']),
    "blank lines": (["q,bad", "q,bad"], ['"a,good', "", "", 'c",good']),
}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(("others", "swallowed"), OTHERS.values(), ids=OTHERS)
def test_swallowed_records_are_recognised_by_few_values(tmp_path, others, swallowed, delimiter):
    content = "\n".join(["text,label", *others, *swallowed, *others, ""]).replace(",", delimiter)
    extra = f'delimiter = {json.dumps(delimiter)}\nunlabelled = ["N/A", "mid"]'
    first = len(others) + 2
    message = f"quoted field of lines {first} to {first + len(swallowed) - 1} "
    with pytest.raises(PipelineError, match=message):
        read_file(tmp_path, content, extra=extra)


def test_swallowed_records_of_a_table_with_tabs_need_no_known_values(tmp_path):
    rows = [["text", "label"], ["a", "bad"], ['"x', "mid"], ['z"', "good"]]
    with pytest.raises(PipelineError, match="lines 3 to 4 contains 2 lines"):
        read_file(tmp_path, table_of("\t", rows), extra='delimiter = "\\t"')


def test_lines_of_a_letter_that_end_with_a_comma_are_no_alarm(tmp_path):
    rows = ["text,label", '"Dear Bob,', "", "thanks a lot,", 'Eve",bad', "x,", "y,good"]
    reading = read_file(tmp_path, "\n".join(rows), extra='unlabelled = [""]')
    assert reading.rows["raw"].to_pylist() == ["Dear Bob,\n\nthanks a lot,\nEve", "x", "y"]


def test_lines_that_look_like_records_can_be_accepted(tmp_path):
    text = table_of(",", SWALLOWED)
    reading = read_file(tmp_path, text, extra="multiline = true")
    assert reading.rows["raw"].to_pylist() == ["a b", "c d,good\ne f,bad\ng h,good\ni j", "k l"]


@pytest.mark.parametrize(
    "text",
    [
        "two\nlines",
        "one, two\nthree, four\nfive, six",
        "well, good\nand, bad\n\nso",
        "list:\n- bad\n- good\n",
        "a\r\nb",
        'she said ""no""\nand, yes',
    ],
)
def test_line_breaks_in_quoted_texts_are_no_alarm(tmp_path, text):
    rows = [["text", "label"], ["a", "bad"], [f'"{text}"', "good"], ['"b, c"', "good"]]
    reading = read_file(tmp_path, table_of(",", rows))
    assert reading.rows["raw"].to_pylist() == ["a", text.replace('""', '"'), "b, c"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (['"b" after,good'], "record in line 3 has text after a closing quote in line 3"),
        (['b,"go"od'], "record in line 3 has text after a closing quote"),
        (['"b,good', 'c,"bad"'], "record of lines 3 to 4 has text after a closing quote in line 4"),
        (['"b"x,good', "c,bad", '"d"y,bad'], "line 3 .*; the record in line 5 has text after"),
        (['"b" ,good'], "text after a closing quote"),
        (['"b,good'], "begins in line 3 has a quote that is never closed"),
        (['"b"x,good', '"c,good'], "line 3 .*line 4 has a quote that is never closed"),
        (['"it was \\"slow\\" ok",bad'], r'line 3; .*write escape = "\\\\" '),
        (['"17\\"",bad', '"x",good'], r"lines 3 to 4 .*write escape ="),
        (['"17\\"",bad'], r"never closed; .*write escape ="),
    ],
)
def test_wrong_quotes_are_listed_with_their_lines(tmp_path, rows, message):
    with pytest.raises(PipelineError, match=message) as caught:
        read_file(tmp_path, "\n".join(["text,label", "a,bad", *rows, ""]))
    assert "quoting = false" in str(caught.value)


def test_at_most_ten_wrong_quotes_are_listed(tmp_path):
    with pytest.raises(PipelineError, match="line 11; and 15 more; correct the quotes"):
        read_file(tmp_path, "text,label\n" + '"b" after,good\n' * 25)


def test_backslash_can_escape_quotes(tmp_path):
    rows = ["text,label", r'"it was \"slow\" ok",bad', r'"17\"",good', r'"a \\",bad', r"\N,bad"]
    reading = read_file(tmp_path, "\n".join(rows), extra=r"escape = '\'")
    assert reading.rows["raw"].to_pylist() == ['it was "slow" ok', '17"', "a \\"]
    assert reasons(reading) == [(5, "text is empty")]


@pytest.mark.parametrize("block", [2, 100])
def test_backslash_before_other_signs_is_text(tmp_path, monkeypatch, block):
    monkeypatch.setattr(records, "BLOCK", block)
    rows = ["text,label", r'"C:\temp \"x\"",bad', r"\o/ \\n,good", r"a\, b,bad", "d\\"]
    reading = read_file(tmp_path, "\n".join(rows), extra=r"escape = '\'")
    assert reading.rows["raw"].to_pylist() == [r'C:\temp "x"', r"\o/ \n", "a, b"]
    assert reasons(reading) == [(5, "malformed record")]


def test_escapes_of_white_space_are_read_in_files_without_quotes(tmp_path):
    rows = ["text\tlabel", r"a\tb\nc \\n \o/" "\tbad", "\\N\tgood", '"x\tgood']
    extra = "delimiter = '\\t'\nquoting = false\nescape = '\\'"
    reading = read_file(tmp_path, "\n".join(rows), extra=extra)
    assert reading.rows["raw"].to_pylist() == ["a\tb\nc \\n \\o/", '"x']
    assert reasons(reading) == [(3, "text is empty")]


def test_backslashes_are_text_without_the_option(tmp_path):
    rows = ["text,label", r"C:\new \o/,bad", r'"ends with \",good', '"5""",bad']
    reading = read_file(tmp_path, "\n".join(rows))
    assert reading.rows["raw"].to_pylist() == [r"C:\new \o/", "ends with \\", '5"']


@pytest.mark.parametrize("block", [2, 3, 100])
@pytest.mark.parametrize("quote", ['"c"x', '"c'])
def test_lines_of_problems_do_not_depend_on_blocks(tmp_path, monkeypatch, block, quote):
    monkeypatch.setattr(records, "BLOCK", block)
    rows = ['"a\nb",bad', *["f,good"] * 6, f"{quote},good"]
    with pytest.raises(PipelineError, match="line 10"):
        read_file(tmp_path, "\n".join(["text,label", *rows]))


# --- lines and names of Excel ---------------------------------------------------------------------


@pytest.mark.parametrize("line", ["sep=;", '"sep=;"', "\ufeffsep=;"])
def test_separator_line_of_excel_is_no_record(tmp_path, line):
    content = f"{line}\r\ntext;label\r\na;bad\r\nb;good\r\n"
    reading = read_file(tmp_path, content, extra='delimiter = ";"')
    assert columns(reading, "raw", "line") == [("a", 3), ("b", 4)]
    with pytest.raises(PipelineError, match='delimiter = ";" in its TOML file'):
        read_file(tmp_path, content)


@pytest.mark.parametrize("file", ["ROWS.CSV", "Rows.Csv", "rows.CSV.GZ"])
def test_ending_may_be_in_upper_case(tmp_path, file):
    content = b"text,label\na,bad\nb,good\n"
    content = gzip.compress(content) if file.endswith("GZ") else content
    assert read_file(tmp_path, content, file).rows["raw"].to_pylist() == ["a", "b"]


def test_file_whose_name_differs_in_case_is_found(tmp_path):
    put(tmp_path, "hate_speech", "TRAIN.CSV", "id,label,tweet\n1,0,hi\n2,1,boo\n")
    assert read(tmp_path, "hate_speech").records == 2


def workbook(path, *sheets):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    path.parent.mkdir(exist_ok=True)
    book.save(path)
    return path


def test_excel_file_is_read_as_text(tmp_path):
    rows = [
        ["text", "label", "n"],
        ["a", 1, 2.5],
        [7, 0, None],
        [None, None, None],
        ["b\nc", 1.0, 1],
    ]
    workbook(tmp_path / "mine/rows.xlsx", ("First", rows), ("Other", [["text", "label"], ["z", 1]]))
    put(tmp_path, "mine", "dataset.toml", 'labels = [0, 1]\nfiles = ["rows.xlsx"]\n')
    assert columns(read(tmp_path, "mine"), "raw", "label", "line") == [
        ("a", "1", 2),
        ("7", "0", 3),
        ("b\nc", "1", 5),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"no excel", "not a complete Excel file"), (None, "has no column 'text'; .*'txt'")],
)
def test_wrong_excel_file_is_an_error(tmp_path, content, message):
    path = workbook(tmp_path / "mine/rows.xlsx", ("A", [["txt", "label"], ["a", "bad"]]))
    with pytest.raises(PipelineError, match=message):
        read_file(tmp_path, path.read_bytes() if content is None else content, "rows.xlsx")


def test_excel_file_without_openpyxl_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(
        PipelineError, match=r"rows.xlsx is an Excel file.*pip install '.*\[excel\]'"
    ):
        read_file(tmp_path, b"", "rows.xlsx")


# --- labels and problems --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "names"),
    [
        (["b", "a", "b", ""], ["a", "b"]),
        (["10", "9", "x", "10"], ["9", "10", "x"]),
        (["0", "1", " 1 ", "1"], ["0", "1"]),
    ],
)
def test_classes_are_the_values_of_the_column_without_labels(tmp_path, values, names):
    text = "text,label\n" + "".join(f"t{n},{value}\n" for n, value in enumerate(values))
    reading = read_file(tmp_path, text, labels="")
    assert reading.class_names == names
    assert reading.rows["label"].to_pylist() == [value.strip() or None for value in values]
    assert reading.rows["partition"].to_pylist().count("unlabelled") == values.count("")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["a"] * 5, "column 'label' has only the value 'a'; at least two classes"),
        ([str(n) for n in range(60)], "column 'label' has 60 distinct values in 60 rows, such as"),
        ([f"v{n % 201}" for n in range(900)], "has 201 distinct values in 900 rows"),
    ],
)
def test_column_whose_values_are_no_classes_is_an_error(tmp_path, values, message):
    text = "text,label\n" + "".join(f"t{n},{value}\n" for n, value in enumerate(values))
    with pytest.raises(PipelineError, match=message):
        read_file(tmp_path, text, labels="")


def test_all_problems_of_a_file_are_reported_at_once(tmp_path):
    rows = ["a,bad", "b,goood", "c", "d,N/A", "e,N/A", '"f"g,bad', ",bad", "h,good", "i,j,bad"]
    with pytest.raises(PipelineError) as caught:
        read_file(tmp_path, "\n".join(["text,label", *rows]))
    message = str(caught.value)
    for part in (
        "line 7 has text after a closing quote",
        "label 'N/A' (2 rows, lines 5, 6) is not among the dataset's labels",
        "label 'goood' (1 row, line 3)",
        "did you mean 'good'",
        'unlabelled = ["N/A"]',
        "2 fields expected, 1 found (1 row, line 4)",
        "2 fields expected, 3 found (1 row, line 10)",
    ):
        assert part in message
    assert "\n" not in message


def test_missing_columns_are_named_together_with_the_delimiter(tmp_path):
    with pytest.raises(PipelineError, match="no column 'text', no column 'label'; Known: a, b"):
        read_file(tmp_path, "a,b\n1,2\n")
    with pytest.raises(PipelineError, match='Write delimiter = ";" in the dataset'):
        read_file(tmp_path, "text;label\na;bad\n")


def test_file_with_mostly_malformed_records_is_an_error(tmp_path):
    with pytest.raises(
        PipelineError, match=r"2 fields expected, 3 found \(3 rows, lines 3, 4, 5\)"
    ):
        read_file(tmp_path, "text,label\na,bad\n" + "b,c,good\n" * 3)


def test_empty_value_can_be_unlabelled(tmp_path):
    content = JSON_LINES + '\n{"text": "c", "label": null}\n{"text": "d", "label": ""}\n'
    reading = read_file(tmp_path, content, "rows.jsonl", extra='unlabelled = [""]')
    assert columns(reading, "raw", "partition")[2:] == [("c", "unlabelled"), ("d", "unlabelled")]


# --- other layouts of the package's datasets ------------------------------------------------------

REVIEWS = 'review,sentiment\n"so ""good""<br />yes",positive\n"bad, bad",negative\n'
TWEETS = (
    '"0","1","Mon","NO_QUERY","me","bad, bad"\r\n"4","2","Tue","NO_QUERY","you","caf\xe9 &lt;3"\r\n'
)
TRAIN, TEST = "id,keyword,location,text,target\n1,,,fire,1\n4,,,x,0\n", "id,text\n0,crash\n"
HATE_SPEECH = {"train.csv": "id,label,tweet\n1,0,a\n2,1,b\n", "test.csv": "id,tweet\n3,c\n"}


def zipped(**files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("name", "files", "rows"),
    [
        ("disaster", {"train.csv": TRAIN}, [("fire", "disaster"), ("x", "not disaster")]),
        (
            "disaster",
            {"train.csv": TRAIN, "test.csv": TEST},
            [("fire", "disaster"), ("x", "not disaster"), ("crash", None)],
        ),
        (
            "imdb",
            {"IMDB Dataset.csv": REVIEWS},
            [('so "good"<br />yes', "positive"), ("bad, bad", "negative")],
        ),
        (
            "imdb",
            {"archive.zip": zipped(**{"IMDB Dataset.csv": REVIEWS})},
            [('so "good"<br />yes', "positive"), ("bad, bad", "negative")],
        ),
        (
            "sentiment140",
            {"training.1600000.processed.noemoticon.csv": TWEETS.encode("latin-1")},
            [("bad, bad", "negative"), ("caf\xe9 &lt;3", "positive")],
        ),
        (
            "hate_speech",
            {"archive.zip": zipped(**HATE_SPEECH)},
            [("a", "not hateful"), ("b", "hateful"), ("c", None)],
        ),
    ],
    ids=["disaster", "disaster with test", "imdb", "imdb zip", "sentiment140", "hate_speech zip"],
)
def test_names_and_layouts_of_kaggle_are_recognised(tmp_path, name, files, rows):
    for file, content in files.items():
        put(tmp_path, name, file, content)
    assert columns(read(tmp_path, name), "raw", "label") == rows


def test_layout_with_existing_files_is_used(tmp_path):
    text = 'labels = ["bad", "good"]\nfiles = ["new.csv"]\n[[layouts]]\nfiles = ["old.tsv"]\n'
    put(tmp_path, "mine", "dataset.toml", text)
    put(tmp_path, "mine", "old.tsv", "text\tlabel\na\tbad\nb\tgood\n")
    assert read(tmp_path, "mine").rows["file"].to_pylist() == ["old.tsv"] * 2
    put(tmp_path, "mine", "new.csv", "text,label\nc,bad\nd,good\n")
    assert read(tmp_path, "mine").rows["file"].to_pylist() == ["new.csv"] * 2


def test_first_record_of_json_lines_may_lack_a_column(tmp_path):
    content = '{"text": "no label"}\n{broken\n' + JSON_LINES
    reading = read_file(tmp_path, content, "rows.jsonl", extra='unlabelled = [""]')
    assert reading.rows["raw"][0].as_py() == "no label"
    assert reading.rejected["line"].to_pylist() == [2]
