"""The record of a night: the content of ``night.json``, which the history page reads."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

#: Metrics that can decide, and whether lower values are better.
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
    """The outcome of a night and the results that led to it.

    Attributes
    ----------
    outcome : str
        One of `pipeline.nightly.ledger.DECISIONS`, except the rollback.
    metric : str
        Name of the metric that decides, one of `METRICS`.
    date, time : str
        The day, and the time of the decision, ISO 8601.
    digests : mapping of str to str
        Digests of artifacts: ``data``, ``evaluate``, ``report``.
    rows : int or None
        Records of the night's day; None if the files could not be read.
    contract, drift, decision : mapping or None
        Results of the gates, see `pipeline.nightly.gates`; None of a gate that was not reached.
    report : str or None
        Folder of the Report artifact, relative to the outputs folder.
    figures : sequence of str
        Names of pictures in the night's folder.
    seconds, peak_memory_mib : float or None
        Cost of the night, including the artifacts that were built for it.
    redo : int
        Number of decisions on the same date before this one.
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
        """Return the content of ``night.json``."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Night":
        """Return the night that `as_json` wrote; keys of later versions are ignored."""
        return cls(**{name: content[name] for name in cls.__annotations__ if name in content})
