"""The data contract: what a night's rows must keep to before anything is made of them."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import inf
from typing import TYPE_CHECKING, Any

from pipeline.errors import PipelineError

if TYPE_CHECKING:
    import pyarrow as pa

# Reasons that CleanText gives for rows it leaves out.
_EMPTY, _REPEATED = "nothing left after cleaning", "clean text came before"

#: `Measures.counted` of what the day itself brought, whatever the window.
DAY = "day"
_ROUNDING = 1e-9  # of differences of shares
_BY_CHANCE = 0.001  # of nights, on each side
CHANCE = "99.8 % interval"
_SHARE = (0.0, 1.0)
_RANGES = {
    "trailing_nights": (1, inf),
    "rows_least": _SHARE,
    "rows_most": (1.0, inf),
    "rows_minimum": (1, inf),
    "class_share_change": _SHARE,
    "class_share_least": _SHARE,
    "empty_share": _SHARE,
    "repeated_share": _SHARE,
    "unusable_share": _SHARE,
    "unknown_share": _SHARE,
}
# Measures that have a most, and what they are shares of.
_MOST = {
    "empty_share": "records have no text",
    "repeated_share": "records repeat a text that came before",
    "unusable_share": "records cannot be used",
    "unknown_share": "words are unknown to the champion",
}


@dataclass(frozen=True)
class Measures:
    """What a night's own rows are like, rows of the frozen set left out.

    Attributes
    ----------
    rows : int
        Records in the raw files of the night's own day.
    class_shares : mapping of str to float
        Share of each class among labelled rows, in the order of the classes; a class without
        rows has 0.
    empty_share : float
        Records without text, before or after cleaning.
    repeated_share : float
        Records whose clean text another record before them has.
    unusable_share : float
        Records that were left out for another reason, such as an unknown label.
    unknown_share : float or None
        Share of tokens that the champion's vocabulary does not hold; None without a champion.
    labelled : int or None
        Rows with a label, which the class shares are of; None in records from before it was kept.
    counted : str or None
        What was counted: `DAY`, or None where it was all rows of a window, as it once was. Numbers
        of rows are compared only where it is the same.
    """

    rows: int
    class_shares: Mapping[str, float]
    empty_share: float
    repeated_share: float
    unusable_share: float
    unknown_share: float | None = None
    counted: str | None = None
    labelled: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what ``night.json`` holds."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "Measures":
        """Read what `as_json` wrote."""
        return cls(**found)


@dataclass(frozen=True)
class Limits:
    """Thresholds of the contract, section ``[contract]`` of ``luigi.cfg``.

    Attributes
    ----------
    trailing_nights : int
        How many of the latest earlier nights the medians are of.
    rows_least, rows_most : float
        Of the trailing median of rows; a first night has none to be compared with.
    rows_minimum : int
        Rows that every night must have.
    class_share_change : float
        How far a class' share may be from its trailing median, as a difference of shares.
    class_share_least : float
        Share that every class must have.
    empty_share, repeated_share, unusable_share, unknown_share : float
        The most of each.

    Notes
    -----
    Limits of shares are about what the night's rows were drawn from. A share breaks its limit only
    if chance does not explain it: if the exact binomial interval of the share (Clopper and Pearson
    1934) at the night's number of rows excludes what is allowed. Each side of the interval misses
    the true share in at most 1 of 1,000 nights.
    """

    trailing_nights: int = 7
    rows_least: float = 0.5
    rows_most: float = 5.0
    rows_minimum: int = 1
    class_share_change: float = 0.2
    class_share_least: float = 0.01
    empty_share: float = 0.05
    repeated_share: float = 0.5
    unusable_share: float = 0.05
    unknown_share: float = 0.5

    def __post_init__(self) -> None:
        """Raise where a limit cannot be meant."""
        for name, (least, most) in _RANGES.items():
            value = getattr(self, name)
            if not least <= value <= most:
                bounds = f"at least {least:g}" + (f" and at most {most:g}" if most < inf else "")
                raise PipelineError(
                    f"{name} of [contract] must be {bounds}, got {value:g}; mend it in luigi.cfg."
                )


@dataclass(frozen=True)
class Breach:
    """One way in which a night breaks its contract.

    Attributes
    ----------
    name : str
        Which rule, such as ``rows`` or ``class_share``.
    measured, allowed : float or None
        None where the rule is not about a number.
    sentence : str
        What was found and what is allowed, for people.
    """

    name: str
    measured: float | None
    allowed: float | None
    sentence: str

    def as_json(self) -> dict[str, Any]:
        """Return what ``night.json`` holds."""
        return asdict(self)


def measure(
    rows: "pa.Table",
    rejected: "pa.Table",
    class_names: Sequence[str],
    unknown_share: float | None = None,
) -> Measures:
    """Measure a night's rows as CleanText left them.

    Parameters
    ----------
    rows : pa.Table
        The night's own rows of ``rows.parquet``: ``label`` and ``clean``.
    rejected : pa.Table
        The night's own rows of ``rejected.parquet``: ``reason`` and ``raw``. Rows set aside
        because the frozen set holds their text belong into neither.
    class_names : sequence of str
    unknown_share : float or None
        See `unknown_words`; None without a champion.

    Returns
    -------
    Measures
    """
    import pyarrow.compute as pc

    labels = {
        entry["values"]: entry["counts"]
        for entry in pc.value_counts(rows["label"].drop_null()).to_pylist()
    }
    labelled = max(sum(labels.values()), 1)
    records = rows.num_rows + rejected.num_rows
    # An unlabelled row without text is kept by CleanText.
    is_empty = pc.equal(rows["clean"], "")
    empty = pc.sum(is_empty).as_py() or 0
    texts = rows["clean"].filter(pc.invert(is_empty))
    repeated = len(texts) - pc.count_distinct(texts).as_py()
    blank = pc.equal(pc.utf8_trim_whitespace(pc.fill_null(rejected["raw"], "")), "")
    without_text = pc.or_(pc.equal(rejected["reason"], _EMPTY), blank)
    left_out_empty = pc.sum(without_text).as_py() or 0
    left_out_repeated = pc.sum(pc.equal(rejected["reason"], _REPEATED)).as_py() or 0
    unusable = rejected.num_rows - left_out_empty - left_out_repeated
    return Measures(
        rows=records,
        class_shares={name: labels.get(name, 0) / labelled for name in class_names},
        empty_share=(empty + left_out_empty) / max(records, 1),
        repeated_share=(repeated + left_out_repeated) / max(records, 1),
        unusable_share=unusable / max(records, 1),
        unknown_share=unknown_share,
        counted=DAY,
        labelled=sum(labels.values()),
    )


def unknown_words(counts: Mapping[str, int], vocabulary: Sequence[str]) -> float:
    """Return the share of tokens that a vocabulary does not hold.

    Parameters
    ----------
    counts : mapping of str to int
        How often the night's texts hold each token.
    vocabulary : sequence of str
        Every token of the champion's training rows, or what its model can tell apart.
    """
    known = set(vocabulary)
    total = sum(counts.values())
    unknown = sum(count for word, count in counts.items() if word not in known)
    return unknown / total if total else 0.0


def unreadable(problem: str) -> Breach:
    """Return the breach of a file that cannot be read as the dataset's schema says.

    Parameters
    ----------
    problem : str
        The reader's own error.
    """
    return Breach("schema", None, None, problem)


def other_classes(names: Sequence[str], of_champion: Sequence[str]) -> Breach:
    """Return the breach of a dataset whose classes are not those that the champion tells apart.

    Parameters
    ----------
    names, of_champion : sequence of str
        The classes, in their order.
    """
    now, before = ", ".join(names), ", ".join(of_champion)
    text = (
        f"the classes are {now}, and the champion tells {before} apart, so that the two cannot be "
        "compared; put frozen rows of every class in place, give the champion up with the task "
        "Rollback --to none, and decide this night again with pipeline nightly --redo"
    )
    return Breach("classes", None, None, text)


def breaches(measures: Measures, earlier: Sequence[Measures], limits: Limits) -> list[Breach]:
    """Compare a night with the contract.

    Parameters
    ----------
    measures : Measures
        Of the night.
    earlier : sequence of Measures
        Of earlier nights that kept the contract, oldest first; the last
        ``limits.trailing_nights`` of them count, for rows of those that were counted alike.
    limits : Limits

    Returns
    -------
    list of Breach
        Empty where the contract is kept.
    """
    if measures.rows < limits.rows_minimum:
        few = f"{measures.rows:,} rows; at least {limits.rows_minimum:,} are needed"
        return [Breach("rows_minimum", measures.rows, limits.rows_minimum, few)]
    alike = [night for night in earlier if night.counted == measures.counted]
    return [
        *_rows(measures, alike[-limits.trailing_nights :], limits),
        *_classes(measures, earlier[-limits.trailing_nights :], limits),
        *_most(measures, limits),
    ]


def _rows(measures: Measures, before: Sequence[Measures], limits: Limits) -> Iterator[Breach]:
    """Compare the number of rows with the trailing median."""
    if not before:
        return
    median = statistics.median(night.rows for night in before)
    usual = f"the median of the last {len(before)} nights is {median:,g}"
    if measures.rows < limits.rows_least * median:
        allowed = limits.rows_least * median
        text = f"{measures.rows:,} rows are too few: {usual}, and at least {allowed:,g} are allowed"
        yield Breach("rows_least", measures.rows, allowed, text)
    if measures.rows > limits.rows_most * median:
        allowed = limits.rows_most * median
        text = f"{measures.rows:,} rows are too many: {usual}, and at most {allowed:,g} are allowed"
        yield Breach("rows_most", measures.rows, allowed, text)


def _classes(measures: Measures, before: Sequence[Measures], limits: Limits) -> Iterator[Breach]:
    """Compare the share of each class with its least and with its trailing median."""
    rows = measures.rows if measures.labelled is None else measures.labelled
    if not rows:
        if limits.class_share_least:
            text = "no row has a label, so that every class is missing"
            yield Breach("class_share_least", 0.0, limits.class_share_least, text)
        return
    for name, share in measures.class_shares.items():
        low, high = share_interval(share, rows)
        which = f"class {name} has {share:.1%} of the {rows:,} labelled rows"
        if high < limits.class_share_least:
            least = f"at least {limits.class_share_least:.1%} are needed"
            text = f"{which}, by chance at most {high:.1%} ({CHANCE}); {least}"
            yield Breach("class_share_least", share, limits.class_share_least, text)
        known = [night.class_shares[name] for night in before if name in night.class_shares]
        if not known:
            continue
        median = statistics.median(known)
        change = abs(share - median)
        # The smallest difference that chance leaves possible.
        least_change = max(low - median, median - high)
        if least_change > limits.class_share_change + _ROUNDING:
            text = (
                f"{which}, by chance {low:.1%} to {high:.1%} ({CHANCE}), and {median:.1%} in the "
                f"median of the last {len(known)} nights; {100 * limits.class_share_change:g} "
                "points of difference are allowed"
            )
            yield Breach("class_share_change", change, limits.class_share_change, text)


def _most(measures: Measures, limits: Limits) -> Iterator[Breach]:
    """Compare the shares that have a most.

    Words of one text come together, so that unknown ones count as if each text was one word.
    """
    for name, what in _MOST.items():
        share, allowed = getattr(measures, name), getattr(limits, name)
        if share is None:
            continue
        low, _ = share_interval(share, measures.rows)
        if low > allowed:
            text = (
                f"{share:.1%} of the {what}, by chance at least {low:.1%} of {measures.rows:,} "
                f"rows ({CHANCE}); at most {allowed:.1%} are allowed"
            )
            yield Breach(name, share, allowed, text)


def share_interval(share: float, rows: int) -> tuple[float, float]:
    """Return the exact binomial interval of a share (Clopper and Pearson 1934).

    Parameters
    ----------
    share : float
        That was measured.
    rows : int
        That it was measured on, at least 1.

    Returns
    -------
    low, high : float
        The true share is below the first, or above the second, in at most 1 of 1,000 cases each.

    Examples
    --------
    >>> [round(bound, 3) for bound in share_interval(0.0, 50)]
    [0.0, 0.129]
    """
    from scipy.stats import beta

    count = share * rows
    low = float(beta.ppf(_BY_CHANCE, count, rows - count + 1)) if share > 0 else 0.0
    high = float(beta.ppf(1 - _BY_CHANCE, count + 1, rows - count)) if share < 1 else 1.0
    return low, high
