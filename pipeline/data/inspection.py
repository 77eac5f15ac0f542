"""Inspect a raw file of the user: format, encoding, delimiter, quotes, header, columns.

The functions only look at the beginning of the file, except for its encoding. What the file
contains is checked afterwards by reading it as a dataset.
"""

import codecs
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.data import csv_format, formats
from pipeline.data.dataset_file import format_of
from pipeline.data.raw_files import opened
from pipeline.data.records import DELIMITERS, as_text
from pipeline.data.schema import Table
from pipeline.errors import DataError

_SAMPLE = 2_000  # records
_COST_OF_PROBLEMS = 0.02  # of wrong quotes, as a share of records
_LINES = 200_000  # whose quotes are checked
_CHUNK = 1 << 20  # bytes
_LONGEST_NAME = 40  # characters of a column name
_ENCODINGS_BY_MARK = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Encodings of other scripts than the Latin one.
_OTHER_SCRIPTS = ["cp1251", "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr"]
_CONTROLS = frozenset(map(chr, range(32))) - frozenset("\t\n\r\f")
_NOT_CP1252 = b"\x81\x8d\x8f\x90\x9d"
_TYPOGRAPHIC = frozenset("“”‘’„–—…•€£§°«»¡¿·™©®´\xa0")
# What a delimited text file may need, the usual first.
_STYLES: tuple[dict[str, Any], ...] = (
    {},
    {"escape": "\\"},
    {"quoting": False},
    {"multiline": False},
)
#: Names that columns of texts, labels and ids have.
NAMES = {
    "text": "text tweet message content review comment body sentence title headline phrase "
    "tweet_text full_text sentimenttext review_text comment_text v2",
    "label": "label class category sentiment target polarity emotion kind type labels rating stars "
    "score airline_sentiment is_sarcastic toxic v1",
    "id": "id itemid tweet_id ids uid uuid index textid",
}


@dataclass
class Inspection:
    """What a file is like.

    ``options`` are keys of a dataset's TOML file that differ from their defaults; ``columns`` has
    the values of the first records by column name; ``guesses`` are sentences about what is not
    certain.
    """

    format: str
    options: dict[str, Any] = field(default_factory=dict)
    has_header: bool = True
    columns: dict[str, list[str]] = field(default_factory=dict)
    guesses: list[str] = field(default_factory=list)


def inspect(path: Path, given: Mapping[str, Any]) -> Inspection:
    """Inspect a file.

    Parameters
    ----------
    path : Path
    given : mapping
        What the user knows: ``format``, ``encoding``, ``delimiter`` (text) and ``header`` (bool).

    Raises
    ------
    PipelineError
        If the file cannot be read, or contains no table.
    """
    with opened(path) as stream:
        start = stream.read(_CHUNK)
    if not start.strip():
        raise DataError(f"{path.name} is empty.")
    format = given.get("format") or _format_by_content(path, start)
    if format == "parquet":
        return _of_parquet(path)
    if format == "excel":
        rows = [
            [cell or "" for cell in row] for _, row in islice(formats.excel_rows(path), _SAMPLE)
        ]
        found = Inspection(format)
        _set_columns(found, rows, given.get("header"))
        return found
    encoding, is_guess = _encoding(path, given.get("encoding"))
    _check_text(path, start, encoding)
    found = Inspection(format, {} if encoding == "utf-8" else {"encoding": encoding})
    if is_guess:
        found.guesses.append(
            f"the encoding is not UTF-8 and probably {encoding}: check the examples, and give "
            "--encoding if letters are wrong"
        )
    try:
        if format == "jsonl":
            _set_objects(found, path, encoding)
        else:
            _set_fields(found, path, encoding, given)
    except UnicodeError as error:
        raise DataError(f"{path.name} is not {encoding}: {error}; give --encoding.") from error
    return found


def _check_text(path: Path, start: bytes, encoding: str) -> None:
    """Raise if the beginning of a file is not text in an encoding."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(start)
    except UnicodeError as error:
        raise DataError(
            f"{path.name} is not a text file in {encoding}: {error}; give --encoding, or save it "
            "as CSV UTF-8."
        ) from error
    if sum(character in _CONTROLS for character in text[:10_000]) > len(text[:10_000]) / 100:
        raise DataError(f"{path.name} is not a text file; save it as CSV UTF-8.")


def _format_by_content(path: Path, start: bytes) -> str:
    """Return the format of a file by its first bytes, else by its suffix, else CSV."""
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith(b"PK\x03\x04"):
        if format_of(path.name) == "excel" or b"xl/" in start or b"[Content_Types]" in start:
            return "excel"
        raise DataError(f"{path.name} is a zip archive; unpack it, and give a file of it.")
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        raise DataError(f"{path.name} is an old Excel file (.xls); save it as .xlsx or CSV UTF-8.")
    if start[257:262] == b"ustar":
        raise DataError(f"{path.name} is a tar archive; unpack it, and give a file of it.")
    text = start.lstrip(codecs.BOM_UTF8 + b" \t\r\n")
    by_suffix = format_of(path.name)
    if by_suffix in ("excel", "parquet"):
        raise DataError(
            f"{path.name} is not {by_suffix} by its content; rename it, or get it again."
        )
    if by_suffix == "jsonl" or path.suffix.lower() == ".json" or text.startswith(b'{"'):
        if text.startswith(b"["):
            raise DataError(
                f"{path.name} is one JSON list; convert it to one object per line, for example: "
                f"python -c \"import pandas; pandas.read_json('{path.name}').to_json('rows.jsonl', "
                "orient='records', lines=True)\""
            )
        return "jsonl"
    return "csv"


def _encoding(path: Path, given: str | None) -> tuple[str, bool]:
    """Return the encoding of a file, and whether it is a guess."""
    if given:
        return given, False
    with opened(path) as stream:
        start = stream.read(_CHUNK)
        for mark, encoding in _ENCODINGS_BY_MARK:
            if start.startswith(mark):
                return encoding, False
        # Latin letters and delimiters have a zero byte, before or after.
        even, odd = start[:2000:2].count(0), start[1:2000:2].count(0)
        if max(even, odd) > len(start[:2000]) / 8:
            return ("utf-16-le" if odd > even else "utf-16-be"), False
        decoder, data = codecs.getincrementaldecoder("utf-8")(), start
        try:
            while data:
                decoder.decode(data)
                data = stream.read(_CHUNK)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return _single_byte_encoding(data), True
    return "utf-8", False


def _single_byte_encoding(data: bytes) -> str:
    """Guess an encoding other than UTF-8 from a part of a file."""
    lines = b"\n".join(line for line in data.splitlines() if not line.isascii())[:200_000]
    letters = sum(byte > 127 or chr(byte).isalpha() for byte in lines)
    if sum(byte > 127 for byte in lines) > 0.3 * letters:
        import charset_normalizer

        best = charset_normalizer.from_bytes(lines, cp_isolation=_OTHER_SCRIPTS).best()
        if best is not None:
            return best.encoding
    scores = {}
    for encoding in ("cp1252", "mac_roman"):
        text = lines.decode(encoding, "replace")
        pairs = zip(" " + text, text, strict=False)
        scores[encoding] = sum(_plausible(before, letter) for before, letter in pairs)
    best_encoding = max(scores, key=scores.__getitem__)
    if best_encoding == "cp1252" and any(byte in _NOT_CP1252 for byte in lines):
        return "latin-1"
    return best_encoding


def _plausible(before: str, character: str) -> int:
    """Return 1 for a character that is usual in Western texts after another one, -1 for others."""
    if character.isascii():
        return 0
    if character.isalpha() and character not in "ªºƒµ":
        return -1 if character.isupper() and before.islower() else 1
    return 1 if character in _TYPOGRAPHIC else -1


def _set_fields(found: Inspection, path: Path, encoding: str, given: Mapping[str, Any]) -> None:
    """Find delimiter, quotes and header of separated fields."""
    table = Table(file=path.name, format="csv", encoding=encoding)
    with opened(path) as stream:
        lines = list(islice(formats.decoded(stream, table, path), _LINES))
    first = csv_format.separator_of(lines[0]) if lines else None
    lines = lines[1:] if first else lines
    delimiters = (
        [given["delimiter"]] if given.get("delimiter") else [first] if first else DELIMITERS
    )
    candidates = [{"delimiter": one, **style} for one in delimiters for style in _STYLES]
    is_short = len(lines) <= 2 * _SAMPLE
    options, rows = _best(lines[: 2 * _SAMPLE], candidates, is_short)
    if not rows:
        raise DataError(f"{path.name} has no delimiter: give --delimiter, such as --delimiter ';'.")
    if not is_short:
        candidates = [{"delimiter": options["delimiter"], **style} for style in _STYLES]
        options, rows = _best(lines, candidates, len(lines) < _LINES - 1)
    if options["delimiter"] == "\t":
        found.format = "tsv"
        del options["delimiter"]
    elif options["delimiter"] == ",":
        del options["delimiter"]
    found.options |= options
    _set_columns(found, rows, given.get("header"))


def _best(
    lines: Sequence[str], candidates: Sequence[dict[str, Any]], is_all: bool
) -> tuple[dict[str, Any], list[list[str]]]:
    """Return the options by which most records have the same number of fields, and the records.

    Of equal ones the first is the best, unless another delimiter gives more fields.
    """
    best: tuple[float, dict[str, Any], list[list[str]]] = (-1.0, {}, [])
    for options in candidates:
        rows, share = _split(lines, options, is_all)
        is_equal = best[2] and abs(share - best[0]) <= 0.001
        is_other = is_equal and options["delimiter"] != best[1]["delimiter"]
        if share > best[0] + 0.001 or (is_other and len(rows[0]) > len(best[2][0])):
            best = share, options, rows
    return best[1], best[2]


def _split(
    lines: Sequence[str], options: Mapping[str, Any], is_all: bool
) -> tuple[list[list[str]], float]:
    """Split lines with options; return records with the usual number of fields, and their share.

    A problem with quotes lowers the share, since it would stop a run. ``is_all`` is whether the
    file has no further lines, so that an open quote at the end is a problem.
    """
    table = Table(file="", format="csv", **options)
    rows: list[list[str]] = []
    problems: list[str] = []
    n_bad, last = 0, 0
    for block in csv_format.split(table, iter(lines)):
        pairs = zip(block.values, block.errors, strict=True)
        rows += [values for values, error in pairs if not error]
        problems += [problem.text for problem in block.problems]
        n_bad += sum(map(bool, block.errors))
        last = block.lines[-1] if block.lines else last
    if not is_all and problems and csv_format.NEVER_CLOSED in problems[-1]:
        n_bad += len(lines) - last
        problems.pop()
    widths = Counter(map(len, rows))
    width = max(widths, key=lambda width: (widths[width], width), default=0)
    if width < 2:
        return [], -1.0
    usual = [row for row in rows if len(row) == width][:_SAMPLE]
    share = widths[width] / (len(rows) + n_bad + 10 * len(problems))
    return usual, share - (_COST_OF_PROBLEMS if problems else 0)


def _set_columns(found: Inspection, rows: list[list[str]], has_header: bool | None) -> None:
    """Decide whether the first row is a header, and set the columns."""
    if not rows:
        return
    found.has_header = _is_header(rows) if has_header is None else has_header
    width = len(rows[0])
    if found.has_header:
        names = [name.strip() for name in rows[0]]
        rows = rows[1:]
    else:
        names = [f"column{number}" for number in range(1, width + 1)]
        found.options["header"] = names
    columns = list(zip(*rows, strict=False)) or [()] * width
    found.columns = {
        name: list(values) for name, values in zip(names, columns, strict=False) if name
    }


def _is_header(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the first row has names of columns and no values."""
    first, others = [field.strip() for field in rows[0]], rows[1:]
    lowered = [name.lower() for name in first]
    known = {name for names in NAMES.values() for name in names.split()}
    usual = {name for name in lowered if name in known}
    # One usual word, repeated, may be a value; two usual names are a header that repeats a name.
    if usual and (len(usual) > 1 or len(set(lowered)) == len(lowered)):
        return not any(is_number(name) for name in first)
    if len(set(first)) < len(first) or any(is_number(name) for name in first):
        return False
    if max(map(len, first)) > _LONGEST_NAME or not others:
        return False
    # A name is not among the values of its column.
    return not any(
        name in {row[index].strip() for row in others if index < len(row)}
        for index, name in enumerate(first)
        if name
    )


def is_number(text: str) -> bool:
    """Return whether a text is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _set_objects(found: Inspection, path: Path, encoding: str) -> None:
    """Set the columns of JSON Lines from their objects."""
    table = Table(file=path.name, format="jsonl", encoding=encoding)
    objects = []
    with opened(path) as stream:
        for line in islice(formats.decoded(stream, table, path), _SAMPLE):
            try:
                value = json.loads(line)
            except ValueError:
                continue
            if isinstance(value, dict):
                objects.append(value)
    if not objects:
        raise DataError(f"{path.name} has no line that is a JSON object; give --format csv or tsv.")
    found.columns = {
        name: [as_text(one.get(name)) or "" for one in objects]
        for name in dict.fromkeys(name for one in objects for name in one)
        if not any(isinstance(one.get(name), dict | list) for one in objects)
    }


def _of_parquet(path: Path) -> Inspection:
    """Set the columns of a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        batch = next(_batches(pq.ParquetFile(path)), None)
    except pa.ArrowInvalid as error:
        raise DataError(f"{path.name} is not a complete Parquet file: {error}.") from error
    if batch is None:
        raise DataError(f"{path.name} is empty: it contains no record.")
    return Inspection(
        "parquet",
        columns={
            name: [as_text(value) or "" for value in batch[name].to_pylist()]
            for name in batch.schema.names
            if not pa.types.is_nested(batch.schema.field(name).type)
        },
    )


def _batches(file: Any) -> Iterator[Any]:
    """Yield the record batches of a Parquet file."""
    yield from file.iter_batches(_SAMPLE)
