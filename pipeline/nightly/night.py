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
    """The outcome of a night and the results that led to it."""

    dataset: str
    date: str
    outcome: str  # one of `pipeline.nightly.ledger.DECISIONS`, except the rollback
    reason: str
    model: str
    metric: str  # the deciding one of `METRICS`
    time: str  # of the decision, ISO 8601
    digests: Mapping[str, str] = field(default_factory=dict)  # data, evaluate, report
    rows: int | None = None  # records of the day; None if the files could not be read
    # Results of `pipeline.nightly.gates`; None of a gate that was not reached.
    contract: Mapping[str, Any] | None = None
    drift: Mapping[str, Any] | None = None
    decision: Mapping[str, Any] | None = None
    report: str | None = None  # folder of the Report artifact below the outputs folder
    figures: Sequence[str] = ()  # names of pictures in the night's folder
    # Cost of the night, including the artifacts that were built for it.
    seconds: float | None = None
    peak_memory_mib: float | None = None
    redo: int = 0  # number of earlier decisions on the date

    def as_json(self) -> dict[str, Any]:
        """Return the content of ``night.json``."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Night":
        """Return the night that `as_json` wrote; keys of later versions are ignored."""
        return cls(**{name: content[name] for name in cls.__annotations__ if name in content})
