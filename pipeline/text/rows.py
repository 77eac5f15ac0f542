"""Read raw files, clean their rows, and reject those that are empty or repeat others."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data import readers
from pipeline.data.columns import InThreads, as_array, is_group_start, map_slices
from pipeline.data.daily import InputFile
from pipeline.data.formats import display_name
from pipeline.data.rejected import reject
from pipeline.data.schema import Dataset
from pipeline.errors import DataError
from pipeline.text import near
from pipeline.text.clean import clean

#: Reason for rejecting a row with the text of a holdout row.
HOLDOUT_TEXT = "text of a frozen test row"
_EXAMPLES = 20  # contradicting texts in the profile


@dataclass(frozen=True)
class CleanRows:
    """Kept rows, rejected rows, and a summary.

    Attributes
    ----------
    rows : pa.Table
        Columns of `pipeline.data.readers.ROWS`, ``clean``, ``urls``, ``mentions``, ``hashtags``,
        ``group`` (equal for equal clean texts), and those of the split, which do not depend on the
        settings: ``split_key`` (int64, equal for equal words), ``copy`` (int32, number of earlier
        labelled rows with that key), ``near_group`` (int64, key of the first row of the group of
        near copies) and ``founder`` (int64, key of the row that it follows, see
        `near.NearGroups`).
    rejected : pa.Table
        Columns of `pipeline.data.rejected.REJECTED`.
    profile : callable
        Returns the dict of ``profile.json``; counting takes as long as writing the rows.
    """

    rows: pa.Table
    rejected: pa.Table
    profile: Callable[[], dict[str, Any]]


@dataclass(frozen=True)
class _CleanedSlice:
    """Columns of `clean` for a slice of raw texts, and the words of the texts."""

    columns: Mapping[str, pa.Array]
    words: near.Words


def clean_files(
    dataset: Dataset, inputs: Sequence[InputFile], settings: Mapping[str, Any]
) -> CleanRows:
    """Read raw files, and clean their texts while other files are still being read.

    Parameters
    ----------
    dataset : Dataset
        With the tables of the input files (`pipeline.data.daily.with_tables`).
    inputs : sequence of InputFile
        In the order in which they are read.
    settings : mapping
        Settings of CleanText.

    Raises
    ------
    DataError
        If a file cannot be read, or no row is left.
    """
    names = names_in_rows(dataset, inputs)
    paths = {file.key: file.path for file in inputs}
    with InThreads(lambda texts: _clean_slice(texts, settings)) as threads:
        reading = readers.read(dataset, paths, threads.submit)
        slices = threads.results()
    holdout = [name for file in inputs if file.is_holdout for name in names[file.key]]
    return clean_rows(reading, settings, reading.class_names, holdout, slices)


def names_in_rows(dataset: Dataset, inputs: Sequence[InputFile]) -> dict[str, list[str]]:
    """Return the values of the column ``file`` by key of the input file; archives have several."""
    return {
        file.key: [display_name(table, file.path) for table in dataset.tables_of(file.key)]
        for file in inputs
    }


def _clean_slice(raw: pa.Array, settings: Mapping[str, Any]) -> _CleanedSlice:
    """Clean a slice of raw texts and extract their words, in this thread."""
    columns = clean(raw, settings)
    return _CleanedSlice(columns, near.words_of_slice(raw, settings, columns["clean"]))


def clean_rows(
    reading: readers.Reading,
    settings: Mapping[str, Any],
    class_names: Sequence[str],
    holdout_files: Sequence[str] = (),
    slices: Sequence[_CleanedSlice] | None = None,
) -> CleanRows:
    """Clean texts, reject labelled rows with an empty clean text, and count.

    Parameters
    ----------
    reading : Reading
        Rows, rejected rows, and the number of records that were read.
    settings : mapping
        Settings of CleanText.
    class_names : sequence of str
    holdout_files : sequence of str
        Entries of the column ``file`` whose rows are holdout rows. Labelled rows of other files
        with the same texts are rejected.
    slices : sequence of _CleanedSlice, optional
        The texts, if they were cleaned while reading.

    Raises
    ------
    DataError
        If no labelled row is left.
    """
    rows, records = reading.rows, reading.records
    slices = slices or map_slices(rows["raw"], lambda raw: _clean_slice(raw, settings))
    for name in slices[0].columns:
        rows = rows.append_column(
            name, pa.chunked_array([cleaned.columns[name] for cleaned in slices])
        )
    labelled = pc.is_valid(rows["label"])
    # Among all records: a row that is rejected below must not change the groups of other rows.
    rows = _with_near_groups(rows, near.joined([cleaned.words for cleaned in slices]), labelled)
    lost = [reading.rejected]
    is_empty = pc.and_(pc.equal(rows["clean"], ""), labelled)
    rows = reject(rows, is_empty, "nothing left after cleaning", lost)
    if holdout_files:
        rows = reject(rows, _has_holdout_text(rows, holdout_files), HOLDOUT_TEXT, lost)
    rows = rows.append_column("group", _groups(rows["clean"]))
    with_copies = rows
    if settings["duplicates"] == "drop":
        is_copy, first_id = _copies(rows)
        detail = pc.binary_join_element_wise("the text of row", first_id.cast(pa.string()), " ")
        rows = reject(rows, is_copy, "clean text came before", lost, detail)
        rows = rows.set_column(
            rows.schema.get_field_index("group"), "group", _groups(rows["clean"])
        )
    rejected = pa.concat_tables(lost)
    if rows.num_rows + rejected.num_rows != records:
        raise RuntimeError(
            f"{records} records were read, but {rows.num_rows} kept and {rejected.num_rows} "
            "rejected."
        )
    if pc.count(rows["label"]).as_py() == 0:
        raise DataError("no labelled row is left after cleaning; remove less from the texts.")
    profile = partial(_profile, rows, rejected, records, class_names, with_copies)
    return CleanRows(rows, rejected, profile)


def _has_holdout_text(rows: pa.Table, holdout_files: Sequence[str]) -> pa.ChunkedArray:
    """Mark labelled rows with the text of a holdout row, whatever its letter case."""
    is_holdout = pc.is_in(rows["file"].cast(pa.string()), pa.array(holdout_files, pa.string()))
    lowered = pc.utf8_lower(rows["clean"])
    has_text = pc.is_in(lowered, lowered.filter(is_holdout).combine_chunks())
    return pc.and_(pc.and_(pc.invert(is_holdout), pc.is_valid(rows["label"])), has_text)


def _with_near_groups(rows: pa.Table, words: near.Words, labelled: pa.ChunkedArray) -> pa.Table:
    """Append the columns that the split depends on; unlabelled rows are in no group of others."""
    keys = words.keys.view(np.int64)
    labelled_rows = np.flatnonzero(labelled)
    groups = near.group(words, labelled_rows)
    near_group, founder, copy = keys.copy(), keys.copy(), np.zeros(len(keys), dtype=np.int32)
    near_group[labelled_rows] = keys[groups.first]
    founder[labelled_rows] = keys[groups.founder]
    copy[labelled_rows] = _occurrence(keys[labelled_rows])
    columns = {"split_key": keys, "copy": copy, "near_group": near_group, "founder": founder}
    for name, column in columns.items():
        rows = rows.append_column(name, pa.array(column))
    return rows


def _occurrence(keys: np.ndarray) -> np.ndarray:
    """Count the earlier entries that are equal to each entry."""
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(is_group_start(keys[order]))
    earlier = np.empty(len(keys), dtype=np.int64)
    earlier[order] = np.arange(len(keys)) - np.repeat(starts, np.diff(starts, append=len(keys)))
    return earlier


def _groups(texts: pa.ChunkedArray) -> pa.Array:
    """Return equal numbers for equal texts."""
    return as_array(pc.dictionary_encode(as_array(texts))).indices.cast(pa.int32())


def _copies(rows: pa.Table) -> tuple[pa.Array, pa.ChunkedArray]:
    """Mark labelled rows with the clean text of another labelled row, and return its id.

    Rows of the dataset's own test part count as earlier than others, so that all are kept.
    """
    groups = rows["group"].to_numpy()
    labelled = np.asarray(pc.is_valid(rows["label"]))
    is_test = np.asarray(pc.equal(rows["partition"], "test"))
    order = np.lexsort((np.arange(len(groups)), ~is_test))
    order = order[labelled[order]]
    first = np.zeros(int(groups.max(initial=0)) + 1, dtype=np.int64)
    first[groups[order[::-1]]] = order[::-1]  # the last assignment stays: that of the first row
    is_copy = labelled & (first[groups] != np.arange(len(groups)))
    return pa.array(is_copy), rows["id"].take(pa.array(first[groups]))


def _contradictions(rows: pa.Table) -> tuple[int, list[dict[str, Any]]]:
    """Count clean texts with more than one label, and return the first of them."""
    labelled = rows.select(["group", "label", "clean"]).filter(pc.is_valid(rows["label"]))
    groups = labelled["group"].to_numpy()
    codes = as_array(labelled["label"]).dictionary_encode().indices.to_numpy()
    label_of_group = np.zeros(int(groups.max(initial=-1)) + 1, dtype=codes.dtype)
    label_of_group[groups] = codes  # that of one row of the group
    contradicting = np.unique(groups[codes != label_of_group[groups]])
    examples = []
    for group in contradicting[:_EXAMPLES]:
        rows_of_group = np.flatnonzero(groups == group)
        counts = _counts(labelled["label"].take(pa.array(rows_of_group)))
        text = labelled["clean"][int(rows_of_group[0])].as_py()
        examples.append({"clean": text, "labels": dict(sorted(counts.items()))})
    return len(contradicting), examples


def _profile(
    rows: pa.Table,
    rejected: pa.Table,
    records: int,
    class_names: Sequence[str],
    with_copies: pa.Table,
) -> dict[str, Any]:
    """Count rows by label, partition and reason, and contradictions among rows ``with_copies``."""
    labels, contradictions = _counts(rows["label"]), _contradictions(with_copies)
    groups = rows["group"].to_numpy()
    sizes = np.bincount(groups)
    # Equal raw texts have equal clean texts, so only groups of several rows can have them.
    raw = rows["raw"].filter(pa.array(sizes[groups] > 1))
    return {
        "records": records,
        "kept": rows.num_rows,
        "set_aside": rejected.num_rows,
        "reasons": _counts(rejected["reason"]),
        "class_names": list(class_names),
        "labels": {name: labels.get(name, 0) for name in class_names},
        "partitions": _counts(rows["partition"]),
        "repeated_raw": len(raw) - pc.count_distinct(raw).as_py(),
        "repeated_clean": len(groups) - int(np.count_nonzero(sizes)),
        "changed_by_cleaning": pc.sum(pc.not_equal(rows["raw"], rows["clean"])).as_py(),
        "with_url": _not_empty(rows["urls"]),
        "with_mention": _not_empty(rows["mentions"]),
        "with_hashtag": _not_empty(rows["hashtags"]),
        "contradicting_texts": contradictions[0],
        "contradictions": contradictions[1],
    }


def _counts(column: pa.ChunkedArray) -> dict[str, int]:
    """Count the values of a column without nulls, most frequent first."""
    pairs = pc.value_counts(column.drop_null()).to_pylist()
    ordered = sorted(pairs, key=lambda pair: (-pair["counts"], pair["values"]))
    return {pair["values"]: pair["counts"] for pair in ordered}


def _not_empty(lists: pa.ChunkedArray) -> int:
    """Count the lists that are not empty."""
    return pc.sum(pc.greater(pc.list_value_length(lists), 0)).as_py() or 0
