"""The data contract: what a night's rows must keep to before anything is made of them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

# Reasons that CleanText gives for rows it leaves out.
_EMPTY, _REPEATED = "nothing left after cleaning", "clean text came before"


@dataclass(frozen=True)
class Measures:
    """What a night's own rows are like, rows of the frozen set left out.

    Attributes
    ----------
    rows : int
        Records in the raw files.
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
    """

    rows: int
    class_shares: Mapping[str, float]
    empty_share: float
    repeated_share: float
    unusable_share: float
    unknown_share: float | None = None

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
        raise NotImplementedError


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
    raise NotImplementedError


def unknown_words(counts: Mapping[str, int], vocabulary: Sequence[str]) -> float:
    """Return the share of tokens that a vocabulary does not hold.

    Parameters
    ----------
    counts : mapping of str to int
        How often the night's texts hold each token.
    vocabulary : sequence of str
        Every token of the champion's training rows, or what its model can tell apart.
    """
    raise NotImplementedError


def unreadable(problem: str) -> Breach:
    """Return the breach of a file that cannot be read as the dataset's schema says.

    Parameters
    ----------
    problem : str
        The reader's own error.
    """
    return Breach("schema", None, None, problem)


def breaches(measures: Measures, earlier: Sequence[Measures], limits: Limits) -> list[Breach]:
    """Compare a night with the contract.

    Parameters
    ----------
    measures : Measures
        Of the night.
    earlier : sequence of Measures
        Of earlier nights that kept the contract, oldest first; the last
        ``limits.trailing_nights`` of them count.
    limits : Limits

    Returns
    -------
    list of Breach
        Empty where the contract is kept.
    """
    raise NotImplementedError
