import io
import json
import tarfile
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.datasets import catalogue, readers, sources
from pipeline.errors import PipelineError


def read(data, name):
    """Read a dataset as CleanText does."""
    row = catalogue.load(name, data)
    found = {file.name: sources.locate(file, data / name) for file in row.files}
    reading = readers.read(row, {key: path for key, path in found.items() if path})
    assert reading.rows.num_rows + reading.rejected.num_rows == reading.records
    return reading


def put(data, name, file, content):
    (data / name).mkdir(exist_ok=True)
    path = data / name / file
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def own(data, content, file="rows.csv", extra="", labels='labels = ["bad", "good"]'):
    put(data, "mine", file, content)
    put(data, "mine", "dataset.toml", f'{labels}\n{extra}\nfiles = ["{file}"]\n')
    return read(data, "mine")


def columns(reading, *names):
    return list(zip(*(reading.rows[name].to_pylist() for name in names), strict=True))


def reasons(reading):
    return list(
        zip(*(reading.rejected[name].to_pylist() for name in ("line", "reason")), strict=True)
    )


# --- the catalogue's own schemas, on made-up rows ------------------------------------------------


def test_vader_rates_by_bounds_and_sets_the_rest_aside(tmp_path):
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


def test_hate_speech_does_without_the_unlabelled_file(tmp_path):
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


def test_sentiment140_sets_malformed_lines_aside_with_line_and_reason(tmp_path):
    text = (
        "ItemID,Sentiment,SentimentSource,SentimentText\r\n"
        "1,0,Sentiment140,fine\r\n"
        "2,1,Sentiment140,one, two, three\r\n"
        '3,1,Sentiment140,"a quote left open\r\n'
        "4,0,Sentiment140\r\n"
        '5,1,Sentiment140,"a ""good"" day, really"\r\n'
    )
    put(tmp_path, "sentiment140", "Sentiment Analysis Dataset.csv", text)
    reading = read(tmp_path, "sentiment140")
    assert [raw.strip() for raw in reading.rows["raw"].to_pylist()] == [
        "fine",
        "a quote left open",
        'a "good" day, really',
    ]
    assert reasons(reading) == [(3, "malformed record"), (5, "malformed record")]
    assert reading.rejected["detail"].to_pylist() == [
        "4 fields expected, 6 found",
        "4 fields expected, 3 found",
    ]


def test_imdb_keeps_its_halves_and_unlabelled_reviews(tmp_path):
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


# --- one's own data ------------------------------------------------------------------------------

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
    ],
    ids=["csv", "csv with BOM", "tsv", "json lines", "parquet"],
)
def test_own_data_is_read_in_four_formats(tmp_path, file, content):
    reading = own(tmp_path, content, file)
    assert columns(reading, "raw", "label") == [("a", "bad"), ("b", "good")]


def test_numbers_are_labels_as_they_are_written(tmp_path):
    content = parquet(text=["a", "b"], label=[0, 1])
    put(tmp_path, "mine", "rows.parquet", content)
    put(tmp_path, "mine", "dataset.toml", 'files = ["rows.parquet"]\n[labels]\nno = 0\nyes = "1"\n')
    reading = read(tmp_path, "mine")
    assert reading.rows["label"].to_pylist() == ["no", "yes"]


def test_partition_column_is_translated(tmp_path):
    extra = 'partition_column = "set"\npartitions = {tr = "train", te = "test", x = "unlabelled"}'
    text = "text,label,set\na,bad,tr\nb,good,te\nc,,x\n"
    assert columns(own(tmp_path, text, extra=extra), "raw", "partition") == [
        ("a", "train"),
        ("b", "test"),
        ("c", "unlabelled"),
    ]


def test_rows_without_text_or_label_are_set_aside(tmp_path):
    reading = own(tmp_path, 'text,label\na,bad\n"  ",good\nc,\nd,good\n')
    assert reasons(reading) == [(3, "text is empty"), (4, "label is empty")]
    assert reading.rows["id"].to_pylist() == [0, 3]


def test_json_lines_that_are_no_objects_are_set_aside(tmp_path):
    reading = own(tmp_path, JSON_LINES + '\n{"text": \n[1]\n', "rows.jsonl")
    assert [reason for _, reason in reasons(reading)] == ["malformed record"] * 2


def test_half_a_surrogate_pair_does_not_stop_reading(tmp_path):
    line = '{"text": "\\ud83d broken", "label": "bad"}\n'
    reading = own(tmp_path, line + JSON_LINES, "rows.jsonl")
    assert reading.rows["raw"][0].as_py() == "\ufffd broken"


@pytest.mark.parametrize(
    ("content", "file", "message"),
    [
        ("", "rows.csv", "rows.csv is empty"),
        ("text,label\n", "rows.csv", "rows.csv is empty: it holds no record"),
        ("text,sentiment\na,bad\n", "rows.csv", "has no column 'label'; .*Known: sentiment, text"),
        ("txt,label\na,bad\n", "rows.csv", "no column 'text'; did you mean 'txt'"),
        ("text,label\na,goood\n", "rows.csv", "label 'goood' .* not among .* did you mean 'good'"),
        (b"text,label\na\xe9b,bad\n", "rows.csv", "is not utf-8: line 2 has the byte 0xe9"),
        ("text,label\n,bad\n", "rows.csv", "no labelled row among 1 records .*text is empty"),
        ('{"txt": "a"}', "rows.jsonl", "no column 'text'"),
        (b"no parquet", "rows.parquet", "no whole Parquet file"),
        (b"\x1f\x8b no gzip", "rows.csv.gz", "cannot be read: .* get the file again"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path, content, file, message):
    with pytest.raises(PipelineError, match=message):
        own(tmp_path, content, file)


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ('encoding = "utf-9"', "unknown encoding 'utf-9'"),
        ('partition_column = "label"\npartitions = {x = "train"}', "'bad' is not in .*partitions"),
        ('member = "a.csv"', "unknown key 'member'"),
    ],
)
def test_wrong_keys_are_said(tmp_path, extra, message):
    with pytest.raises(PipelineError, match=message):
        own(tmp_path, "text,label\na,bad\nb,good\n", extra=extra)


def test_ratings_that_are_no_numbers_are_said(tmp_path):
    put(tmp_path, "vader", "tweets_GroundTruth.txt", "1\tgood\ttext\n")
    with pytest.raises(PipelineError, match="numbers are expected"):
        read(tmp_path, "vader")


def test_truncated_archive_is_said(tmp_path):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        entry = tarfile.TarInfo("aclImdb/train/pos/1.txt")
        entry.size = 100_000
        archive.addfile(entry, io.BytesIO(bytes(range(250)) * 400))
    put(tmp_path, "imdb", "aclImdb_v1.tar.gz", packed.getvalue()[:200])
    with pytest.raises(PipelineError, match="get the file again"):
        read(tmp_path, "imdb")


def test_many_records_keep_their_ids_across_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr(readers, "CHUNK", 7)
    text = "text,label\n" + "".join(f"t{i},{'good' if i % 2 else 'bad'}\n" for i in range(50))
    reading = own(tmp_path, text)
    assert reading.rows["id"].to_pylist() == list(range(50))
    assert reading.rows["raw"][31].as_py() == "t31"
