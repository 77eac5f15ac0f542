"""The decision of a night: the gates in their order, and the outcome that follows from them."""

import resource
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipeline.data import daily
from pipeline.errors import NightError
from pipeline.nightly import day_rows, ledger, records
from pipeline.nightly.contract import unreadable
from pipeline.nightly.ledger import Champion, Entry
from pipeline.nightly.night import Night
from pipeline.store import files
from pipeline.store.manifests import read_manifest
from pipeline.tasks import progress
from pipeline.tasks.base import Step
from pipeline.tasks.clean_text import CleanText
from pipeline.tasks.config import relative_to_outputs
from pipeline.tasks.download_data import DownloadData
from pipeline.tasks.evaluate import Evaluate
from pipeline.tasks.graph import in_order

if TYPE_CHECKING:
    from pipeline.nightly.tasks import Nightly

#: Outcome and reason, or None if the next gate decides.
_Outcome = tuple[str, str] | None


@dataclass
class _State:
    """A night under way: its task, the champion, and the results so far."""

    task: "Nightly"
    champion: Champion | None
    digests: dict[str, str] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)  # of night.json, by key
    gates: list[Step] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    @property
    def against(self) -> str | None:
        """Digest of the champion's Evaluate artifact."""
        return self.champion.digest if self.champion else None

    @property
    def champion_path(self) -> str:
        """Path of that artifact below the outputs folder; empty without a champion."""
        return self.champion.path if self.champion else ""

    def gate(self, step: Any) -> Generator[Any, Any, Any]:
        """Yield a gate, and return the content of its JSON file."""
        self.gates.append(step)
        yield step
        return step.result()


def decide(task: "Nightly", champion: Champion | None) -> Generator[Any, Any, tuple[Night, Entry]]:
    """Yield the tasks of a night, and return its record and its line of the ledger.

    Luigi runs the caller from its beginning again each time that a yielded task was not complete.
    """
    state = _State(task, champion)
    outcome = yield from _files(state)
    outcome = outcome or (yield from _contract(state))
    outcome = outcome or _repetition(state)
    outcome = outcome or (yield from _drift(state))
    outcome = outcome or (yield from _comparison(state))
    night = _night(state, *outcome)
    return night, _entry(state, night)


def _files(state: _State) -> Generator[Any, Any, _Outcome]:
    """Fetch the raw files; a file that cannot be read breaks the contract."""
    from pipeline.nightly import gates

    task = state.task
    download, clean = task.step(DownloadData), task.step(CleanText)
    _check_holdout_rows(task, download)
    progress.set_status(task, 0.0, "fetching raw files")
    yield download
    state.digests["data"] = download.digest()
    progress.set_status(task, 0.1, "reading raw files")
    # A night is run from its beginning again: cleaned files have been read without an error.
    problem = None if clean.complete() else day_rows.problem_with_files(clean)
    if problem is None:
        return None
    state.results["contract"] = gates.contract_json(None, [unreadable(problem)])
    return ledger.CONTRACT_BROKEN, problem


def _contract(state: _State) -> Generator[Any, Any, _Outcome]:
    """Clean the texts, and compare the rows of the day with the data contract."""
    from pipeline.nightly import gates
    from pipeline.nightly.gate_tasks import Contract

    clean = state.task.step(CleanText)
    yield clean
    progress.set_status(state.task, 0.2, "checking the contract")
    gates.champion_model(state.champion_path)  # raises if it was deleted
    earlier = files.digest(records.earlier_measures(state.task.name, state.task.day))
    contract = yield from state.gate(
        clean.clone(Contract, champion=state.champion_path, earlier=earlier)
    )
    state.results |= {"contract": contract, "rows": contract["measures"]["rows"]}
    if not contract["breaches"]:
        return None
    return ledger.CONTRACT_BROKEN, "; ".join(one["sentence"] for one in contract["breaches"])


def _repetition(state: _State) -> _Outcome:
    """Look for an earlier night that decided on the same model of the same rows."""
    task = state.task
    digest = state.digests["evaluate"] = task.step(Evaluate).digest()
    present, metric = state.against, task.promotion_limits()["metric"]
    for entry in ledger.read(records.registry_of(task.name)).entries:
        # A date that is decided again does not count as a repetition of itself.
        if entry.digests.get("evaluate") != digest or entry.date == task.day:
            continue
        is_alike = entry.against == present and entry.metrics.get("metric") == metric
        if entry.decision == ledger.PROMOTED or (entry.decision == ledger.KEPT and is_alike):
            return ledger.UNCHANGED, (
                f"content and model are those of the night of {entry.date}, which ended with "
                f"{entry.decision}"
            )
    return None


def _drift(state: _State) -> Generator[Any, Any, _Outcome]:
    """Compare the rows of the day with the champion's training rows."""
    from pipeline.nightly.gate_tasks import Drift

    progress.set_status(state.task, 0.3, "comparing with the champion's training data")
    drift = None
    if state.champion:
        drift = yield from state.gate(state.gates[0].clone(Drift))
    state.results["drift"] = drift
    return (ledger.DRIFT_STOP, drift["sentence"]) if drift and drift["level"] == "stop" else None


def _comparison(state: _State) -> Generator[Any, Any, tuple[str, str]]:
    """Train the night's model, and compare it with the champion on the holdout rows."""
    from pipeline.nightly.gate_tasks import Decision

    task = state.task
    progress.set_status(task, 0.4, "training")
    yield task.report
    state.digests["report"] = task.report.digest()
    state.results["report"] = relative_to_outputs(task.report.path())
    progress.set_status(task, 0.9, "deciding")
    entries = ledger.read(records.registry_of(task.name)).entries
    compared = files.digest([one.metrics.get("holdout") for one in entries if one.against])
    inputs = {"champion": state.champion_path, "earlier": compared, **task.promotion_limits()}
    decision = yield from state.gate(task.step(Evaluate).clone(Decision, **inputs))
    state.results["decision"] = decision
    return ledger.PROMOTED if decision["promoted"] else ledger.KEPT, decision["reason"]


def _check_holdout_rows(task: "Nightly", download: DownloadData) -> None:
    """Raise if the dataset has no holdout rows."""
    if not daily.holdout_files(download.raw_folder):
        raise NightError(
            f"dataset {task.name!r} has no holdout rows, on which the models of all nights are "
            f"compared: {download.raw_folder / daily.HOLDOUT_FOLDER} is empty. Draw a first set: "
            f"pipeline freeze --dataset {task.name} --date {task.day}"
        )


def _night(state: _State, outcome: str, reason: str) -> Night:
    """Return the record of a decided night."""
    task = state.task
    return Night(
        task.name,
        task.day,
        outcome,
        reason,
        model=task.step(Evaluate).label,
        metric=task.promotion_limits()["metric"],
        time=records.now(),
        digests=state.digests,
        redo=task.number,
        **state.results,
        **_costs(state),
    )


def _entry(state: _State, night: Night) -> Entry:
    """Return the ledger's line of a decided night."""
    metrics = night.decision["figures"] if night.decision else {}
    # The ledger is never deleted, so it records how often the holdout rows were used.
    used = {name: metrics[name] for name in ("holdout", "comparison_number") if metrics}
    shown = {"metric": night.metric, "model": night.model, "rows": night.rows}
    evaluate, champion = state.task.step(Evaluate), None
    if night.outcome == ledger.PROMOTED:
        champion = Champion(night.date, evaluate.digest(), relative_to_outputs(evaluate.path()))
    return Entry(
        night.date,
        night.outcome,
        night.reason,
        night.time,
        night.digests,
        {**shown, **metrics.get("values", {}), **used},
        state.against,
        champion,
        night.redo,
    )


def _costs(state: _State) -> dict[str, Any]:
    """Return seconds and peak memory of the night, of artifacts built since the last night too."""
    entries = ledger.read(records.registry_of(state.task.name)).entries
    last = datetime.fromisoformat(entries[-1].time).timestamp() if entries else 0.0
    steps = [step for step in in_order(state.task.report) if isinstance(step, Step)]
    manifests = [read_manifest(step.path()) for step in [*steps, *state.gates]]
    built = [
        manifest
        for manifest in manifests
        if manifest and datetime.fromisoformat(manifest["finished"]).timestamp() > last
    ]
    seconds = time.monotonic() - state.started + sum(one.get("seconds", 0.0) for one in built)
    peaks = [one.get("peak_memory_mib") or 0.0 for one in built]
    here = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": round(seconds, 3), "peak_memory_mib": round(max([here, *peaks]), 1)}
