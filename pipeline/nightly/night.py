"""The record of a night: what ``night.json`` holds and the history page reads."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

#: Metrics that can decide, by name, and whether lower is better.
METRICS = {
    "accuracy": False,
    "balanced_accuracy": False,
    "macro_f1": False,
    "weighted_f1": False,
    "matthews": False,
    "kappa": False,
    "roc_auc": False,
    "average_precision": False,
    "log_loss": True,
    "brier": True,
}


@dataclass(frozen=True)
class Night:
    """What came of a night.

    Attributes
    ----------
    dataset, date : str
        The date in ISO 8601.
    outcome : str
        One of `pipeline.nightly.ledger.DECISIONS`, rollback left out.
    reason : str
        One sentence.
    model : str
    metric : str
        Name of the metric that decides, one of `METRICS`.
    time : str
        When it was decided, ISO 8601.
    digests : mapping of str to str
        Such as ``data``, ``evaluate``, ``report``.
    rows : int or None
        Records that the night's own day brought; None where the files could not be read.
    contract : mapping or None
        ``measures`` (`pipeline.nightly.contract.Measures.as_json`, or None) and ``breaches``
        (list of `pipeline.nightly.contract.Breach.as_json`).
    drift : mapping or None
        `pipeline.nightly.drift.Drift.as_json`; None without a champion, or where the night ended
        before.
    decision : mapping or None
        `pipeline.nightly.promotion.Promotion.as_json`; None where nothing was decided.
    report : str or None
        Folder of the night's Report, from the outputs folder on.
    figures : sequence of str
        Names of pictures in the night's folder.
    seconds : float or None
        What the night took.
    peak_memory_mib : float or None
    redo : int
        How often the night had been decided before.
    """

    dataset: str
    date: str
    outcome: str
    reason: str
    model: str
    metric: str
    time: str
    digests: Mapping[str, str] = field(default_factory=dict)
    rows: int | None = None
    contract: Mapping[str, Any] | None = None
    drift: Mapping[str, Any] | None = None
    decision: Mapping[str, Any] | None = None
    report: str | None = None
    figures: Sequence[str] = ()
    seconds: float | None = None
    peak_memory_mib: float | None = None
    redo: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return what ``night.json`` holds."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "Night":
        """Read what `as_json` wrote; keys of later versions are left out."""
        known = {name: value for name, value in found.items() if name in cls.__annotations__}
        return cls(**known)
