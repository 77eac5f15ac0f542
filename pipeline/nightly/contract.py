"""The data contract: limits that a night's rows must keep before a model is trained on them."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

#: `Measures.counted` where the rows of the night's day were counted, not those of its window.
DAY = "day"
_EMPTY, _REPEATED = "nothing left after cleaning", "clean text came before"  # of CleanText
_TOLERANCE = 1e-9  # rounding errors of differences of shares
_TAIL = 0.001  # of each side of the interval of a share
_INTERVAL = "99.8 % interval"
# Shares with an upper limit, and their descriptions in sentences.
_UPPER_LIMITS = {
    "empty_share": "records have no text",
    "repeated_share": "records repeat a text of an earlier record",
    "unusable_share": "records cannot be used",
    "unknown_share": "words are unknown to the champion",
}


@dataclass(frozen=True)
class Measures:
    """Measures of a night's rows, without those that repeat the text of a holdout row.

    Shares are of the records, those of classes of the labelled rows, and ``unknown_share`` of the
    tokens (None without a champion). Numbers of rows are compared only between nights with the
    same ``counted``: `DAY`, or None in old records, which counted all rows of a window.
    """

    rows: int  # records in the raw files of the night's day
    class_shares: Mapping[str, float]  # of every class, in the order of the classes
    empty_share: float  # without text, before or after cleaning
    repeated_share: float  # with the clean text of an earlier record
    unusable_share: float  # rejected for another reason, such as an unknown label
    unknown_share: float | None = None  # not in the champion's vocabulary
    counted: str | None = None
    labelled: int | None = None  # number of labelled rows, None in old records


@dataclass(frozen=True)
class Limits:
    """Limits of the contract; section ``[contract]`` of luigi.cfg checks their ranges.

    A share breaks its limit only if chance does not explain it: if the exact binomial interval of
    the share, at the night's number of rows, contains no allowed value. Each side of the interval
    misses the true share in at most 1 of 1,000 nights.
    """

    trailing_nights: int = 7  # latest nights whose medians are compared
    rows_least: float = 0.5  # multiple of the trailing median
    rows_most: float = 5.0  # multiple of the trailing median
    rows_minimum: int = 1
    class_share_change: float = 0.2  # largest difference of a share from its trailing median
    class_share_least: float = 0.01
    empty_share: float = 0.05  # this and the following: largest allowed share
    repeated_share: float = 0.5
    unusable_share: float = 0.05
    unknown_share: float = 0.5


@dataclass(frozen=True)
class Breach:
    """A rule that a night breaks, such as ``rows_least``, with a sentence for the user.

    ``measured`` and ``allowed`` are None if the rule is not about a number.
    """

    name: str
    measured: float | None
    allowed: float | None
    sentence: str


def measure(
    rows: "pa.Table",
    rejected: "pa.Table",
    class_names: Sequence[str],
    unknown_share: float | None = None,
) -> Measures:
    """Measure the rows of a night's day.

    ``rows`` has the columns ``label`` and ``clean``, ``rejected`` has ``reason`` and ``raw``,
    without rows that were rejected because they repeat a holdout row.
    """
    import pyarrow.compute as pc

    value_counts = pc.value_counts(rows["label"].drop_null()).to_pylist()
    labels = {entry["values"]: entry["counts"] for entry in value_counts}
    labelled = sum(labels.values())
    records = rows.num_rows + rejected.num_rows
    # CleanText keeps an unlabelled row without text.
    is_empty = pc.equal(rows["clean"], "")
    texts = rows["clean"].filter(pc.invert(is_empty))
    is_blank = pc.equal(pc.utf8_trim_whitespace(pc.fill_null(rejected["raw"], "")), "")
    rejected_empty = _count(pc.or_(pc.equal(rejected["reason"], _EMPTY), is_blank))
    rejected_repeated = _count(pc.equal(rejected["reason"], _REPEATED))
    empty = _count(is_empty) + rejected_empty
    repeated = len(texts) - pc.count_distinct(texts).as_py() + rejected_repeated
    unusable = rejected.num_rows - rejected_empty - rejected_repeated
    return Measures(
        rows=records,
        class_shares={name: labels.get(name, 0) / max(labelled, 1) for name in class_names},
        empty_share=empty / max(records, 1),
        repeated_share=repeated / max(records, 1),
        unusable_share=unusable / max(records, 1),
        unknown_share=unknown_share,
        counted=DAY,
        labelled=labelled,
    )


def _count(mask: Any) -> int:
    """Count the true entries of an Arrow column."""
    import pyarrow.compute as pc

    return pc.sum(mask).as_py() or 0


def unknown_words(counts: Mapping[str, int], vocabulary: Sequence[str]) -> float:
    """Return the share of tokens that are not in a vocabulary, from the counts of each token.

    Examples
    --------
    >>> unknown_words({"good": 3, "teapot": 1}, ["bad", "good"])
    0.25
    """
    vocabulary_set = set(vocabulary)
    unknown = sum(count for word, count in counts.items() if word not in vocabulary_set)
    return unknown / max(sum(counts.values()), 1)


def unreadable(problem: str) -> Breach:
    """Return the breach of a raw file that cannot be read, from the reader's error message."""
    return Breach("schema", None, None, problem)


def other_classes(names: Sequence[str], of_champion: Sequence[str]) -> Breach:
    """Return the breach of a dataset whose classes differ from those of the champion."""
    sentence = (
        f"the classes of the dataset are {', '.join(names)}, those of the champion are "
        f"{', '.join(of_champion)}, and models of different classes cannot be compared; add "
        "holdout rows of every class, remove the champion with the task Rollback --to none, and "
        "decide this night again with pipeline nightly --redo"
    )
    return Breach("classes", None, None, sentence)


def breaches(measures: Measures, earlier: Sequence[Measures], limits: Limits) -> list[Breach]:
    """Compare a night with the contract, and with earlier nights that kept it, oldest first.

    Examples
    --------
    >>> night = Measures(60, {"bad": 0.5, "good": 0.5}, 0.3, 0.0, 0.0)
    >>> [breach.name for breach in breaches(night, [], Limits())]
    ['empty_share']
    """
    if measures.rows < limits.rows_minimum:
        few = f"{measures.rows:,} rows; at least {limits.rows_minimum:,} are needed"
        return [Breach("rows_minimum", measures.rows, limits.rows_minimum, few)]
    counted_alike = [night for night in earlier if night.counted == measures.counted]
    return [
        *_row_breaches(measures, counted_alike[-limits.trailing_nights :], limits),
        *_class_breaches(measures, earlier[-limits.trailing_nights :], limits),
        *_share_breaches(measures, limits),
    ]


def _row_breaches(
    measures: Measures, trailing: Sequence[Measures], limits: Limits
) -> Iterator[Breach]:
    """Compare the number of rows with the trailing median."""
    if not trailing:
        return
    median = statistics.median(night.rows for night in trailing)
    usual = f"the median of the last {len(trailing)} nights is {median:,g}"
    least, most = limits.rows_least * median, limits.rows_most * median
    if measures.rows < least:
        text = f"{measures.rows:,} rows are too few: {usual}, and at least {least:,g} are allowed"
        yield Breach("rows_least", measures.rows, least, text)
    if measures.rows > most:
        text = f"{measures.rows:,} rows are too many: {usual}, and at most {most:,g} are allowed"
        yield Breach("rows_most", measures.rows, most, text)


def _class_breaches(
    measures: Measures, trailing: Sequence[Measures], limits: Limits
) -> Iterator[Breach]:
    """Compare the share of each class with the least share and with its trailing median."""
    rows = measures.rows if measures.labelled is None else measures.labelled
    least, largest_change = limits.class_share_least, limits.class_share_change
    if not rows:
        if least:
            text = "no row has a label, so that every class is missing"
            yield Breach("class_share_least", 0.0, least, text)
        return
    for name, share in measures.class_shares.items():
        low, high = _share_interval(share, rows)
        subject = f"class {name} has {share:.1%} of the {rows:,} labelled rows"
        if high < least:
            text = f"{subject}, by chance at most {high:.1%} ({_INTERVAL}); "
            text += f"at least {least:.1%} are needed"
            yield Breach("class_share_least", share, least, text)
        shares = [night.class_shares[name] for night in trailing if name in night.class_shares]
        if not shares:
            continue
        median = statistics.median(shares)
        if max(low - median, median - high) > largest_change + _TOLERANCE:
            text = (
                f"{subject}, by chance {low:.1%} to {high:.1%} ({_INTERVAL}), and {median:.1%} in "
                f"the median of the last {len(shares)} nights; a difference of "
                f"{100 * largest_change:g} points is allowed"
            )
            yield Breach("class_share_change", abs(share - median), largest_change, text)


def _share_breaches(measures: Measures, limits: Limits) -> Iterator[Breach]:
    """Compare shares with their upper limits.

    The interval of unknown words takes each text as one word: words of a text are not independent.
    """
    for name, description in _UPPER_LIMITS.items():
        share, allowed = getattr(measures, name), getattr(limits, name)
        if share is None:
            continue
        low, _ = _share_interval(share, measures.rows)
        if low > allowed:
            text = (
                f"{share:.1%} of the {description}, by chance at least {low:.1%} of "
                f"{measures.rows:,} rows ({_INTERVAL}); at most {allowed:.1%} are allowed"
            )
            yield Breach(name, share, allowed, text)


def _share_interval(share: float, rows: int) -> tuple[float, float]:
    """Return the exact binomial interval of a share (Clopper and Pearson 1934)."""
    from scipy.stats import beta

    # binomtest().proportion_ci is the same interval, but takes whole counts only.
    count = share * rows
    low = float(beta.ppf(_TAIL, count, rows - count + 1)) if share > 0 else 0.0
    high = float(beta.ppf(1 - _TAIL, count + 1, rows - count)) if share < 1 else 1.0
    return low, high
