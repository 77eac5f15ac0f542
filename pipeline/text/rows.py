"""Rows of a dataset with their clean texts, and what was left out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.data.columns import in_slices
from pipeline.data.rejected import rejections
from pipeline.errors import PipelineError
from pipeline.text import near
from pipeline.text.clean import clean

#: Why a row with the text of a frozen test row is left out.
OF_FROZEN = "text of a frozen test row"
_EXAMPLES = 20  # contradicting texts shown in the profile


@dataclass(frozen=True)
class CleanRows:
    """Kept rows, rows left out, and a summary.

    Attributes
    ----------
    rows : pa.Table
        ``id``, ``source_id``, ``raw``, ``label``, ``partition``, ``file``, ``line``, ``clean``,
        ``group`` (equal for equal clean texts), ``urls``, ``mentions``, ``hashtags``, and what the
        split follows from, whatever the cleaning: ``split_key`` (int64, equal for equal words),
        ``copy`` (int32, how many labelled rows before it have that key), ``near_group`` (int64,
        equal for near copies, also through others: the key of the first of them) and ``founder``
        (int64, the key of the row that it follows in the split, see `near.NearGroups`).
    rejected : pa.Table
        ``id``, ``file``, ``line``, ``reason``, ``detail``, ``raw``.
    profile : callable
        Counts for ``profile.json``, a dict; counting takes as long as writing the rows.
    """

    rows: pa.Table
    rejected: pa.Table
    profile: Callable[[], dict[str, Any]]


@dataclass(frozen=True)
class CleanedPart:
    """What cleaning made of a slice of raw texts.

    Attributes
    ----------
    columns : mapping of str to pa.Array
        That of `pipeline.text.clean.clean`.
    words : near.Words
        The different words of the raw texts.
    """

    columns: Mapping[str, pa.Array]
    words: near.Words


def clean_part(raw: pa.Array, settings: Mapping[str, Any]) -> CleanedPart:
    """Clean a slice of raw texts and take their words, in this thread.

    Parameters
    ----------
    raw : pa.Array of string, shape (n_texts,)
    settings : mapping
        The settings of CleanText.

    Returns
    -------
    CleanedPart
    """
    columns = clean(raw, settings)
    return CleanedPart(columns, near.words_of_part(raw, settings, columns["clean"]))


def clean_rows(
    rows: pa.Table,
    rejected: pa.Table,
    records: int,
    settings: Mapping[str, Any],
    class_names: Sequence[str],
    frozen_files: Sequence[str] = (),
    cleaned: Sequence[CleanedPart] | None = None,
) -> CleanRows:
    """Clean texts, set aside labelled rows of which nothing is left, and count.

    Parameters
    ----------
    rows, rejected : pa.Table
        What was read, and what could not be.
    records : int
        Records in the raw files.
    settings : mapping
        The settings of CleanText.
    class_names : sequence of str
        In the order of the catalogue.
    frozen_files : sequence of str
        Entries of the column ``file`` whose rows are frozen test rows: labelled rows of other
        files that have a text of theirs are set aside.
    cleaned : sequence of CleanedPart, optional
        What `clean_part` made of the texts of ``rows``, part by part, where that was done while
        they were read.

    Returns
    -------
    CleanRows

    Raises
    ------
    PipelineError
        If no row is left, or rows got lost.
    """
    done = cleaned or in_slices(rows["raw"], lambda part: clean_part(part, settings))
    for name in done[0].columns:
        rows = rows.append_column(name, pa.chunked_array([part.columns[name] for part in done]))
    labelled = pc.is_valid(rows["label"])
    # Among all rows that were read, since what cleaning leaves out must not move the others.
    rows = _with_near_groups(rows, near.joined([part.words for part in done]), np.asarray(labelled))
    parts = [rejected]
    empty = pc.and_(pc.equal(rows["clean"], ""), labelled)
    rows = _set_aside(rows, empty, "nothing left after cleaning", parts)
    if frozen_files:
        rows = _without_frozen_texts(rows, frozen_files, parts)
    rows = rows.append_column("group", _groups(rows["clean"]))
    compared = rows
    if settings["duplicates"] == "drop":
        repeats, firsts = _repeats(rows)
        which = pc.binary_join_element_wise("the text of row", firsts.cast(pa.string()), " ")
        rows = _set_aside(rows, repeats, "clean text came before", parts, which)
        rows = rows.set_column(
            rows.schema.get_field_index("group"), "group", _groups(rows["clean"])
        )
    rejected = pa.concat_tables(parts)
    if rows.num_rows + rejected.num_rows != records:
        raise PipelineError(
            f"{records} records were read, but {rows.num_rows} kept and {rejected.num_rows} set "
            "aside; please report this as a bug."
        )
    if pc.count(rows["label"]).as_py() == 0:
        raise PipelineError("no labelled row is left after cleaning; keep more of the texts.")
    profile = partial(_profile, rows, rejected, records, class_names, compared)
    return CleanRows(rows, rejected, profile)


def _set_aside(
    rows: pa.Table,
    lost: pa.Array,
    reason: str,
    parts: list[pa.Table],
    detail: pa.Array | None = None,
) -> pa.Table:
    """Move the marked rows to the rejected ones; ``detail`` has an entry for each of them."""
    out = rows.filter(lost)
    if not out.num_rows:
        return rows
    parts.append(rejections(out, reason, detail))
    return rows.filter(pc.invert(lost))


def _without_frozen_texts(
    rows: pa.Table, frozen_files: Sequence[str], parts: list[pa.Table]
) -> pa.Table:
    """Set aside the labelled rows whose text is that of a frozen test row.

    In one letter case: most models read no other, and to the others it is nearly the same text.
    """
    is_frozen = pc.is_in(rows["file"].cast(pa.string()), pa.array(frozen_files, pa.string()))
    lowered = pc.utf8_lower(rows["clean"])
    texts = lowered.filter(is_frozen).combine_chunks()
    others = pc.and_(pc.invert(is_frozen), pc.is_valid(rows["label"]))
    shared = pc.and_(others, pc.is_in(lowered, texts))
    return _set_aside(rows, shared, OF_FROZEN, parts)


def _with_near_groups(rows: pa.Table, words: near.Words, labelled: np.ndarray) -> pa.Table:
    """Append what the split follows from; unlabelled rows, which are in no part, join nothing."""
    keys = words.keys.view(np.int64)
    at = np.flatnonzero(labelled)
    groups = near.group(words, at)
    near_group, founder, copy = keys.copy(), keys.copy(), np.zeros(len(keys), dtype=np.int32)
    near_group[at], founder[at] = keys[groups.first], keys[groups.founder]
    copy[at] = _occurrence(keys[at])
    columns = {"split_key": keys, "copy": copy, "near_group": near_group, "founder": founder}
    for name, column in columns.items():
        rows = rows.append_column(name, pa.array(column))
    return rows


def _occurrence(keys: np.ndarray) -> np.ndarray:
    """Count the entries before each that are equal to it."""
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.diff(keys[order], prepend=~keys[order[:1]]) != 0)
    before = np.empty(len(keys), dtype=np.int64)
    before[order] = np.arange(len(keys)) - np.repeat(starts, np.diff(starts, append=len(keys)))
    return before


def _groups(texts: pa.ChunkedArray) -> pa.Array:
    """Give equal texts equal numbers."""
    encoded = pc.dictionary_encode(texts.combine_chunks())
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    return encoded.indices.cast(pa.int32())


def _repeats(rows: pa.Table) -> tuple[pa.Array, pa.Array]:
    """Mark labelled rows whose clean text a labelled row before them has, and name that by its id.

    Rows of the dataset's own test part go first, so that none of them is lost to a training row.
    """
    groups = rows["group"].to_numpy()
    labelled = np.asarray(pc.is_valid(rows["label"]))
    is_test = np.asarray(pc.equal(rows["partition"], "test"))
    order = np.lexsort((np.arange(len(groups)), ~is_test))
    order = order[labelled[order]]
    known, first = np.unique(groups[order], return_index=True)
    repeats = labelled.copy()
    repeats[order[first]] = False
    came_first = order[first][np.searchsorted(known, groups[repeats])]
    return pa.array(repeats), rows["id"].take(pa.array(came_first)).combine_chunks()


def _contradictions(rows: pa.Table) -> tuple[int, list[dict[str, Any]]]:
    """Count clean texts that stand there with more than one label, and show the first of them."""
    labelled = rows.select(["group", "label", "clean"]).filter(pc.is_valid(rows["label"]))
    groups = labelled["group"].to_numpy()
    labels = labelled["label"].combine_chunks().dictionary_encode()
    codes = labels.indices.to_numpy()
    one = np.zeros(int(groups.max(initial=-1)) + 1, dtype=codes.dtype)
    one[groups] = codes  # the label of one row of each group
    several = np.unique(groups[codes != one[groups]])
    found = []
    for group in several[:_EXAMPLES]:
        mine = np.flatnonzero(groups == group)
        counts = _counts(labelled["label"].take(pa.array(mine)))
        text = labelled["clean"][int(mine[0])].as_py()
        found.append({"clean": text, "labels": dict(sorted(counts.items()))})
    return len(several), found


def _profile(
    rows: pa.Table,
    rejected: pa.Table,
    records: int,
    class_names: Sequence[str],
    compared: pa.Table,
) -> dict[str, Any]:
    """Count rows by label, partition and reason; contradictions among those ``compared``."""
    labels, contradictions = _counts(rows["label"]), _contradictions(compared)
    return {
        "records": records,
        "kept": rows.num_rows,
        "set_aside": rejected.num_rows,
        "reasons": _counts(rejected["reason"]),
        "class_names": list(class_names),
        "labels": {name: labels.get(name, 0) for name in class_names},
        "partitions": _counts(rows["partition"]),
        **_repeated(rows),
        "changed_by_cleaning": pc.sum(pc.not_equal(rows["raw"], rows["clean"])).as_py(),
        "with_url": _not_empty(rows["urls"]),
        "with_mention": _not_empty(rows["mentions"]),
        "with_hashtag": _not_empty(rows["hashtags"]),
        "contradicting_texts": contradictions[0],
        "contradictions": contradictions[1],
    }


def _repeated(rows: pa.Table) -> dict[str, int]:
    """Count rows whose raw text, or whose clean text, another row before them has."""
    groups = rows["group"].to_numpy()
    sizes = np.bincount(groups)
    # Equal raw texts are cleaned equally, so they are looked for within the groups alone.
    several = rows["raw"].filter(pa.array(sizes[groups] > 1))
    return {
        "repeated_raw": len(several) - pc.count_distinct(several).as_py(),
        "repeated_clean": len(groups) - int(np.count_nonzero(sizes)),
    }


def _counts(column: pa.ChunkedArray) -> dict[str, int]:
    """Count the values of a column, nulls left out, most frequent first."""
    pairs = pc.value_counts(column.drop_null()).to_pylist()
    ordered = sorted(pairs, key=lambda pair: (-pair["counts"], pair["values"]))
    return {pair["values"]: pair["counts"] for pair in ordered}


def _not_empty(lists: pa.ChunkedArray) -> int:
    """Count the lists that are not empty."""
    return pc.sum(pc.greater(pc.list_value_length(lists), 0)).as_py() or 0
