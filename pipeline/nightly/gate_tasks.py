"""The gates of a night as Luigi tasks: each compares with the champion and writes a JSON file.

`pipeline.nightly.decide` yields them. They are imported when a night runs, so that no command line
has options for their many inherited parameters.
"""

import functools
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import luigi
from luigi.util import requires

from pipeline.nightly import gates, ledger, limits, records
from pipeline.nightly.ledger import KEPT, PROMOTED
from pipeline.store import artifacts
from pipeline.tasks.base import Step, paths
from pipeline.tasks.clean_text import CleanText
from pipeline.tasks.download_data import DownloadData
from pipeline.tasks.evaluate import Evaluate

if TYPE_CHECKING:
    from pipeline.nightly.trained_model import Evaluated

_SAMPLE = "sample.parquet"


class Gate(Step):
    """A check of a night; its artifact is one JSON file with the step's label as name."""

    folder = "gates"
    champion = luigi.Parameter(
        default="",
        positional=False,
        description="folder of the champion's Evaluate artifact, relative to the outputs folder; "
        "empty: there is no champion",
    )

    def result(self) -> Any:
        """Return the content of the JSON file; the artifact must be complete."""
        return artifacts.read_json(self.path() / f"{self.label}.json")

    def external_inputs(self) -> dict[str, Any]:
        """Return the champion; it is not in the chain of the night's own steps."""
        return {"champion": self.champion}

    def champion_model(self) -> "Evaluated | None":
        """Return the champion's model."""
        if not self.champion:
            return None
        from pipeline.nightly.trained_model import Evaluated

        return Evaluated(Path(paths().outputs) / self.champion)


@requires(CleanText)
class Contract(Gate):
    """Compare the rows of a night's day with the data contract.

    A real result: ``{"name": "rows_least", "measured": 100, "allowed": 240.0, "sentence": "100
    rows are too few: ..."}`` in the list ``breaches`` of ``contract.json``.
    """

    label = "contract"

    def settings(self) -> dict[str, Any]:
        """Return the limits of the contract."""
        return asdict(limits.contract().limits())

    def external_inputs(self) -> dict[str, Any]:
        """Return the champion, the files of the day, and the measures of earlier nights."""
        files = self._clean.own_names()
        earlier = artifacts.digest(self._earlier)
        return {**super().external_inputs(), "files": files, "earlier": earlier}

    def build(self, out: artifacts.Workspace) -> None:
        """Write ``contract.json``, and ``sample.parquet`` if there is a champion."""
        rows, rejected = self._clean.own_tables()
        names = [label.name for label in self._download.row.labels]
        measured, champion = gates.measures(rows, rejected, names), self.champion_model()
        if champion is not None and rows.num_rows:
            sample = gates.sample(rows, champion)
            out.write_table(_SAMPLE, sample, dictionary_columns=("label",))
            share = gates.unknown_share(sample, champion)
            measured = replace(measured, unknown_share=share)
        result = gates.check_contract(measured, self._earlier, champion)
        out.write_json("contract.json", result)

    @property
    def _clean(self) -> CleanText:
        clean = self.upstream()
        assert isinstance(clean, CleanText)
        return clean

    @property
    def _download(self) -> DownloadData:
        return next(step for step in self.chain() if isinstance(step, DownloadData))

    @functools.cached_property
    def _earlier(self) -> list[Mapping[str, Any]]:
        """Measures of the nights before this one that kept the contract."""
        day = self._download.day or ""
        nights = [night for night in records.decided(self.dataset) if night.date < day]
        return gates.earlier_measures(nights)


@requires(Contract)
class Drift(Gate):
    """Compare the rows of a night's day with the champion's training rows.

    ``drift.json`` is null if no row of the day could be used.
    """

    label = "drift"

    def settings(self) -> dict[str, Any]:
        """Return the levels of drift."""
        return asdict(limits.drift().limits())

    def build(self, out: artifacts.Workspace) -> None:
        """Write ``drift.json``."""
        sample, champion = self.path_of("Contract") / _SAMPLE, self.champion_model()
        result = gates.drift(sample, champion) if champion and sample.is_file() else None
        out.write_json("drift.json", result)


@requires(Evaluate)
class Decision(limits.PromotionRules, Gate):
    """Compare the night's model with the champion on the holdout rows."""

    label = "decision"

    def external_inputs(self) -> dict[str, Any]:
        """Return the champion, and the earlier comparisons that the ledger records."""
        compared = [
            entry.metrics.get("holdout")
            for entry in self._entries()
            if entry.decision in (PROMOTED, KEPT) and entry.against is not None
        ]
        return {**super().external_inputs(), "comparisons": artifacts.digest(compared)}

    def build(self, out: artifacts.Workspace) -> None:
        """Write ``decision.json``."""
        from pipeline.nightly.rules import Limits

        evaluate, rules = self.upstream(), Limits(**self.promotion_limits())
        assert isinstance(evaluate, Evaluate)
        decided = gates.decision(evaluate, self.champion_model(), rules, self._entries())
        out.write_json("decision.json", decided.as_json())

    def _entries(self) -> Any:
        """Return the lines of the ledger."""
        return ledger.read(records.registry_of(self.dataset)).entries
